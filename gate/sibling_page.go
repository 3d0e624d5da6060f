package gate

import (
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// called returns what people call a gate.
func (s *siblings) called(gate string) string {
	for _, one := range s.list {
		if one.Gate == gate && one.Called != "" {
			return one.Called
		}
	}
	return gate
}

// problems says which gates are not heard.
func (s *siblings) problems(add func(key string, args ...any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.list {
		if one.lost {
			add("sibling-lost", s.called(one.Gate), s.g.watcher.local(one.since).Format("15:04"))
		}
	}
}

// roleSibling is the role of another gate in the entries of its loss and return.
const roleSibling = "sibling"

// note records that a gate was lost or is back.
func (s *siblings) note(one *sibling, event uint8) {
	s.g.recorder.note(entry.Device{Role: roleSibling, Event: event, Detail: one.Gate}, 0)
	s.g.changed()
}

// The words of how another gate saw somebody.
const (
	seenHere = "here" // stands there
	seenIn   = "in"
	seenOut  = "out"
)

// word returns how the gate saw somebody, as the entry of a stop says it.
func (x sighting) word() string {
	switch {
	case x.here:
		return seenHere
	case x.direction == screening.Out:
		return seenOut
	}
	return seenIn
}

// repeats reports whether a decision stopped somebody who came before.
func repeats(d screening.Decision) bool {
	return d.Has(screening.StillInside) || d.Has(screening.SeenElsewhere)
}

// stopped keeps, and records, by which gate's word a lane stops somebody who came
// before. The entry stands behind that of the stop: a crash between the two
// costs the explanation, never the stop.
func (s *siblings) stopped(id entry.ArrivalID, rec lane.Record, laneNumber uint8, wall time.Time) {
	if len(s.list) == 0 || rec.Act != lane.NoAct || !repeats(rec.Decision) {
		return
	}
	subject := rec.Subject.ID
	seen, ok := s.last(subject)
	if seen.here {
		seen.at = wall
	}
	s.mu.Lock()
	delete(s.basis, subject)
	if ok {
		s.basis[subject] = seen
	}
	s.mu.Unlock()
	if ok {
		s.g.recorder.note(entry.Answer{
			Arrival: id, Act: entry.ActSeenAtGate, Outcome: uint8(rec.Decision.Outcome), Subject: subject,
			Reason: seen.gate + ":" + seen.word(), Until: seen.at.UnixMilli(),
		}, laneNumber)
	}
}

// replayStop brings back by which word somebody was stopped.
func (s *siblings) replayStop(e entry.Entry) {
	var a entry.Answer
	if e.Decode(&a) != nil {
		return
	}
	gate, word, _ := strings.Cut(a.Reason, ":")
	x := sighting{gate: gate, at: time.UnixMilli(a.Until), here: word == seenHere}
	if word == seenOut {
		x.direction = screening.Out
	}
	s.basis[a.Subject] = x
}

// say tells in a sentence at which other gate somebody was seen who is stopped for
// it; the words that it stands for are then left out.
func (s *siblings) say(subject uint64, d screening.Decision, keys []string) ([]string, []guard.Sentence) {
	s.mu.Lock()
	x, ok := s.basis[subject]
	s.mu.Unlock()
	if !ok || !repeats(d) {
		return keys, nil
	}
	key, gate, at := "reason.gate-"+x.word(), s.called(x.gate), s.g.watcher.local(x.at).Format("15:04")
	keys = slices.DeleteFunc(keys, func(k string) bool {
		return k == screening.StillInside.String() || k == screening.SeenElsewhere.String()
	})
	return keys, []guard.Sentence{{Zh: web.Chinese.Text(key, gate, at), En: web.English.Text(key, gate, at)}}
}
