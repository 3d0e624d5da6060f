package lane

import "github.com/menshen/menshen/screening"

// This file is the only one that frees a barrier.

// startRecording asks for the record of an admission. Until it is durable
// nothing moves.
func (m *Machine) startRecording(act Act) {
	a := m.cur
	m.phase = Recording
	a.act, a.decided = act, m.now.Mono
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
	if m.now.Mono-a.decided > RecordWithin || a.doubt || a.held || m.faults&attending != 0 {
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
	m.emit(Release{Arrival: a.id, Seq: seq}, Signal{Pass})
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
	case a.doubt:
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

// shut asks for OFF, once, until Rested answers.
func (m *Machine) shut() {
	if m.cfg.Barrier {
		m.resting = false
		m.emit(Shut{})
		m.set(timerGuard, RestGrace)
	}
}

// rested hears that OFF has been written, or that it could not be.
func (m *Machine) rested(err error) {
	if err != nil {
		m.faults |= BarrierOpen
		m.resting = false
		m.emit(Signal{Attend})
		m.set(timerGuard, RestGrace)
		if m.phase == Releasing {
			m.rest()
		}
		m.bump()
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
	m.faults |= BarrierOpen
	m.shut()
	m.emit(Signal{Attend})
	if m.phase == Releasing {
		m.rest()
	}
	m.bump()
}
