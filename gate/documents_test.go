package gate

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/sync/wire"
)

const (
	badgeOne = "2026000000000001"
	header   = "名册号,学号,姓名,班级,角色,卡号\n"
)

// pupils is a numbered list of n pupils.
func pupils(n int) string {
	text := header
	for i := range n {
		text += fmt.Sprintf("%d,P%03d,学生,1班,student,202600000000%04d\n", i+1, i+1, i+1)
	}
	return text
}

// school is a gate that does not run, with forty pupils and a collector.
func school(t *testing.T, dir string) *Gate {
	t.Helper()
	g := joined(t, dir, newPeer(t, "district"))
	open(t, g)
	if err := g.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := roster.Parse(strings.NewReader(pupils(40)))
	if err != nil {
		t.Fatal(err)
	}
	if g.roster.Snapshot().Len() == 0 {
		if _, err := g.roster.Import(t.Context(), list, roster.ImportOpts{By: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	g.collectors.open()
	for _, l := range g.lanes {
		l.people = g.roster.Snapshot()
	}
	return g
}

// against places or lifts a hold against a person of the gate's roster.
func against(g *Gate, id uint64, place bool) wire.HoldOrder {
	p, _ := g.roster.Snapshot().ByID(id)
	return wire.HoldOrder{Key: p.Key(), Subject: id, Place: place}
}

func holdDocument(t *testing.T, number uint64, o wire.HoldOrder) document {
	t.Helper()
	body, err := o.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return document{"district", wire.Down{Kind: wire.KindHold, Number: number, Scope: "test", Body: body}}
}

func rosterDocument(t *testing.T, number uint64, l wire.RosterList) document {
	t.Helper()
	body, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return document{"district", wire.Down{Kind: wire.KindRoster, Number: number, Scope: wire.ScopeAll, Body: body}}
}

func take(t *testing.T, g *Gate, d document) {
	t.Helper()
	if err := g.collectors.inbox.take(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// refusals lists what stands in the journal about documents that were refused.
func refusals(t *testing.T, g *Gate) (all []string) {
	t.Helper()
	for row, err := range g.journal.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		var d entry.Device
		if row.Entry.Kind == entry.KindDevice && row.Entry.Decode(&d) == nil && d.Role == "document" {
			all = append(all, d.Detail)
		}
	}
	return all
}

func TestAHoldFromAboveStopsAtTheNextScan(t *testing.T) {
	g := school(t, t.TempDir())
	defer shut(t, g)
	one, _ := g.roster.Snapshot().ByBadge(badgeOne)
	if s := g.lanes[0].lookUp([]byte(badgeOne)); s.Held || s.Subject.ID != one.ID {
		t.Fatalf("before: %+v", s)
	}
	order := against(g, one.ID, true)
	take(t, g, holdDocument(t, 1, order))
	for _, l := range g.lanes {
		if s := l.lookUp([]byte(badgeOne)); !s.Held || s.Recheckable {
			t.Errorf("lane %d: %+v", l.cfg.Number, s)
		}
		if ev := <-l.events; ev != any(lane.HoldPlaced{Subject: one.ID}) {
			t.Errorf("lane %d was told %v", l.cfg.Number, ev)
		}
	}
	// An arrival does not end it: not by an admission, nor turned away.
	g.register.apply(entry.ArrivalID{}, lane.Record{Subject: screening.Subject{ID: one.ID}, Decision: screening.Decision{Outcome: screening.Admit}}, stillClock().Wall)
	if s := g.lanes[1].lookUp([]byte(badgeOne)); !s.Held {
		t.Error("an admission lifted it")
	}
	order.Place = false
	take(t, g, holdDocument(t, 2, order))
	if s := g.lanes[0].lookUp([]byte(badgeOne)); s.Held {
		t.Error("it stands after it was lifted")
	}
}

func TestACollectorLiftsOnlyWhatItPlaced(t *testing.T) {
	g := school(t, t.TempDir())
	defer shut(t, g)
	own := stopped(screening.Isolate, screening.RedCode)
	g.register.apply(entry.ArrivalID{Counter: 1}, own, stillClock().Wall)
	order := against(g, own.Subject.ID, true)
	take(t, g, holdDocument(t, 1, order))
	order.Place = false
	other := holdDocument(t, 1, order)
	other.collector = "school"
	take(t, g, other)
	if h, held, _ := g.register.look(own.Subject.ID, 0); !held || !h.above {
		t.Error("another collector lifted it")
	}
	take(t, g, holdDocument(t, 2, order))
	if h, held, _ := g.register.look(own.Subject.ID, 0); !held || h.above || !h.grave {
		t.Errorf("what was found here is %+v, %v", h, held)
	}
	if !g.register.lift(own.Subject.ID) || g.register.lift(own.Subject.ID) {
		t.Error("a lift by name does not end it")
	}
}

func TestHoldsFromAboveAreRebuilt(t *testing.T) {
	dir := t.TempDir()
	g := school(t, dir)
	for n := range uint64(3) {
		take(t, g, holdDocument(t, n+1, against(g, n+1, true)))
	}
	take(t, g, holdDocument(t, 4, against(g, 3, false)))
	g.register.apply(entry.ArrivalID{Counter: 1}, stopped(screening.Recheck, screening.HighOnce), stillClock().Wall)
	store(t, g, body(g.journal.Boot(), stopped(screening.Recheck, screening.HighOnce), 1, nil))
	g.register.lift(2)
	store(t, g, entry.Answer{Act: entry.ActHoldLifted, Subject: 2, By: []uint64{9}})
	want := g.register.holds()
	for id, h := range want {
		h.id = entry.ArrivalID{}
		want[id] = h
	}
	shut(t, g)
	again := school(t, dir)
	defer shut(t, again)
	got := again.register.holds()
	for id, h := range got {
		h.id = entry.ArrivalID{}
		got[id] = h
	}
	if len(got) != 2 || !maps.Equal(got, want) {
		t.Errorf("holds were %v, rebuilt as %v", want, got)
	}
}

func TestARosterFromAboveIsTakenWithItsAllowance(t *testing.T) {
	g := school(t, t.TempDir())
	defer shut(t, g)
	take(t, g, rosterDocument(t, 1, wire.RosterList{List: []byte(pupils(41))}))
	if n := g.roster.Snapshot().Len(); n != 41 {
		t.Errorf("%d people", n)
	}
	take(t, g, rosterDocument(t, 2, wire.RosterList{List: []byte(pupils(20))}))
	take(t, g, rosterDocument(t, 3, wire.RosterList{List: []byte(header + "1,P001,张三丰,1班,wizard,\n")}))
	if n := g.roster.Snapshot().Len(); n != 41 {
		t.Errorf("%d people after what had to be refused", n)
	}
	take(t, g, rosterDocument(t, 4, wire.RosterList{AllowLeft: 21, List: []byte(pupils(20))}))
	if n := g.roster.Snapshot().Len(); n != 20 {
		t.Errorf("%d people after 21 were allowed to leave", n)
	}
	all := refusals(t, g)
	if len(all) != 2 || !strings.Contains(all[0], "district/roster/* 2 refused: import roster: too many") || !strings.Contains(all[1], "row 2: role") {
		t.Errorf("refusals %q", all)
	}
	if strings.Contains(strings.Join(all, ""), "张三丰") {
		t.Error("a name stands in an entry")
	}
	var last entry.Roster
	for row, err := range g.journal.Rows(t.Context(), 0) {
		if err == nil && row.Entry.Kind == entry.KindRoster {
			err = row.Entry.Decode(&last)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if s := g.roster.Snapshot(); last.Version != s.Version || last.Hash != s.Hash || last.By != "collector:district" || last.Left != 21 {
		t.Errorf("the entry is %+v", last)
	}
}

// The gate had nobody under these numbers, and would have counted from 41.
func TestARosterFromAboveIsTakenByItsNumbers(t *testing.T) {
	g := school(t, t.TempDir())
	defer shut(t, g)
	take(t, g, rosterDocument(t, 1, wire.RosterList{List: []byte(pupils(40) + "77,P077,学生,1班,student,\n53,P053,学生,1班,student,\n")}))
	for id, number := range map[uint64]string{1: "P001", 53: "P053", 77: "P077"} {
		if p, ok := g.roster.Snapshot().ByID(id); !ok || p.Number != number || p.Left {
			t.Errorf("roster number %d is another's", id)
		}
	}
}

func TestAHoldOutlivesANewBadge(t *testing.T) {
	g := school(t, t.TempDir())
	defer shut(t, g)
	order := against(g, 1, true)
	if _, err := g.roster.BindBadge(t.Context(), 1, "7777777777777777", "test"); err != nil {
		t.Fatal(err)
	}
	// The collector does not know of the new badge yet.
	take(t, g, rosterDocument(t, 1, wire.RosterList{List: []byte(pupils(41))}))
	if _, ok := g.roster.Snapshot().ByBadge(badgeOne); ok || g.roster.Snapshot().Len() != 41 {
		t.Errorf("the lost badge opens: %v; %d people", ok, g.roster.Snapshot().Len())
	}
	take(t, g, holdDocument(t, 1, order))
	g.lanes[0].people = g.roster.Snapshot()
	if s := g.lanes[0].lookUp([]byte("7777777777777777")); !s.Held {
		t.Errorf("with the new badge: %+v", s)
	}
	if all := refusals(t, g); len(all) > 0 {
		t.Errorf("refusals %q", all)
	}
}

func TestAnOrderRepeatedWritesNoSecondEntry(t *testing.T) {
	dir := t.TempDir()
	g := school(t, dir)
	number := uint64(0)
	order := func(rule string, place bool, entries uint64) {
		t.Helper()
		number++
		before := g.journal.Head().Size
		take(t, g, holdDocument(t, number, against(g, 1, place)))
		if n := g.journal.Head().Size - before; n != entries || g.register.stands(1, "collector:district") != place {
			t.Errorf("%s: %d entries, want %d; stands: %v", rule, n, entries, g.register.stands(1, "collector:district"))
		}
	}
	order("lifted before it was placed", false, 0)
	order("placed", true, 1)
	order("placed again", true, 0)
	shut(t, g)
	g = school(t, dir)
	defer func() { shut(t, g) }()
	order("placed again in the next process", true, 0)
	g.register.lift(1)
	store(t, g, entry.Answer{Act: entry.ActHoldLifted, Subject: 1, By: []uint64{9}})
	order("placed again after it was lifted by name", true, 1)
	order("lifted", false, 1)
	order("lifted again", false, 0)
}

// Were the entry forgotten, the hold would end with the process, and the
// collector would repeat its order for ever.
func TestAHoldThatCouldNotBeRecordedIsRecordedByTheRepeat(t *testing.T) {
	dir := t.TempDir()
	g := school(t, dir)
	shutJournal := func() {
		if err := g.journal.Close(); err != nil {
			t.Fatal(err)
		}
	}
	shutJournal()
	d := holdDocument(t, 1, against(g, 1, true))
	if err := g.collectors.inbox.take(t.Context(), d); err == nil {
		t.Fatal("taken without a journal")
	}
	if s := g.lanes[0].lookUp([]byte(badgeOne)); !s.Held {
		t.Error("does not hold while it cannot be recorded")
	}
	// Back within this process.
	var err error
	g.journal, err = journal.Open(t.Context(), journal.Options{Path: filepath.Join(dir, "journal.db"), Boot: bootBody(g.o), Now: g.o.Now, Log: g.log})
	if err != nil {
		t.Fatal(err)
	}
	before := g.journal.Head().Size
	take(t, g, d)
	take(t, g, holdDocument(t, 2, against(g, 1, true)))
	if n := g.journal.Head().Size - before; n != 1 {
		t.Errorf("%d entries", n)
	}
	// Or the process ends before the entry.
	shutJournal()
	d = holdDocument(t, 3, against(g, 2, true))
	if err := g.collectors.inbox.take(t.Context(), d); err == nil {
		t.Fatal("taken without a journal")
	}
	if err := g.roster.Close(); err != nil {
		t.Fatal(err)
	}
	g = school(t, dir)
	defer shut(t, g)
	if g.register.stands(2, "collector:district") {
		t.Fatal("stands without an entry")
	}
	before = g.journal.Head().Size
	take(t, g, d)
	if n := g.journal.Head().Size - before; n != 1 || !g.register.stands(2, "collector:district") {
		t.Errorf("%d entries after the crash", n)
	}
}

func TestWhatIsRefusedIsAnEntryWithItsReason(t *testing.T) {
	g := school(t, t.TempDir())
	defer shut(t, g)
	take(t, g, rosterDocument(t, 1, wire.RosterList{List: []byte(pupils(39))})) // the fortieth leaves
	another := against(g, 1, true)
	another.Subject = 2
	take(t, g, holdDocument(t, 1, another))
	take(t, g, holdDocument(t, 2, against(g, 999, true)))
	take(t, g, document{"district", wire.Down{Kind: wire.KindHold, Number: 3, Scope: "test", Body: []byte("?")}})
	take(t, g, document{"district", wire.Down{Kind: wire.KindPolicy, Number: 1, Scope: "*", Body: []byte("?")}})
	take(t, g, holdDocument(t, 4, against(g, 40, true)))
	take(t, g, rosterDocument(t, 2, wire.RosterList{List: []byte("学号,姓名,班级,角色\nP001,学生,1班,student\n")}))
	take(t, g, rosterDocument(t, 3, wire.RosterList{List: []byte(strings.Replace(pupils(40), "P003", "P903", 1))}))
	if len(g.register.holds()) > 0 {
		t.Errorf("holds %v", g.register.holds())
	}
	all := refusals(t, g)
	wants := []string{"number 2 is somebody else", "nobody on the roster has roster number 999", "parse hold order", "bears no signature",
		"nobody on the roster has roster number 40", "has no roster numbers", "first in row 4: begin one of the two rosters anew with the other's export"}
	if len(all) != len(wants) {
		t.Fatalf("refusals %q", all)
	}
	for i, want := range wants {
		if !strings.Contains(all[i], want) {
			t.Errorf("refused with %q, want %q", all[i], want)
		}
	}
}

// The broker retains the newest roster and hands it out with every session,
// and anybody may have kept an older document with its good signature.
func TestAnOlderDocumentIsNotTakenEvenByTheNextProcess(t *testing.T) {
	dir := t.TempDir()
	g := school(t, dir)
	take(t, g, rosterDocument(t, 5, wire.RosterList{List: []byte(pupils(42))}))
	take(t, g, rosterDocument(t, 6, wire.RosterList{List: []byte("?")})) // refused once, not with every session
	shut(t, g)
	g = school(t, dir)
	defer shut(t, g)
	size := g.journal.Head().Size
	for _, n := range []uint64{4, 5, 6} {
		take(t, g, rosterDocument(t, n, wire.RosterList{List: []byte(pupils(40))}))
	}
	if n := g.roster.Snapshot().Len(); n != 42 || g.journal.Head().Size != size {
		t.Errorf("%d people, %d entries more", n, g.journal.Head().Size-size)
	}
	// Numbers rise by collector, kind and scope.
	gateOnly := rosterDocument(t, 1, wire.RosterList{List: []byte(pupils(43))})
	gateOnly.Scope = "test"
	take(t, g, gateOnly)
	if n := g.roster.Snapshot().Len(); n != 43 {
		t.Errorf("%d people", n)
	}
}

func TestADocumentComesThroughTheUplink(t *testing.T) {
	p := newPeer(t, "district")
	dir := t.TempDir()
	shut(t, school(t, dir))
	g := joined(t, dir, p)
	stop := run(t, g)
	await(t, "the collector answers", func() bool { return g.collectors.status()[0].Phase == "streaming" })
	p.send(holdDocument(t, 1, against(g, 3, true)).Down)
	await(t, "the hold stands", func() bool { return g.register.holds()[3].above })
	await(t, "its entry is with the collector", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, leaf := range p.rows {
			e, err := entry.Unmarshal(leaf)
			var a entry.Answer
			if err == nil && e.Kind == entry.KindAnswer && e.Decode(&a) == nil && a.Act == entry.ActHoldPlaced && a.Subject == 3 {
				return true
			}
		}
		return false
	})
	stops(t, stop)
}
