package gate

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// withCards gives a directory the crew's roster and three cards.
func withCards(t *testing.T, dir string) []roster.Card {
	t.Helper()
	crewed(t, dir)
	r, err := roster.Open(t.Context(), filepath.Join(dir, "roster.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.MakeCards(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	cards := r.Snapshot().Cards()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return cards
}

// withExit is a gate of one lane in and one out, and the lens of the first.
func withExit(t *testing.T, dir string, now func() entry.Stamp) (*Gate, *sim.Thermometer, *sim.RelayBoard) {
	t.Helper()
	text := "gate = \"test\"\ndata = \"" + dir + "\"\nsocket = \"" + filepath.Join(dir, "s") + "\"\nprofile = \"all-serial-2\"\n"
	cfg, err := config.Parse(config.File{Name: "gated.toml", Source: []byte(text)}, func(name string) (config.File, error) {
		source, err := fs.ReadFile(firmwareconfig.Profiles(), name+".toml")
		in, out, _ := strings.Cut(string(source), "# --- Lane 2")
		out = strings.Replace(out, `direction = "in"`, `direction = "out"`, 1)
		before, barrier, _ := strings.Cut(out, "[lane.barrier]")
		_, after, _ := strings.Cut(barrier, "[lane.lamps]")
		return config.File{Name: name, Source: []byte(in + "# " + before + "[lane.lamps]" + after)}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	w := sim.NewWorld()
	var lens *sim.Thermometer
	for _, c := range cfg.Board.Lanes {
		w.AddScanner(c.Scanner.Port)
		if th := w.AddSerialThermometer(c.Thermometer.Port); lens == nil {
			lens = th
		}
	}
	relay := w.AddRelayBoard("relay", 8)
	g, err := New(Options{Config: cfg, Opener: w, Now: now, Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return g, lens, relay
}

// freed reports whether the barrier of the lane in was ever freed.
func freed(r *sim.RelayBoard) bool {
	return slices.ContainsFunc(r.Frames(), func(e sim.Edge) bool { return e.On && e.Channel == 1 })
}

// skin shows a forehead to a lens, flickering as skin does.
func skin(lens *sim.Thermometer) {
	var n atomic.Int64
	lens.Look(func() (object, ambient float64) { return 36.5 - 0.01*float64(n.Add(1)%3), 22 })
}

// since returns a clock that begins at a time of day and goes on with the bubble.
func since(hour, minute int) func() entry.Stamp {
	begin := time.Now()
	return func() entry.Stamp {
		gone := time.Since(begin)
		return entry.Stamp{Mono: gone + time.Hour, Wall: time.Date(2020, 12, 7, hour, minute, 0, 0, time.UTC).Add(gone), Clock: entry.ClockSynced}
	}
}

// later lets virtual time pass.
func later(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func giving(card int) desk.Giving {
	return desk.Giving{Card: card, Host: teacherID, Reason: "parent", Name: "周明", Phone: "13800000001", By: web.Person{ID: teacherID}}
}

func give(t *testing.T, d deskPage, card int) {
	t.Helper()
	if err := d.Give(t.Context(), giving(card)); err != nil {
		t.Fatal(err)
	}
}

func takeBack(t *testing.T, d deskPage, card int) {
	t.Helper()
	list := d.Visitors().Inside
	i := slices.IndexFunc(list, func(v desk.Visit) bool { return v.Card == card })
	if i < 0 {
		t.Fatalf("nobody has card %d: %+v", card, list)
	}
	if err := d.TakeBack(t.Context(), desk.Return{Card: card, Version: list[i].Version(), By: web.Person{ID: teacherID}}); err != nil {
		t.Fatal(err)
	}
}

func inside(d deskPage) (cards []int) {
	for _, v := range d.Visitors().Inside {
		cards = append(cards, v.Card)
	}
	return cards
}

// press presses a button about what a lane shows.
func press(t *testing.T, g *Gate, a guard.Act) {
	t.Helper()
	l := g.View().Lanes[0]
	a.Arrival, a.Version, a.By = l.Arrival, l.Version, web.Person{ID: teacherID}
	if err := g.Do(t.Context(), a); err != nil {
		t.Errorf("%s: %v", a.Kind, err)
	}
	synctest.Wait()
}

func TestACardOpensALaneOnlyWhileSomebodyHasIt(t *testing.T) {
	dir := t.TempDir()
	cards := withCards(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, lens, relay := withExit(t, dir, since(9, 0))
		stop, d := run(t, g), deskPage{g}

		scan(t, g, 0, cards[0].Badge)
		if l := g.View().Lanes[0]; l.Phase != "held" || l.Name != "V01" || !slices.Equal(l.Reasons, []string{"card-not-given"}) {
			t.Errorf("a card that nobody has: %+v", l)
		}
		press(t, g, guard.Act{Kind: guard.KindTurnAway})
		lens.See(20, 22)
		later(10 * time.Second) // until nobody is in view

		give(t, d, 1)
		scan(t, g, 0, cards[0].Badge)
		if l := g.View().Lanes[0]; l.Phase != "gathering" || l.Word != "temperature" {
			t.Errorf("a visitor is not measured: %+v", l)
		}
		skin(lens)
		later(3 * time.Second)
		if l := g.View().Lanes[0]; l.Phase != "held" || !slices.Equal(l.Reasons, []string{"no-green"}) || freed(relay) {
			t.Errorf("the colour of a visitor is not asked for: %+v", l)
		}
		press(t, g, guard.Act{Kind: guard.KindColour, Colour: "green"})
		if !freed(relay) {
			t.Error("green, seen by name, admits nobody")
		}
		if n := g.View().ArrivedToday; n != 0 {
			t.Errorf("a visitor counts as %d of the roster", n)
		}

		lens.See(20, 22)
		later(10 * time.Second)
		scan(t, g, 1, cards[0].Badge)
		later(time.Second)
		if list := inside(d); len(list) != 0 {
			t.Errorf("inside after the card went out: %v", list)
		}
		all := answers(t, g)
		if last := all[len(all)-1]; last.Act != entry.ActVisitOut || last.Subject != cards[0].ID() || len(last.By) != 0 || last.Arrival.Counter == 0 {
			t.Errorf("the last answer is %+v", last)
		}
		scan(t, g, 0, cards[0].Badge)
		if l := g.View().Lanes[0]; l.Phase != "held" || !slices.Equal(l.Reasons, []string{"card-not-given"}) {
			t.Errorf("a card that came back: %+v", l)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestACardThatIsTakenBackStopsWhoeverStandsInALaneWithIt(t *testing.T) {
	dir := t.TempDir()
	cards := withCards(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, lens, relay := withExit(t, dir, since(9, 0))
		stop, d := run(t, g), deskPage{g}
		give(t, d, 1)
		scan(t, g, 0, cards[0].Badge)
		takeBack(t, d, 1)
		skin(lens)
		later(3 * time.Second)
		if l := g.View().Lanes[0]; l.Phase != "held" || !slices.Contains(l.Reasons, "card-not-given") || freed(relay) {
			t.Errorf("the lane shows %+v", l)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhoStaysTooLongIsToldOnceAnHourHasPassed(t *testing.T) {
	dir := t.TempDir()
	withCards(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _, _ := withExit(t, dir, since(9, 0))
		stop, d := run(t, g), deskPage{g}
		give(t, d, 2)
		later(10 * time.Minute)
		give(t, d, 1)
		later(visitMost - 10*time.Minute)
		if says(g, "visitor-overstay") || d.Visitors().Inside[0].Over {
			t.Error("an hour is too long")
		}
		woken := g.Watch(t.Context())
		later(overWithin + time.Second)
		select {
		case <-woken:
		default:
			t.Error("the pages are not woken")
		}
		for _, p := range g.View().Problems {
			if p.Key == "visitor-overstay" && (p.Args[0] != "V02" || p.Args[1] != 60) {
				t.Errorf("the pages say %v", p.Args)
			}
		}
		if list := d.Visitors().Inside; !says(g, "visitor-overstay") || len(list) != 2 || !list[0].Over || list[1].Over {
			t.Errorf("the desk lists %+v", list)
		}
		takeBack(t, d, 2)
		if says(g, "visitor-overstay") {
			t.Error("who is gone is missed")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestVisitsAreTheSameAfterARestart(t *testing.T) {
	dir, morning := t.TempDir(), time.Date(2020, 12, 7, 9, 0, 0, 0, time.UTC)
	cards := withCards(t, dir)
	c := newClockAt(morning)
	d := atDesk(t, dir, c)
	for card := 1; card <= 3; card++ {
		give(t, d, card)
	}
	takeBack(t, d, 2)
	give(t, d, 2)
	takeBack(t, d, 3)
	for seen := range 2 {
		if err := d.Count(t.Context(), desk.Count{What: desk.CountGoods, Seen: seen, By: web.Person{ID: teacherID}}); err != nil {
			t.Fatal(err)
		}
	}
	before := d.Visitors()
	if v := before.Inside[0]; v.Name != "周明" || v.Host != "王建国" || v.Reason != "parent" || !v.Open || !v.Since.Equal(morning) {
		t.Errorf("the desk lists %+v", v)
	}
	shut(t, d.Gate)

	d = atDesk(t, dir, c)
	after := d.Visitors()
	same := func(a, b desk.Visit) bool {
		at := a.Since.Equal(b.Since)
		a.Since, b.Since = time.Time{}, time.Time{}
		return at && a == b
	}
	if !slices.EqualFunc(before.Inside, after.Inside, same) || !slices.Equal(before.Free, after.Free) || after.Goods != 2 {
		t.Errorf("was %+v\nis  %+v", before, after)
	}
	if _, held, _ := d.register.look(cards[0].ID(), 0); held {
		t.Error("a card that is out opens nothing")
	}
	if h, held, _ := d.register.look(cards[2].ID(), 0); !held || !h.notLent {
		t.Error("a card that is back opens lanes")
	}

	c.wall.Store(morning.Add(24 * time.Hour).Unix())
	if v := d.Visitors(); len(v.Inside) != 2 || v.Goods != 0 || !v.Inside[0].Over {
		t.Errorf("the next day: %+v", v)
	}
	shut(t, d.Gate)
}

func TestNoEntrySaysWhoAVisitorIs(t *testing.T) {
	dir := t.TempDir()
	withCards(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 9, 0, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	give(t, d, 1)
	n := 0
	for row, err := range d.journal.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(row.Bytes), "周明") || strings.Contains(string(row.Bytes), "1380") {
			t.Errorf("entry %d names the visitor", row.Seq)
		}
		if who, err := entry.ReadVisitor(row.Private); err == nil && who == (entry.Visitor{Name: "周明", Phone: "13800000001", Host: teacherID}) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d blobs say who it is", n)
	}
}

func TestAVisitorWhoseBlobIsShreddedIsStillInside(t *testing.T) {
	dir := t.TempDir()
	cards := withCards(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 9, 0, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	give(t, d, 1)
	again := newVisits()
	for row, err := range d.journal.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		row.Private = nil
		if _, rec, ok := recordOf(row.Entry); ok {
			again.replay(row, rec)
		}
	}
	if list := again.list(); len(list) != 1 || again.withheld(cards[0].ID()) || list[0].who != (entry.Visitor{}) {
		t.Errorf("rebuilt as %+v", list)
	}
}

func TestACardIsGivenOnce(t *testing.T) {
	dir := t.TempDir()
	cards := withCards(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 9, 0, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	give(t, d, 1)
	first := d.Visitors().Inside[0].Version()
	for rule, c := range map[string]struct {
		change func(*desk.Giving)
		want   error
	}{
		"one that somebody has":      {func(v *desk.Giving) { v.Card = 1 }, desk.ErrCardTaken},
		"one that there is not":      {func(v *desk.Giving) { v.Card = 4 }, guard.ErrStale},
		"to see nobody on the staff": {func(v *desk.Giving) { v.Host = 99 }, guard.ErrStale},
	} {
		v := giving(2)
		c.change(&v)
		if err := d.Give(t.Context(), v); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if err := d.TakeBack(t.Context(), desk.Return{Card: 1, Version: first - 1}); !errors.Is(err, guard.ErrStale) {
		t.Errorf("a visit that nobody sees any more: %v", err)
	}
	if err := d.TakeBack(t.Context(), desk.Return{Card: 2}); !errors.Is(err, guard.ErrStale) {
		t.Errorf("a card that nobody has: %v", err)
	}
	takeBack(t, d, 1)
	if err := d.TakeBack(t.Context(), desk.Return{Card: 1, Version: first}); !errors.Is(err, guard.ErrStale) {
		t.Errorf("twice: %v", err)
	}
	d.register.place(cards[0].ID(), "collector:district")
	if err := d.Give(t.Context(), giving(1)); !errors.Is(err, desk.ErrCardTaken) || slices.Contains(d.Visitors().Free, 1) {
		t.Errorf("a card on hold: %v, free %v", err, d.Visitors().Free)
	}
}

func TestAPressCountsOnce(t *testing.T) {
	dir := t.TempDir()
	withCards(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 9, 0, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	for _, what := range []string{desk.CountGoods, desk.CountWaiting} {
		for seen := range 3 {
			if err := d.Count(t.Context(), desk.Count{What: what, Seen: seen, By: web.Person{ID: teacherID}}); err != nil {
				t.Errorf("%s %d: %v", what, seen, err)
			}
			if err := d.Count(t.Context(), desk.Count{What: what, Seen: seen, By: web.Person{ID: teacherID}}); !errors.Is(err, guard.ErrStale) {
				t.Errorf("%s %d pressed twice: %v", what, seen, err)
			}
		}
	}
	if v := d.Visitors(); v.Goods != 3 || v.Waiting != 3 {
		t.Errorf("counted %+v", v)
	}
	give(t, d, 1)
	if v := d.Visitors(); v.Waiting != 2 {
		t.Errorf("who has a card waits on: %+v", v)
	}
	for _, a := range answers(t, d.Gate) {
		if a.Act == entry.ActGoodsOutside && (a.Subject != 0 || a.Reason != "delivery" || !slices.Equal(a.By, []uint64{teacherID})) {
			t.Errorf("recorded as %+v", a)
		}
	}
}

func TestVisitorsWaitForTheirHours(t *testing.T) {
	dir := t.TempDir()
	cards := withCards(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 40, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	defer shut(t, d.Gate)
	d.o.Config.VisitorsAfter = 8*time.Hour + 30*time.Minute
	if err := d.Count(t.Context(), desk.Count{What: desk.CountWaiting}); err != nil {
		t.Fatal(err)
	}
	if err := d.Give(t.Context(), giving(1)); !errors.Is(err, desk.ErrEarly) {
		t.Errorf("before their hours: %v", err)
	}
	if v := d.Visitors(); v.From != "08:30" || v.Waiting != 1 || !says(d.Gate, "visitors-later") {
		t.Errorf("the desk shows %+v", v)
	}
	if r := d.reasonsOf(cards[0].ID(), []string{"on-hold"}); !slices.Equal(r, []string{"visitors-later"}) {
		t.Errorf("a lane says %v", r)
	}
	c.quality.Store(int64(entry.ClockFloor))
	if v := d.Visitors(); v.From != "" {
		t.Error("a clock that nobody vouches for keeps visitors out")
	}
	c.quality.Store(int64(entry.ClockSynced))
	c.wall.Store(time.Date(2020, 12, 7, 8, 30, 0, 0, time.UTC).Unix())
	if v := d.Visitors(); v.From != "" || says(d.Gate, "visitors-later") {
		t.Errorf("in their hours %+v", v)
	}
	give(t, d, 1)
	c.wall.Store(time.Date(2020, 12, 8, 7, 0, 0, 0, time.UTC).Unix())
	if v := d.Visitors(); v.Waiting != 0 || len(v.Inside) != 1 {
		t.Errorf("the next morning %+v", v)
	}
}

func TestACardIsNeitherGivenNorBackWithoutItsEntry(t *testing.T) {
	dir := t.TempDir()
	cards := withCards(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 9, 0, 0, 0, time.UTC)))
	give(t, d, 1)
	v := d.Visitors().Inside[0]
	shut(t, d.Gate) // from here on nothing is stored
	if err := d.Give(t.Context(), giving(2)); err == nil || !d.register.visits.withheld(cards[1].ID()) {
		t.Errorf("given without an entry: %v", err)
	}
	if err := d.TakeBack(t.Context(), desk.Return{Card: 1, Version: v.Version()}); err == nil || d.register.visits.withheld(cards[0].ID()) {
		t.Errorf("back without an entry: %v", err)
	}
	if err := d.Count(t.Context(), desk.Count{What: desk.CountGoods}); err == nil {
		t.Error("counted without an entry")
	}
	if list, goods := inside(d), d.Visitors().Goods; !slices.Equal(list, []int{1}) || goods != 0 {
		t.Errorf("inside %v, goods %d", list, goods)
	}
}

func TestWhatWasFoundStaysWithTheCardAndEndsWithNoReturn(t *testing.T) {
	dir := t.TempDir()
	cards := withCards(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 9, 0, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	give(t, d, 1)
	d.register.place(cards[0].ID(), "collector:district")
	takeBack(t, d, 1)
	if r := d.reasonsOf(cards[0].ID(), []string{"on-hold"}); !slices.Equal(r, []string{"on-hold"}) {
		t.Errorf("a lane says %v", r)
	}
	if list := d.Holds(); len(list) != 1 || list[0].Name != "V01" {
		t.Errorf("the desk lists %+v", list)
	}
	d.register.lift(cards[0].ID())
	if h, held, _ := d.register.look(cards[0].ID(), 0); !held || !h.notLent {
		t.Error("a lift lends the card")
	}
}

func TestCardsThatAreOutAreSoInTheNextJournal(t *testing.T) {
	dir := t.TempDir()
	cards := withCards(t, dir)
	d := deskPage{reopened(t, dir)}
	for card := 1; card <= 2; card++ {
		give(t, d, card)
	}
	takeBack(t, d, 2)
	before := d.Visitors()
	shut(t, d.Gate)
	for range 2 { // also from one rebase to the next
		if _, err := rebased(t, dir); err != nil {
			t.Fatal(err)
		}
	}
	d = deskPage{reopened(t, dir)}
	defer shut(t, d.Gate)
	if after := d.Visitors(); len(after.Inside) != 1 || after.Inside[0].Name != before.Inside[0].Name || !slices.Equal(after.Free, before.Free) {
		t.Errorf("was %+v, is %+v", before, after)
	}
	if d.register.visits.withheld(cards[0].ID()) || !d.register.visits.withheld(cards[1].ID()) {
		t.Error("another card opens lanes")
	}
}

func TestTheDesksPageLendsACardAndTakesItBack(t *testing.T) {
	dir := t.TempDir()
	cards := withCards(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _, _ := withExit(t, dir, since(9, 0))
		stop, b := run(t, g), &browser{t: t, g: g}
		scan(t, g, 0, guardBadge)
		b.tap("join")
		form := url.Values{"reason": {"repair"}, "subject": {"1"}, "card": {"1"}, "name": {"周明"}, "phone": {"13800000001"}}
		if w := b.send("POST", "/desk/visit", form); w.Code != http.StatusSeeOther || !strings.Contains(w.Header().Get("Location"), "card-given") {
			t.Errorf("got %d: %s", w.Code, w.Body)
		}
		page := b.send("GET", "/desk/", nil).Body.String()
		if !strings.Contains(page, "V01") || !strings.Contains(page, "周明") || g.register.visits.withheld(cards[0].ID()) {
			t.Errorf("the desk does not show who is inside:\n%s", page)
		}
		if guards := b.send("GET", "/guard/", nil).Body.String(); strings.Contains(guards, "周明") {
			t.Error("the guard's screen shows a visitor's name to the queue")
		}
		version := strconv.FormatInt(deskPage{g}.Visitors().Inside[0].Version(), 10)
		b.send("POST", "/desk/visit/out", url.Values{"card": {"1"}, "version": {version}})
		b.send("POST", "/desk/goods", url.Values{"seen": {"0"}})
		if v := (deskPage{g}).Visitors(); len(v.Inside) != 0 || v.Goods != 1 {
			t.Errorf("afterwards %+v", v)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestThePagesKnowWhatIsSaidOfVisitors(t *testing.T) {
	for _, key := range []string{"reason." + reasonNotLent, "reason." + reasonLater, "problem.visitor-overstay", "problem.visitors-later"} {
		known(t, key)
	}
}
