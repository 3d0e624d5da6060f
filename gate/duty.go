package gate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// staff lets the pages ask the roster who somebody is and what they may do, and
// keeps there which browsers are trusted.
type staff struct{ r *roster.Roster }

// CheckPIN implements web.Staff.
func (s staff) CheckPIN(ctx context.Context, badge, pin string) (web.Person, error) {
	p, err := s.r.CheckPIN(ctx, badge, pin)
	switch {
	case errors.Is(err, roster.ErrPIN):
		return web.Person{}, web.ErrPIN
	case errors.Is(err, roster.ErrLocked):
		return web.Person{}, web.ErrLocked
	case err != nil:
		return web.Person{}, err
	}
	if who, ok := s.Standing(p.ID); ok {
		return who, nil
	}
	return web.Person{}, web.ErrNoDuty
}

// Standing implements web.Roll.
func (s staff) Standing(id uint64) (web.Person, bool) {
	p, known := s.r.Snapshot().ByID(id)
	d := web.Duty(s.r.Duties(id))
	if !known || d == 0 {
		return web.Person{}, false
	}
	return web.Person{ID: p.ID, Name: p.Name, Role: string(p.Role), Duties: d}, true
}

// Sessions implements web.Roll.
func (s staff) Sessions(ctx context.Context) ([]web.KeptSession, error) {
	list, err := s.r.Sessions(ctx)
	var out []web.KeptSession
	for _, k := range list {
		out = append(out, web.KeptSession(k))
	}
	return out, err
}

// KeepSessions implements web.Roll.
func (s staff) KeepSessions(ctx context.Context, list []web.KeptSession) error {
	var out []roster.Session
	for _, k := range list {
		out = append(out, roster.Session(k))
	}
	return s.r.KeepSessions(ctx, out)
}

// dutyRoll is the staff to whom the pages sign on. Changed hears of each change: who
// is on duty stands on all of them.
type dutyRoll struct {
	staff
	changed func()
}

// KeepSessions implements web.Roll.
func (r dutyRoll) KeepSessions(ctx context.Context, list []web.KeptSession) error {
	defer r.changed()
	return r.staff.KeepSessions(ctx, list)
}

// openDuty brings back who was signed on and which browsers were paired. Where
// the clock of a board without battery has fallen back, the newest entry says
// how late it is at least.
func (g *Gate) openDuty(ctx context.Context) {
	g.sessions = web.NewKeptSessions(ctx, dutyRoll{staff{g.roster}, g.changed}, g.recorder.clock.wall, g.log)
	g.pairing = web.NewPairing(ctx, pairs{g.roster, g.changed}, g.recorder.clock.wall, g.log)
}

// crew are the duties that the gate's own screen is for.
const crew = web.DutyGuard | web.DutyDesk

// Of offers to sign on.
const (
	// offerLife is how long after the scan the one press may come.
	offerLife = time.Minute
	// offerTurn is how long an offer stands alone before it gives way to the
	// next: the button must not change under a finger.
	offerTurn = 10 * time.Second
	// offersMost bounds those who wait for their turn.
	offersMost = 8
)

// offers are the scans that may put somebody on duty, by one press at the gate's
// own screen. Whoever presses has shown the badge to a lane within the last
// minute and stands before the screen; what needs more asks for the PIN.
type offers struct {
	mu   sync.Mutex
	last uint64
	list []offer // in the order of the scans
}

type offer struct {
	id     uint64
	person uint64
	at     time.Duration // of the scan, monotonic
	shown  bool
	since  time.Duration // it was shown
}

// add makes an offer of a scan, in place of one that the same person has.
func (o *offers) add(person uint64, now time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(now)
	o.list = slices.DeleteFunc(o.list, func(x offer) bool { return x.person == person })
	if len(o.list) >= offersMost {
		return // those who wait come first
	}
	o.last++
	o.list = append(o.list, offer{id: o.last, person: person, at: now})
}

// front returns the offer whose turn it is.
func (o *offers) front(now time.Duration) (offer, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(now)
	for i := range o.list {
		x := &o.list[i]
		if !x.shown {
			x.shown, x.since = true, now
		}
		if i == len(o.list)-1 || now-x.since < offerTurn {
			return *x, true
		}
	}
	return offer{}, false
}

// take uses an offer up and returns whose it was. One that has given way counts
// as long as it lives: a press may have been on its way.
func (o *offers) take(id uint64, now time.Duration) (person uint64, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(now)
	i := slices.IndexFunc(o.list, func(x offer) bool { return x.id == id })
	if i < 0 {
		return 0, false
	}
	person = o.list[i].person
	o.list = slices.Delete(o.list, i, i+1)
	return person, true
}

func (o *offers) drop(now time.Duration) {
	o.list = slices.DeleteFunc(o.list, func(x offer) bool { return now-x.at >= offerLife })
}

// offerDuty makes an offer of a scan by somebody whom the gate's screen is for.
// It waits for nothing: the scan is an arrival like any other.
func (g *Gate) offerDuty(person uint64) {
	if who, ok := (staff{g.roster}).Standing(person); ok && who.Duties.Any(crew) {
		g.offers.add(person, g.o.Now().Mono)
		g.changed()
	}
}

// offered returns what the gate's own screen offers now, or nil.
func (g *Gate) offered(v guard.View, duty []web.Person) *guard.Offer {
	x, ok := g.offers.front(g.o.Now().Mono)
	if !ok {
		return nil
	}
	who, ok := (staff{g.roster}).Standing(x.person)
	if !ok {
		return nil
	}
	others := 0
	for _, p := range duty {
		if p.ID != who.ID {
			others++
		}
	}
	return &guard.Offer{
		ID: x.id, Person: who.ID, Name: who.Name, Handover: others > 0, Full: others >= web.MaxOnDuty,
		Open: len(v.Asides) + len(v.Alarms),
	}
}

// TakeOffer implements guard.Offers.
func (g *Gate) TakeOffer(id uint64) (web.Person, error) {
	person, ok := g.offers.take(id, g.o.Now().Mono)
	if ok {
		if who, ok := (staff{g.roster}).Standing(person); ok {
			return who, nil
		}
	}
	return web.Person{}, guard.ErrStale
}

// onDuty returns the roster numbers of who is signed on, at most two.
func (g *Gate) onDuty() []uint64 {
	if g.sessions == nil {
		return nil
	}
	var ids []uint64
	for _, p := range g.sessions.OnDuty() {
		ids = append(ids, p.ID)
	}
	return ids
}

// names returns who stands in an entry: whoever pressed, and the colleague on
// duty.
func (g *Gate) names(by uint64) []uint64 {
	names := []uint64{by}
	for _, id := range g.onDuty() {
		if id != by && len(names) < 2 {
			names = append(names, id)
		}
	}
	return names
}
