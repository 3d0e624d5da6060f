package gate

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// This file keeps which of the reports that the policy in force asks for (rules
// 72 to 77) were said to have gone out today. It sends none, and holds nobody.

const (
	// reportSoon is how long before its time a report is called for.
	reportSoon = 30 * time.Minute
	// reportUndone stands behind the name of a report of which somebody said too
	// early that it had gone out.
	reportUndone = ":undone"
)

// sent is who said when that a report had gone out.
type sent struct {
	by uint64
	at time.Time
}

// deadlineName names one deadline of a policy in entries: "daily@11:30".
func deadlineName(d policy.Deadline) string {
	return fmt.Sprintf("%s@%02d:%02d", d.Report, d.At/60, d.At%60)
}

// reported takes that a report went out, or that it did not. The caller holds mu.
func (w *watcher) reported(rec lane.Record, wall time.Time) {
	name, undone := strings.CutSuffix(rec.Reason, reportUndone)
	if undone || len(rec.By) == 0 {
		delete(w.sent, name)
		return
	}
	w.sent[name] = sent{rec.By[0], wall}
}

// owes reports whether a report is due on the day of now: those of the day when
// there is school, those of a week or month on its last day of school.
func owes(year calendar.Calendar, now time.Time, report string) bool {
	if !year.SchoolDay(now) {
		return false
	}
	last := now
	switch report {
	case "weekly":
		last = now.AddDate(0, 0, (7-int(now.Weekday()))%7)
	case "monthly":
		last = time.Date(now.Year(), now.Month()+1, 0, 12, 0, 0, 0, now.Location())
	}
	for day := now.AddDate(0, 0, 1); day.Format(time.DateOnly) <= last.Format(time.DateOnly); day = day.AddDate(0, 0, 1) {
		if year.SchoolDay(day) {
			return false
		}
	}
	return true
}

// Owed implements desk.Reports.
func (p deskPage) Owed() (list []desk.Owed) {
	now := p.watcher.local(p.recorder.clock.look().Wall)
	year := p.year()
	p.watcher.mu.Lock()
	defer p.watcher.mu.Unlock()
	p.watcher.newDay(now)
	for _, d := range p.document().Deadlines {
		if !owes(year, now, d.Report) {
			continue
		}
		at := time.Date(now.Year(), now.Month(), now.Day(), 0, int(d.At), 0, 0, now.Location())
		one := desk.Owed{Name: deadlineName(d), Report: d.Report, At: at}
		if x, out := p.watcher.sent[one.Name]; out {
			one.Sent = x.at.In(now.Location())
			one.By, _ = nameOf(p.roster.Snapshot(), x.by)
		} else {
			one.Late = !now.Before(at)
			one.Soon = !one.Late && at.Sub(now) <= reportSoon
		}
		list = append(list, one)
	}
	slices.SortStableFunc(list, func(a, b desk.Owed) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Name, b.Name)) })
	return list
}

// Report implements desk.Reports. The entry is all there is: the watcher takes it
// once it is durable.
func (p deskPage) Report(ctx context.Context, x desk.Reported) error {
	p.register.deciding.Lock()
	defer p.register.deciding.Unlock()
	owed := p.Owed()
	i := slices.IndexFunc(owed, func(o desk.Owed) bool { return o.Name == x.Name })
	if i < 0 || owed[i].Sent.IsZero() == x.Undone {
		return guard.ErrStale
	}
	body := entry.Answer{Act: entry.ActReported, By: p.names(x.By.ID), Reason: x.Name}
	if x.Undone {
		body.Reason += reportUndone
	}
	if err := p.recorder.wait(ctx, body); err != nil {
		return err
	}
	p.changed()
	return nil
}
