package gate

import (
	"time"

	"github.com/menshen/menshen/entry"
)

// caseHolds are what cases mean for the lanes. A register's lock guards them.
type caseHolds struct {
	held    map[uint64]bool // subjects in an open case, or away with their return owed
	numbers map[uint16]bool // of the open cases: no ticket is given the same
	// cleared are the arrivals of cases that have found nothing: whoever ends the
	// arrival afterwards, in its lane or at the desk, holds nobody again.
	cleared map[entry.ArrivalID]bool
}

func newCaseHolds() caseHolds {
	return caseHolds{map[uint64]bool{}, map[uint16]bool{}, map[entry.ArrivalID]bool{}}
}

// placeCase lets the hold of an open case stand.
func (r *register) placeCase(subject uint64, number uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cases.numbers[number], r.ticket = true, number
	if subject != 0 {
		r.cases.held[subject] = true
	}
}

// nameCase holds who the person of a case turned out to be.
func (r *register) nameCase(subject uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cases.held[subject] = true
}

// endCase gives the number of a case free.
func (r *register) endCase(number uint16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.cases.numbers, number)
}

// clearCase ends the hold of a case that has found nothing, or whose person may
// come back, and with it the one of the arrival that it was opened of. Holds by
// name and from above stand on, and so does that of another case of the same
// person.
func (r *register) clearCase(subject uint64, arrival entry.ArrivalID, other bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !other {
		delete(r.cases.held, subject)
	}
	if arrival != (entry.ArrivalID{}) {
		r.cases.cleared[arrival] = true
		delete(r.held, subject)
	}
}

// cameIn counts somebody who came in by way of the isolation room.
func (r *register) cameIn(subject uint64, wall time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.newDay(wall)
	r.today[subject] = struct{}{}
}
