package lane

import (
	"errors"

	"github.com/menshen/menshen/screening"
)

// Why an answer was not taken.
var (
	// ErrStale: the lane has moved on since the person saw it.
	ErrStale = errors.New("the lane has changed since it was seen")
	// ErrNotAllowed: this stop cannot be answered so.
	ErrNotAllowed = errors.New("this stop cannot be answered so")
)

// stop shows a stop at once, shuts the barrier first, alarms the isolation
// room if it must, and records all of it.
func (m *Machine) stop() { m.halt(NoAct) }

func (m *Machine) halt(act Act) {
	m.phase = Held
	m.shut()
	m.emit(Signal{Halt})
	if m.cur.decision.Outcome == screening.Isolate {
		m.emit(Alarm{m.cur.id, m.cur.subject.ID})
	}
	m.emit(Append{m.record(act)})
	m.bump()
}

// Allowed says which answers the present stop takes.
type Allowed struct {
	Colour, Type, TurnAway, Override, Aside, Acknowledge bool
	// Mask and Symptoms may be noted, while somebody is being served too.
	Mask, Symptoms bool
}

func (m *Machine) allowed() Allowed {
	mask, symptoms := m.notable(screening.Mask), m.notable(screening.Symptoms)
	if m.phase != Held {
		return Allowed{Mask: mask, Symptoms: symptoms}
	}
	a, d := m.cur, m.cur.decision
	unread := a.code.Digest != nil && a.code.Colour == screening.ColourUnknown
	return Allowed{
		Mask: mask, Symptoms: symptoms,
		Colour:      AsksColour(m.policy, d) || unread && (m.policy.Asks(screening.PositiveGreen) || m.policy.Asks(screening.NotBarred)),
		Type:        d.Has(screening.NoTemperature) || d.Has(screening.AmbientOutside) || d.Has(screening.TooCold) || d.Has(screening.HighOnce),
		TurnAway:    true,
		Override:    d.Overridable() && m.faults&attending == 0,
		Aside:       a.end != Orphan,
		Acknowledge: a.end == Orphan || d.Outcome == screening.Isolate,
	}
}

func (m *Machine) answer(ev Answer) {
	err := m.takeAnswer(ev)
	m.emit(Reply{ev.Token, err})
}

func (m *Machine) takeAnswer(ev Answer) error {
	if ev.Act == Noted {
		return m.note(ev)
	}
	if m.phase != Held || m.cur.id != ev.Arrival || m.version != ev.Version {
		return ErrStale
	}
	can := m.allowed()
	if len(ev.By) == 0 {
		return ErrNotAllowed
	}
	before := m.cur.by
	m.cur.by = ev.By
	switch {
	case ev.Act == ColourSeen && can.Colour && m.colours.Has(ev.Colour, ev.Printed):
		c := &m.cur.code
		c.Colour, c.How, c.AsOf = ev.Colour, SeenHow(ev.Printed), m.now.Wall
		m.redecide(ev)
	case ev.Act == Looked && mayLook(m.policy, m.cur.decision, ev.Row):
		m.cur.shown = Show(m.cur.shown, ev.Row, ev.InOrder)
		ev.Reason = LookedAt(ev.Row, ev.InOrder)
		m.redecide(ev)
	case ev.Act == Typed && can.Type:
		m.cur.readings = append(m.cur.readings, ev.Reading)
		if m.cur.recheck && m.policy.Clears(ev.Reading, m.cur.highBy) {
			m.cur.held = false
		}
		// Once high again, no further reading at the lane ends the hold.
		m.cur.recheck = m.cur.recheck && !(ev.Reading.Quality == screening.Valid && m.policy.High(ev.Reading.Peak))
		m.redecide(ev)
	case ev.Act == Overridden && can.Override:
		m.cur.decision.Outcome = screening.Admit
		m.startRecordingAnswer(ev)
	case ev.Act == TurnedAway && can.TurnAway:
		m.cur.decision.Outcome = screening.Worse(m.cur.decision.Outcome, screening.Refuse)
		m.leave(ev)
	case ev.Act == Aside && can.Aside:
		m.leave(ev)
	case ev.Act == Acknowledge && can.Acknowledge:
		m.leave(ev)
	default:
		m.cur.by = before
		return ErrNotAllowed
	}
	return nil
}

// redecide judges the arrival again with what the person added.
func (m *Machine) redecide(ev Answer) {
	before := m.cur.decision.Outcome
	d := m.policy.Decide(m.arrival())
	if d.Outcome == screening.Admit && m.faults&attending != 0 {
		d = d.Stop("lane/attended", screening.LaneAttended, screening.Refer)
	}
	m.cur.decision = d
	if d.Outcome == screening.Admit {
		m.startRecordingAnswer(ev)
		return
	}
	if d.Outcome == screening.Isolate && before != screening.Isolate {
		m.emit(Alarm{m.cur.id, m.cur.subject.ID})
	}
	m.emit(Append{m.answerRecord(ev)})
	m.bump()
}

func (m *Machine) startRecordingAnswer(ev Answer) {
	m.startRecording(ev.Act)
	m.body.judged = true // whoever stands there may be who was let in
	// The record just asked for carries the answer's own reason.
	for i, e := range m.out {
		if ap, ok := e.(Append); ok && ap.Record.Admits {
			ap.Record.Reason = ev.Reason
			m.out[i] = ap
		}
	}
}

func (m *Machine) answerRecord(ev Answer) Record {
	r := m.record(ev.Act)
	r.Ticket, r.Reason = ev.Ticket, ev.Reason
	return r
}

// leave takes the stopped arrival out of the lane.
func (m *Machine) leave(ev Answer) {
	r := m.answerRecord(ev)
	m.emit(Append{r})
	if ev.Act == Aside {
		m.emit(SetAside{Ticket: ev.Ticket, Record: r, Arrival: m.arrival(), Decision: m.cur.decision})
	}
	m.emit(Signal{Dark})
	m.rest()
	m.shown = nil
}
