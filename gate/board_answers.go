package gate

import (
	"slices"

	"github.com/menshen/menshen/entry"
)

// answered is one alarm and the entry by which the room answered it.
type answered struct {
	alarm
	seq uint64
}

// answerStored notes that the entry which answers an alarm is durable. Entries
// become durable in the order of their numbers.
func (a *alarms) answerStored(x alarm, seq uint64) {
	a.mu.Lock()
	a.answers = append(a.answers, answered{x, seq})
	a.mu.Unlock()
	a.g.changed()
}

// replayAnswer takes an answer of the journal at start.
func (a *alarms) replayAnswer(id entry.ArrivalID, seq uint64) {
	if x := a.open[id]; x != nil {
		a.answers = append(a.answers, answered{*x, seq})
	}
}

// answersEnd returns the number behind the last answer's entry.
func (a *alarms) answersEnd() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.answers) == 0 {
		return 0
	}
	return a.answers[len(a.answers)-1].seq + 1
}

// since returns the alarms that stand, the oldest first, and the answers from an
// entry on. One whose answer is not durable yet is among neither.
func (a *alarms) since(from uint64) (open []alarm, told []answered) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, x := range a.open {
		open = append(open, *x)
	}
	slices.SortFunc(open, func(x, y alarm) int { return x.since.Compare(y.since) })
	i, _ := slices.BinarySearchFunc(a.answers, from, func(x answered, from uint64) int {
		if x.seq < from {
			return -1
		}
		return 1
	})
	return open, slices.Clone(a.answers[i:])
}
