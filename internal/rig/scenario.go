package rig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/txtar"
)

// Scenario is one file: what must hold, in prose, and the section "script",
// one step a line. The section "profile" names another board than
// all-serial-2. An empty line or one with a # in front is no step. The section
// "preset" names the policy in force from the beginning, or "rows" has the rows
// and windows of one that asks for badge and temperature beside them, as a
// policy file has them. The section "roster" says what the roster knows of
// somebody, one a line, with ages in place of times:
//
//	WHO grade=WORD boarding=day household=bad star=ok@-24h tests=-20h;+-2h documents=NAME@-1h
//	WHO guardian1=NAME phone1=DIGITS
//
// The section "board" names the profile of the board in the isolation room, which
// follows the gate. A section whose name ends in .toml is a policy or a calendar
// that a step loads.
//
// People are A, B, C and D, pupils; Y and R, pupils of whom the roster knows
// yellow and red; S, staff with a green; T, staff without; G, a guard with a
// PIN and every other duty. X is a badge that nobody has, and Q a code that is no badge.
//
//	scan LANE WHO              WHO holds the badge before the scanner
//	see LANE CELSIUS           somebody stands before the lens
//	ambient LANE CELSIUS       the air around it
//	empty LANE                 nobody does
//	presence LANE on|off       the presence input
//	push LANE|room             a button, pressed and let go
//	sensor LANE FAULT          sound, nak, check, frozen or hot
//	unplug NAME, plug NAME     a port, a pin, thermometer-LANE, or the board's
//	                           cable, which is called board
//	sign-on, sign-off          the guard, at the page
//	post PATH KEY=VALUE ...    the guard sends a form; {WHO} is a roster number,
//	                           {case} and {version} those of the newest case,
//	                           {arrival} the newest arrival,
//	                           {undo} the guard's newest act that may be taken back,
//	                           {hold} the version of the first hold in the desk's list
//	press LANE ACT ...         the guard answers the stop in the lane
//	ticket NUMBER ACT ...      the guard answers one that was set aside
//	silence                    the guard answers the oldest alarm
//	silence board              the nurse answers the oldest alarm at the board
//	order LANE PRESET NUMBER [threshold=CELSIUS] [stranger]
//	                           a policy order on paper before the scanner
//	load policy|calendar FILE [stranger|unsigned]
//	                           gatectl brings it, signed by whom the gate trusts
//	refused STEP               the step must be refused
//	clock step DURATION        wall time jumps
//	clock at [DATE] HH:MM      to that time of the day
//	clock unset|rtc|synced     how far it is trusted
//	wait DURATION              time passes
//	until on LANE              time passes until the barrier's relay is on
//	restart                    the gate ends in good order and starts again; at the
//	                           page nobody is signed on then
//	expect on|no-on LANE       the barrier went on once, or never, since last asked
//	expect barrier|red|green LANE on|off, expect beacon on|off
//	expect entry WORDS         the next entry about an arrival begins so
//	expect no entry            there is none
//	expect note WORDS          a later entry about anything else begins so
//	expect no-note WORDS       none has since the one that was expected last
//	expect page|no-page PATH WORDS
//	                           the page says so, in Chinese and without markup
//	expect board on|off|blinks the board's beacon, in the last ten seconds
//	expect board rings|missed NUMBER
//	                           so many alarms are open at the board, or were
//	                           answered while it was cut off
//
// An ACT is aside, acknowledge, turn-away, green, yellow, red, printed, pop-up,
// "look ROW yes|no", "note no-mask|symptoms" or "type CELSIUS INSTRUMENT". Every entry about an arrival must be expected, in
// order, or the scenario fails.
type Scenario struct {
	Name, Profile string
	preset, rows  string
	board         string // profile of the isolation room's board; empty for none
	roster        []string
	files         map[string][]byte // policies and calendars by their name
	steps         []step
}

type step struct {
	line  int // in the script, from 1
	words []string
}

// ParseScenario reads a scenario in the txtar format.
func ParseScenario(name string, text []byte) (Scenario, error) {
	s := Scenario{Name: name, Profile: "all-serial-2", files: map[string][]byte{}}
	a := txtar.Parse(text)
	if strings.TrimSpace(string(a.Comment)) == "" {
		return s, fmt.Errorf("scenario %s does not say what must hold", name)
	}
	for _, f := range a.Files {
		switch f.Name {
		case "profile":
			s.Profile = strings.TrimSpace(string(f.Data))
		case "preset":
			s.preset = strings.TrimSpace(string(f.Data))
		case "rows":
			s.rows = string(f.Data)
		case "board":
			s.board = strings.TrimSpace(string(f.Data))
		case "roster":
			s.roster = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
		case "script":
			for i, line := range strings.Split(string(f.Data), "\n") {
				line, _, _ = strings.Cut(line, "#")
				if words := strings.Fields(line); len(words) > 0 {
					s.steps = append(s.steps, step{i + 1, words})
				}
			}
		default:
			if !strings.HasSuffix(f.Name, ".toml") {
				return s, fmt.Errorf("scenario %s has a section %q that means nothing", name, f.Name)
			}
			s.files[f.Name] = f.Data
		}
	}
	for file := range s.files {
		if !slices.ContainsFunc(s.steps, func(x step) bool { return slices.Contains(x.words, "load") && slices.Contains(x.words, file) }) {
			return s, fmt.Errorf("scenario %s loads %s nowhere", name, file)
		}
	}
	if len(s.steps) == 0 {
		return s, fmt.Errorf("scenario %s has no script", name)
	}
	return s, nil
}

// PlayOptions say where a scenario is played.
type PlayOptions struct {
	// Dir is empty and takes the gate's data.
	Dir string
	// Profiles holds further profiles; nil for none.
	Profiles fs.FS
	// Settle returns when the gate has done what it can do at this moment. In
	// a testing/synctest bubble that is synctest.Wait.
	Settle func()
	Log    *slog.Logger
}

// Play plays a scenario and then checks what must hold of every one.
func (s Scenario) Play(ctx context.Context, o PlayOptions) (err error) {
	st, err := newStage(ctx, s, o)
	if err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	darken := st.board.run(ctx)
	if err = st.start(ctx); err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, errors.Join(err, darken()))
	}
	for _, step := range s.steps {
		if err = st.do(ctx, step.words); err != nil {
			err = fmt.Errorf("scenario %s: line %d: %s: %w", s.Name, step.line, strings.Join(step.words, " "), err)
			break
		}
	}
	stopErr := errors.Join(darken(), st.stop())
	if err != nil {
		return errors.Join(err, stopErr, st.told())
	}
	if err = errors.Join(stopErr, st.allExpected(), st.check(ctx)); err != nil {
		return fmt.Errorf("scenario %s: %w", s.Name, errors.Join(err, st.told()))
	}
	return nil
}

// errUsage is a step that means nothing.
var errUsage = errors.New("this step means nothing")

// do carries out one step.
func (st *stage) do(ctx context.Context, words []string) error {
	defer st.settle()
	verb, args := words[0], words[1:]
	switch verb {
	case "refused":
		if len(args) == 0 {
			return errUsage
		}
		if err := st.do(ctx, args); err == nil || errors.Is(err, errUsage) {
			return errors.Join(errors.New("was not refused"), err)
		}
		return nil
	case "wait":
		d, err := duration(args)
		if err != nil {
			return err
		}
		return sleep(ctx, d)
	case "until":
		return st.until(ctx, args)
	case "restart":
		return st.again(ctx)
	case "clock":
		return st.setClock(args)
	case "expect":
		return st.expect(ctx, args)
	case "load":
		return st.load(ctx, args)
	case "order":
		return st.order(args)
	case "sign-on", "sign-off":
		return st.sign(ctx, verb)
	case "post":
		return st.post(ctx, args)
	case "press", "ticket", "silence":
		return st.press(ctx, verb, args)
	case "unplug", "plug":
		return st.plug(verb, args)
	}
	return st.hands(verb, args)
}

// plug pulls a plug, or puts it back.
func (st *stage) plug(verb string, args []string) error {
	if len(args) != 1 || st.hw.parts[args[0]] == nil {
		return errUsage
	}
	if verb == "plug" {
		st.hw.parts[args[0]].Plug()
	} else {
		st.hw.parts[args[0]].Unplug()
	}
	return nil
}

// until lets time pass until a barrier's relay is on.
func (st *stage) until(ctx context.Context, args []string) error {
	if len(args) != 2 || args[0] != "on" {
		return errUsage
	}
	l, err := st.lane(args[1])
	if err != nil || l.Config.Barrier == nil {
		return errUsage
	}
	for range 1000 {
		if st.hw.On(l.Config.Barrier.Channel) {
			return nil
		}
		if err := sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
		st.settle()
	}
	return errors.New("it did not go on within 10 s")
}

func duration(args []string) (time.Duration, error) {
	if len(args) != 1 {
		return 0, errUsage
	}
	return time.ParseDuration(args[0])
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// empty says that a directory holds nothing yet.
func empty(dir string) error {
	list, err := os.ReadDir(dir)
	if err == nil && len(list) > 0 {
		err = fmt.Errorf("%s is not empty", dir)
	}
	return err
}
