package gate

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
)

// TestAWarmWallIsNoForehead plays a lens without a presence input that looks at a
// wall in the sun.
func TestAWarmWallIsNoForehead(t *testing.T) {
	dir := t.TempDir()
	schooled(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, lens := lensed(t, dir, since(7, 30), asShipped)
		warm := func() bool { return slices.Contains(g.View().Lanes[0].Faults, "background-warm") }
		n := 0
		wall := func() (object, ambient float64) { n++; return 36.5 - 0.02*float64(n%2), 22 }
		lens.Look(wall)
		stop := run(t, g)
		later(warmFirst + 2*time.Second)
		if !warm() {
			t.Error("from the start on: the lane does not say so")
		}
		scan(t, g, 0, pupilBadge)
		later(3 * time.Second)
		if v := g.lanes[0].shown.Load().view; v.Reading != nil || !v.Decision.Has(screening.NoTemperature) || v.Decision.Outcome == screening.Admit {
			t.Errorf("the wall was measured: %+v, %+v", v.Reading, v.Decision)
		}
		lens.See(20, 22)
		later(probeWarm + time.Second)
		if warm() {
			t.Error("the view is cold, and the lane still says that it is warm")
		}
		lens.Look(wall)
		later(time.Minute)
		if warm() {
			t.Error("somebody may stand there for a minute")
		}
		later(2 * time.Minute)
		if !warm() {
			t.Error("nobody stands there for three minutes")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheBackgroundIsWarmAfterTwoMinutesWithoutAnEmptyView(t *testing.T) {
	type look struct {
		after  time.Duration
		object screening.MilliC
		warm   bool
	}
	for rule, looks := range map[string][]look{
		"three seconds from the start on, until it is empty": {{0, 36_000, false}, {2 * time.Second, 36_000, false}, {time.Second, 36_000, true}, {time.Second, 29_999, false}, {3 * time.Second, 36_000, false}},
		"somebody may stand there at the start":              {{0, 36_000, false}, {2 * time.Second, 20_000, false}, {9 * time.Second, 36_000, false}},
		"an empty view begins the time anew": {
			{0, 20_000, false}, {30 * time.Second, 36_000, false}, {30 * time.Second, 20_000, false}, {30 * time.Second, 36_000, false}, {30 * time.Second, 36_000, false}, {30 * time.Second, 36_000, false},
		},
		"two minutes of skin": {
			{0, 20_000, false}, {30 * time.Second, 30_000, false}, {30 * time.Second, 30_000, false}, {30 * time.Second, 30_000, false}, {30 * time.Second, 30_000, true},
		},
		"while nobody looked, nobody knows": {{0, 20_000, false}, {time.Hour, 36_000, false}, {time.Hour, 36_000, false}},
	} {
		t.Run(rule, func(t *testing.T) {
			var b background
			at := time.Hour
			b.opened(at)
			for i, l := range looks {
				at += l.after
				if warm, _ := b.saw(l.object, at); warm != l.warm {
					t.Errorf("look %d: warm %v", i+1, warm)
				}
			}
		})
	}
}

func TestAThermometerThatIsOpenedAgainStaysBeforeItsWarmWall(t *testing.T) {
	var b background
	b.opened(0)
	b.saw(36_000, 0)
	b.saw(36_000, warmFirst)
	b.opened(time.Minute)
	if warm, _ := b.saw(36_000, time.Minute); !warm || b.probeAfter() != probeWarm {
		t.Errorf("warm %v, asked again after %v", warm, b.probeAfter())
	}
	if warm, changed := b.saw(20_000, time.Minute); warm || !changed || b.probeAfter() != probeSensor {
		t.Errorf("empty: warm %v, changed %v, asked again after %v", warm, changed, b.probeAfter())
	}
}

// wall is a thermometer that always sees one.
type wall struct{ n int }

func (w *wall) Sense(context.Context) (device.Sample, error) {
	w.n++
	at := physic.ZeroCelsius + 36*physic.Kelvin + physic.Temperature(w.n%2*20)*physic.MilliKelvin
	return device.Sample{Object: at, Ambient: at, Raw: uint16(w.n)}, nil
}
func (*wall) Halt() error { return nil }

// A module that sends by itself is never idle.
func TestAWallIsNoticedWhileTheLaneMeasuresToo(t *testing.T) {
	at := time.Hour
	g, _ := build(t, t.TempDir(), func() entry.Stamp { s := stillClock(); s.Mono = at; return s })
	l := g.lanes[0]
	l.unveil(20_000, at)
	s := sampler{lane: l, dev: &wall{}}
	for range 4 {
		if l.behind.probeAfter() == probeWarm {
			t.Errorf("warm after %v", at-time.Hour)
		}
		at += 30 * time.Second
		if err := s.sample(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if l.behind.probeAfter() != probeWarm {
		t.Error("nobody notices")
	}
}
