package gate

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/class"
	"github.com/menshen/menshen/web/desk"
)

// foundFever is what a temperature says that reaches the policy's limit.
const foundFever = "fever"

// classPage is the gate as whoever checks a class sees it.
type classPage struct{ *Gate }

// mayCheck returns whether somebody may check a group. A teacher whose own row of
// the list names a class, dormitory or bus has that one; whose row names none, and
// the desk, have all of them.
func (g *Gate) mayCheck(by web.Person) func(scope, group string) bool {
	p, known := g.roster.Snapshot().ByID(by.ID)
	own := map[string]string{scopeClass: p.Class, scopeDormitory: p.Evidence.Dormitory.Name(), scopeBus: p.Evidence.Bus.Name()}
	all := by.Duties.Any(web.DutyDesk) || own[scopeClass]+own[scopeDormitory]+own[scopeBus] == ""
	return func(scope, group string) bool { return known && (all || own[scope] == group) }
}

// Today implements class.Checks.
func (c classPage) Today(by web.Person) class.Today {
	now := c.watcher.local(c.recorder.clock.look().Wall)
	if !c.year().SchoolDay(now) {
		return class.Today{Closed: true}
	}
	var t class.Today
	groups, done, may := c.groups(now), c.watcher.heldToday(now), c.mayCheck(by)
	counted := c.rounds(now, done)
	for _, check := range c.document().Checks {
		scope := check.Scope()
		for _, group := range groups.owe(check) {
			if !may(scope, group) {
				continue
			}
			one := class.Owed{Key: class.Key{Check: check.Name, Group: group}}
			one.From, one.By = hours(check, now)
			h, did := done[checkKey{check.Name, group}]
			one.State = checkState(did, now, one.From, one.By)
			if did {
				c.showHeld(&one, h, by)
			}
			if scope == scopeClass {
				one.Times, one.Short = counted.of(group)
				one.Least, one.Short = counted.least, one.Short && !groups.half[group]
			}
			t.List = append(t.List, one)
		}
	}
	order := []string{stateLate, stateOpen, stateToCome, stateDone}
	slices.SortStableFunc(t.List, func(a, b class.Owed) int {
		return cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State))
	})
	return t
}

// showHeld adds what came of a check.
func (c classPage) showHeld(one *class.Owed, h held, by web.Person) {
	one.At, one.Expected = h.at, int(h.Expected)
	one.Who, _ = nameOf(c.roster.Snapshot(), h.by)
	one.MayTakeBack = h.by == by.ID && c.o.Now().Mono-h.mono < undoWithin
	for _, x := range h.Exceptions {
		if x.Absent {
			one.Absent++
		}
		if c.ill(x) {
			one.Ill++
		}
	}
}

// ill reports whether a case follows from what was found of somebody who is there.
func (g *Gate) ill(x entry.Exception) bool {
	return !x.Absent && (len(x.Found) > 0 || screening.MilliC(x.Value) >= g.feverFrom())
}

// named returns a check of the policy in force.
func (g *Gate) named(name string) (policy.Check, bool) {
	list := g.document().Checks
	i := slices.IndexFunc(list, func(c policy.Check) bool { return c.Name == name })
	if i < 0 {
		return policy.Check{}, false
	}
	return list[i], true
}

// Sheet implements class.Checks.
func (c classPage) Sheet(k class.Key, by web.Person) (class.Sheet, bool) {
	now := c.watcher.local(c.recorder.clock.look().Wall)
	check, known := c.named(k.Check)
	if !known || !c.year().SchoolDay(now) || !c.mayCheck(by)(check.Scope(), k.Group) {
		return class.Sheet{}, false
	}
	people, year := c.roster.Snapshot(), c.year()
	s, hint := class.Sheet{Key: k, Version: people.Version}, c.hints(now, check.Scope())
	for p := range people.All() {
		if groupOf(p, check.Scope()) == k.Group && k.Group != "" && year.Expected(now, classOf(p)) {
			m := class.Member{ID: p.ID, Name: p.Name, Hint: hint(p)}
			m.Absent = m.Hint == hintAtHome || m.Hint == hintInCase
			s.People = append(s.People, m)
		}
	}
	return s, len(s.People) > 0
}

// Hints of a sheet, as web/class has them.
const (
	hintAtHome  = "at-home"
	hintInCase  = "in-case"
	hintNotCome = "not-come"
)

// hints returns what the gate knows of where somebody is. That somebody was not seen
// at the gate says nothing before a bus or in a dormitory, nor where the gate has
// seen nobody.
func (g *Gate) hints(now time.Time, scope string) func(roster.Person) string {
	home, cases, came := map[uint64]bool{}, map[uint64]bool{}, g.register.came(now)
	for _, s := range g.watcher.absentees(now) {
		home[s.subject] = true
	}
	for _, x := range g.cases.all() {
		cases[x.file.Subject] = !x.free
	}
	return func(p roster.Person) string {
		_, in := came[p.ID]
		switch {
		case cases[p.ID]:
			return hintInCase
		case home[p.ID]:
			return hintAtHome
		case scope == scopeClass && len(came) > 0 && !in:
			return hintNotCome
		}
		return ""
	}
}

// Check implements class.Checks. The cases come first, because a child with a fever
// is to be fetched whether or not anything can be recorded; a crash before the
// check's entry leaves them without it, and nobody was told that the check was held.
// Who does it again opens none of them twice.
func (c classPage) Check(ctx context.Context, f class.Findings) (cases int, err error) {
	sheet, ok := c.Sheet(f.Key, f.By)
	if !ok || sheet.Version != f.Version {
		return 0, class.ErrStale
	}
	now := c.watcher.local(c.recorder.clock.look().Wall)
	check, _ := c.named(f.Key.Check)
	if from, _ := hours(check, now); now.Before(from) {
		return 0, class.ErrEarly
	}
	body := entry.Checked{Check: check.Name, Scope: check.Scope(), Group: f.Group, Expected: uint16(len(sheet.People))}
	for _, x := range f.Exceptions {
		if !slices.ContainsFunc(sheet.People, func(m class.Member) bool { return m.ID == x.Subject }) {
			return 0, class.ErrStale
		}
		slices.Sort(x.Found)
		body.Exceptions = append(body.Exceptions, entry.Exception(x))
	}
	a, err := body.Answer()
	if err != nil {
		return 0, err
	}
	c.register.deciding.Lock()
	defer c.register.deciding.Unlock()
	a.By = []uint64{f.By.ID}
	for _, x := range body.Exceptions {
		if !c.ill(x) {
			continue
		}
		if err := c.openFrom(ctx, x, a.By); err != nil {
			return cases, err
		}
		cases++
	}
	if err := c.recorder.wait(ctx, a); err != nil {
		return cases, err
	}
	c.changed()
	return cases, nil
}

// openFrom opens the case of somebody who was found ill by a check, unless one is
// open.
func (g *Gate) openFrom(ctx context.Context, x entry.Exception, by []uint64) error {
	o := opening{subject: x.Subject, origin: casefile.FromClass.String(), found: x.Found, by: by}
	if screening.MilliC(x.Value) >= g.feverFrom() && !slices.Contains(o.found, foundFever) {
		o.found = append(slices.Clone(o.found), foundFever)
	}
	if x.Value != 0 {
		r := screening.Typed(x.Instrument, typedSite(x.Instrument), screening.MilliC(x.Value), g.policy().Low())
		o.reading = &r
	}
	if _, err := g.openCase(ctx, o); !errors.Is(err, errCaseOpen) {
		return err
	}
	return nil
}

// TakeBack implements class.Checks. The cases that the check opened go on: the
// isolation room ends them.
func (c classPage) TakeBack(ctx context.Context, k class.Key, by web.Person) error {
	c.register.deciding.Lock()
	defer c.register.deciding.Unlock()
	now := c.watcher.local(c.recorder.clock.look().Wall)
	h, ok := c.watcher.heldToday(now)[checkKey{k.Check, k.Group}]
	if !ok || h.by != by.ID || c.o.Now().Mono-h.mono >= undoWithin {
		return class.ErrStale
	}
	h.Exceptions = nil
	a, err := h.Answer()
	if err != nil {
		return err
	}
	a.Act, a.By = entry.ActUnchecked, []uint64{by.ID}
	if err := c.recorder.wait(ctx, a); err != nil {
		return err
	}
	c.changed()
	return nil
}

// remindOf is how many names stand in one reminder.
const remindOf = 3

// Reminders implements desk.Checks: what is late today, check by check, then the
// classes that were checked too seldom, and who has come in and is not in class.
func (p deskPage) Reminders() (list []desk.Reminder) {
	now := p.watcher.local(p.recorder.clock.look().Wall)
	d := p.document()
	if len(d.Checks) == 0 || !p.year().SchoolDay(now) {
		return nil
	}
	groups, done := p.groups(now), p.watcher.heldToday(now)
	add := func(kind, check string, names []string) {
		if len(names) > 0 {
			list = append(list, desk.Reminder{Kind: kind, Check: check, Names: names[:min(len(names), remindOf)], N: len(names)})
		}
	}
	for _, c := range d.Checks {
		var late []string
		from, by := hours(c, now)
		for _, group := range groups.owe(c) {
			if _, did := done[checkKey{c.Name, group}]; checkState(did, now, from, by) == stateLate {
				late = append(late, group)
			}
		}
		add(desk.CheckLate, c.Name, late)
	}
	var seldom []string
	counted := p.rounds(now, done)
	for _, group := range groups.names[scopeClass] {
		if _, short := counted.of(group); short && !groups.half[group] {
			seldom = append(seldom, group)
		}
	}
	add(desk.ChecksFew, "", seldom)
	add(desk.NotInClass, "", p.notInClass(now, rollOf(done)))
	return list
}

// notInClass returns who has come in by this gate, was not there at the last check of
// the class, and is neither in the isolation room nor gone home from it.
func (g *Gate) notInClass(now time.Time, checked roll) (names []string) {
	away := checked.away()
	if len(away) == 0 {
		return nil
	}
	people, came, hint := g.roster.Snapshot(), g.register.came(now), g.hints(now, scopeClass)
	for _, id := range away {
		p, known := people.ByID(id)
		if _, in := came[id]; in && known && !p.Left && hint(p) == "" {
			names = append(names, p.Class+" "+p.Name)
		}
	}
	return names
}

// typedSite returns where on the body somebody measured who reads a temperature off
// an instrument.
func typedSite(instrument string) screening.Site {
	switch instrument {
	case "axilla", "mercury":
		return screening.Axilla
	case "hand":
		return screening.Forehead
	}
	return screening.Ear
}
