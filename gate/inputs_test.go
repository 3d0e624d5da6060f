package gate

import (
	"io/fs"
	"log/slog"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/guard"
)

// wiredGate is a gate of one lane with every button, a counter and a fire
// contact, and what stands around it.
type wiredGate struct {
	*Gate
	lens                            *sim.Thermometer
	relay                           *sim.RelayBoard
	ack, next, hand, counter, alarm *sim.Line
	scanner                         *sim.Scanner
	lamps                           *sim.RelayBoard // nil where the lamps are on relay
}

// wired makes one over a directory.
func wired(t *testing.T, dir string, now func() entry.Stamp) wiredGate {
	t.Helper()
	return wiredAs(t, dir, now, func(profile string) string { return profile })
}

// wiredAs makes one whose profile is changed.
func wiredAs(t *testing.T, dir string, now func() entry.Stamp, change func(profile string) string) wiredGate {
	t.Helper()
	text := "gate = \"test\"\ndata = \"" + dir + "\"\nsocket = \"" + filepath.Join(dir, "s") + "\"\nprofile = \"all-serial\"\n"
	inputs, names := "", []string{"ack", "next", "open", "counter", "fire"}
	for i, table := range []string{"lane.button", "lane.next", "lane.open", "lane.counter", "fire"} {
		inputs += "[" + table + "]\npin = \"" + names[i] + "\"\n"
	}
	for i, name := range names {
		inputs += "[pin." + name + "]\nchip = \"chip\"\nline = " + string(rune('1'+i)) + "\n"
	}
	cfg, err := config.Parse(config.File{Name: "gated.toml", Source: []byte(text)}, func(name string) (config.File, error) {
		source, err := fs.ReadFile(firmwareconfig.Profiles(), name+".toml")
		return config.File{Name: name, Source: []byte(change(strings.Replace(string(source), "# --- Isolation", inputs+"# --- Isolation", 1)))}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	w, l := sim.NewWorld(), cfg.Board.Lanes[0]
	g := wiredGate{lens: w.AddSerialThermometer(l.Thermometer.Port), relay: w.AddRelayBoard("relay", 8)}
	g.scanner = w.AddScanner(l.Scanner.Port)
	if _, ok := cfg.Board.Ports["lamps"]; ok {
		g.lamps = w.AddRelayBoard("lamps", 4)
	}
	for i, line := range []**sim.Line{&g.ack, &g.next, &g.hand, &g.counter, &g.alarm} {
		*line = w.AddLine(names[i])
	}
	if g.Gate, err = New(Options{Config: cfg, Opener: w, Now: now, Log: slog.New(slog.DiscardHandler), Version: "test"}); err != nil {
		t.Fatal(err)
	}
	g.lens.See(20, 22)
	return g
}

// push presses a button, or lets a counter count.
func push(line *sim.Line) {
	line.Drive(true)
	later(50 * time.Millisecond)
	line.Drive(false)
	later(time.Second)
}

// signedOn returns the gate's own browser, at which the teacher is on duty.
func (g wiredGate) signedOn(t *testing.T) *browser {
	t.Helper()
	b := &browser{t: t, g: g.Gate}
	b.send("POST", "/sign-on", url.Values{"badge": {guardBadge}, "pin": {teacherPIN}})
	if !slices.Equal(g.onDuty(), []uint64{teacherID}) {
		t.Fatalf("on duty: %v", g.onDuty())
	}
	return b
}

func (g wiredGate) question() guard.Question {
	for _, q := range g.View().Questions {
		if q.Kind == guard.AskReason {
			return q
		}
	}
	return guard.Question{}
}

// TestTheButtonOpensAfterItsEntryAndTheReasonIsOwed runs a gate in a bubble:
// nobody on duty, no opening; then an entry, an opening, and a reason that is
// asked for until somebody gives it by PIN.
func TestTheButtonOpensAfterItsEntryAndTheReasonIsOwed(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		clock := since(7, 30)
		g := wired(t, dir, clock)
		stop := run(t, g.Gate)
		later(time.Second)
		push(g.hand)
		if freed(g.relay) || g.question().Kind != "" {
			t.Error("a button opens although nobody is on duty")
		}
		b := g.signedOn(t)
		g.relay.Subscribe(func(e sim.Edge) {
			if e.Channel == 1 && e.On && len(acts(t, g.Gate, entry.ActOverride)) == 0 {
				t.Error("opened before the entry")
			}
		})
		push(g.hand)
		all := acts(t, g.Gate, entry.ActOverride)
		if !freed(g.relay) || len(all) != 1 || all[0].Reason != lane.ReasonOwed || !slices.Equal(all[0].By, []uint64{teacherID}) {
			t.Fatalf("opened %v, recorded %+v", freed(g.relay), all)
		}
		q := g.question()
		if q.Lane != 1 || q.About != all[0].Arrival.String() || q.Open != 1 || q.Late {
			t.Errorf("the page asks %+v", q)
		}
		if page := b.send("GET", "/guard/", nil).Body.String(); !strings.Contains(page, "1 号通道 07:30 人工开闸") || !strings.Contains(page, `href="/guard/reason"`) {
			t.Errorf("the page does not ask why:\n%s", page)
		}
		later(reasonWithin)
		if !g.question().Late {
			t.Error("nobody says that the reason is owed for long")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		g = wired(t, dir, clock)
		stop = run(t, g.Gate)
		if g.question().About != q.About {
			t.Errorf("after a restart the page asks %+v", g.question())
		}
		g.givesReason(t, q.About)
		if err := stop(); err != nil {
			t.Error(err)
		}
		g = wired(t, dir, clock)
		stop = run(t, g.Gate)
		if g.question().Kind != "" {
			t.Errorf("after a restart the page asks again: %+v", g.question())
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// givesReason says why at the page, with a wrong PIN first.
func (g wiredGate) givesReason(t *testing.T, about string) {
	t.Helper()
	b := g.signedOn(t)
	why := url.Values{"about": {about}, "reason": {"parent-confirmed"}}
	if page := b.send("GET", "/guard/reason", nil).Body.String(); !strings.Contains(page, `value="parent-confirmed"`) {
		t.Errorf("no reasons are offered:\n%s", page)
	}
	if page := b.send("POST", "/guard/reason", why).Body.String(); !strings.Contains(page, `name="pin"`) {
		t.Errorf("no PIN is asked for:\n%s", page)
	}
	for _, bad := range []string{"", "000000"} {
		why.Set("pin", bad)
		if w := b.send("POST", "/guard/reason", why); w.Code != 422 || len(acts(t, g.Gate, entry.ActReasonGiven)) > 0 {
			t.Errorf("PIN %q is answered by %d", bad, w.Code)
		}
	}
	why.Set("pin", teacherPIN)
	b.send("POST", "/guard/reason", why)
	given := acts(t, g.Gate, entry.ActReasonGiven)
	if len(given) != 1 || given[0].Reason != "parent-confirmed" || given[0].Arrival.String() != about || !slices.Equal(given[0].By, []uint64{teacherID}) || g.question().Kind != "" {
		t.Errorf("recorded %+v, still asked %+v", given, g.question())
	}
	if w := b.send("POST", "/guard/reason", why); !strings.Contains(w.Header().Get("Location"), "stale") {
		t.Errorf("a second time: %d to %s", w.Code, w.Header().Get("Location"))
	}
}

func TestAnOpeningThatWasWithheldOwesNothing(t *testing.T) {
	var o unexplained
	id := entry.ArrivalID{Boot: 1, Counter: 16}
	o.follow(id, lane.Record{Act: lane.Overridden, Reason: lane.ReasonOwed}, 1, time.Now())
	o.follow(id, lane.Record{Act: lane.Withheld}, 1, time.Now())
	if _, n := o.first(); n != 0 {
		t.Errorf("%d are owed", n)
	}
}

func TestNextMakesTheLaneFree(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g := wired(t, dir, since(7, 30))
		stop := run(t, g.Gate)
		later(time.Second)
		g.signedOn(t)
		scan(t, g.Gate, 0, pupilBadge)
		push(g.next)
		if l := g.View().Lanes[0]; l.Phase != "idle" {
			t.Errorf("after a badge alone: %+v", l)
		}
		scan(t, g.Gate, 0, "9999999999999999")
		later(time.Second)
		push(g.next)
		if v := g.View(); v.Lanes[0].Phase != "idle" || len(v.Asides) != 1 {
			t.Errorf("after a stop: %+v, aside %+v", v.Lanes[0], v.Asides)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestOpeningsAreNoMoreThanPasses runs a gate in a bubble whose turnstile counts.
func TestOpeningsAreNoMoreThanPasses(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g := wired(t, dir, since(7, 30))
		stop := run(t, g.Gate)
		alone := func(when string, want int) {
			t.Helper()
			shown := slices.Contains(keys(g.Gate), "opened-alone")
			if got := len(acts(t, g.Gate, entry.ActOpenedAlone)); got != want || shown != (want > 0) {
				t.Errorf("%s: %d entries, shown %v", when, got, shown)
			}
		}
		later(time.Second)
		scan(t, g.Gate, 0, pupilBadge)
		skin(g.lens)
		later(2 * time.Second)
		if !freed(g.relay) {
			t.Error("nobody was let in: the test shows nothing")
		}
		away(g.lens)
		later(passWithin - 6*time.Second)
		push(g.counter) // late, but of the one who was let in
		alone("one for one who was let in", 0)
		push(g.counter)
		alone("one more", 1)
		g.alarm.Drive(true)
		later(time.Second)
		push(g.counter)
		g.alarm.Drive(false)
		later(time.Second)
		alone("in a fire", 1)
		later(openedShown)
		if slices.Contains(keys(g.Gate), "opened-alone") {
			t.Error("it is shown for ever")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestALapsedReleaseExplainsNoOpening(t *testing.T) {
	var p passes
	p.allow(0)
	p.allow(time.Second)
	if p.use(passWithin + time.Second); len(p) != 0 || p.use(passWithin+time.Second) {
		t.Error("a release explains two openings")
	}
	p.allow(0)
	if p.use(passWithin + 1) {
		t.Error("a release explains an opening for ever")
	}
}

// TestAFireIsSeenRecordedAndShown runs a gate in a bubble: the wire opens, the
// program goes out of the way, and comes back.
func TestAFireIsSeenRecordedAndShown(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g := wired(t, dir, since(7, 30))
		stop := run(t, g.Gate)
		later(time.Second)
		scan(t, g.Gate, 0, "9999999999999999") // a stop: red and buzzer
		later(700 * time.Millisecond)
		g.alarm.Drive(true)
		later(time.Second)
		v := g.View()
		if !slices.Contains(keys(g.Gate), "fire") || !slices.Contains(v.Lanes[0].Faults, "fire") {
			t.Errorf("the page shows %+v", v)
		}
		before := len(g.relay.Frames())
		later(5 * time.Second)
		if g.relay.On(2) || g.relay.On(3) || g.relay.On(4) || len(g.relay.Frames()) != before {
			t.Error("lamps or buzzer are on in a fire")
		}
		g.alarm.Drive(false)
		later(time.Second)
		if slices.Contains(keys(g.Gate), "fire") || !g.relay.On(3) {
			t.Errorf("after the fire: %v, red %v", keys(g.Gate), g.relay.On(3))
		}
		var reasons []string
		for _, a := range acts(t, g.Gate, entry.ActFire) {
			reasons = append(reasons, a.Reason)
		}
		if !slices.Equal(reasons, []string{fireReleased, fireOver}) {
			t.Errorf("recorded %v", reasons)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestEveryInputThatIsPulledIsSaidOnThePage runs a gate in a bubble.
func TestEveryInputThatIsPulledIsSaidOnThePage(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g := wired(t, dir, since(7, 30))
		stop := run(t, g.Gate)
		later(time.Second)
		outages := 0
		says := func() []string { return append(keys(g.Gate), g.View().Lanes[0].Faults...) }
		for _, c := range []struct {
			line *sim.Line
			key  string
		}{{g.ack, "button-lost"}, {g.next, "button-lost"}, {g.hand, "open-lost"}, {g.counter, "counter-lost"}, {g.alarm, "fire-contact-lost"}} {
			c.line.Unplug()
			later(time.Second)
			if !slices.Contains(says(), c.key) {
				t.Errorf("%s is not said: %v", c.key, says())
			}
			metrics := g.now().exposition()
			if lost := regexp.MustCompile(`(?m)^menshen_part_lost\{.*\} 1$`).FindAllString(metrics, -1); len(lost) != 1 || !strings.Contains(metrics, `="`+c.key+`"} 1`) {
				t.Errorf("%s is in no metric:\n%s", c.key, metrics)
			}
			c.line.Plug()
			later(10 * time.Second)
			outages++
			if slices.Contains(says(), c.key) {
				t.Errorf("%s is said of what is back: %v", c.key, says())
			}
		}
		all := g.now().Outages
		if len(all) != outages || slices.ContainsFunc(all, func(o Outage) bool { return o.Times != 1 || o.Lost }) {
			t.Errorf("counted: %v", all)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestAButtonThatIsStuckPressesNothing runs a gate in a bubble: a line that is
// on when it is opened was not pressed now.
func TestAButtonThatIsStuckPressesNothing(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g := wired(t, dir, since(7, 30))
		stop := run(t, g.Gate)
		g.signedOn(t)
		g.hand.Unplug()
		later(time.Second)
		g.hand.Drive(true)
		g.hand.Plug()
		later(10 * time.Second)
		if freed(g.relay) {
			t.Error("opened by a button that came back pressed")
		}
		g.hand.Drive(false)
		later(time.Second)
		push(g.hand)
		if !freed(g.relay) {
			t.Error("not opened by the next press")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestABadgeIsTypedWhereTheScannerIsGone runs a gate in a bubble: the number is
// served as the badge would be, after an entry in the name of who typed it.
func TestABadgeIsTypedWhereTheScannerIsGone(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g := wired(t, dir, since(7, 30))
		stop := run(t, g.Gate)
		later(time.Second)
		b := g.signedOn(t)
		typed := url.Values{"lane": {"1"}, "badge": {pupilBadge}}
		if w := b.send("POST", "/guard/badge", typed); !strings.Contains(w.Header().Get("Location"), "stale") || g.View().Lanes[0].CanBadge {
			t.Errorf("beside a scanner that works: %d to %s", w.Code, w.Header().Get("Location"))
		}
		g.scanner.Unplug()
		later(time.Second)
		if page := b.send("GET", "/guard/", nil).Body.String(); !strings.Contains(page, `href="/guard/badge?lane=1"`) {
			t.Errorf("the page does not offer it:\n%s", page)
		}
		if page := b.send("GET", "/guard/badge?lane=1", nil).Body.String(); !strings.Contains(page, `name="badge"`) {
			t.Errorf("no number is asked for:\n%s", page)
		}
		for bad, says := range map[string]string{"123": "卡号是 16 位数", "9999999999999999": "没有人有这张卡"} {
			if w := b.send("POST", "/guard/badge", url.Values{"lane": {"1"}, "badge": {bad}}); w.Code != 422 || !strings.Contains(w.Body.String(), says) {
				t.Errorf("%s is answered by %d:\n%s", bad, w.Code, w.Body)
			}
		}
		b.send("POST", "/guard/badge", typed)
		later(50 * time.Millisecond)
		face(g.lens, 36.5)
		later(2 * time.Second)
		named := acts(t, g.Gate, entry.ActNamed)
		if !freed(g.relay) || len(named) != 1 || named[0].Subject != pupilID || !slices.Equal(named[0].By, []uint64{teacherID}) {
			t.Errorf("freed %v, recorded %+v", freed(g.relay), named)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestABadgeWhosePassageWasCountedOpensNothingAgain runs a gate in a bubble.
func TestABadgeWhosePassageWasCountedOpensNothingAgain(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g := wired(t, dir, since(7, 30))
		stop := run(t, g.Gate)
		later(time.Second)
		scan(t, g.Gate, 0, pupilBadge)
		skin(g.lens)
		later(2 * time.Second)
		away(g.lens)
		push(g.counter)
		scan(t, g.Gate, 0, pupilBadge)
		later(2 * time.Second)
		if v := g.View().Lanes[0]; ons(g.relay) != 1 || !slices.Contains(v.Reasons, "already-in") {
			t.Errorf("freed %d times, the lane says %v", ons(g.relay), v.Reasons)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestLampsThatArePulledWhileNobodyComesAreSaidToBeGone runs a gate in a bubble:
// no board says so by itself.
func TestLampsThatArePulledWhileNobodyComesAreSaidToBeGone(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g := wiredAs(t, dir, since(7, 30), ownLamps)
		stop := run(t, g.Gate)
		later(time.Second)
		g.lamps.Unplug()
		later(time.Second)
		if faults := g.View().Lanes[0].Faults; !slices.Contains(faults, "beacon-lost") {
			t.Errorf("the guard is told %v", faults)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
