package lane

import (
	"time"

	"github.com/menshen/menshen/screening"
)

// ReasonEmergency is the Record.Reason of somebody who was let in by emergency
// passage.
const ReasonEmergency = "emergency"

// Emergency lets in, until a time, whoever has a whole, valid temperature that
// is not high, without a name: where no scanner works, that is better than a
// gate that is opened wide. It is a standing override of those who answer for
// it, and takes the way of every other: the record first. Lanes that lead out,
// and those that cannot measure, do not take it.
type Emergency struct {
	// Until is when it ends by itself, in Time.Mono; a later Emergency replaces
	// an earlier one.
	Until time.Duration
	// By are the roster numbers of who answers for it; empty ends it at once.
	By []uint64
}

func (Emergency) event() {}

func (m *Machine) setEmergency(ev Emergency) {
	if m.cfg.Direction != screening.In {
		return
	}
	m.emergency = ev
	m.cancel(timerEmergency)
	if m.inForce() {
		m.set(timerEmergency, ev.Until-m.now.Mono)
	}
	m.settlePhase()
}

// emergencyOver forgets who answered for it. Whom it has decided about before
// is still let in, once the record is there.
func (m *Machine) emergencyOver() {
	m.emergency = Emergency{}
	m.settlePhase()
}

func (m *Machine) inForce() bool { return len(m.emergency.By) > 0 && m.now.Mono < m.emergency.Until }

// passing reports whether this lane lets in by temperature alone now.
func (m *Machine) passing() bool {
	return m.inForce() && !m.stopping && m.cfg.Thermometer && m.faults&(attending|unmeasurable) == 0 &&
		m.policy.Needs(m.anybody()).Temperature
}

// unnamed takes the reading of somebody who has not scanned.
func (m *Machine) unnamed(r screening.Reading) {
	b := &m.body
	cold := r.Quality == screening.Cold || r.Quality == screening.Ambient
	switch {
	case !cold && r.Quality != screening.Valid, m.leavesHot():
	case cold && !b.tooCold: // one try is one approach to the lens
		b.tooCold = true
		m.emit(Signal{Again})
		m.set(timerShow, ShowAgain)
	case !cold && !b.judged && m.phase == Idle && m.resting:
		m.open(Scan{})
		m.cur.readings = append(m.cur.readings, r)
		m.decide()
	}
}

// leavesHot stops somebody without a badge of whom something high was seen and
// no whole reading that says so: while the lane lets in by temperature alone,
// whoever goes on goes in.
func (m *Machine) leavesHot() bool {
	b := &m.body
	if m.phase != Idle || !b.orphan || !m.policy.HighAt(m.site(), b.hottest) || !m.passing() {
		return false
	}
	m.open(Scan{})
	m.cur.end = Orphan
	m.cur.readings = append(m.cur.readings, m.glimpse(b.hottest))
	m.decide()
	return true
}

// excused reports whether emergency passage turns a decision into an admission:
// of somebody without a name, whom the lane has measured itself, and against
// whom nothing is known.
func (m *Machine) excused(d screening.Decision) bool {
	a := m.cur
	if !m.passing() || a.subject.ID != 0 || a.badge != nil || a.held || !d.Overridable() || len(a.readings) == 0 {
		return false
	}
	r := a.readings[len(a.readings)-1]
	return r.Quality == screening.Valid && !m.policy.HighAt(r.Site, max(r.Peak, m.body.hottest))
}

// excuse begins the record of an admission in the names of who answers for it.
func (m *Machine) excuse(d screening.Decision) {
	m.admitAs(d, Answer{Act: Overridden, By: m.emergency.By, Reason: ReasonEmergency})
}

// endSpent ends the arrival of a badge that was shown by whoever had just been
// let in without it, when that body leaves: the next one is somebody else, and
// must not be let in under that name.
func (m *Machine) endSpent() bool {
	if m.phase != Gathering || !m.cur.spent {
		return false
	}
	m.endUnfinished()
	return true
}
