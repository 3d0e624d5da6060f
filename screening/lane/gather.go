package lane

import (
	"slices"

	"github.com/menshen/menshen/screening"
)

func (m *Machine) scan(s Scan) {
	if m.faults&FireReleased != 0 {
		return
	}
	switch m.phase {
	case Recording, Releasing:
		if m.cur != nil && s.Subject.ID != 0 && s.Subject.ID == m.cur.subject.ID {
			return
		}
		m.park(s)
		if s.Held && m.phase == Releasing {
			m.shut()
		}
	case Gathering:
		m.secondScan(s)
	case Held:
		// The stop stays until a person answers it or sets it aside.
	default:
		m.begin(s)
	}
}

// park keeps the newest badge for when the lane is free. The one before it
// ends as any badge does that another one follows.
func (m *Machine) park(s Scan) {
	if m.stopping {
		return
	}
	if p := m.parked; p != nil && (s.Subject.ID == 0 || p.Subject.ID != s.Subject.ID) {
		m.passOver()
	}
	m.parked, m.parkedAt = &s, m.now.Mono
}

// passOver ends the arrival of a parked badge that is not going to be served.
func (m *Machine) passOver() {
	s := m.parked
	if s == nil {
		return
	}
	m.parked = nil
	serving, shown := m.cur, m.shown
	m.open(*s)
	m.cur.end = Incomplete
	m.emit(Append{m.record(NoAct)})
	m.cur, m.shown = serving, shown
}

// secondScan comes into an open arrival. An opaque code belongs to whoever is
// being served; a badge is somebody new and ends the open arrival at once.
func (m *Machine) secondScan(s Scan) {
	a := m.cur
	switch {
	case s.Opaque:
		a.code.Digest = s.Digest
		m.bump()
	case s.Subject.ID != 0 && s.Subject.ID == a.subject.ID:
	case m.suspect():
		m.park(s)
		m.stopSuspect()
	case a.subject.ID == 0 && a.badge == nil && len(a.readings) == 0 && len(m.body.samples) == 0:
		// A code was shown first and the badge now.
		digest := a.code.Digest
		m.identify(s)
		a.code.Digest = digest
		m.bump()
		m.afterScan(s)
	default:
		// The body in view may still be the one before: only an empty view, or
		// a new presence, makes the next measurement this person's.
		m.body.fresh = m.body.fresh && !m.body.inView && !m.cfg.Presence
		m.endUnfinished()
		m.begin(s)
	}
}

// open starts an arrival.
func (m *Machine) open(s Scan) {
	m.count++
	m.cur = &arrival{id: m.count<<4 | uint32(m.cfg.Number-1)&0xF, end: Decided, scanned: m.now.Mono, wrist: m.wristFirst}
	m.shown = nil
	m.identify(s)
}

func (m *Machine) identify(s Scan) {
	a := m.cur
	a.subject, a.code, a.held = s.Subject, s.Code, s.Held
	a.recheck, a.highBy = s.Recheckable, s.HighBy
	a.proofs, a.inCase, a.again, a.noSchool = slices.Concat(s.Proofs, a.proofs), s.Case, s.Again, s.NoSchool
	a.shown = s.Shown
	switch {
	case s.Opaque:
		a.code.Digest = s.Digest
	case s.Subject.ID == 0:
		a.badge = s.Digest
	}
	if s.Carried != nil {
		a.readings = append(a.readings, *s.Carried)
	}
}

func (m *Machine) begin(s Scan) {
	if m.stopping {
		return
	}
	m.open(s)
	if !m.cfg.Presence {
		m.body.drop()
	}
	m.phase = Gathering
	m.bump()
	if m.isRepeat() {
		m.again()
		return
	}
	m.cur.spent = m.passing() && m.body.judged
	m.openWindow()
	if m.cfg.Presence && !m.body.present && !s.Named {
		m.set(timerGrace, PresenceGrace)
	}
	m.afterScan(s)
}

// afterScan decides at once what no measurement can change.
func (m *Machine) afterScan(s Scan) {
	unknownBadge := s.Subject.ID == 0 && !s.Opaque
	if s.Held || s.Case != screening.NoCase || unknownBadge {
		m.decideNow()
		return
	}
	m.takeMeasured()
	m.tryDecide()
}

// takeMeasured uses what was measured before the scan in the same presence. A
// carried reading serves instead.
func (m *Machine) takeMeasured() {
	b := &m.body
	if !m.cfg.Presence || !b.present || !b.fresh || len(m.cur.readings) > 0 || !m.needs().Temperature {
		return
	}
	r := m.take()
	if r.Quality == screening.Valid {
		m.cur.readings = append(m.cur.readings, r)
	}
}

func (m *Machine) openWindow() {
	m.set(timerPrompt, PromptAfter)
	m.set(timerWindow, WindowEnds)
}

// isRepeat reports whether the badge was let in a moment ago and nothing has
// become known against it since.
func (m *Machine) isRepeat() bool {
	a := m.cur
	if a.subject.ID == 0 || a.subject.ID != m.last.subject || m.now.Mono-m.last.at > RepeatWithin || m.suspect() {
		return false
	}
	d := m.policy.Decide(m.arrival())
	return !d.Lasting() && !d.Has(screening.NoPolicy)
}

// again lets the same badge in once more, without a new measurement and with
// an entry of its own; the second time a person decides.
func (m *Machine) again() {
	m.cur.end = Repeat
	if m.last.used {
		m.cur.decision = screening.Decision{Outcome: screening.Admit}.Stop("lane/repeat", screening.AlreadyIn, screening.Refer)
		m.stop()
		return
	}
	m.last.used = true
	m.conclude(screening.Decision{Outcome: screening.Admit})
}

// seenMeanwhile takes that the open arrival's subject was seen elsewhere.
func (m *Machine) seenMeanwhile(ev SeenMeanwhile) {
	a := m.cur
	if m.phase == Gathering && a != nil && ev.Subject != 0 && a.subject.ID == ev.Subject && a.again == screening.NotAgain {
		a.again = ev.Again
	}
}

// tryDecide decides as soon as nothing more is to be waited for. A positive
// green is not waited for: it is asked of the guard.
func (m *Machine) tryDecide() {
	a, n := m.cur, m.needs()
	if n.Identity && a.subject.ID == 0 && a.code.Digest == nil {
		return
	}
	measurable := m.cfg.Thermometer && m.faults&unmeasurable == 0
	if n.Temperature && measurable && len(a.readings) == 0 {
		return
	}
	m.decide()
}

func (m *Machine) arrival() screening.Arrival {
	a := m.cur
	whole := m.anybody()
	whole.Subject, whole.Readings, whole.Code, whole.Held = a.subject, a.readings, a.code, a.held
	whole.Proofs, whole.Shown, whole.Case, whole.Again, whole.NoSchool = a.proofs, a.shown, a.inCase, a.again, a.noSchool
	return whole
}

func (m *Machine) decide() {
	d := m.policy.Decide(m.arrival())
	if m.excused(d) {
		m.excuse(d)
		return
	}
	m.conclude(d)
}

// conclude acts on a decision: an admission goes to the record and nothing
// else happens; everything else stops at once.
func (m *Machine) conclude(d screening.Decision) {
	a := m.cur
	m.cancel(timerPrompt, timerWindow, timerGrace)
	m.measuredOnce()
	m.judged()
	if d.Outcome == screening.Admit && m.faults&attending != 0 {
		d = d.Stop("lane/attended", screening.LaneAttended, screening.Refer)
	}
	a.decision = d
	if d.Outcome == screening.Admit {
		m.startRecording(NoAct)
		return
	}
	m.stop()
}

// judged marks the body in view as used up: the next measurement needs an
// empty view, or a new presence.
func (m *Machine) judged() {
	b := &m.body
	b.drop()
	b.fresh, b.orphan, b.tooCold, b.judged = false, false, false, true
	if !m.cfg.Presence && m.cfg.Thermometer {
		b.settling = true
		m.set(timerSettle, SettleFor)
	}
}

// windowEnded ends an arrival that waited long enough. Whoever still holds a
// cold forehead before the lens has not run on, and is a person's turn.
func (m *Machine) windowEnded() {
	if m.cur.tries > 0 && m.body.tooCold && m.body.inView {
		m.cur.readings = append(m.cur.readings, m.cur.cold)
		m.decideNow()
		return
	}
	m.endUnfinished()
}

// endUnfinished ends an arrival without a decision. It is not a stop: nobody
// is asked to do anything. A high sample is one, however short it was.
func (m *Machine) endUnfinished() {
	if m.suspect() {
		m.stopSuspect()
		return
	}
	a := m.cur
	a.end = Incomplete
	m.measuredOnce()
	m.body.drop()
	m.body.fresh = m.body.fresh && !m.body.inView // whoever is in view belongs to the badge that was shown
	m.cancel(timerGrace)
	m.emit(Signal{Again}, Append{m.record(NoAct)})
	m.set(timerShow, ShowAgain)
	m.rest()
}

// stopSuspect stops somebody of whom a high sample was seen and no whole
// reading could be taken.
func (m *Machine) stopSuspect() {
	m.cur.readings = append(m.cur.readings, m.glimpse(m.body.peak))
	m.decide()
}

// decideNow decides with what there is; a high sample counts, however short.
func (m *Machine) decideNow() {
	if m.suspect() {
		m.stopSuspect()
		return
	}
	m.decide()
}

// glimpse is a high sample that no whole reading carries.
func (m *Machine) glimpse(peak screening.MilliC) screening.Reading {
	return screening.Reading{
		Peak: peak, Site: m.site(), Instrument: m.cfg.Instrument.Name, Formula: m.formula(0, peak),
		Quality: screening.Scattered, Samples: uint8(len(m.body.samples)),
	}
}
