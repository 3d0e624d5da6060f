package entry

// The steps of a case, as package casefile numbers them, and what the isolation
// room did about no case in particular.
const (
	CaseOpened        uint8 = 1
	CaseEscorted      uint8 = 2
	CaseArrived       uint8 = 3
	CaseMeasured      uint8 = 4
	CaseCalled        uint8 = 5
	CaseBackToClass   uint8 = 6
	CaseNotThisPerson uint8 = 7
	CaseHome          uint8 = 8
	CaseHospital      uint8 = 9
	CaseIdentified    uint8 = 10
	// CaseMuted: the room's buzzer is silent for two minutes, or until the next
	// alarm. It is about no case: Number is 0.
	CaseMuted     uint8 = 11
	CaseTold      uint8 = 12
	CaseSuspected uint8 = 13
	CaseDiagnosed uint8 = 14
	CaseDated     uint8 = 15
	CaseCleared   uint8 = 16
	CaseReturned  uint8 = 17
	CaseCorrected uint8 = 18
	CasePlaced    uint8 = 19
)

// Case is one step of a case.
type Case struct {
	_ struct{} `cbor:",toarray"`
	// Number is what staff call the case by, 1 to 999: that of the ticket under
	// which the person was set aside, or of one that nobody has. Numbers come
	// again; of two cases that are open no two have the same.
	Number uint16
	// Step is one of the Case constants.
	Step uint8
	// Arrival is the one that the case was opened of; zero where there was none.
	Arrival ArrivalID
	// Subject is a roster number, 0 for nobody known.
	Subject uint64
	// By are the roster numbers of those who acted, at most two; empty where the
	// gate opened the case by itself, or saw the person come in again.
	By []uint64
	// Origin of CaseOpened: 1 gate, 2 class, 3 isolation room, 4 office.
	Origin uint8
	// Found of CaseOpened are closed words: reasons of a stop, or symptoms.
	Found []string
	// Reading of CaseMeasured, of CaseOpened where the gate had one, and of
	// CaseCorrected about a measurement; nil of all else. Limit beside a measurement
	// in the room is the lowest that was a fever then, in thousandths of a degree
	// Celsius.
	Reading *Reading
	Limit   int32
	// Call of CaseCalled: 1 reached, 2 no answer, 3 busy; and Guardian, 1 or 2 as
	// the roster lists them.
	Call, Guardian uint8
	// Relation of CaseHome: 1 mother, 2 father, 3 grandparent, 4 another.
	Relation uint8
	// Reason of CaseNotThisPerson and CaseCorrected is a word of the page's closed
	// list; of CaseHome it is "phone" where the digits of a guardian's phone were
	// given, "leader" where the leader in By vouched; of CaseTold the word of the
	// duty, of CaseSuspected and CaseDiagnosed that of the disease, as the policy
	// names them; of CaseDated "onset" or "symptoms-end". Otherwise it is empty.
	Reason string
	// At is when the step was taken, in Unix milliseconds, where it was entered
	// later, as from paper; 0 where that is the entry's own time.
	At int64

	// What follows stands in an entry only where one of it is not zero.

	// Rounds of CaseOpened are the measurements that the policy asked for then.
	Rounds uint8
	// Proof of CaseCleared is what was shown, Asked what the policy asked for: 1 the
	// guardian's word, 2 the nurse's look, 3 a medical certificate, 4 a proof of
	// release from isolation. Of CaseCorrected they are those of a clearance that was
	// taken back.
	Proof, Asked uint8
	// From of CaseDated is the moment that it says, in Unix milliseconds. Of
	// CaseCleared the wait of Wait seconds counts from it, and On is the midnight that
	// begins the day of the return.
	From, On int64
	Wait     uint32
	// Place of CasePlaced is a bed of the room, 1 to 20.
	Place uint8
	// Corrects of CaseCorrected says which step of the case: 1 is the opening.
	Corrects uint16
}

// How many elements a case has, and how many it had before there was more than the
// stay in the room to tell of.
const caseElements, caseFirst = 22, 14

// MarshalCBOR writes what stands behind At only where some of it is said: any other
// step keeps the spelling that programs before these fields read.
func (c Case) MarshalCBOR() ([]byte, error) {
	type whole Case
	b, err := encoding.Marshal(whole(c))
	if err != nil {
		return nil, err
	}
	if c.Rounds|c.Proof|c.Asked|c.Place == 0 && c.From|c.On == 0 && c.Wait == 0 && c.Corrects == 0 {
		b = b[:len(b)-(caseElements-caseFirst)] // each a zero of one byte
		b[0] = 0x80 | caseFirst
	}
	return b, nil
}

// UnmarshalCBOR reads either spelling.
func (c *Case) UnmarshalCBOR(b []byte) error {
	type whole Case
	if len(b) > 0 && b[0] == 0x80|caseFirst {
		long := make([]byte, len(b)+caseElements-caseFirst)
		copy(long, b)
		long[0], b = 0x80|caseElements, long
	}
	return decoding.Unmarshal(b, (*whole)(c))
}
