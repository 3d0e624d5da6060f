package lane

import "github.com/menshen/menshen/screening"

// ReasonOwed is the Record.Reason of an opening by hand: whoever pressed the
// button says why afterwards.
const ReasonOwed = "owed"

// OpenByHand is a press of the button that opens the lane. It is an override
// whose reason is given later, and takes the way of every other: the record
// first. It opens nothing that no override opens.
type OpenByHand struct {
	// By are the roster numbers of who is on duty; without any nothing opens.
	By []uint64
}

// Next is a press of the button that makes the lane free for the next person.
// It ends an arrival that still waits for evidence; a stop is not ended by it.
type Next struct{}

// Passed says that the turnstile has counted the passage of whoever was let in
// last: their badge opens nothing a second time.
type Passed struct{}

// Fire says whether the fire contact has released the barriers by wire. As long
// as it has, the lane is Attended and takes no scan: who runs is not screened.
type Fire struct{ On bool }

func (OpenByHand) event() {}
func (Next) event()       {}
func (Passed) event()     {}
func (Fire) event()       {}

func (m *Machine) openByHand(by []uint64) {
	if len(by) == 0 || m.stopping || m.faults&attending != 0 || !m.resting {
		return
	}
	switch {
	case m.phase == Gathering && m.suspect():
		m.stopSuspect()
	case m.phase == Idle && m.body.hottest > 0 && m.policy.HighAt(m.site(), m.body.hottest):
		// Somebody hot stands there, whether or not they have shown a badge.
	case m.phase == Held && m.allowed().Override:
		m.cur.by, m.cur.decision.Outcome = by, screening.Admit
		m.startRecordingAnswer(Answer{Act: Overridden, Reason: ReasonOwed})
	case m.phase == Gathering, m.phase == Idle:
		m.openUnfinished(by)
	}
}

// openUnfinished opens for somebody of whom there is too little evidence. What
// is missing is recorded as the stop that it would have become.
func (m *Machine) openUnfinished(by []uint64) {
	whole := m.anybody()
	if m.cur != nil {
		whole = m.arrival()
	}
	d := m.policy.Decide(whole)
	if d.Outcome != screening.Admit && !d.Overridable() {
		return
	}
	if m.cur == nil {
		m.open(Scan{})
	}
	if m.cur.decision = d; d.Outcome == screening.Admit {
		m.cur.decision = d.Stop("lane/by-hand", screening.NoIdentity, screening.Refer)
	}
	m.emit(Append{m.record(NoAct)})
	m.admitAs(d, Answer{Act: Overridden, By: by, Reason: ReasonOwed})
}

// admitAs begins the record of an admission in the names of who answers for it.
// Recorded releases it, as any other.
func (m *Machine) admitAs(d screening.Decision, a Answer) {
	m.cancel(timerPrompt, timerWindow, timerGrace)
	m.judged()
	d.Outcome = screening.Admit
	m.cur.decision, m.cur.by = d, a.By
	m.startRecordingAnswer(a)
}

// nextPlease ends an arrival that waits for evidence, as its window would.
func (m *Machine) nextPlease() {
	if m.phase == Gathering {
		m.endUnfinished()
	}
}

// fire takes the lane out of service while the barriers are released by wire,
// and back into it afterwards. Lamps are dark meanwhile: no red light stands in
// the way of who runs. A stop that stood before stands on.
func (m *Machine) fire(on bool) {
	if on == (m.faults&FireReleased != 0) {
		return
	}
	if on {
		m.faults |= FireReleased
		m.passOver()
		m.nextPlease()
		m.settlePhase()
		m.emit(Signal{Dark})
		return
	}
	m.faults &^= FireReleased
	m.settlePhase()
	switch m.phase {
	case Held:
		m.shut()
		m.emit(Signal{Halt})
	case Attended:
		m.emit(Signal{Attend})
	}
}
