package gate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/device/sound"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/web/guard"
)

// ear hears what a gate plays; it takes no time to play.
type ear struct {
	names map[string]string // of sounds, by their bytes
	mu    sync.Mutex
	heard []string
	fault error
	at    func(name string) // is told of every sound as it begins
}

// newEar learns every sound from a player of its own.
func newEar(t *testing.T) *ear {
	e := &ear{names: map[string]string{}, at: func(string) {}}
	for name, ask := range map[string]func(*sound.Player){
		"pass": func(p *sound.Player) { p.Pass(1) }, "wrist": func(p *sound.Player) { p.Wrist(1) }, // once more has the same tones
		"stop": func(p *sound.Player) { p.Stop(1) }, // a closed lane has the same tones
	} {
		var played []string
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		p := sound.New(func(_ context.Context, wav []byte) error {
			played = append(played, string(wav))
			return nil
		}, sound.Chinese)
		if err := p.Run(ctx, func() { ask(p) }); err != nil {
			t.Fatal(err)
		}
		cancel()
		e.names[played[0]] = ""
		for i, wav := range played[1:] {
			e.names[wav] = []string{name, "voice of " + name}[i]
		}
	}
	return e
}

func (e *ear) play(_ context.Context, wav []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	name, known := e.names[string(wav)]
	if !known {
		name = "something unknown"
	}
	if e.fault == nil && name != "" {
		e.at(name)
		e.heard = append(e.heard, name)
	}
	return e.fault
}

func (e *ear) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fault = err
}

func (e *ear) take() []string {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	heard := e.heard
	e.heard = nil
	return heard
}

// listen builds a gate with a loudspeaker, and the thermometer of lane 1.
func listen(t *testing.T, dir string) (*Gate, *ear, *sim.Thermometer, *sim.RelayBoard) {
	began := time.Now()
	g, board := build(t, dir, func() entry.Stamp {
		return entry.Stamp{Mono: time.Since(began), Wall: time.Now(), Clock: entry.ClockSynced}
	})
	e := newEar(t)
	g.o.Config.Board.Sound, g.o.Play = &config.Sound{Device: "test"}, e.play
	g.speaker = newSpeaker(g.o)
	eye := g.o.Opener.(*sim.World).AddSerialThermometer("spare")
	thermometer := *g.lanes[0].cfg.Thermometer
	thermometer.Port = "spare"
	g.lanes[0].cfg.Thermometer = &thermometer
	return g, e, eye, board
}

// face shows a forehead to a lens, flickering as living ones do.
func face(eye *sim.Thermometer, celsius float64) {
	var mu sync.Mutex
	step := 0.0
	eye.Look(func() (float64, float64) {
		mu.Lock()
		defer mu.Unlock()
		step = 0.02 - step
		return celsius + step, 20
	})
}

func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// TestWhatIsHeardAtALane runs arrivals through a whole gate.
func TestWhatIsHeardAtALane(t *testing.T) {
	for rule, c := range map[string]struct {
		forehead float64
		silent   bool // the journal does not store
		want     []string
	}{
		"a pass is one beep":                       {forehead: 36.5, want: []string{"pass"}},
		"a stop is tones and a voice":              {forehead: 37.6, want: []string{"stop", "voice of stop"}},
		"too cold a forehead asks for the wrist":   {forehead: 33.9, want: []string{"wrist", "voice of wrist"}},
		"an unfinished arrival ends quietly":       {forehead: 20},
		"without a record there is no beep":        {forehead: 36.5, silent: true, want: []string{"stop", "voice of stop"}},
		"a stop is heard with and without records": {forehead: 37.6, silent: true, want: []string{"stop", "voice of stop"}},
	} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			crewed(t, dir)
			synctest.Test(t, func(t *testing.T) {
				g, e, eye, _ := listen(t, dir)
				e.at = func(name string) {
					if name == "pass" && len(entries[entry.Arrival](t, g, entry.KindArrival)) != 1 {
						t.Error("the beep is heard before the record")
					}
				}
				stop := run(t, g)
				after(time.Second)
				if c.silent {
					g.recorder.mu.Lock()
					g.recorder.failing = true
					g.recorder.mu.Unlock()
				}
				scan(t, g, 0, pupilBadge)
				face(eye, c.forehead)
				after(3 * time.Second)
				if c.want == nil {
					after(20 * time.Second)
				}
				if got := e.take(); !slices.Equal(got, c.want) {
					t.Errorf("heard %q, want %q", got, c.want)
				}
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// entries returns the bodies of one kind that the journal holds.
func entries[T any](t *testing.T, g *Gate, kind entry.Kind) (list []T) {
	for row, err := range g.journal.Rows(t.Context(), 0) {
		if err != nil {
			t.Error(err)
			return nil
		}
		if row.Entry.Kind == kind {
			var body T
			if err := row.Entry.Decode(&body); err != nil {
				t.Error(err)
			}
			list = append(list, body)
		}
	}
	return list
}

// TestALaneThatClosesIsHeardOnce pulls the relay board in the middle of a
// pulse: OFF is tried for as long as it is missing, and the tones do not come
// with every try.
func TestALaneThatClosesIsHeardOnce(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, e, eye, board := listen(t, dir)
		stop := run(t, g)
		after(time.Second)
		e.at = func(string) { board.Unplug() }
		scan(t, g, 0, pupilBadge)
		face(eye, 36.5)
		after(2 * time.Minute)
		if got := e.take(); !slices.Equal(got, []string{"pass", "stop", "stop"}) {
			t.Errorf("two lanes closed and were heard as %q", got)
		}
		e.at = func(string) {}
		board.Plug()
		after(time.Minute)
		if got := e.take(); len(got) > 0 {
			t.Errorf("lanes that are back were heard as %q", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestALoudspeakerThatFailsIsADeviceFault: two entries, and a line on the page
// in between.
func TestALoudspeakerThatFailsIsADeviceFault(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		g, e, _, _ := listen(t, dir)
		told := func() bool {
			return slices.ContainsFunc(g.problems(guard.View{}), func(p guard.Problem) bool { return p.Key == "sound-lost" })
		}
		e.fail(errors.New("no such card"))
		stop := run(t, g)
		after(time.Minute)
		if !told() {
			t.Error("the page does not say it")
		}
		e.fail(nil)
		after(time.Minute)
		if told() {
			t.Error("the page still says it")
		}
		var got []entry.Device
		for _, d := range entries[entry.Device](t, g, entry.KindDevice) {
			if d.Role == "sound" {
				got = append(got, d)
			}
		}
		want := []entry.Device{
			{Role: "sound", Event: entry.DeviceLost, Detail: "play a sound: no such card"},
			{Role: "sound", Event: entry.DeviceBack},
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %+v", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAGateWithoutSoundInItsProfileHasNoLoudspeaker(t *testing.T) {
	g, _ := build(t, t.TempDir(), stillClock)
	if g.speaker != nil {
		t.Error("it has one")
	}
}
