package gate

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/watch"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
)

// newFor is how long a cluster is shown as new, from when its step was reached:
// a restart changes nothing about it.
const newFor = 30 * time.Minute

// shown returns the clusters as pages show them.
func (w *watcher) shown(now time.Time) (list []web.Cluster) {
	for _, c := range w.clusters(now) {
		list = append(list, web.Cluster{
			Syndrome: c.Syndrome, Place: c.Place, People: len(c.People), Days: c.Rule.Days, Since: c.At.In(now.Location()), New: now.Sub(c.At) < newFor,
		})
	}
	return list
}

// Watched implements desk.Watchers.
func (p deskPage) Watched() desk.Watched {
	now := p.recorder.clock.look().Wall
	w := p.watcher
	out := desk.Watched{Clusters: w.shown(now)}
	if day := p.year().Day(now, ""); day.Kind == calendar.NoSchool {
		out.Closed = cmp.Or(day.Name, "-")
	}
	w.mu.Lock()
	w.newDay(now)
	came, warned := slices.Clone(w.passes), maps.Clone(w.warned)
	w.mu.Unlock()
	passes := p.asked(came)
	for _, f := range watch.Waved(passes, w.limits) {
		out.Signs = append(out.Signs, p.sign(f))
	}
	for row, n := range warned {
		out.Warned = append(out.Warned, desk.Warned{Policy: row.policy, Row: row.row, People: n})
	}
	slices.SortFunc(out.Warned, func(a, b desk.Warned) int { return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Row, b.Row)) })
	if ends, known := p.year().FirstEnds(now); known && !now.Before(ends) {
		out.Counted = true
		out.Missing, out.Late = p.missing(now), p.late(passes, ends)
	}
	return out
}

// asked completes passes by whether the policy in force asks such a person for a
// temperature.
func (p deskPage) asked(list []passage) (out []watch.Pass) {
	rules := p.policy()
	for _, x := range list {
		x.Asked = rules.Needs(screening.Arrival{Subject: screening.Subject{ID: x.Subject, Role: x.role}, Now: x.At}).Temperature
		out = append(out, x.Pass)
	}
	return out
}

// sign turns a finding into what the desk shows.
func (p deskPage) sign(f watch.Finding) desk.Sign {
	s := desk.Sign{Kind: f.Kind, Lane: int(f.Lane), N: f.N, Of: f.Of}
	if f.By != 0 {
		s.Name, _ = nameOf(p.roster.Snapshot(), f.By)
		s.Name = cmp.Or(s.Name, "?") // has left since
	}
	if f.Value != 0 {
		s.Value = f.Value.String()
	}
	return s
}

// missing counts the pupils who are expected today, have not come by the gate, and
// were there at no check of their class.
func (p deskPage) missing(now time.Time) (n int) {
	year := p.year()
	came, checked := p.register.came(now), rollOf(p.watcher.heldToday(now))
	for x := range p.roster.Snapshot().All() {
		if _, in := came[x.ID]; !in && groupOf(x, scopeClass) != "" && !checked.there(x) && year.Expected(now, classOf(x)) {
			n++
		}
	}
	return n
}

// late counts the pupils who came in for the first time after the first arrival
// window.
func (p deskPage) late(passes []watch.Pass, ends time.Time) (n int) {
	people, seen := p.roster.Snapshot(), map[uint64]bool{}
	for _, x := range passes {
		who, known := people.ByID(x.Subject)
		if !known || groupOf(who, scopeClass) == "" || seen[x.Subject] {
			continue
		}
		seen[x.Subject] = true
		if !x.At.Before(ends) {
			n++
		}
	}
	return n
}

// came returns who has come in today.
func (r *register) came(now time.Time) map[uint64]struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.newDay(now)
	return maps.Clone(r.today)
}
