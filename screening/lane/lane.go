// Package lane is one lane of a gate as a deterministic state machine: an
// event goes in, the next state and a list of effects come out. It knows whose
// evidence belongs to whom, what the lane waits for, and that nothing but the
// recorded admission of the current arrival frees a barrier.
//
// It knows no clock, no device, no database and no page: every time is an
// argument, every timer an effect, and what a scan means has been looked up
// before the event arrives.
package lane

import (
	"time"

	"github.com/menshen/menshen/screening"
)

// How long a lane waits.
const (
	// PromptAfter is when a lane says what is still missing.
	PromptAfter = 3 * time.Second
	// WindowEnds is when an unfinished arrival ends quietly.
	WindowEnds = 8 * time.Second
	// RecordWithin is the longest time from a decision to its record after
	// which the record may still release.
	RecordWithin = 2 * time.Second
	// RepeatWithin is how long the same badge is let in once more.
	RepeatWithin = 30 * time.Second
	// ShowPass is how long an admission stays on the screen.
	ShowPass = 1500 * time.Millisecond
	// ShowAgain is how long the end of an unfinished arrival is shown.
	ShowAgain = time.Second
	// PresenceGrace is how much sooner than the presence a badge may come and
	// still belong to it.
	PresenceGrace = time.Second
	// ParkedFor is how long a scan waits for the arrival before it to end.
	ParkedFor = 5 * time.Second
	// SettleFor is how long after a decision the lens is watched for the view
	// to become empty.
	SettleFor = 10 * time.Second
	// RestGrace is how much longer than its pulse a release may take to report
	// its end; after that the lane asks for OFF again.
	RestGrace = time.Second
	// Tries is how many too cold readings an arrival may have.
	Tries = 3
)

// Config is what a lane is made of. Roles of hardware that are not fitted are
// not waited for.
type Config struct {
	// Number is 1–16; it stands in the low bits of every arrival's counter, so
	// that two lanes never share one.
	Number      uint8
	Direction   screening.Direction
	Place       screening.Place
	Thermometer bool
	Barrier     bool
	Presence    bool
	Instrument  screening.Instrument
	// Pulse is how long the barrier's relay is on.
	Pulse time.Duration
}

// Time is when an event reaches the lane.
type Time struct {
	// Mono runs from the start of the process and never steps.
	Mono time.Duration
	// Wall and Trusted serve dated evidence only.
	Wall    time.Time
	Trusted bool
}

// Phase of a lane. The zero value is Attended: a person minds it.
type Phase uint8

// The phases.
const (
	Attended  Phase = iota // something is wrong with the lane; nothing is admitted
	Idle                   // waits for somebody
	Gathering              // waits for the rest of the evidence
	Recording              // admitted, waits for the record
	Releasing              // the barrier's relay is on
	Held                   // stopped, waits for a person's answer
)

// String returns the phase's name as pages use it.
func (p Phase) String() string {
	return [...]string{"attended", "idle", "gathering", "recording", "releasing", "held"}[min(p, Held)]
}

// Fault is why a lane is Attended.
type Fault uint8

// The faults, as a set.
const (
	// JournalFails: the last entry could not be stored.
	JournalFails Fault = 1 << iota
	// BarrierOpen: OFF has not been written since ON was.
	BarrierOpen
	// BarrierLost: the barrier's relay board or line is gone.
	BarrierLost
	// ScannerLost and ThermometerLost do not attend a lane: what they would
	// have given is missing evidence.
	ScannerLost
	ThermometerLost
	// PresenceLost: nothing says whose forehead is measured, so none is.
	PresenceLost
	// FireReleased: the fire contact has released the barriers by wire.
	FireReleased
	// BackgroundWarm: an empty view is as warm as skin, so nothing is measured.
	BackgroundWarm
)

const attending = JournalFails | BarrierOpen | BarrierLost | FireReleased

// arrival is the one open arrival of a lane.
type arrival struct {
	id       uint32
	subject  screening.Subject
	badge    []byte // digest of a badge that nobody has
	code     screening.Code
	readings []screening.Reading
	proofs   []screening.Proof
	shown    []screening.Shown
	inCase   screening.CaseState
	again    screening.Again
	noSchool bool
	held     bool
	recheck  bool   // a named normal reading by another instrument than highBy ends the hold
	highBy   string // the instrument whose reading placed the hold
	end      End
	decision screening.Decision
	decided  time.Duration
	scanned  time.Duration
	tries    int
	cold     screening.Reading // the newest try that was too cold
	wrist    bool              // begins with the wrist
	prompted bool
	act      Act // what made the admission that is being recorded
	by       []uint64
	doubt    screening.MilliC // somebody hot came into view while the admission was recorded
	recorded bool             // a stop's own entry is durable
	spent    bool             // shown by whoever emergency passage has just let in without it
}

// repeat remembers the last release for the same badge coming back.
type repeat struct {
	subject uint64
	at      time.Duration
	used    bool
}

// Machine is the state of one lane. One goroutine owns it.
type Machine struct {
	cfg      Config
	policy   screening.Policy
	next     *screening.Policy
	phase    Phase
	version  uint64
	count    uint32
	cur      *arrival
	shown    *arrival // what stays on the screen after an arrival ended
	body     body
	parked   *Scan
	parkedAt time.Duration
	last     repeat
	faults   Fault
	resting  bool   // OFF has been written since the last ON
	order    uint64 // the newest Release or Shut
	stopping bool
	measure  bool
	chill    chill
	// calibration is of the lane's thermometer.
	calibration Calibrated
	// wristFirst is whether the wrist is measured before the forehead.
	wristFirst bool
	colours    Colours // of the policy
	// emergency is the passage in force; its zero value is none.
	emergency Emergency
	timers    [timerKinds]uint64
	now       Time
	out       []Effect
}

// New returns a lane that takes nobody before its barrier rests. The effects
// are to be carried out before the first event.
func New(cfg Config, p screening.Policy) (*Machine, []Effect) {
	m := &Machine{cfg: cfg, policy: p, phase: Attended, version: 1, body: body{fresh: true}, colours: ColoursOf(p)}
	if !cfg.Barrier {
		m.resting, m.phase = true, Idle
		return m, nil
	}
	m.faults = BarrierOpen
	m.shut()
	return m, m.out
}

// Step takes one event and returns what is to be done, in this order.
func (m *Machine) Step(now Time, ev Event) []Effect {
	m.now, m.out = now, nil
	switch ev := ev.(type) {
	case Scan:
		m.scan(ev)
	case Sample:
		m.sample(m.corrected(ev))
	case Presence:
		m.presence(ev.On)
	case Deadline:
		m.deadline(ev.Timer)
	case Recorded:
		m.recorded(ev)
	case AppendFailed:
		m.appendFailed(ev)
	case Rested:
		m.rested(ev)
	case Answer:
		m.answer(ev)
	case HoldPlaced:
		m.holdPlaced(ev.Subject)
	case SeenMeanwhile:
		m.seenMeanwhile(ev)
	case DeviceLost:
		m.deviceLost(ev.Role)
	case DeviceBack:
		m.deviceBack(ev.Role)
	case PolicyChanged:
		m.next = &ev.Policy
		m.takePolicy()
	case WristFirst:
		m.setWristFirst(ev)
	case Emergency:
		m.setEmergency(ev)
	case Background:
		m.background(ev.Warm)
	case Calibrated:
		m.setCalibration(ev)
	case OpenByHand:
		m.openByHand(ev.By)
	case Next:
		m.nextPlease()
	case Passed:
		m.last.used = true
	case Fire:
		m.fire(ev.On)
	case Stop:
		m.stopping = true
		m.passOver()
	}
	m.wantMeasure()
	return m.out
}

func (m *Machine) emit(e ...Effect) { m.out = append(m.out, e...) }

// bump marks a change of what a person sees. An answer to an older version is
// refused.
func (m *Machine) bump() { m.version++ }

// takePolicy takes a new policy between two arrivals, never within one.
func (m *Machine) takePolicy() {
	if m.next != nil && m.cur == nil {
		m.policy, m.next = *m.next, nil
		m.colours = ColoursOf(m.policy)
		m.bump()
	}
}

// wantMeasure derives from the state whether the thermometer is needed, and
// says so when that changes.
func (m *Machine) wantMeasure() {
	want := false
	switch {
	case !m.cfg.Thermometer || m.faults&unmeasurable != 0:
	case m.phase == Gathering:
		want = m.needs().Temperature
	case !m.policy.Needs(m.anybody()).Temperature:
	case m.cfg.Presence:
		want = m.body.present
	case m.phase == Idle && m.passing():
		want = true
	default:
		want = m.body.settling
	}
	if want != m.measure {
		m.measure = want
		m.emit(Measure{On: want})
	}
}

func (m *Machine) needs() screening.Needs {
	if m.cur != nil {
		return m.policy.Needs(m.arrival())
	}
	return m.policy.Needs(m.anybody())
}

// anybody is whoever may come next: nothing is known of them.
func (m *Machine) anybody() screening.Arrival {
	return screening.Arrival{
		Direction: m.cfg.Direction, Place: m.cfg.Place, Lane: m.cfg.Number, Now: m.now.Wall, ClockTrusted: m.now.Trusted,
	}
}

// rest ends the open arrival and returns the lane to Idle, or to Attended as
// long as something is wrong with it, and lets a parked scan in.
func (m *Machine) rest() {
	if m.cur != nil {
		m.shown, m.cur = m.cur, nil
	}
	m.cancel(timerPrompt, timerWindow, timerRecord)
	m.takePolicy()
	if !m.resting {
		m.faults |= BarrierOpen
	}
	m.phase = Idle
	if m.faults&attending != 0 {
		m.phase = Attended
		m.emit(Signal{Attend})
	}
	m.bump()
	if m.now.Mono-m.parkedAt > ParkedFor {
		m.passOver()
	}
	if s := m.parked; s != nil {
		m.parked = nil
		m.begin(*s)
	}
}

func (m *Machine) deviceLost(r Role) {
	switch r {
	case RoleScanner:
		m.faults |= ScannerLost
	case RoleThermometer:
		m.faults |= ThermometerLost
		m.measuresNoMore()
	case RoleBarrier:
		m.faults |= BarrierLost
	case RoleJournal:
		m.faults |= JournalFails
	case RolePresence:
		m.faults |= PresenceLost
		m.presence(false)
		m.measuresNoMore()
	}
	m.settlePhase()
}

// measuresNoMore: what is still missing of the open arrival will be typed. What
// was seen so far was seen.
func (m *Machine) measuresNoMore() {
	if m.phase == Gathering {
		if m.suspect() {
			m.stopSuspect()
		} else {
			m.tryDecide()
		}
	}
	m.body.drop()
}

func (m *Machine) deviceBack(r Role) {
	switch r {
	case RoleScanner:
		m.faults &^= ScannerLost
	case RoleThermometer:
		m.faults &^= ThermometerLost
	case RoleBarrier:
		// The owner of the board wrote OFF before it said that it is back.
		m.faults &^= BarrierLost
		m.order++ // whatever was ordered before is over
		m.resting = true
		m.faults &^= BarrierOpen
		if m.phase == Releasing {
			m.rest()
		}
	case RolePresence:
		m.faults &^= PresenceLost
	case RoleJournal:
		m.faults &^= JournalFails
	}
	m.settlePhase()
}

// settlePhase moves a lane without an arrival between Idle and Attended.
func (m *Machine) settlePhase() {
	if m.cur == nil && m.phase == Idle && m.faults&attending != 0 {
		m.phase = Attended
		m.emit(Signal{Attend})
	} else if m.cur == nil && m.phase == Attended && m.faults&attending == 0 {
		m.phase = Idle
		m.emit(Signal{Dark})
	}
	if m.cur == nil {
		m.bump()
	}
}

// holdPlaced stops the subject wherever its arrival stands.
func (m *Machine) holdPlaced(subject uint64) {
	if m.cur == nil || subject == 0 || m.cur.subject.ID != subject || m.cur.held && !m.cur.recheck {
		return
	}
	m.cur.held, m.cur.recheck = true, false
	switch m.phase {
	case Gathering:
		m.decideNow()
	case Held:
		m.cur.decision = m.cur.decision.Stop("bound/hold", screening.OnHold, screening.Refer)
		m.bump()
	case Releasing:
		m.shut()
	}
	// In Recording the record arrives and is withheld.
}
