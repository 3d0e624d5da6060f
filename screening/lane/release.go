package lane

import "github.com/menshen/menshen/screening"

// This file is the only one that frees a barrier.

// startRecording asks for the record of an admission. Until it is durable
// nothing moves.
func (m *Machine) startRecording(act Act) {
	a := m.cur
	m.phase = Recording
	a.act, a.decided, a.doubt = act, m.now.Mono, 0
	r := m.record(act)
	r.Admits = true
	m.emit(Append{r})
	m.set(timerRecord, RecordWithin)
	m.bump()
}

// recorded frees the barrier if the record is of the current arrival, in time,
// and nothing has spoken against it since; otherwise nothing moves and that is
// an entry too.
func (m *Machine) recorded(ev Recorded) {
	a := m.cur
	current := a != nil && a.id == ev.Arrival
	if !ev.Admits {
		if current {
			a.recorded = true
		}
		return
	}
	if !current || m.phase != Recording {
		m.emit(Append{Record{Arrival: ev.Arrival, Act: Withheld, Direction: m.cfg.Direction, Reason: "late"}})
		return
	}
	m.cancel(timerRecord)
	if m.now.Mono-a.decided > RecordWithin || a.doubt > 0 || a.held || m.faults&attending != 0 || !m.resting {
		m.withhold()
		return
	}
	m.release(ev.Seq)
}

// release is the one place that lets a person in.
func (m *Machine) release(seq uint64) {
	a := m.cur
	if a.end != Repeat {
		m.last = repeat{subject: a.subject.ID, at: m.now.Mono}
	}
	m.order++
	m.emit(Release{Arrival: a.id, Seq: seq, Order: m.order}, Signal{Pass})
	m.set(timerShow, ShowPass)
	if !m.cfg.Barrier {
		m.rest()
		return
	}
	m.phase, m.resting = Releasing, false
	m.set(timerGuard, m.cfg.Pulse+RestGrace)
	m.bump()
}

// withhold turns an admission that must not be acted on into a stop. Its
// entry says that the barrier did not move.
func (m *Machine) withhold() {
	a := m.cur
	d := a.decision
	switch {
	case a.held:
		d = d.Stop("bound/hold", screening.OnHold, screening.Refer)
	case a.doubt >= screening.HardFever:
		a.readings = append(a.readings, m.glimpse(a.doubt))
		d = d.Stop("bound/fever", screening.HardFeverSeen, screening.Isolate)
	case a.doubt > 0:
		a.readings = append(a.readings, m.glimpse(a.doubt))
		d = d.Stop("lane/body", screening.HighOnce, screening.Recheck)
	default:
		d = d.Stop("lane/attended", screening.LaneAttended, screening.Refer)
	}
	a.decision = d
	m.halt(Withheld)
}

// recordLate gives up an admission whose record does not come. If it comes
// after all it is withheld.
func (m *Machine) recordLate() {
	if m.phase != Recording {
		return
	}
	m.cur.decision = m.cur.decision.Stop("lane/attended", screening.LaneAttended, screening.Refer)
	m.emit(Signal{Again})
	m.set(timerShow, ShowPass)
	m.rest()
}

func (m *Machine) appendFailed(ev AppendFailed) {
	m.faults |= JournalFails
	if ev.Admits && m.phase == Recording && m.cur.id == ev.Arrival {
		m.cancel(timerRecord)
		m.cur.decision = m.cur.decision.Stop("lane/attended", screening.LaneAttended, screening.Refer)
		m.halt(m.cur.act)
		return
	}
	m.settlePhase()
}

// shut asks for OFF; Rested answers.
func (m *Machine) shut() {
	if m.cfg.Barrier {
		m.resting = false
		m.order++
		m.emit(Shut{Order: m.order})
		m.set(timerGuard, RestGrace)
	}
}

// rested hears that OFF has been written, or that it could not be.
func (m *Machine) rested(ev Rested) {
	if ev.Order != m.order {
		return
	}
	if ev.Err != nil {
		m.resting = false
		m.barrierOpen()
		m.set(timerGuard, RestGrace)
		return
	}
	m.resting = true
	m.faults &^= BarrierOpen
	m.cancel(timerGuard)
	if m.phase == Releasing {
		m.rest()
		return
	}
	m.settlePhase()
}

// restOverdue asks for OFF again when no answer came, loudly.
func (m *Machine) restOverdue() {
	if m.resting {
		return
	}
	m.shut()
	m.barrierOpen()
}

// barrierOpen takes the lane out of service, loudly, until OFF was written.
func (m *Machine) barrierOpen() {
	if m.faults&BarrierOpen == 0 { // a retry does not make an answer stale
		m.bump()
	}
	m.faults |= BarrierOpen
	m.emit(Signal{Attend})
	if m.phase == Releasing {
		m.rest()
	}
	m.settlePhase()
}
