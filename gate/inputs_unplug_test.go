package gate

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

const (
	// plugRounds is how many plugs are pulled, each kind in its turn.
	plugRounds = 200
	// plugLeak is less than any leak leaves behind: one kind of plug is pulled 40
	// times. A few goroutines more or less are on their way at any moment.
	plugLeak = plugRounds / 10
)

// ownLamps puts the lamps of a profile on a relay board of their own.
func ownLamps(profile string) string {
	head, rest, _ := strings.Cut(profile, "[lane.lamps]")
	lamps, tail, _ := strings.Cut(rest, "# --- Isolation")
	lamps = strings.NewReplacer(`"board", channel = 2`, `"lamps", channel = 1`, `"board", channel = 3`, `"lamps", channel = 2`, `"board", channel = 4`, `"lamps", channel = 3`).Replace(lamps)
	return head + "[lane.lamps]" + lamps + "# --- Isolation" + tail +
		"\n[port.lamps]\npath = \"/dev/lamps\"\n\n[relay.lamps]\nkind = \"lcus\"\nport = \"lamps\"\nchannels = 4\n"
}

// pulled is one plug that is pulled in the middle of an arrival: what then
// becomes of the person, and what the guard is told meanwhile.
type pulled struct {
	name   string
	unplug func()
	plug   func()
	fault  string
	// during pulls the plug at another moment than between badge and forehead.
	whilePassing bool
	// word is what the lane says of the person at the end, and freed how often the
	// barrier went on.
	word  string
	freed int
}

func (g wiredGate) plugs() []pulled {
	return []pulled{
		{name: "sensor", unplug: g.lens.Unplug, plug: g.lens.Plug, fault: "thermometer-lost", word: "step-aside"},
		{name: "scanner", unplug: g.scanner.Unplug, plug: g.scanner.Plug, fault: "scanner-lost", word: "go-in", freed: 1},
		{name: "relay", unplug: g.relay.Unplug, plug: g.relay.Plug, fault: "barrier-lost", word: "cannot-record"},
		{name: "relay that is on", unplug: g.relay.Unplug, plug: g.relay.Plug, fault: "barrier-lost", whilePassing: true, word: "lane-closed", freed: 1},
		{name: "lamps", unplug: g.lamps.Unplug, plug: g.lamps.Plug, fault: "beacon-lost", word: "go-in", freed: 1},
	}
}

// TestEveryPlugMayBePulledInMidArrival pulls 200 plugs of a whole gate, in a
// bubble: each time the person meets the right end, the guard is told what is
// gone and no more once it is back, the next arrival is as ever, and neither a
// goroutine nor a file is left behind.
func TestEveryPlugMayBePulledInMidArrival(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g := wiredAs(t, dir, since(7, 30), ownLamps)
		stop := run(t, g.Gate)
		later(time.Second)
		g.signedOn(t)
		plugs := g.plugs()
		var goroutines, files int
		for round := range plugRounds {
			p := plugs[round%len(plugs)]
			g.pull(t, p)
			if t.Failed() {
				t.Fatalf("in round %d, of the %s", round, p.name)
			}
			if round == 2*len(plugs) { // all that is made once has been made
				goroutines, files = runtime.NumGoroutine(), openFiles(t)
			}
		}
		if now := runtime.NumGoroutine(); now >= goroutines+plugLeak {
			t.Errorf("%d goroutines after %d rounds, %d after the first", now, plugRounds, goroutines)
		}
		if now := openFiles(t); now >= files+plugLeak {
			t.Errorf("%d open files after %d rounds, %d after the first", now, plugRounds, files)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// pull plays one round: an arrival during which a plug is pulled, the plug back,
// and an arrival after that.
func (g wiredGate) pull(t *testing.T, p pulled) {
	t.Helper()
	before := ons(g.relay)
	g.scanner.Scan(pupilBadge + "\r")
	later(50 * time.Millisecond)
	if p.whilePassing {
		face(g.lens, 36.5)
		for limit := time.Now().Add(5 * time.Second); !g.relay.On(1) && time.Now().Before(limit); {
			later(10 * time.Millisecond)
		}
		p.unplug()
	} else {
		p.unplug()
		face(g.lens, 36.5)
	}
	later(700 * time.Millisecond)
	g.ends(t, p, before)
	g.lens.See(20, 22)
	p.plug()
	later(10 * time.Second)
	g.answered(t)
	if faults := g.View().Lanes[0].Faults; len(faults) > 0 || g.relay.On(1) {
		t.Errorf("after the plug is back: faults %v, barrier on %v", faults, g.relay.On(1))
	}
	later(31 * time.Second) // the same badge is somebody new
	before = ons(g.relay)
	g.scanner.Scan(pupilBadge + "\r")
	later(50 * time.Millisecond)
	face(g.lens, 36.5)
	later(time.Second)
	if v := g.View().Lanes[0]; ons(g.relay)-before != 1 || v.Word != "go-in" || !g.lamps.On(1) {
		t.Errorf("the next arrival: %s, freed %d times, green %v", v.Word, ons(g.relay)-before, g.lamps.On(1))
	}
	g.lens.See(20, 22)
	later(31 * time.Second)
}

// ends checks what has become of the person while the plug is out.
func (g wiredGate) ends(t *testing.T, p pulled, before int) {
	t.Helper()
	for limit := time.Now().Add(5 * time.Second); g.View().Lanes[0].Word != p.word && time.Now().Before(limit); {
		later(50 * time.Millisecond)
	}
	v := g.View().Lanes[0]
	if v.Word != p.word || ons(g.relay)-before != p.freed {
		t.Errorf("the lane says %s of %v, want %s; freed %d times, want %d", v.Word, v.Reasons, p.word, ons(g.relay)-before, p.freed)
	}
	later(2 * time.Second) // a serial module is given up after some questions
	if faults := g.View().Lanes[0].Faults; !slices.Contains(faults, p.fault) || !web.Known("fault."+p.fault) {
		t.Errorf("the guard is told %v, want %s", faults, p.fault)
	}
}

// answered ends a stop as a person would: by a typed temperature where that is
// what is missing, and by turning away otherwise.
func (g wiredGate) answered(t *testing.T) {
	t.Helper()
	v := g.View().Lanes[0]
	if v.Phase != "held" {
		return
	}
	act := guard.Act{Arrival: v.Arrival, Version: v.Version, Kind: guard.KindTurnAway, By: web.Person{ID: teacherID}}
	if v.CanType && slices.Contains(v.Reasons, screening.NoTemperature.String()) {
		act.Kind, act.Value, act.Instrument = guard.KindType, 36_500, "ear"
	}
	if err := g.Do(t.Context(), act); err != nil {
		t.Errorf("answer %s: %v", act.Kind, err)
	}
	later(2 * time.Second)
}
