package gate

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// heard is what one buzzer does, as lengths of on and off in turn.
type heard struct {
	mu    sync.Mutex
	on    bool
	since time.Time
	beats []time.Duration
}

func (h *heard) sound(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if on == h.on {
		return
	}
	if h.on || len(h.beats) > 0 {
		h.beats = append(h.beats, time.Since(h.since))
	}
	h.on, h.since = on, time.Now()
}

// listenTo plays a rhythm for a while.
func listenTo(t *testing.T, r rhythm, quiet bool, d time.Duration) (beats []time.Duration, on bool) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		b := newBuzzer(h.sound, func() bool { return quiet })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.run(ctx) }()
		b.play(r)
		later(d)
		beats, on = h.beats, h.on
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return beats, on
}

func TestEveryOutcomeSoundsUnlikeTheOthers(t *testing.T) {
	for rule, c := range map[string]struct {
		rhythm rhythm
		want   []time.Duration
		on     bool
	}{
		"nothing is silent":                   {silence(), nil, false},
		"a pass is one short beat":            {passBeep(), []time.Duration{shortBeat}, false},
		"measured again is two":               {againBeeps(), []time.Duration{shortBeat, shortBeat, shortBeat}, false},
		"a stop is long beats without an end": {stopBeeps(), []time.Duration{longBeat, restBeat, longBeat, restBeat, longBeat, restBeat}, true},
		"an isolation is one without an end":  {isolationTone(), nil, true},
	} {
		t.Run(rule, func(t *testing.T) {
			beats, on := listenTo(t, c.rhythm, false, 3*time.Second+100*time.Millisecond)
			if !slices.Equal(beats, c.want) || on != c.on {
				t.Errorf("beats %v, then on %v", beats, on)
			}
		})
	}
}

func TestOnlyAnIsolationIsHeardInQuietHours(t *testing.T) {
	for _, r := range []rhythm{silence(), passBeep(), againBeeps(), stopBeeps(), isolationTone()} {
		beats, on := listenTo(t, r, true, 3*time.Second)
		if loud := on || len(beats) > 0; loud != (r.name == "isolation") {
			t.Errorf("%s: heard %v", r.name, loud)
		}
	}
}

func TestWhatSoundsGoesOnWhenItIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &heard{}
		b := newBuzzer(h.sound, func() bool { return false })
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- b.run(ctx) }()
		for range 10 { // a lane that is out of service says so again and again
			b.play(stopBeeps())
			later(300 * time.Millisecond)
		}
		b.play(passBeep())
		later(time.Second)
		b.play(passBeep())
		later(time.Second)
		want := []time.Duration{longBeat, restBeat, longBeat, restBeat, longBeat, restBeat}
		if len(h.beats) < 6 || !slices.Equal(h.beats[:6], want) {
			t.Errorf("beats %v", h.beats)
		}
		if n := len(h.beats); n < 3 || h.beats[n-1] != shortBeat || h.on {
			t.Errorf("two passes end with %v", h.beats)
		}
		cancel()
		<-ended
	})
}

func TestWhichRhythmAPatternHas(t *testing.T) {
	decided := func(o screening.Outcome) lane.View {
		return lane.View{Phase: lane.Held, Decided: true, Decision: screening.Decision{Outcome: o}}
	}
	again := lane.View{Phase: lane.Gathering, Try: 1}
	for rule, c := range map[string]struct {
		pattern lane.Pattern
		view    lane.View
		want    rhythm
	}{
		"pass":                               {lane.Pass, decided(screening.Admit), passBeep()},
		"measured again":                     {lane.Again, again, againBeeps()},
		"an unfinished arrival ends quietly": {lane.Again, lane.View{Phase: lane.Idle}, silence()},
		"stop":                               {lane.Halt, decided(screening.Refer), stopBeeps()},
		"isolation":                          {lane.Halt, decided(screening.Isolate), isolationTone()},
		"out of service":                     {lane.Attend, lane.View{}, stopBeeps()},
		"dark":                               {lane.Dark, lane.View{}, silence()},
	} {
		if got := rhythmOf(c.pattern, c.view); got.name != c.want.name {
			t.Errorf("%s: %s, want %s", rule, got.name, c.want.name)
		}
	}
}

func TestQuietHoursAreThoseOfATrustedClock(t *testing.T) {
	night := config.Quiet{From: 21 * time.Hour, To: 6 * time.Hour}
	for rule, c := range map[string]struct {
		hour  int
		clock entry.Clock
		want  bool
	}{
		"at night":                           {22, entry.ClockRTC, true},
		"after midnight":                     {3, entry.ClockSynced, true},
		"in the morning":                     {7, entry.ClockSynced, false},
		"by a clock that nobody vouches for": {22, entry.ClockFloor, false},
	} {
		t.Run(rule, func(t *testing.T) {
			g, _ := build(t, t.TempDir(), func() entry.Stamp {
				return entry.Stamp{Mono: time.Hour, Wall: time.Date(2020, 12, 7, c.hour, 30, 0, 0, time.UTC), Clock: c.clock}
			})
			if g.quiet() {
				t.Error("quiet without any quiet hours")
			}
			g.o.Config.Quiet = []config.Quiet{night}
			if g.quiet() != c.want {
				t.Errorf("quiet %v", g.quiet())
			}
		})
	}
}

// buzzes reports whether the lane's buzzer was on since a number of frames.
func buzzes(r *sim.RelayBoard, since int) bool {
	return slices.ContainsFunc(r.Frames()[since:], func(e sim.Edge) bool { return e.Channel == 4 && e.On })
}

// TestInQuietHoursAFeverIsHeardAndAStopIsSeen runs a gate in a bubble, at night.
func TestInQuietHoursAFeverIsHeardAndAStopIsSeen(t *testing.T) {
	dir := t.TempDir()
	led(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g := wired(t, dir, since(22, 30))
		g.o.Config.Quiet = []config.Quiet{{From: 21 * time.Hour, To: 6 * time.Hour}}
		stop := run(t, g.Gate)
		later(time.Second)
		before := len(g.relay.Frames())
		scan(t, g.Gate, 0, "9999999999999999")
		later(3 * time.Second)
		if buzzes(g.relay, before) || !g.relay.On(3) {
			t.Errorf("a stop: buzzer %v, red lamp %v", buzzes(g.relay, before), g.relay.On(3))
		}
		g.signedOn(t)
		push(g.ack)
		scan(t, g.Gate, 0, pupilBadge)
		face(g.lens, 38.9)
		later(3 * time.Second)
		if v := g.View().Lanes[0]; !g.relay.On(4) || !g.relay.On(3) || !g.relay.On(5) || !g.relay.On(6) {
			t.Errorf("a fever: %+v, frames %v", v, g.relay.Frames())
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestNothingIsRedAndNothingSoundsInAFire(t *testing.T) {
	g, _ := build(t, t.TempDir(), stillClock)
	l := g.lanes[0]
	l.signal(lane.Attend)
	if l.buzzer.wanted.name != "stop" {
		t.Errorf("a lane that is out of service sounds %s", l.buzzer.wanted.name)
	}
	l.machine.Step(lane.Time{Mono: time.Hour}, lane.Fire{On: true})
	l.signal(lane.Attend) // a barrier that does not answer is tried again and again
	if l.buzzer.wanted.name != "silence" || l.pattern != lane.Dark {
		t.Errorf("in a fire it sounds %s and shows %v", l.buzzer.wanted.name, l.pattern)
	}
}
