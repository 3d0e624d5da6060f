package gate

import (
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/screening/watch"
)

// noDisease is the diagnosis of somebody who has nothing that others may catch.
const noDisease = "no-disease"

// sickness is one person of whom something was found: by a case, whose steps
// say what came of it, by what somebody saw, or by a report that the person is at
// home.
type sickness struct {
	subject uint64
	at      time.Time
	seen    []string // where no case was opened
	steps   []entry.Case
	// Of somebody at home: who reported it, and what was reported before on the same
	// day, which stands again once the report is taken back.
	home   bool
	by     uint64
	before *sickness
	// check says by which one somebody was found away with symptoms.
	check checkKey
}

// besides takes what people saw of somebody without opening a case, and what of
// that they took back. The caller holds mu.
func (w *watcher) besides(rec lane.Record, wall time.Time) {
	switch uint8(rec.Act) {
	case entry.ActSymptoms:
		if rec.Ticket == 0 { // else the case says it
			w.found(&sickness{subject: rec.Subject.ID, at: wall, seen: strings.Split(rec.Reason, ",")})
		}
	case entry.ActSick:
		w.absent(rec, wall)
	case entry.ActReported:
		w.reported(rec, wall)
	case entry.ActUndo:
		if rec.Reason == undoSick {
			w.notAbsent(rec)
			return
		}
		w.sick = slices.DeleteFunc(w.sick, func(s *sickness) bool {
			return rec.Reason == undoHold && s.subject == rec.Subject.ID && s.seen != nil && !s.home && s.check == (checkKey{}) && wall.Sub(s.at) <= undoWithin
		})
	}
}

// found remembers somebody. The caller holds mu.
func (w *watcher) found(s *sickness) {
	w.tell()
	w.sick = append(w.sick, s)
	w.sick = w.sick[max(0, len(w.sick)-sickMost):]
}

// step takes one step of a case.
func (w *watcher) step(b entry.Case, wall time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.cases[b.Number]
	switch {
	case b.Step == entry.CaseMuted:
		return
	case b.Step == entry.CaseOpened:
		if b.At != 0 {
			wall = time.UnixMilli(b.At)
		}
		s = &sickness{subject: b.Subject, at: w.local(wall)}
		w.cases[b.Number] = s
		w.found(s)
	case s == nil:
		return
	case b.Step == entry.CaseIdentified:
		s.subject = b.Subject
	}
	s.steps = append(s.steps, b)
	w.tell()
}

// event returns what the table of clusters is to know of it, and whether there
// is anything: a case that found nothing, and a drill, are no illness.
func (s *sickness) event() (e watch.Event, ill bool) {
	found, fever := slices.Clone(s.seen), false
	corrected := func(i int) bool {
		return slices.ContainsFunc(s.steps, func(b entry.Case) bool { return b.Step == entry.CaseCorrected && int(b.Corrects) == i+1 })
	}
	var diagnoses []string
	for i, b := range s.steps {
		if corrected(i) {
			continue
		}
		switch b.Step {
		case entry.CaseOpened:
			found = append(found, b.Found...)
		case entry.CaseMeasured:
			fever = fever || b.Reading != nil && b.Reading.Peak >= b.Limit
		case entry.CaseSuspected, entry.CaseDiagnosed:
			if b.Reason == noDisease {
				return watch.Event{}, false
			}
			diagnoses = append(diagnoses, b.Reason)
		case entry.CaseBackToClass, entry.CaseNotThisPerson:
			return watch.Event{}, false
		}
	}
	if slices.Contains(found, foundDrill) {
		return watch.Event{}, false
	}
	for _, why := range []screening.Reason{screening.HighOnce, screening.HighTwice, screening.HardFeverSeen} {
		fever = fever || slices.Contains(found, why.String())
	}
	e = watch.Event{Subject: s.subject, Day: s.at.Format(time.DateOnly), At: s.at, Syndromes: append(watch.Syndromes(found, fever), diagnoses...)}
	return e, len(e.Syndromes) > 0
}
