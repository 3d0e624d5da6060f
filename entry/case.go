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
	CaseMuted uint8 = 11
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
	// gate opened the case by itself.
	By []uint64
	// Origin of CaseOpened: 1 gate, 2 class, 3 isolation room, 4 office.
	Origin uint8
	// Found of CaseOpened are closed words: reasons of a stop, or symptoms.
	Found []string
	// Reading of CaseMeasured, and of CaseOpened where the gate had one; nil of
	// all else. Limit of CaseMeasured is the lowest that was a fever then, in
	// thousandths of a degree Celsius.
	Reading *Reading
	Limit   int32
	// Call of CaseCalled: 1 reached, 2 no answer, 3 busy; and Guardian, 1 or 2 as
	// the roster lists them.
	Call, Guardian uint8
	// Relation of CaseHome: 1 mother, 2 father, 3 grandparent, 4 another.
	Relation uint8
	// Reason of CaseNotThisPerson is a word of the page's closed list; of
	// CaseHome it is "phone" where the digits of a guardian's phone were given,
	// "leader" where the leader in By vouched. Otherwise it is empty.
	Reason string
	// At is when the step was taken, in Unix milliseconds, where it was entered
	// later, as from paper; 0 where that is the entry's own time.
	At int64
}
