package e2e

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"periph.io/x/conn/v3/physic"

	"github.com/menshen/menshen/device/gymcu90614"
	"github.com/menshen/menshen/entry"
)

// These are the tests of the rig itself: it must see what it is there to see.

func plug(t *testing.T, p *Port) {
	t.Helper()
	if err := p.Plug(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Unplug(); err != nil {
			t.Error(err)
		}
	})
}

// program opens a port as a gate does.
func program(t *testing.T, p *Port) *os.File {
	t.Helper()
	f, err := os.OpenFile(p.Link, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// reader reads a thermometer as a gate does.
func reader(t *testing.T, th *Thermometer, o *gymcu90614.Opts) *gymcu90614.Dev {
	t.Helper()
	dev, err := gymcu90614.New(program(t, th.Port), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Halt() })
	return dev
}

func TestThermometerFlickersAndAnswersOnlyWhenAsked(t *testing.T) {
	th := newThermometer(filepath.Join(t.TempDir(), "thermometer"), 0)
	plug(t, th.Port)
	dev := reader(t, th, &gymcu90614.Opts{Timeout: Soon})
	th.Show(Healthy)
	th.SilentAfter(10)
	var last physic.Temperature
	for range 10 {
		s, err := dev.Sense(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Object == last {
			t.Errorf("%v twice in a row", s.Object)
		}
		last = s.Object
		if off := last - physic.ZeroCelsius - 36500*physic.MilliKelvin; off > 20*physic.MilliKelvin || off < -20*physic.MilliKelvin {
			t.Errorf("%v is not 36.50 ± 0.02 °C", last)
		}
	}
	if th.Seen() != 10 || th.ailment != Silent {
		t.Errorf("seen %d times, ailment %d", th.Seen(), th.ailment)
	}
}

func TestAThermometerThatAilsMeasuresNothing(t *testing.T) {
	for _, a := range []Ailment{Silent, BadCheck} {
		th := newThermometer(filepath.Join(t.TempDir(), "thermometer"), 0)
		plug(t, th.Port)
		th.Ail(a)
		if s, err := reader(t, th, gymcu90614.DefaultOpts()).Sense(t.Context()); err == nil {
			t.Errorf("ailment %d measured %v", a, s)
		}
	}
}

func TestRelayTakesFramesInOrderAndFindsThemAgainAfterNoise(t *testing.T) {
	r := newRelay(filepath.Join(t.TempDir(), "relay"))
	plug(t, r.Port)
	inHook := 0
	r.Hook(func(f Frame) {
		if f.On {
			inHook++
		}
		if got := len(r.Frames()); f.On && got != 2*inHook-1 {
			t.Errorf("the hook of frame %d saw %d frames", 2*inHook-1, got)
		}
	})
	f := program(t, r.Port)
	for range 3 {
		if _, err := f.WriteString("\xA0\x01\x01\xA2\xA0\x01\x00\xA1"); err != nil {
			t.Fatal(err)
		}
	}
	r.Drain(t)
	if r.Count(1, true) != 3 || r.Count(1, false) != 3 || r.IsOn(1) {
		t.Errorf("frames %v", r.Frames())
	}
	if _, err := f.WriteString("\xA0\x07\xA0\x04\x01\xA5"); err != nil {
		t.Fatal(err)
	}
	r.AwaitOn(t, 4, 1)
	if r.broken != 2 {
		t.Errorf("%d bytes of noise", r.broken)
	}
}

func TestPortCanBePulledAndPutBackUnderTheSameName(t *testing.T) {
	s := newScanner(filepath.Join(t.TempDir(), "scanner"))
	plug(t, s.Port)
	f := program(t, s.Port)
	s.Scan(t, "7000000000000001")
	got := make([]byte, 18)
	if _, err := io.ReadFull(f, got); err != nil || strings.Trim(string(got), "\r") != "7000000000000001" {
		t.Fatalf("read %q, %v", got, err)
	}
	if err := s.Unplug(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(got); err == nil {
		t.Error("the program does not notice")
	}
	if _, err := os.Open(s.Link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the port is still there: %v", err)
	}
	plug(t, s.Port)
	again := program(t, s.Port)
	s.Scan(t, "7")
	if _, err := io.ReadFull(again, got[:3]); err != nil || string(got[:3]) != "\r7\r" {
		t.Errorf("read %q, %v", got[:3], err)
	}
}

func TestPageIsReadAsItIsDrawn(t *testing.T) {
	s, err := parsePage(`<main><section class="lane stop" id="lane-2">
<form><input type="hidden" name="arrival" value="4-33"><input type="hidden" name="version" value="9">
<button name="kind" value="aside">Aside &amp; on</button></form></section></main>
<ul><li class="aside isolate" id="aside-3"><input type="hidden" name="arrival" value="4-17"><input type="hidden" name="version" value="1"></li></ul>`)
	if err != nil || len(s.Lanes) != 1 || len(s.Asides) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	l, a := s.Lanes[0], s.Asides[0]
	if l.Number != 2 || l.Verdict != "stop" || l.Target != (Target{"4-33", "9"}) || !strings.Contains(l.Text, "Aside & on") {
		t.Errorf("lane %+v", l)
	}
	if a.Ticket != 3 || a.Target != (Target{"4-17", "1"}) {
		t.Errorf("aside %+v", a)
	}
	if _, err := parsePage("<h1>Refused</h1>"); err == nil {
		t.Error("a page without lanes is read")
	}
}

func TestAuditCatchesWhatWasPlanted(t *testing.T) {
	on := func(lane int) Frame { return Frame{Channel: Barrier(lane), On: true} }
	admit := func(lane int, n uint32) Entry {
		return Entry{Lane: lane, ID: entry.ArrivalID{Counter: n}, Arrival: &entry.Arrival{Counter: n, End: entry.EndDecided, Outcome: Admit}}
	}
	for _, c := range []struct {
		rule   string
		frames []Frame
		list   []Entry
		wrong  int
	}{
		{"an admission frees its barrier once", []Frame{on(1), {Channel: 1}}, []Entry{admit(1, 1)}, 0},
		{"an admission may come to nothing", nil, []Entry{admit(1, 1)}, 0},
		{"no barrier is freed without an admission", []Frame{on(2)}, nil, 1},
		{"an admission of the other lane does not count", []Frame{on(1)}, []Entry{admit(2, 1)}, 1},
		{"one admission does not free twice", []Frame{on(1), on(1)}, []Entry{admit(1, 1)}, 1},
		{"a withheld admission frees nothing", []Frame{on(1)}, []Entry{admit(1, 1),
			{Lane: 1, Answer: &entry.Answer{Act: entry.ActReleaseWithheld, Outcome: Admit}}}, 1},
		{"what was answered at the desk frees nothing", []Frame{on(1)}, []Entry{{Lane: 1, Answer: &entry.Answer{Outcome: Admit, Ticket: 1}}}, 1},
		{"an arrival ends once", nil, []Entry{admit(1, 1), admit(1, 1)}, 1},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if wrong := Audit(c.frames, c.list); len(wrong) != c.wrong {
				t.Errorf("found %v", wrong)
			}
		})
	}
}
