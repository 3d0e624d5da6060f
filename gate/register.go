package gate

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// carryFor is how long a normal recheck by another instrument opens any lane.
const carryFor = 10 * time.Minute

// register is what the gate remembers across its lanes: who is on hold, who
// was set aside, whose recheck still counts, who came today. It lives in memory
// and is rebuilt from the journal by the same functions that keep it.
type register struct {
	// deciding is held by whoever places or lifts a hold by order or by name,
	// until its entry is durable: so the journal has the same order.
	deciding sync.Mutex

	mu      sync.Mutex
	held    map[uint64]hold
	above   map[uint64][]string // by whom else, as origin names it
	named   map[uint64]named    // by people at the desk
	cases   caseHolds
	visits  *visits
	carried map[uint64]carried
	asides  map[uint16]*aside
	ticket  uint16
	today   map[uint64]struct{}
	day     string
	pace    pace
	meets   map[uint8][]meeting // by lane, the newest last
	acts    []done              // that people may take back, the newest last
	lastAct uint64
	wrists  map[uint8]time.Time // until when lanes measure wrists first
	traces  traces
}

// hold stands against a subject at every lane.
type hold struct {
	id     entry.ArrivalID // of the arrival that was stopped
	grave  bool            // no recheck at the gate ends it
	highBy string          // the instrument whose reading placed it
	// above says that a collector placed it, and named that people here did;
	// neither is ended by an arrival.
	above, named bool
	// inCase says that a case is open, or that its return is owed.
	inCase bool
	// notLent says that nothing stands against a card but that nobody has it.
	notLent bool
}

type carried struct {
	reading screening.Reading
	until   time.Duration // monotonic
}

// aside is a stopped arrival that left its lane under a number.
type aside struct {
	ticket   uint16
	id       entry.ArrivalID
	version  uint64
	arrival  screening.Arrival
	decision screening.Decision
	since    time.Time
	due      time.Duration // monotonic: when somebody too cold is measured again
	lane     uint8
}

func newRegister() *register {
	return &register{
		held: map[uint64]hold{}, above: map[uint64][]string{}, named: map[uint64]named{}, cases: newCaseHolds(), visits: newVisits(), carried: map[uint64]carried{}, asides: map[uint16]*aside{},
		today: map[uint64]struct{}{}, meets: map[uint8][]meeting{}, wrists: map[uint8]time.Time{}, traces: traces{seen: map[uint64]seen{}},
	}
}

// apply takes what a record means for its subject at every lane. It reports
// whether a hold was placed that did not stand before.
func (r *register) apply(id entry.ArrivalID, rec lane.Record, wall time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := rec.Subject.ID
	r.traces.passed(id, rec, wall)
	switch rec.Hold() {
	case lane.PlaceHold:
		if r.cases.cleared[id] {
			return false
		}
		h, stood := r.held[s]
		if !stood {
			h.id = id
		}
		h.grave = h.grave || rec.Decision.Grave()
		if rec.Reading != nil && rec.Decision.Has(screening.HighOnce) {
			h.highBy = rec.Reading.Instrument
		}
		r.held[s] = h
		return !stood
	case lane.LiftHold:
		delete(r.held, s)
		if rec.Decision.Outcome == screening.Admit {
			r.letIn(s, rec.Ticket)
		}
		if _, card := roster.CardOf(s); !card && rec.Decision.Outcome == screening.Admit && rec.Direction == screening.In {
			r.newDay(wall)
			if _, in := r.today[s]; !in {
				r.pace.note(wall)
			}
			r.today[s] = struct{}{}
		}
	}
	return false
}

func (r *register) newDay(wall time.Time) {
	if day := wall.Format(time.DateOnly); day != r.day {
		r.day, r.today = day, map[uint64]struct{}{}
	}
}

// look returns what stands for and against a subject now.
func (r *register) look(subject uint64, mono time.Duration) (h hold, held bool, reading *screening.Reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, held = r.standing(subject)
	if c, ok := r.carried[subject]; ok {
		if mono > c.until {
			delete(r.carried, subject)
		} else {
			reading = &c.reading
		}
	}
	return h, held, reading
}

// standing returns what stands against a subject from any side. The caller
// holds the lock.
func (r *register) standing(subject uint64) (hold, bool) {
	h, held := r.held[subject]
	if len(r.above[subject]) > 0 {
		h.above, h.grave, held = true, true, true
	}
	if _, ok := r.named[subject]; ok {
		h.named, h.grave, held = true, true, true
	}
	if r.cases.held[subject] {
		h.inCase, h.grave, held = true, true, true
	}
	if r.visits.withheld(subject) {
		h.notLent, h.grave, held = !held, true, true
	}
	return h, held
}

// arrived returns how many different people came in today and are in no case.
func (r *register) arrived(wall time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.newDay(wall)
	in := len(r.today)
	for subject := range r.cases.held { // the isolation room counts as outside (K11)
		if _, came := r.today[subject]; came {
			in--
		}
	}
	return in
}

// lately returns how many people came in for the first time today within the
// last paceWindow.
func (r *register) lately(wall time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pace.within(wall)
}

// nextTicket gives out a number from 1 to 999 that nobody holds.
func (r *register) nextTicket() uint16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range 999 {
		r.ticket = r.ticket%999 + 1
		if r.asides[r.ticket] == nil && !r.cases.numbers[r.ticket] {
			break
		}
	}
	return r.ticket
}

func (r *register) setAside(a *aside) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropColder(a)
	r.asides[a.ticket] = a
}

// takeAside finds an arrival that was set aside, at the version that was seen.
func (r *register) takeAside(id entry.ArrivalID, version uint64) (aside, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range r.asides {
		if a.id == id && a.version == version {
			return *a, true
		}
	}
	return aside{}, false
}

// finish replaces an aside by what became of it, or drops it when it is over.
// It reports whether the aside was still at that version.
func (r *register) finish(before, after aside, over bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.asides[before.ticket]
	if now == nil || now.version != before.version {
		return false
	}
	if over {
		delete(r.asides, before.ticket)
		return true
	}
	after.version++
	r.asides[before.ticket] = &after
	return true
}

// carry lets a normal recheck serve at any lane for a while.
func (r *register) carry(subject uint64, reading screening.Reading, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.carried[subject] = carried{reading, now + carryFor}
}

// lift ends every hold against a subject by name. It reports whether one stood.
func (r *register) lift(subject uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, stood := r.standing(subject)
	delete(r.held, subject)
	delete(r.above, subject)
	delete(r.named, subject)
	delete(r.cases.held, subject)
	return stood
}

// restore brings back a hold that a journal before this one has placed.
func (r *register) restore(rec lane.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := hold{grave: rec.Decision.Outcome == screening.Refuse}
	if rec.Reading != nil {
		h.highBy = rec.Reading.Instrument
	}
	r.held[rec.Subject.ID] = h
}

// place lets a hold stand in somebody else's name. It reports whether it did
// not stand yet.
func (r *register) place(subject uint64, from string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	stood := slices.Contains(r.above[subject], from)
	if !stood {
		r.above[subject] = append(r.above[subject], from)
	}
	return !stood
}

// stands reports whether the hold that place placed in that name still stands.
func (r *register) stands(subject uint64, from string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.above[subject], from)
}

// liftFrom ends what place placed in that name, and nothing else.
func (r *register) liftFrom(subject uint64, from string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.above[subject] = slices.DeleteFunc(r.above[subject], func(s string) bool { return s == from })
	if len(r.above[subject]) == 0 {
		delete(r.above, subject)
	}
}

// holds returns a copy of the holds.
func (r *register) holds() map[uint64]hold {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := maps.Clone(r.held)
	for subject := range r.above {
		all[subject], _ = r.standing(subject)
	}
	for subject := range r.named {
		all[subject], _ = r.standing(subject)
	}
	for subject := range r.cases.held {
		all[subject], _ = r.standing(subject)
	}
	return all
}

func (r *register) list() []aside {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]aside, 0, len(r.asides))
	for _, a := range r.asides {
		out = append(out, *a)
	}
	return out
}
