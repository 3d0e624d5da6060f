package lane

import "github.com/menshen/menshen/screening"

// View is what a person may see of a lane.
type View struct {
	Phase   Phase
	Version uint64
	Faults  Fault
	// Shown says that an arrival is shown: the open one or, for a moment, the
	// one that ended last.
	Shown    bool
	Arrival  uint32
	Subject  screening.Subject
	End      End
	Decision screening.Decision
	// Decided says that Decision means something.
	Decided bool
	Reading *screening.Reading
	Try     int
	// Wrist says that the wrist is asked for, not the forehead.
	Wrist bool
	// OffersWrist says that it is so cold that the lane should begin with wrists,
	// and WristFirst that it does.
	OffersWrist, WristFirst bool
	Prompted                bool
	// StepBack asks whoever stands before the lens to leave it for a moment.
	StepBack bool
	// NeedsTemperature and NeedsIdentity say what is still waited for.
	NeedsTemperature bool
	NeedsIdentity    bool
	// Recorded says that the stop that is shown is durable.
	Recorded bool
	Allowed  Allowed
	// Looks are the rows that somebody may look at, in their order, and Colours
	// what may be said of a code.
	Looks   []screening.Requirement
	Colours Colours
	// Emergency says that emergency passage is in force here, and Passing that
	// the lane lets in by temperature alone now: one that cannot measure does not.
	Emergency, Passing bool
}

// Phase returns the present phase.
func (m *Machine) Phase() Phase { return m.phase }

// Resting reports whether no arrival is open.
func (m *Machine) Resting() bool { return m.cur == nil }

// Policy returns the policy in force at this lane.
func (m *Machine) Policy() screening.Policy { return m.policy }

// View returns what is to be shown now.
func (m *Machine) View() View {
	v := View{Phase: m.phase, Version: m.version, Faults: m.faults, Allowed: m.allowed(), Emergency: m.inForce(), Passing: m.passing(),
		OffersWrist: m.offersWrist(), WristFirst: m.wristFirst, Colours: m.colours}
	a := m.cur
	if a == nil {
		a = m.shown
	}
	if a == nil {
		v.Prompted, v.NeedsIdentity = m.body.prompted, m.body.prompted
		return v
	}
	v.Shown, v.Arrival, v.Subject, v.End, v.Decision = true, a.id, a.subject, a.end, a.decision
	v.Decided = m.phase != Gathering && a.end != Incomplete
	v.Try, v.Prompted, v.Recorded = a.tries, a.prompted, a.recorded
	if m.phase == Held {
		v.Looks = Looks(m.policy, a.decision)
	}
	if n := len(a.readings); n > 0 {
		r := a.readings[n-1]
		v.Reading = &r
	}
	if m.phase == Gathering {
		n := m.needs()
		v.NeedsIdentity = n.Identity && a.subject.ID == 0
		v.NeedsTemperature = n.Temperature && len(a.readings) == 0
		v.Wrist = v.NeedsTemperature && m.site() == screening.Wrist
		v.StepBack = v.NeedsTemperature && !m.body.fresh && m.body.inView
	}
	return v
}
