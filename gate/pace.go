package gate

import "time"

// How soon everybody will be in is told from the arrivals of paceWindow, and
// only while there are at least paceFewest: fewer are no queue.
const (
	paceWindow = 5 * time.Minute
	paceFewest = 10
)

// paceMost bounds what is remembered, whatever the clock says: in paceWindow no
// more people come in by sixteen lanes.
const paceMost = 4096

// pace remembers when the people of the last minutes came in.
type pace struct{ came []time.Time }

// note takes one person who came in, and forgets from the front who came too
// long ago: a journal is replayed through here, and a look at everybody for each
// would take a start minutes.
func (p *pace) note(at time.Time) {
	p.came = append(p.came, at)
	old := max(0, len(p.came)-paceMost)
	for at.Sub(p.came[old]) >= paceWindow {
		old++
	}
	p.came = p.came[old:]
}

// within counts who came in the last minutes before now.
func (p *pace) within(now time.Time) int {
	n := 0
	for _, t := range p.came {
		if recent(t, now) {
			n++
		}
	}
	return n
}

// recent is false of a time to come too: a clock that was set back proves no
// arrival.
func recent(t, now time.Time) bool { return !t.After(now) && now.Sub(t) < paceWindow }

// doneAt returns when the last of expected people will be in if they go on
// coming as fast as the last came in the last paceWindow, or the zero time when
// nothing can be said.
func doneAt(now time.Time, expected, in, last int) time.Time {
	if last < paceFewest || in >= expected {
		return time.Time{}
	}
	return now.Add(time.Duration(expected-in) * paceWindow / time.Duration(last))
}
