package district

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/sync/wire"
	page "github.com/menshen/menshen/web/district"
)

// classOf is a list of n pupils; the first has roster number 1.
func classOf(t *testing.T, n int) []roster.Person {
	t.Helper()
	text := "number,name,class,role\n"
	for i := range n {
		text += fmt.Sprintf("S%d,学生%d,1班,student\n", i+1, i+1)
	}
	people, err := roster.Parse(strings.NewReader(text))
	must(t, err)
	return people
}

const school = "育才小学" // of every gate that running.admit lets in

func (r *running) office() *Office {
	r.t.Helper()
	o, err := NewOffice(r.o.Config, r.admin, slog.New(slog.DiscardHandler))
	must(r.t, err)
	return o
}

// importList makes n pupils the school's roster and has it posted.
func (r *running) importList(n int) {
	r.t.Helper()
	_, err := r.office().ImportRoster(r.t.Context(), school, classOf(r.t, n), 0)
	must(r.t, err)
}

// posted returns the head of what was posted to a gate as its list.
func (r *running) posted(g *fakeGate) store.Post {
	r.t.Helper()
	p, err := r.admin.Posted(r.t.Context(), "roster", g.name)
	must(r.t, err)
	return p
}

// takeList has a gate record that it took the list that was posted to it.
func (r *running) takeList(g *fakeGate) {
	r.t.Helper()
	g.record(entry.Roster{Version: 1, Hash: [32]byte(r.posted(g).Sum), Added: 3, By: "collector:yucai"})
}

func listOf(t *testing.T, d wire.Down) []roster.Person {
	t.Helper()
	body, err := wire.ParseRosterList(d.Body)
	must(t, err)
	people, err := roster.Parse(bytes.NewReader(body.List))
	must(t, err)
	return people
}

func TestAListReachesEveryGateOfItsSchool(t *testing.T) {
	r, east, west, north, late := start(t), newGate(t, "east"), newGate(t, "west"), newGate(t, "north"), newGate(t, "late")
	r.admit(east)
	r.admit(west)
	must(t, r.admin.Admit(t.Context(), store.Gate{Name: north.name, Key: north.public(), Password: HashPassword(north.name, north.password), Admitted: time.Now()}))
	key := publicKey(t, r)
	east.stream(r.BrokerAddr(), key)
	r.importList(3)
	first := east.next(wire.KindRoster)
	if people := listOf(t, first); len(people) != 3 || people[2].ID != 3 || people[2].Badge == "" || first.Scope != east.name {
		t.Errorf("got %d people for %s", len(people), first.Scope)
	}
	r.importList(4)
	if second := east.next(wire.KindRoster); second.Number <= first.Number || len(listOf(t, second)) != 4 {
		t.Errorf("list %d follows list %d", second.Number, first.Number)
	}
	west.stream(r.BrokerAddr(), key) // it was away: first it may get what is retained
	for got := west.next(wire.KindRoster); got.Number != r.posted(west).Number; got = west.next(wire.KindRoster) {
		if got.Scope != west.name || len(listOf(t, got)) != 3 {
			t.Errorf("a gate that was away got %d people for %s", len(listOf(t, got)), got.Scope)
		}
	}
	g := store.Gate{Name: late.name, Key: late.public(), Password: HashPassword(late.name, late.password), School: school, Admitted: time.Now()}
	must(t, r.admin.Admit(t.Context(), g))
	must(t, r.office().Supply(t.Context(), g))
	late.stream(r.BrokerAddr(), key)
	got := late.next(wire.KindRoster)
	if len(listOf(t, got)) != 4 {
		t.Errorf("a gate that was let in later got %d people", len(listOf(t, got)))
	}
	must(t, r.office().Supply(t.Context(), g))
	if again := r.posted(late); again.Number != got.Number {
		t.Errorf("the list that it has was posted to it again as %d", again.Number)
	}
	if _, err := r.admin.Posted(t.Context(), "roster", north.name); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("another school's gate got it too: %v", err)
	}
}

func TestAPolicyForAllReachesGatesThatAreLetInLater(t *testing.T) {
	r, east, west := start(t), newGate(t, "east"), newGate(t, "west")
	r.admit(east)
	file := r.publish(planned(7, "37.0", ""))
	r.admit(west)
	for _, g := range []*fakeGate{east, west} {
		g.stream(r.BrokerAddr(), publicKey(t, r))
		if d := g.next(wire.KindPolicy); string(d.Body) != file || d.Scope != wire.ScopeAll {
			t.Errorf("%s got %+v", g.name, d)
		}
	}
}

func TestWhatIsPostedOutlivesTheCollector(t *testing.T) {
	r, g := start(t), newGate(t, "east")
	r.admit(g)
	o, c := r.office(), *r.o.Config
	r.stop()
	if _, err := o.ImportRoster(t.Context(), school, classOf(t, 3), 0); err != nil {
		t.Fatal(err)
	}
	r = startWith(t, &c)
	g.stream(r.BrokerAddr(), publicKey(t, r))
	if people := listOf(t, g.next(wire.KindRoster)); len(people) != 3 {
		t.Errorf("got %d people", len(people))
	}
}

// heardAll is a session that keeps what is published.
type heardAll struct{ topics []string }

func (h *heardAll) Publish(_ context.Context, topic string, _ []byte, retain bool) error {
	if retain {
		h.topics = append(h.topics, topic)
	}
	return nil
}

// A broker may lose what is published while a gate subscribes.
func TestAPostIsRepeatedUntilTheGateHasAnswered(t *testing.T) {
	r, east, west := start(t), newGate(t, "east"), newGate(t, "west")
	r.admit(east)
	r.admit(west)
	r.importList(3)
	at := r.posted(west).At
	d := New(Options{Config: r.o.Config, Log: slog.New(slog.DiscardHandler)}) // of which only the store runs
	d.store, d.now = r.admin, func() time.Time { return at }
	to := &heardAll{}
	s := &sender{d: d, to: to, sent: map[string]trial{}}
	look := func(after time.Duration, want ...string) {
		t.Helper()
		at, to.topics = at.Add(after), nil
		must(t, s.sendPosts(t.Context()))
		if slices.Sort(to.topics); !slices.Equal(to.topics, want) {
			t.Errorf("published on %q, want %q", to.topics, want)
		}
	}
	const toEast, toWest = "menshen/v1/east/down/roster", "menshen/v1/west/down/roster"
	look(0, toEast, toWest)
	look(29 * time.Second)
	look(time.Second, toEast, toWest)
	r.takeList(east)
	east.stream(r.BrokerAddr(), publicKey(t, r))
	r.awaitTrue("the answer", func() bool {
		all, err := r.Documents(t.Context())
		must(t, err)
		return all["east"].Taken
	})
	look(time.Minute, toWest)
	r.importList(4)
	look(0, toEast, toWest)
}

// order reads the next order of a hold that comes to a gate.
func (g *fakeGate) order() (number uint64, o wire.HoldOrder) {
	g.t.Helper()
	d := g.next(wire.KindHold)
	o, err := wire.ParseHoldOrder(d.Body)
	must(g.t, err)
	if d.Scope != g.name {
		g.t.Errorf("an order for %s came to %s", d.Scope, g.name)
	}
	return d.Number, o
}

// stops has a gate record a stop that stays with a pupil.
func (g *fakeGate) stops(subject uint64) {
	g.record(entry.Arrival{End: entry.EndDecided, Outcome: uint8(screening.Isolate), Subject: subject, Rows: []string{"code:red-code"}})
}

// obeys has a gate record that it did what it was ordered.
func (g *fakeGate) obeys(o wire.HoldOrder) {
	act := entry.ActHoldLifted
	if o.Place {
		act = entry.ActHoldPlaced
	}
	g.record(entry.Answer{Act: act, Subject: o.Subject, Reason: "collector:yucai"})
}

// lifts has a gate record that somebody has lifted the holds against a pupil.
func (g *fakeGate) lifts(subject uint64) {
	g.record(entry.Answer{Act: entry.ActHoldLifted, Subject: subject, By: []uint64{1}})
}

// body is the newest list posted to a gate.
func (r *running) body(g *fakeGate) wire.Down {
	r.t.Helper()
	u, err := wire.ParseDown(r.posted(g).Message)
	must(r.t, err)
	d, err := u.Verify(publicKey(r.t, r), g.name)
	must(r.t, err)
	return d
}

// awaitTrue waits until something holds.
func (r *running) awaitTrue(what string, is func() bool) {
	r.t.Helper()
	r.await(what, func(page.View) bool { return is() })
}

// awaitHolds waits until these and no other holds are known to stand, each as
// "GATE SUBJECT SOURCE".
func (r *running) awaitHolds(want ...string) {
	r.t.Helper()
	r.awaitTrue(fmt.Sprintf("holds %q", want), func() bool {
		all, err := r.admin.Holds(r.t.Context())
		must(r.t, err)
		var got []string
		for _, h := range all {
			got = append(got, fmt.Sprint(h.Gate, " ", h.Subject, " ", h.Source))
		}
		return slices.Equal(got, want)
	})
}

func TestAHoldReachesTheSchoolsOtherGates(t *testing.T) {
	r, east, west := start(t), newGate(t, "east"), newGate(t, "west")
	r.admit(east)
	r.admit(west)
	r.importList(3)
	r.takeList(east)
	r.takeList(west)
	east.stream(r.BrokerAddr(), publicKey(t, r))
	east.stops(2)
	r.awaitHolds("east 2 ")
	west.stream(r.BrokerAddr(), publicKey(t, r)) // it was off
	first, o := west.order()
	if !o.Place || o.Subject != 2 || o.Key != (roster.Person{ID: 2, Number: "S2"}).Key() {
		t.Fatalf("west was ordered %+v", o)
	}
	west.obeys(o)
	r.awaitHolds("east 2 ", "west 2 collector:yucai")

	// Nobody has lifted it where it was found.
	west.lifts(2)
	second, o := west.order()
	if !o.Place || o.Subject != 2 || second <= first {
		t.Fatalf("after it was lifted where it does not belong, west was ordered %+v as %d after %d", o, second, first)
	}
	west.obeys(o)
	east.lifts(2)
	third, o := west.order()
	if o.Place || o.Subject != 2 || third <= second {
		t.Fatalf("after it was lifted, west was ordered %+v as %d after %d", o, third, second)
	}
	west.obeys(o)
	r.awaitHolds()
}
