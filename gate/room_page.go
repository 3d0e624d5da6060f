package gate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
	"github.com/menshen/menshen/web/isolation"
)

const (
	// phoneDigits are how many last digits of a guardian's phone are asked for.
	phoneDigits = 4
	// wrongMost is how often digits may be guessed for one child. After that a
	// leader must vouch.
	wrongMost = 3
	// How it is known who took a child home.
	vouchPhone, vouchLeader = "phone", "leader"
)

// roomPage is the gate as its isolation room sees it.
type roomPage struct{ *Gate }

// View implements isolation.Room.
func (r roomPage) View() isolation.View {
	stamp, people := r.recorder.clock.look(), r.roster.Snapshot()
	mono := r.o.Now().Mono
	v := isolation.View{
		School: r.o.Config.School, Gate: r.o.Config.Gate, Now: stamp.Wall, ClockTrusted: stamp.Clock >= entry.ClockConfirmed,
		Muted: mono < r.alarms.mutedUntil(),
	}
	v.Drill, v.Clusters = r.drill.minutes(), r.watcher.shown(stamp.Wall)
	if e, _ := r.emergency.show(stamp); e != nil {
		v.Emergency, v.Passed = e.Minutes(), e.Passed
	}
	for _, a := range r.alarms.list() {
		one := isolation.Alarm{Arrival: a.id.String(), Since: a.since, Recorded: a.stored}
		one.Name, one.Class = a.who(people)
		v.Alarms = append(v.Alarms, one)
	}
	for _, x := range r.cases.list() {
		p := x.page(people, mono)
		r.more(&p, x, stamp, people)
		v.Cases = append(v.Cases, p)
	}
	r.chain(&v, stamp, people)
	for _, c := range r.cases.leaving(stamp.Wall) {
		one := isolation.Leaving{Until: c.ExitUntil()}
		one.Name, one.Class = nameOf(people, c.Subject)
		v.Leaving = append(v.Leaving, one)
	}
	return v
}

// leaving returns the children for whom the way out stands open.
func (c *cases) leaving(now time.Time) (list []casefile.Case) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.left {
		if now.Before(x.ExitUntil()) {
			list = append(list, x)
		}
	}
	c.left = append(c.left[:0], list...)
	return list
}

// page turns a case into what the room's page draws.
func (x caseNow) page(people *roster.Snapshot, now time.Duration) isolation.Case {
	f := x.file
	p := isolation.Case{
		Number: int(f.Number), Version: f.Version(), Since: f.Since(), Here: f.Phase() == casefile.Here, Late: x.late(now),
		Found: f.Found, Fever: f.Fever(), Next: f.Next().String(), CanBack: f.MayGoBack(), Stored: x.stored, InClass: f.Origin == casefile.FromClass,
	}
	p.Name, p.Class = nameOf(people, f.Subject)
	if v := f.Events[0].Value; v != 0 {
		p.Gate = v.String()
	}
	if v, instrument, ok := f.Temperature(); ok {
		p.Temperature, p.Instrument = v.String(), instrument
	}
	if by := f.By(casefile.Escorted); len(by) > 0 && !p.Here {
		p.Bring, _ = nameOf(people, by[0])
	}
	if by := f.By(casefile.Arrived); len(by) > 0 {
		p.Receive, _ = nameOf(people, by[0])
	}
	who, _ := people.ByID(f.Subject)
	for i, g := range []roster.Guardian{who.Guardian1, who.Guardian2} {
		if number := uint8(i + 1); g.Phone != "" {
			p.Guardians = append(p.Guardians, isolation.Guardian{Number: number, Name: g.Name, Phone: g.Phone, Call: f.LastCall(number).String()})
		}
	}
	return p
}

// Answer implements isolation.Room.
func (r roomPage) Answer(_ context.Context, arrival string, by web.Person) error {
	id, err := entry.ParseArrivalID(arrival)
	if err != nil || id == (entry.ArrivalID{}) || !r.alarms.acknowledge(id, []uint64{by.ID}) {
		return isolation.ErrStale
	}
	return nil
}

// Mute implements isolation.Room.
func (r roomPage) Mute(ctx context.Context, by web.Person) error {
	return roomError(r.mute(ctx, []uint64{by.ID}))
}

// People implements isolation.People.
func (r roomPage) People() []isolation.Person {
	people := r.roster.Snapshot()
	list := make([]isolation.Person, 0, people.Len())
	for p := range people.All() {
		list = append(list, isolation.Person{ID: p.ID, Name: p.Name, Class: p.Class})
	}
	return list
}

// Leaders implements isolation.People.
func (r roomPage) Leaders() (list []isolation.Person) {
	for p := range r.roster.Snapshot().All() {
		if p.Role != roster.Student && web.Duty(r.roster.Duties(p.ID))&web.DutyLeader != 0 {
			list = append(list, isolation.Person{ID: p.ID, Name: p.Name})
		}
	}
	return list
}

// Step implements isolation.Cases.
func (r roomPage) Step(ctx context.Context, s isolation.Step) error {
	e := casefile.Event{Step: stepOf(s.Kind), At: r.recorder.clock.look().Wall, By: []uint64{s.By.ID}, Value: screening.MilliC(s.Value), Instrument: s.Instrument, Guardian: s.Guardian, Reason: s.Reason, Subject: s.Subject}
	e.Call, _ = casefile.ParseCall(s.Call)
	switch e.Step {
	case casefile.Measured:
		e.Limit = r.feverFrom()
	case casefile.Identified:
		if p, ok := r.roster.Snapshot().ByID(s.Subject); !ok || p.Left {
			return isolation.ErrStale
		}
	case casefile.HomeWithGuardian:
		x, ok := r.cases.look(uint16(s.Number))
		if !ok || x.file.Version() != s.Version {
			return isolation.ErrStale
		}
		names, how, err := r.vouch(ctx, x.file.Subject, s.HandOver, s.By.ID)
		if err != nil {
			return err
		}
		return r.handedOver(ctx, x, s.HandOver, names, how)
	default:
		if err := r.chained(&e, s); err != nil {
			return err
		}
	}
	return roomError(r.stepCase(ctx, uint16(s.Number), s.Version, e))
}

// stepOf returns the step of a word that a page sends.
func stepOf(kind string) casefile.Step {
	for s := casefile.Escorted; s <= casefile.Placed; s++ {
		if s.String() == kind && uint8(s) != entry.CaseMuted {
			return s
		}
	}
	return 0
}

// feverFrom returns the lowest temperature that is a fever under the policy in
// force.
func (g *Gate) feverFrom() screening.MilliC {
	limit, boundary := g.policy().Threshold()
	if boundary == screening.Exceeds {
		limit++
	}
	return min(limit, screening.HardFever)
}

// vouch finds out how it is known that an adult may take a child home: by the
// last digits of a guardian's phone, or by a leader with the own PIN. It returns
// in whose names.
func (r roomPage) vouch(ctx context.Context, subject uint64, h isolation.HandOver, by uint64) (names []uint64, how string, err error) {
	if h.Leader == 0 {
		child, _ := r.roster.Snapshot().ByID(subject)
		if !r.cases.guess(subject, endsWith(child.Guardian1.Phone, h.Digits) || endsWith(child.Guardian2.Phone, h.Digits)) {
			return nil, "", isolation.ErrDigits
		}
		return []uint64{by}, vouchPhone, nil
	}
	leader, ok := r.roster.Snapshot().ByID(h.Leader)
	if !ok || leader.Left {
		return nil, "", isolation.ErrStale
	}
	who, err := (staff{r.roster}).CheckPIN(ctx, leader.Badge, h.PIN)
	switch {
	case err != nil:
		return nil, "", err
	case who.Duties&web.DutyLeader == 0:
		return nil, "", isolation.ErrNotAllowed
	case who.ID == by:
		return []uint64{by}, vouchLeader, nil
	}
	return []uint64{by, who.ID}, vouchLeader, nil
}

// handedOver ends a case with the hand-over of a child.
func (r roomPage) handedOver(ctx context.Context, x caseNow, h isolation.HandOver, names []uint64, how string) error {
	e := casefile.Event{Step: casefile.HomeWithGuardian, At: r.recorder.clock.look().Wall, By: names, Reason: how}
	e.Relation, _ = casefile.ParseRelation(h.Relation)
	return roomError(r.stepCase(ctx, x.file.Number, x.file.Version(), e))
}

// waiting returns who was set aside as an arrival.
func (g *Gate) waiting(arrival string) (aside, bool) {
	id, err := entry.ParseArrivalID(arrival)
	for _, a := range g.register.list() {
		if err == nil && a.id == id {
			return a, true
		}
	}
	return aside{}, false
}

// Waiting implements isolation.Desk.
func (r roomPage) Waiting(arrival string) (isolation.Case, bool) {
	a, ok := r.waiting(arrival)
	if !ok {
		return isolation.Case{}, false
	}
	c := isolation.Case{Number: int(a.ticket), Since: a.since}
	c.Name, c.Class = nameOf(r.roster.Snapshot(), a.arrival.Subject.ID)
	return c, true
}

// HandOver implements isolation.Desk. Who takes the child is known before a case
// is opened for it.
func (r roomPage) HandOver(ctx context.Context, arrival string, h isolation.HandOver, by web.Person) error {
	a, ok := r.waiting(arrival)
	subject := a.arrival.Subject.ID
	if !ok || subject == 0 {
		return isolation.ErrStale
	}
	names, how, err := r.vouch(ctx, subject, h, by.ID)
	if err != nil {
		return err
	}
	number, open := r.cases.ofSubject(subject)
	if !open {
		o := opening{subject: subject, arrival: a.id, origin: casefile.FromGate.String(), found: reasonKeys(a.decision), by: names}
		if n := len(a.arrival.Readings); n > 0 && measured(a.arrival.Readings[n-1]) {
			o.reading = &a.arrival.Readings[n-1]
		}
		if number, err = r.openCase(ctx, o); err != nil {
			return roomError(err)
		}
	}
	x, ok := r.cases.look(number)
	if !ok {
		return isolation.ErrStale
	}
	return r.handedOver(ctx, x, h, names, how)
}

// endsWith reports whether the digits of a phone end so.
func endsWith(phone, digits string) bool {
	only := strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, phone)
	return len(digits) == phoneDigits && strings.HasSuffix(only, digits)
}

// Open implements isolation.Cases.
func (r roomPage) Open(ctx context.Context, o isolation.Opening) (int, error) {
	if p, ok := r.roster.Snapshot().ByID(o.Subject); !ok || p.Left {
		return 0, isolation.ErrStale
	}
	number, err := r.openCase(ctx, opening{subject: o.Subject, origin: casefile.FromRoom.String(), found: o.Found, by: []uint64{o.By.ID}})
	return int(number), roomError(err)
}

// Paper implements isolation.Cases. It goes step by step, each durable: who
// presses again after a fault goes on where it ended.
func (r roomPage) Paper(ctx context.Context, p isolation.Paper) (int, error) {
	stamp := r.recorder.now()
	y, m, d := stamp.Wall.Date()
	at := time.Date(y, m, d, p.Hour, p.Minute, 0, 0, stamp.Wall.Location())
	person, ok := r.roster.Snapshot().ByID(p.Subject)
	switch {
	case stamp.Clock < entry.ClockConfirmed:
		return 0, isolation.ErrClock
	case at.After(stamp.Wall):
		return 0, isolation.ErrTime
	case !ok || person.Left:
		return 0, isolation.ErrStale
	}
	by := []uint64{p.By.ID}
	number, open := r.cases.ofSubject(p.Subject)
	if !open {
		var err error
		if number, err = r.openCase(ctx, opening{subject: p.Subject, origin: casefile.FromRoom.String(), by: by, at: at}); err != nil {
			return 0, roomError(err)
		}
	}
	for _, e := range []casefile.Event{
		{Step: casefile.Arrived, At: at, Late: true, By: by},
		{Step: casefile.Measured, At: at, Late: true, By: by, Value: screening.MilliC(p.Value), Limit: r.feverFrom()},
	} {
		x, ok := r.cases.look(number)
		if e.Step == casefile.Arrived && ok && x.file.Phase() == casefile.Here {
			continue
		}
		if err := r.stepCase(ctx, number, x.file.Version(), e); err != nil {
			return 0, roomError(err)
		}
	}
	return int(number), nil
}

// roomError turns what the gate says into what the room's page tells.
func roomError(err error) error {
	for _, known := range []struct{ gate, page error }{
		{casefile.ErrEarly, isolation.ErrEarly}, {casefile.ErrProof, isolation.ErrProof},
		{guard.ErrStale, isolation.ErrStale}, {guard.ErrNotAllowed, isolation.ErrNotAllowed}, {errCaseOpen, isolation.ErrOpen},
		{errNotStored, isolation.ErrNotStored}, {errNotNow, isolation.ErrNotStored},
	} {
		if errors.Is(err, known.gate) {
			return fmt.Errorf("%w: %w", known.page, err)
		}
	}
	return err
}
