package gate

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// This file keeps who was reported ill at home (rules 83 and 84). It holds nobody
// and opens no case: whoever comes to the gate all the same is screened there.

// undoSick is what an undo took back that took such a report back.
const undoSick = "sick"

// absent takes that somebody is ill at home, in place of what was reported of the
// same person earlier that day. The caller holds mu.
func (w *watcher) absent(rec lane.Record, wall time.Time) {
	s := &sickness{subject: rec.Subject.ID, at: wall, home: true}
	if len(rec.By) > 0 {
		s.by = rec.By[0]
	}
	if rec.Reason != "" {
		s.seen = strings.Split(rec.Reason, ",")
	}
	if i := slices.IndexFunc(w.sick, func(x *sickness) bool { return x.subject == s.subject && x.atHome(wall) }); i >= 0 {
		s.before, w.sick[i].before = w.sick[i], nil
		w.sick = slices.Delete(w.sick, i, i+1)
	}
	w.found(s)
}

// notAbsent takes back what the same person reported last of somebody. The caller
// holds mu.
func (w *watcher) notAbsent(rec lane.Record) {
	for i, s := range slices.Backward(w.sick) {
		if !s.home || s.subject != rec.Subject.ID {
			continue
		}
		if len(rec.By) == 0 || s.by != rec.By[0] {
			return // somebody has reported more since
		}
		w.sick = slices.Delete(w.sick, i, i+1)
		if s.before != nil {
			w.sick = slices.Insert(w.sick, i, s.before)
		}
		w.tell()
		return
	}
}

// atHome reports whether it is of somebody at home on the day of now.
func (s *sickness) atHome(now time.Time) bool {
	return s.home && s.at.Format(time.DateOnly) == now.Format(time.DateOnly)
}

// absentees returns who is at home today, in the order in which that was reported.
func (w *watcher) absentees(now time.Time) (list []sickness) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sick {
		if s.atHome(now) {
			list = append(list, *s)
		}
	}
	return list
}

// AtHome implements desk.Sick.
func (d deskPage) AtHome() (list []desk.AtHome) {
	people := d.roster.Snapshot()
	for _, s := range d.watcher.absentees(d.recorder.clock.look().Wall) {
		one := desk.AtHome{Found: s.seen}
		one.Name, one.Class = nameOf(people, s.subject)
		list = append(list, one)
	}
	classes := people.Classes()
	slices.SortStableFunc(list, func(a, b desk.AtHome) int {
		return cmp.Compare(slices.Index(classes, a.Class), slices.Index(classes, b.Class))
	})
	return list
}

// ReportSick implements desk.Sick. The entry is all there is: before it is durable
// nobody is listed or counted, and a crash forgets nothing that was answered for.
func (d deskPage) ReportSick(ctx context.Context, x desk.SickReport) error {
	if _, here := d.Person(x.Subject); !here {
		return guard.ErrStale
	}
	d.register.deciding.Lock()
	defer d.register.deciding.Unlock()
	now := d.recorder.clock.look()
	known := func(s sickness) bool { return s.subject == x.Subject && slices.Equal(s.seen, x.Found) }
	if slices.ContainsFunc(d.watcher.absentees(now.Wall), known) {
		return desk.ErrReported
	}
	if err := d.recorder.wait(ctx, entry.Answer{Act: entry.ActSick, Subject: x.Subject, By: d.names(x.By.ID), Reason: strings.Join(x.Found, ",")}); err != nil {
		return err
	}
	d.register.reported(done{word: undoSick, subject: x.Subject, by: x.By.ID, at: now.Mono, what: "desk.sick"})
	d.changed()
	return nil
}

// reported remembers a report; an earlier one of the same person is nobody's to
// take back any more.
func (r *register) reported(x done) {
	r.mu.Lock()
	r.acts = slices.DeleteFunc(r.acts, func(y done) bool { return y.word == undoSick && y.subject == x.subject })
	r.mu.Unlock()
	r.did(x)
}

// undoSick takes a report back: it is gone with its entry.
func (d deskPage) undoSick(ctx context.Context, a entry.Answer) error {
	d.register.deciding.Lock()
	defer d.register.deciding.Unlock()
	return d.recorder.wait(ctx, a)
}
