package entry

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Bodies are CBOR arrays in the order of their fields. Fields are only ever
// added at the end. Outcomes are the numbers of package screening: 0 refer,
// 1 admit, 2 recheck, 3 isolate, 4 refuse. Subjects are roster numbers, which
// are assigned once and never reused; no body holds a name of a subject.

// Boot is the first entry of every process.
type Boot struct {
	_ struct{} `cbor:",toarray"`
	// Kernel is /proc/sys/kernel/random/boot_id: two processes with the same
	// value share one monotonic clock.
	Kernel [16]byte
	// Version is the program's.
	Version string
	// Random tells two journals apart that agree in everything else.
	Random [16]byte
	// Config is the SHA-256 of the configuration in force.
	Config [32]byte
}

// Reading is one temperature as it was judged.
type Reading struct {
	_ struct{} `cbor:",toarray"`
	// Value was judged, Peak is the highest sample, Ambient the instrument's
	// own: thousandths of a degree Celsius.
	Value, Peak, Ambient int32
	// Site is where on the body, as package screening numbers it.
	Site uint8
	// Instrument is the configured name of the thermometer.
	Instrument string
	// Formula names how Value came from the samples, for example "skin/1".
	Formula string
	// Quality is as package screening numbers it.
	Quality uint8
	// Samples is how many samples stand behind Value.
	Samples uint8
}

// Code is what a scan said about a subject's health.
type Code struct {
	_ struct{} `cbor:",toarray"`
	// Kind and Colour are as package screening numbers them.
	Kind, Colour uint8
	// AsOf is Unix time in milliseconds, 0 when the code does not say.
	AsOf int64
	// How is 1 when the colour stands in the roster, 2 when a person saw it, 3 when
	// a person saw it on paper.
	How uint8
	// Digest is the first 16 bytes of the SHA-256 of an opaque scan, or empty.
	Digest []byte
}

// The ways in which an arrival ends.
const (
	EndDecided    uint8 = 1 // there was a decision
	EndIncomplete uint8 = 2 // the subject went away before the evidence was complete
	EndRepeat     uint8 = 3 // the same badge again, soon after an admission that nobody used
	EndOrphan     uint8 = 4 // a reading that must stop somebody, without a badge
)

// Arrival is one subject at one lane.
type Arrival struct {
	_ struct{} `cbor:",toarray"`
	// Counter is this arrival's number since the process started, from 1.
	Counter uint32
	// Direction is as package screening numbers it.
	Direction uint8
	// End is one of the End constants.
	End uint8
	// Outcome is the decision; 0 unless End is EndDecided or EndRepeat.
	Outcome uint8
	// Subject is a roster number, 0 for none.
	Subject uint64
	// Role is as package screening numbers it.
	Role uint8
	// Rows are the policy's rows that failed, each as "row:reason".
	Rows []string
	// Policy and Roster are the versions that were in force.
	Policy, Roster uint32
	// Reading and Code are nil where there was none.
	Reading *Reading
	Code    *Code
	// Staff are the roster numbers of those on duty, at most two.
	Staff []uint64
	// Badge is the first 16 bytes of the SHA-256 of a scan that names nobody
	// on the roster, or empty.
	Badge []byte
}

// What a person did about an arrival or a hold.
const (
	ActColourSeen       uint8 = 1
	ActTemperatureTyped uint8 = 2
	ActTurnedAway       uint8 = 3
	ActOverride         uint8 = 4
	ActAside            uint8 = 5
	ActAcknowledge      uint8 = 6
	ActReleaseWithheld  uint8 = 7 // the program's own: the release came too late to be given
	ActUndo             uint8 = 8
	ActHoldLifted       uint8 = 9
	ActHoldPlaced       uint8 = 10
	// ActNamed: somebody without a badge was named at a lane, which then took
	// them as if the badge had been scanned.
	ActNamed uint8 = 11
	// ActSymptoms: somebody looks ill. A hold by name stands from here on, or the
	// case whose number is the ticket holds.
	ActSymptoms uint8 = 12
	// ActVisitIn: a visitor has the card that is the subject, which opens lanes
	// from here on; who it is stands in a private blob, a [Visitor].
	ActVisitIn uint8 = 13
	// ActVisitOut: the card is back, by hand or because it left by the arrival
	// (By is empty then), and opens nothing any more.
	ActVisitOut uint8 = 14
	// ActGoodsOutside: something was handed over outside the gate; nobody came in.
	ActGoodsOutside uint8 = 15
	// ActEmergency: emergency passage was begun by those in By, or lasts longer,
	// until Until; or it was ended by them, or by itself (By is empty then), when
	// Until is 0. Whoever it lets in has an ActOverride without a subject.
	ActEmergency uint8 = 16
	// ActRulesSeen: somebody has seen that the rules changed.
	ActRulesSeen uint8 = 17
	// ActListAccepted: somebody lets the old list of people and holds serve today.
	ActListAccepted uint8 = 18
	// ActWristFirst: the lane measures wrists before foreheads until Until.
	ActWristFirst uint8 = 19
	// ActLooked: somebody looked at what a row of the policy asks for; the reason
	// names the row and says whether it was in order.
	ActLooked uint8 = 20
	// ActNoted: whoever stands in the lane has no mask, or looks ill, as the reason
	// says. It lets nobody in.
	ActNoted uint8 = 22
	// ActDrill: a drill was begun by those in By, until Until, for the Reason of a
	// closed list; or it was ended by them, or by itself (By is empty then), when
	// Until is 0. Cases that are opened with the word "drill" end with it, and count
	// nowhere. Everything else that happens meanwhile is as real as ever.
	ActDrill uint8 = 21
	// ActSick: somebody was reported ill at home today, in place of an earlier report
	// of the same day. It holds nobody and opens no case.
	ActSick uint8 = 23
	// ActChecked: a class, a dormitory or a bus was checked, in place of an earlier
	// such check of the same day: a [Checked]. It moves no relay and holds nobody; of
	// whom it stopped there is a case.
	ActChecked uint8 = 24
	// ActUnchecked: that check was taken back, which has the same reason, and no rows.
	// The cases that were opened by it go on.
	ActUnchecked uint8 = 25
	// ActCalibrated: the thermometer of the entry's lane was compared with what those
	// in By knew the temperature of. The reason is its certificate, signed by the
	// gate, as package screening/calibration spells it; Until is when it is to be
	// compared again by the policy of that day. Readings name this entry by its number.
	ActCalibrated uint8 = 26
	// ActHeightsSeen: the lens of the entry's lane saw a small child, a larger one and
	// an adult alike, "1000:34100 1300:34200 1700:34150" as the reason, in millimetres
	// and thousandths of a degree.
	ActHeightsSeen uint8 = 27
	// ActAccepted: the gate was accepted where it stands, or was not: the reason is
	// "passed" or "failed", Rows are its steps as "STEP:RESULT" with seen, yes, no or
	// skipped for a result. Who did it stands in a private blob, an [Accepted], and in
	// By as far as they are on the roster.
	ActAccepted uint8 = 28
	// ActSeenAtGate: the word of another gate of the school by which the arrival was
	// stopped, "GATE:in", "GATE:out" or "GATE:here" as the reason, and Until when that
	// was. Nobody acted.
	ActSeenAtGate uint8 = 29
	// ActReported: a report that the policy asks for has gone out, "daily@11:30" as
	// the reason; with ":undone" behind it, it has not after all.
	ActReported uint8 = 30
	// ActFire: the fire contact has released the barriers by wire ("released"), or
	// no longer does ("over"). Nobody is asked, and no lane takes part meanwhile.
	ActFire uint8 = 31
	// ActReasonGiven: those in By say why the arrival was let in by the button of its
	// lane, whose ActOverride has the reason "owed".
	ActReasonGiven uint8 = 32
	// ActOpenedAlone: the counter of a lane saw an opening that no admission of the
	// lane explains.
	ActOpenedAlone uint8 = 33
)

// Answer is what one or two people did.
type Answer struct {
	_ struct{} `cbor:",toarray"`
	// Arrival is what they answered; zero where the act is about a hold alone.
	Arrival ArrivalID
	// Act is one of the Act constants.
	Act uint8
	// Outcome is what came of it, and Rows what still stood against it; of a [Checked]
	// of whom something was found.
	Outcome uint8
	Rows    []string
	// Subject is a roster number, 0 for none.
	Subject uint64
	// By are the roster numbers of those who acted, at most two.
	By []uint64
	// Reading and Code are nil where there was none.
	Reading *Reading
	Code    *Code
	// Ticket is the number under which an arrival was set aside, 0 for none.
	Ticket uint16
	// Reason is a word of the page's closed list for an override or for a hold
	// that people in By placed, "isolation-room" where the room answered an
	// alarm, "late" of a release that was withheld, "collector:NAME" of a hold
	// from above, "rebase" of one that was carried over from the journal before,
	// "over" of a hold by name that ended by itself because its time had passed
	// (By is empty then), why a visitor came or why goods did (with ":approved" behind it where the second in By is a leader who approved), the symptoms that were seen or reported, with commas between them (empty of an ActSick whose cause is unknown),
	// what an undo took back ("colour", "typed", "turned-away", "looked", "hold", "sick", or "admit":
	// the person is inside and held from here on), "emergency" of an override of
	// emergency passage, "owed" of an override by the button of a lane, "restart" of one of those, or of a drill, that a restart ended,
	// "policy:NUMBER" of rules that were seen, "ROW:in-order" or "ROW:not-in-order"
	// of a row that was looked at, "no-mask" or "symptoms" of a note, what was checked as [Checked] says, a certificate, heights, or empty; it
	// names no person.
	Reason string
	// Until is when a hold that was placed by name ends by itself, in Unix
	// milliseconds; 0 of one that only a lift by name ends. The hold stands until
	// the entry of its end is written. Of ActEmergency it is when that ends by
	// itself, as of ActDrill and ActWristFirst, of ActListAccepted the date of the list, of
	// ActSeenAtGate when the other gate saw the person, of ActCalibrated when the next is due; 0 of all else.
	Until int64
}

// What happened to a device.
const (
	DeviceLost  uint8 = 1
	DeviceBack  uint8 = 2
	DeviceFault uint8 = 3
)

// Device is a change in one part of a lane's hardware.
type Device struct {
	_    struct{} `cbor:",toarray"`
	Lane uint8
	// Role is the part's place in the lane, for example "thermometer".
	Role string
	// Event is DeviceLost, DeviceBack or DeviceFault.
	Event uint8
	// Detail is the error in at most 200 bytes.
	Detail string
}

// ClockStep is a jump of wall time against monotonic time, or a person's word
// that the time is right.
type ClockStep struct {
	_ struct{} `cbor:",toarray"`
	// StepMilli is new minus expected wall time, in milliseconds.
	StepMilli int64
	// Clock is the quality after the step.
	Clock Clock
	// By are the roster numbers of those who said that the time is right;
	// empty where the clock moved by itself.
	By []uint64
}

// Policy is a policy from the moment on in which it is in force.
type Policy struct {
	_      struct{} `cbor:",toarray"`
	Number uint32
	Name   string
	// Text is the signed document, byte for byte.
	Text []byte
}

// Roster is a snapshot of the roster from the moment on in which it is in force.
type Roster struct {
	_       struct{} `cbor:",toarray"`
	Version uint32
	// Hash is the SHA-256 of the snapshot.
	Hash [32]byte
	// Added, Changed and Left count people against the version before.
	Added, Changed, Left uint32
	// By says where the snapshot came from; it names no person.
	By string
}

// Heartbeat makes silence visible.
type Heartbeat struct {
	_ struct{} `cbor:",toarray"`
	// Size is the number of entries before this one.
	Size uint64
}

// Stop is the last entry of a process that ended in good order.
type Stop struct {
	_      struct{} `cbor:",toarray"`
	Reason string
}

// KindOf returns the kind that a body value (or a pointer to one) belongs to,
// and false for anything else.
func KindOf(body any) (Kind, bool) {
	switch body.(type) {
	case Boot, *Boot:
		return KindBoot, true
	case Arrival, *Arrival:
		return KindArrival, true
	case Answer, *Answer:
		return KindAnswer, true
	case Case, *Case:
		return KindCase, true
	case Device, *Device:
		return KindDevice, true
	case ClockStep, *ClockStep:
		return KindClock, true
	case Policy, *Policy:
		return KindPolicy, true
	case Roster, *Roster:
		return KindRoster, true
	case Heartbeat, *Heartbeat:
		return KindHeartbeat, true
	case Stop, *Stop:
		return KindStop, true
	}
	return 0, false
}

// Encode returns the canonical CBOR of a body value, for Entry.Body.
func Encode(body any) ([]byte, error) {
	kind, ok := KindOf(body)
	if !ok {
		return nil, fmt.Errorf("encode body: %T is not the body of an entry", body)
	}
	b, err := encoding.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode %v body: %w", kind, err)
	}
	return b, nil
}

// Decode reads the body into a pointer to the body type of the entry's kind.
// It refuses another kind's type and every body that is not exactly what
// Encode writes: a body with more fields comes from a newer program and is
// stored and proved, never half read. After an error *into is unspecified.
func (e Entry) Decode(into any) error {
	kind, ok := KindOf(into)
	if !ok {
		return fmt.Errorf("decode %v body: %T is not a pointer to a body", e.Kind, into)
	}
	if kind != e.Kind {
		return fmt.Errorf("decode %v body: into the body of kind %v", e.Kind, kind)
	}
	if err := decode(e.Body, into); err != nil {
		return fmt.Errorf("decode %v body: %w", kind, err)
	}
	return nil
}

// decode reads arrivals and answers by hand: of them a record consists, and it
// is read as a whole whenever a gate starts and whenever it is collected.
func decode(body []byte, into any) error {
	r := elements{rest: body}
	switch into := into.(type) {
	case *Arrival:
		r.arrival(into)
	case *Answer:
		r.answer(into)
	default:
		return decodeAny(body, into)
	}
	if r.err == nil && len(r.rest) > 0 {
		r.err = fmt.Errorf("%d bytes behind it", len(r.rest))
	}
	return r.err
}

// decodeAny reads a body of any type, and writes it again to see that it was
// canonical.
func decodeAny(body []byte, into any) error {
	if err := decoding.Unmarshal(body, into); err != nil {
		return err
	}
	again, err := encoding.Marshal(into)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, body) {
		return errors.New("not in canonical form")
	}
	return nil
}

// ArrivalID names one arrival at a gate for ever.
type ArrivalID struct {
	_ struct{} `cbor:",toarray"`
	// Boot is the sequence number of the boot entry of the process.
	Boot uint64
	// Counter is the arrival's number since then.
	Counter uint32
}

// String returns "boot-counter" in decimal.
func (id ArrivalID) String() string {
	return strconv.FormatUint(id.Boot, 10) + "-" + strconv.FormatUint(uint64(id.Counter), 10)
}

// ParseArrivalID reads what String writes, and no other spelling of it.
func ParseArrivalID(s string) (ArrivalID, error) {
	boot, counter, _ := strings.Cut(s, "-")
	b, bootErr := strconv.ParseUint(boot, 10, 64)
	c, counterErr := strconv.ParseUint(counter, 10, 32)
	id := ArrivalID{Boot: b, Counter: uint32(c)}
	if bootErr != nil || counterErr != nil || id.String() != s {
		return ArrivalID{}, errors.New("parse arrival id: not of the form boot-counter")
	}
	return id, nil
}
