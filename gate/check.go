package gate

import (
	"slices"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening/policy"
)

// This file keeps which classes, dormitories and buses were checked today, and what
// was found there (rules 18 to 26). It moves no relay and holds nobody.

// The scopes of a check, as its entry has them.
const (
	scopeClass     = "class"
	scopeDormitory = "dormitory"
	scopeBus       = "bus"
)

// checksMost is how often one group's check is remembered on a day: an undo brings
// back the one before.
const checksMost = 8

// checkKey names one check of a day.
type checkKey struct{ check, group string }

// held is a check that somebody held.
type held struct {
	entry.Checked
	by   uint64
	at   time.Time
	mono time.Duration // of one from the journal less than nothing: it is not taken back
}

// checked takes the entry of a check, or of one that was taken back.
func (w *watcher) checked(a entry.Answer, wall time.Time, mono time.Duration) {
	c, err := entry.ReadChecked(a)
	if err != nil || len(a.By) == 0 {
		return // written by a program that knows more
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	wall = w.local(wall)
	w.newDay(wall)
	key := checkKey{c.Check, c.Group}
	list := w.checks[key]
	switch {
	case a.Act == entry.ActChecked:
		list = append(list, held{c, a.By[0], wall, mono})
		list = list[max(0, len(list)-checksMost):]
	case len(list) > 0:
		list = list[:len(list)-1]
	}
	w.checks[key] = list
	day := wall.Format(time.DateOnly)
	w.sick = slices.DeleteFunc(w.sick, func(s *sickness) bool { return s.check == key && s.at.Format(time.DateOnly) == day })
	if len(list) > 0 {
		w.foundBy(key, list[len(list)-1])
	}
	w.tell()
}

// foundBy remembers who is away with symptoms. Of whoever was there a case tells.
// The caller holds mu.
func (w *watcher) foundBy(key checkKey, h held) {
	for _, x := range h.Exceptions {
		if x.Absent && len(x.Found) > 0 {
			w.found(&sickness{subject: x.Subject, at: h.at, seen: x.Found, check: key})
		}
	}
}

// replayChecked takes the entry of a check at start, and reports whether it was one.
func (w *watcher) replayChecked(e entry.Entry, act uint8) bool {
	if act != entry.ActChecked && act != entry.ActUnchecked {
		return false
	}
	var a entry.Answer
	if e.Decode(&a) == nil {
		w.checked(a, time.UnixMilli(e.Wall), -undoWithin)
	}
	return true
}

// heldToday returns the checks that stand.
func (w *watcher) heldToday(now time.Time) map[checkKey]held {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newDay(now)
	all := map[checkKey]held{}
	for key, list := range w.checks {
		if len(list) > 0 {
			all[key] = list[len(list)-1]
		}
	}
	return all
}

// groupOf returns the class, dormitory or bus that somebody belongs to and is checked
// with; empty for none.
func groupOf(p roster.Person, scope string) string {
	switch {
	case scope == scopeBus: // all who get on (rule 24)
		return p.Evidence.Bus.Name()
	case p.Role != roster.Student:
		return ""
	case scope == scopeDormitory:
		return p.Evidence.Dormitory.Name()
	}
	return p.Class
}

// census are the groups of which somebody is expected on a day.
type census struct {
	roster uint32 // version
	year   *calendar.Calendar
	day    string
	names  map[string][]string // by scope, in the order of the list
	half   map[string]bool     // classes of which lessons end at noon
}

// noon in minutes after midnight: on a half day no check is owed that lasts longer.
const noon = 12 * 60

// owe returns who owes a check of the policy.
func (c *census) owe(check policy.Check) []string {
	if check.Scope() != scopeClass || check.By <= noon {
		return c.names[check.Scope()]
	}
	return slices.DeleteFunc(slices.Clone(c.names[scopeClass]), func(class string) bool { return c.half[class] })
}

// groups returns the census of a day. It is counted once for a list and a calendar:
// open pages ask every second.
func (g *Gate) groups(now time.Time) *census {
	people, year, day := g.roster.Snapshot(), g.calendar.Load(), now.Format(time.DateOnly)
	if c := g.census.Load(); c != nil && c.roster == people.Version && c.year == year && c.day == day {
		return c
	}
	c, seen := &census{people.Version, year, day, map[string][]string{}, map[string]bool{}}, map[[2]string]bool{}
	kinds := map[string]calendar.Kind{}
	for p := range people.All() {
		of := classOf(p)
		kind, known := kinds[of]
		if !known {
			kind = g.year().Day(now, of).Kind
			kinds[of] = kind
		}
		comes := kind != calendar.NoSchool
		c.half[groupOf(p, scopeClass)] = kind == calendar.HalfDay
		for _, scope := range []string{scopeClass, scopeDormitory, scopeBus} {
			if name := groupOf(p, scope); name != "" && comes && !seen[[2]string{scope, name}] {
				seen[[2]string{scope, name}] = true
				c.names[scope] = append(c.names[scope], name)
			}
		}
	}
	g.census.Store(c)
	return c
}

// hours returns when a check of the policy is held on the day of now.
func hours(c policy.Check, now time.Time) (from, by time.Time) {
	at := func(minutes int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day(), 0, minutes, 0, 0, now.Location())
	}
	return at(int(c.From)), at(int(c.By))
}

// States of a check, as web/class has them.
const (
	stateToCome = "to-come"
	stateOpen   = "open"
	stateLate   = "late"
	stateDone   = "done"
)

func checkState(done bool, now, from, by time.Time) string {
	switch {
	case done:
		return stateDone
	case now.Before(from):
		return stateToCome
	case now.Before(by):
		return stateOpen
	}
	return stateLate
}

// screened returns the classes of which somebody has come in by this gate today: the
// gate's own check of them.
func (g *Gate) screened(now time.Time) map[string]bool {
	people, classes := g.roster.Snapshot(), map[string]bool{}
	for id := range g.register.came(now) {
		if p, known := people.ByID(id); known {
			classes[groupOf(p, scopeClass)] = true
		}
	}
	return classes
}

// roll are the checks of each class today, the last of them last.
type roll map[string][]held

func rollOf(done map[checkKey]held) roll {
	r := roll{}
	for _, h := range done {
		if h.Scope == scopeClass {
			r[h.Group] = append(r[h.Group], h)
		}
	}
	for _, list := range r {
		slices.SortFunc(list, func(a, b held) int { return a.at.Compare(b.at) })
	}
	return r
}

// there reports whether a check has found somebody in class.
func (r roll) there(p roster.Person) bool {
	return slices.ContainsFunc(r[groupOf(p, scopeClass)], func(h held) bool {
		return !slices.ContainsFunc(h.Exceptions, func(x entry.Exception) bool { return x.Subject == p.ID && x.Absent })
	})
}

// away returns who was not there at the last check of the class.
func (r roll) away() (subjects []uint64) {
	for _, list := range r {
		for _, x := range list[len(list)-1].Exceptions {
			if x.Absent {
				subjects = append(subjects, x.Subject)
			}
		}
	}
	slices.Sort(subjects)
	return subjects
}

// rounds counts how often each class was checked today, the gate included. Over says
// that no check of a class is to come any more.
type rounds struct {
	least   int
	over    bool
	gate    map[string]bool
	inClass map[string]int
}

func (g *Gate) rounds(now time.Time, done map[checkKey]held) rounds {
	d := g.document()
	r := rounds{least: d.ChecksADay, over: true, inClass: map[string]int{}}
	if r.least == 0 {
		return r
	}
	r.gate = g.screened(now)
	for _, c := range d.Checks {
		if _, by := hours(c, now); c.Scope() == scopeClass && now.Before(by) {
			r.over = false
		}
	}
	for _, h := range done {
		if h.Scope == scopeClass {
			r.inClass[h.Group]++
		}
	}
	return r
}

// of returns how often a class was checked, and whether that was too seldom.
func (r rounds) of(class string) (times int, short bool) {
	times = r.inClass[class]
	if r.gate[class] {
		times++
	}
	return times, r.over && times < r.least
}
