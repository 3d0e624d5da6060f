package lane

import "github.com/menshen/menshen/screening"

// End says how an arrival's own entry came about.
type End uint8

// The ends; their numbers stand in the journal and never change.
const (
	Decided    End = 1
	Incomplete End = 2 // no decision: the person left, or another came
	Repeat     End = 3 // the same badge once more, within 30 s of its admission
	Orphan     End = 4 // a high reading of somebody who scanned nothing
)

// Act is what a person, or the lane itself, did about an arrival afterwards.
// The zero value stands for the arrival's own entry.
type Act uint8

// The acts; their numbers stand in the journal and never change.
const (
	NoAct       Act = 0
	ColourSeen  Act = 1
	Typed       Act = 2
	TurnedAway  Act = 3
	Overridden  Act = 4
	Aside       Act = 5
	Acknowledge Act = 6
	Withheld    Act = 7 // the record came too late, or not alone: nothing moved
	// Looked: somebody looked at what a row asks for, see [LookedAt].
	Looked Act = 20
	// Noted: a mask is missing, or somebody looks ill. It lets nobody in.
	Noted Act = 22
)

// AtLane reports whether the act is about an arrival, in its lane or set aside.
// What people do beside the lanes is theirs to say.
func (a Act) AtLane() bool { return a <= Withheld || a == Looked || a == Noted }

// Record is what is to be stored of an arrival.
type Record struct {
	Arrival   uint32
	Act       Act
	End       End
	Direction screening.Direction
	Subject   screening.Subject
	Decision  screening.Decision
	// Reading is the newest, nil when there is none.
	Reading *screening.Reading
	Code    screening.Code
	// Badge is the digest of a badge that nobody has.
	Badge  []byte
	Policy uint32
	By     []uint64
	Ticket uint16
	Reason string
	// Admits says that Recorded may release.
	Admits bool
}

// Hold is what a record means for the subject at every lane of the gate.
type Hold uint8

// The changes of a hold.
const (
	KeepHold Hold = iota
	PlaceHold
	LiftHold
)

// Hold says what the record means for the subject at every lane. An open stop
// holds; a stop that is over holds only when what stopped it stays with the
// person; an admission lifts. A stop for a hold that stands already, and for
// nothing else that stays, is no hold of its own: it would outlive the one that
// it repeats. Only of one that met its admission half-way the admission has
// ended the hold, which then stands again.
func (r Record) Hold() Hold {
	switch {
	case r.Subject.ID == 0, !r.Act.AtLane():
		return KeepHold
	case r.Decision.Outcome == screening.Admit:
		return LiftHold
	case r.Decision.Repeated() && r.Act != Withheld:
		return KeepHold
	case r.Decision.Lasting():
		return PlaceHold
	case r.Act == TurnedAway:
		return LiftHold
	case r.Act == Withheld || r.End == Incomplete:
		return KeepHold
	}
	return PlaceHold
}

func (m *Machine) record(act Act) Record {
	a := m.cur
	r := Record{
		Arrival: a.id, Act: act, End: a.end, Direction: m.cfg.Direction, Subject: a.subject,
		Decision: a.decision, Code: a.code, Badge: a.badge, Policy: m.policy.Number(), By: a.by,
	}
	if n := len(a.readings); n > 0 {
		newest := a.readings[n-1]
		r.Reading = &newest
	}
	return r
}
