package gate

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/setup"
)

// tried is a gate whose acceptance has just begun.
func tried(t *testing.T, dir string) setupPage {
	t.Helper()
	crewed(t, dir)
	p := setupPage{opened(t, dir)}
	p.begin(t)
	return p
}

func (p setupPage) begin(t *testing.T) {
	t.Helper()
	if err := p.BeginAcceptance(t.Context(), "王工", "李校长"); err != nil {
		t.Fatal(err)
	}
}

// again is the gate after its process ended, as the directory has it.
func (p setupPage) again(t *testing.T) setupPage {
	t.Helper()
	dir := p.o.Config.Data
	shut(t, p.Gate)
	next := opened(t, dir)
	if err := next.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	next.acceptance.open()
	return setupPage{next}
}

// write stores entries as the gate would.
func (p setupPage) write(t *testing.T, bodies ...any) {
	t.Helper()
	for _, b := range bodies {
		if err := p.recorder.wait(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func (p setupPage) say(t *testing.T, step, word string) error {
	t.Helper()
	return p.SayAcceptance(t.Context(), step, word)
}

// skip goes on to a step.
func (p setupPage) skip(t *testing.T, to string) {
	t.Helper()
	for _, s := range acceptSteps() {
		if s.key == to {
			return
		}
		if err := p.say(t, s.key, setup.SaySkipped); err != nil {
			t.Fatal(err)
		}
	}
}

// step returns the one that is taken now.
func (p setupPage) step(t *testing.T) setup.Step {
	t.Helper()
	a, err := p.Accepting(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(a.Steps, func(s setup.Step) bool { return s.Now })
	if i < 0 {
		t.Fatalf("no step: %+v", a)
	}
	return a.Steps[i]
}

// What a step is about, as the journal has it.
func letInOnce() entry.Arrival {
	return entry.Arrival{End: entry.EndDecided, Outcome: uint8(screening.Admit), Subject: 1}
}

func measuredOnce() entry.Arrival {
	return entry.Arrival{End: entry.EndIncomplete, Reading: &entry.Reading{Value: 36_500, Quality: uint8(screening.Valid)}}
}

func scannerIs(event uint8) entry.Device {
	return entry.Device{Lane: 1, Role: lane.RoleScanner.String(), Event: event}
}

func TestEachStepIsShownByWhatItIsAbout(t *testing.T) {
	badQuality, noBadge := measuredOnce(), letInOnce()
	badQuality.Reading = &entry.Reading{Quality: uint8(screening.Scattered)}
	noBadge.Subject = 0
	isolated := entry.Arrival{End: entry.EndDecided, Outcome: uint8(screening.Isolate)}
	for step, c := range map[string]struct{ short, rest []any }{
		"badge":    {[]any{noBadge, isolated}, []any{letInOnce()}},
		"forehead": {[]any{measuredOnce(), measuredOnce(), badQuality}, []any{measuredOnce()}},
		"warm":     {[]any{letInOnce()}, []any{entry.Arrival{End: entry.EndOrphan}}},
		"cable":    {[]any{isolated}, []any{letInOnce()}},
		"scanner":  {[]any{scannerIs(entry.DeviceBack), scannerIs(entry.DeviceLost)}, []any{scannerIs(entry.DeviceBack)}},
		"heights":  {[]any{measuredOnce(), measuredOnce()}, []any{measuredOnce()}},
	} {
		t.Run(step, func(t *testing.T) {
			p := tried(t, t.TempDir())
			defer func() { shut(t, p.Gate) }()
			p.write(t, c.rest...) // before the step: it counts for another one
			p.skip(t, step)
			if step == "badge" {
				p.begin(t)
			}
			p.write(t, c.short...)
			word := setup.SayNext
			if s := p.step(t); s.Key != step || s.Shown() {
				t.Fatalf("shown too early: %+v", s)
			} else if s.Asks {
				word = setup.SayYes
			}
			if err := p.say(t, step, word); !errors.Is(err, setup.ErrNotSeen) {
				t.Errorf("said before it was shown: %v", err)
			}
			p.write(t, c.rest...)
			if s := p.step(t); !s.Shown() {
				t.Errorf("not shown: %+v", s)
			}
			if err := p.say(t, step, word); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOnlyAProcessThatDidNotEndCountsAsAPowerCut(t *testing.T) {
	p := tried(t, t.TempDir())
	defer func() { shut(t, p.Gate) }()
	p.skip(t, "power")
	p.write(t, entry.Stop{Reason: "signal"})
	p = p.again(t)
	if s := p.step(t); s.Key != "power" || s.Count != 0 {
		t.Errorf("a good end counts: %+v", s)
	}
	p.write(t, measuredOnce())
	p = p.again(t)
	if s := p.step(t); s.Key != "power" || !s.Shown() {
		t.Errorf("a power cut does not count: %+v", s)
	}
}

func TestAnAcceptancePassesOnlyWhereSomethingWasShownAndNothingRefused(t *testing.T) {
	for rule, c := range map[string]struct {
		first  string
		passed bool
	}{"shown": {setup.SayNext, true}, "nothing was tried": {setup.SaySkipped, false}, "one no": {setup.SayNo, false}} {
		t.Run(rule, func(t *testing.T) {
			p := tried(t, t.TempDir())
			defer func() { shut(t, p.Gate) }()
			p.write(t, letInOnce())
			for i, s := range acceptSteps() {
				word := setup.SaySkipped
				if i == 0 {
					word = c.first
				}
				if err := p.say(t, s.key, word); err != nil {
					t.Fatal(err)
				}
			}
			for _, when := range []string{"at once", "after a restart"} {
				a, err := p.Accepting(t.Context())
				if err != nil || a.Begun || a.Last == nil || a.Last.Passed != c.passed || p.acceptance.passed().IsZero() == c.passed {
					t.Errorf("%s: %+v, %v", when, a, err)
				}
				p = p.again(t)
			}
		})
	}
}

func TestTheEntryHasTheStepsAndNoName(t *testing.T) {
	p := tried(t, t.TempDir())
	defer func() { shut(t, p.Gate) }()
	p.write(t, letInOnce())
	if err := p.say(t, "badge", setup.SayNext); err != nil {
		t.Fatal(err)
	}
	for _, s := range acceptSteps()[1:] {
		if err := p.say(t, s.key, setup.SaySkipped); err != nil {
			t.Fatal(err)
		}
	}
	for row, err := range p.journal.Rows(t.Context(), p.journal.Head().Size-1) {
		var a entry.Answer
		if err != nil || row.Entry.Decode(&a) != nil || a.Act != entry.ActAccepted || a.Reason != "passed" {
			t.Fatalf("%+v, %v", a, err)
		}
		if !slices.Equal(a.Rows, []string{"badge:seen", "forehead:skipped", "warm:skipped", "cable:skipped", "scanner:skipped", "power:skipped", "heights:skipped"}) {
			t.Errorf("rows %q", a.Rows)
		}
		if bytes.Contains(row.Entry.Body, []byte("王工")) {
			t.Error("a name stands in the entry")
		}
		who, err := entry.ReadAccepted(row.Private)
		if err != nil || who.Installer != "王工" || who.Witness != "李校长" {
			t.Errorf("the blob is not read: %v", err)
		}
	}
	if _, err := os.Stat(filepath.Join(p.o.Config.Data, acceptFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still under way: %v", err)
	}
}

func TestWhoIsOnTheRosterAcceptsByNumber(t *testing.T) {
	p := tried(t, t.TempDir())
	defer func() { shut(t, p.Gate) }()
	teacher, _ := p.roster.Snapshot().ByID(teacherID)
	if got := p.acceptance.staff(trial{Installer: "王工", Witness: teacher.Name}); !slices.Equal(got, []uint64{teacherID}) {
		t.Errorf("got %d", got)
	}
}

func TestWordsThatDoNotFitChangeNothing(t *testing.T) {
	p := tried(t, t.TempDir())
	defer func() { shut(t, p.Gate) }()
	p.write(t, letInOnce())
	for rule, c := range map[string]struct {
		step, word string
		want       error
	}{
		"another step":        {"warm", setup.SaySkipped, setup.ErrStale},
		"no word":             {"badge", "maybe", setup.ErrStale},
		"a yes nobody asked":  {"badge", setup.SayYes, setup.ErrStale},
		"a step of no name":   {"", setup.SayNext, setup.ErrStale},
		"a word of the entry": {"badge", "seen", setup.ErrStale},
	} {
		if err := p.say(t, c.step, c.word); !errors.Is(err, c.want) || p.step(t).Key != "badge" {
			t.Errorf("%s: %v, at %+v", rule, err, p.step(t))
		}
	}
	for rule, names := range map[string][2]string{"one name": {"王工", ""}, "twice the same": {"王工", "王工"}, "no end": {strings.Repeat("x", 201), "y"}} {
		if err := p.BeginAcceptance(t.Context(), names[0], names[1]); !errors.Is(err, setup.ErrNames) {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func TestAnAcceptanceThatCannotBeReadIsBegunAgain(t *testing.T) {
	for rule, text := range map[string]string{"cut short": `{"Results":[`, "of another program": `{"Results":["seen","seen","seen","seen","seen","seen","seen","seen"]}`} {
		t.Run(rule, func(t *testing.T) {
			p := tried(t, t.TempDir())
			defer func() { shut(t, p.Gate) }()
			if err := os.WriteFile(filepath.Join(p.o.Config.Data, acceptFile), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			p = p.again(t)
			if a, err := p.Accepting(t.Context()); err != nil || a.Begun {
				t.Errorf("%+v, %v", a, err)
			}
			p.begin(t)
		})
	}
}
