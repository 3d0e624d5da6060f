package lane

import (
	"github.com/menshen/menshen/screening"
)

// body is what the lane knows of whoever stands before the lens.
type body struct {
	// present is the presence input.
	present bool
	// fresh says that nobody has been judged since the view was last empty (or
	// the presence last rose): whoever is measured now is somebody new.
	fresh bool
	// inView says that the last sample showed somebody.
	inView bool
	// orphan says that this body came into an empty view of an idle lane.
	orphan bool
	// settling: the lens is watched until the view is empty.
	settling bool
	prompted bool
	// judged: whoever is in view has had a decision. hottest is the highest
	// sample of that view, or presence, whatever the lane did meanwhile.
	judged  bool
	hottest screening.MilliC
	// tooCold: this approach to the lens has been counted as a try. The next
	// begins when the view has been empty.
	tooCold bool
	samples []screening.Sample
	peak    screening.MilliC
	rawPeak screening.MilliC // what the instrument showed for it, where it has a certificate
}

// drop forgets the samples of a body.
func (b *body) drop() { b.samples, b.peak = nil, 0 }

// add takes a sample of the body in view; it reports false when the sample
// cannot be of the same body. Coming closer and stepping back are steps between
// samples that are too cold to be judged, and start the samples over.
func (b *body) add(in screening.Instrument, s screening.Sample, low screening.MilliC) bool {
	if n := len(b.samples); n > 0 {
		last := b.samples[n-1]
		step := s.Object - last.Object
		jump := step > screening.SameBody || step < -screening.SameBody
		switch {
		case jump && b.peak < low:
			b.samples = b.samples[:0]
		case jump:
			b.see(s)
			return false
		case s.At-last.At < in.Period*4/5:
			b.see(s)
			return true
		case n == screening.SamplesPerReading:
			b.samples = append(b.samples[:0], b.samples[1:]...)
		}
	}
	b.samples = append(b.samples, s)
	b.see(s)
	return true
}

// see keeps the highest temperature that living skin can have.
func (b *body) see(s screening.Sample) {
	if s.Object <= screening.BodyAbove && s.Object > b.peak {
		b.peak, b.rawPeak = s.Object, s.Raw
	}
}

// suspect reports whether something high was seen of the body in view.
func (m *Machine) suspect() bool { return m.body.peak > 0 && m.policy.HighAt(m.site(), m.body.peak) }

func (m *Machine) sample(s Sample) {
	b := &m.body
	switch {
	case s.Fault:
		b.samples = nil // the peak stays: what was seen was seen
		return
	case m.now.Mono-s.At > screening.SampleAge || s.At > m.now.Mono:
		return
	case s.Object < screening.EmptyBelow:
		m.viewEmpty()
		return
	}
	if s.Object <= screening.BodyAbove {
		b.hottest = max(b.hottest, s.Object)
	}
	m.chill.air, m.chill.aired = s.Ambient, true
	rose := !b.inView
	b.inView = true
	high := m.policy.High(s.Object) && s.Object <= screening.BodyAbove
	if rose && m.phase != Gathering {
		b.orphan = b.fresh
		b.fresh = b.fresh && m.cfg.Presence // without presence only a body after the scan counts
	}
	switch m.phase {
	case Idle, Attended:
		if b.orphan {
			m.orphan(s.Sample, high)
		}
	case Gathering:
		m.gather(s.Sample, high)
	case Recording:
		if high {
			m.cur.doubt = max(m.cur.doubt, s.Object)
		}
	case Releasing:
		// Somebody hot stands at an open barrier: shut it first, then see who.
		if high && (b.orphan || m.cfg.Presence && !b.present) {
			m.shut()
		}
	case Held:
	}
}

// viewEmpty: nobody is before the lens.
func (m *Machine) viewEmpty() {
	b := &m.body
	if !m.cfg.Presence && m.leavesHot() {
		return // the next empty sample finds the view empty
	}
	b.inView, b.orphan, b.tooCold = false, false, false
	if m.cfg.Presence {
		b.samples = nil // one presence is one body; its peak stays
		return
	}
	b.fresh, b.settling, b.judged, b.hottest = true, false, false, 0
	if m.phase == Gathering && m.suspect() {
		m.stopSuspect()
		return
	}
	if !m.endSpent() {
		b.drop()
	}
}

// orphan measures somebody who has not scanned: high, it is a stop; otherwise
// it serves a scan that follows within the same presence.
func (m *Machine) orphan(s screening.Sample, high bool) {
	b := &m.body
	if m.cfg.Presence && !b.present {
		return
	}
	if !b.add(m.cfg.Instrument, s, m.policy.Low()) {
		// Another body: what was measured belongs to nobody.
		b.drop()
		b.fresh, b.orphan = false, false
		return
	}
	if high && !m.resting {
		m.shut()
	}
	if !m.policy.Needs(m.anybody()).Temperature || m.stopping {
		return
	}
	r := m.take()
	switch {
	case r.Quality == screening.Valid && m.policy.High(r.Peak):
		m.open(Scan{})
		m.cur.end = Orphan
		m.cur.readings = append(m.cur.readings, r)
		d := m.policy.Decide(m.arrival())
		if d.Outcome == screening.Admit { // an exit whose rows only warn
			d = d.Stop("lane/body", screening.HighOnce, screening.Recheck)
		}
		m.conclude(d)
	case m.passing():
		m.unnamed(r)
	}
}

// gather counts samples of the body that belongs to the open arrival.
func (m *Machine) gather(s screening.Sample, high bool) {
	b, low := &m.body, m.policy.LowAt(m.site())
	if !m.needs().Temperature || !b.fresh || m.cfg.Presence && !b.present {
		return
	}
	if !b.add(m.cfg.Instrument, s, low) {
		b.fresh = false
		m.endUnfinished()
		return
	}
	if high && !m.resting {
		m.shut()
	}
	r := m.take()
	if (r.Quality == screening.Cold || r.Quality == screening.Ambient) && m.suspect() {
		m.stopSuspect()
		return
	}
	switch r.Quality {
	case screening.Valid, screening.Ambient:
		m.cur.readings = append(m.cur.readings, r)
	case screening.Cold:
		if b.tooCold {
			return
		}
		b.tooCold = true
		m.cur.tries++
		m.cur.cold = r
		if m.cur.tries < Tries {
			m.openWindow()
			m.emit(Signal{Again})
			m.bump()
			return
		}
		m.cur.readings = append(m.cur.readings, r)
	default:
		return // more samples may still agree
	}
	m.tryDecide()
}

func (m *Machine) presence(on bool) {
	b := &m.body
	if !m.cfg.Presence || b.present == on {
		return
	}
	suspect := m.suspect()
	fresh := b.fresh // otherwise the open arrival waits for somebody else to come
	b.present = on
	if on {
		b.drop()
		b.fresh, b.orphan, b.inView, b.prompted, b.tooCold, b.judged = true, true, false, false, false, false
		b.hottest = 0
		if m.phase == Idle {
			m.set(timerPrompt, PromptAfter)
		}
		return
	}
	if m.phase == Gathering && (fresh || m.cur.spent) {
		if suspect {
			m.stopSuspect()
		} else {
			m.endUnfinished()
		}
	} else {
		m.leavesHot()
	}
	b.drop()
	b.fresh, b.orphan, b.inView, b.prompted, b.tooCold, b.judged = false, false, false, false, false, false
	b.hottest = 0
	if m.phase != Held { // whoever passes by does not make an answer stale
		m.bump()
	}
}
