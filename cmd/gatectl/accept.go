package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/setup"
)

// acceptLook is how often the gate is asked whether its record shows the step.
const acceptLook = time.Second

// accept guides through the acceptance of the gate where it stands. One that is
// under way goes on where it was, after a power cut too.
func (t *tool) accept(ctx context.Context, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	in := typed(ctx, t.stdin)
	a, err := t.accepting(ctx)
	if err != nil {
		return err
	}
	if !a.Begun {
		if err := t.beginAcceptance(ctx, in); err != nil {
			return err
		}
	}
	shown := ""
	for {
		a, err := t.accepting(ctx)
		switch {
		case errors.Is(err, errNoGate): // a step stops it
		case err != nil:
			return err
		case !a.Begun:
			return t.accepted(a)
		default:
			step := present(a)
			if line := ask(a, step); line != shown {
				shown = line
				fmt.Fprintln(t.stdout, line)
			}
		}
		select {
		case <-ctx.Done():
			fmt.Fprintln(t.stderr, "停在这里,再打 gatectl accept 接着做 · stopped here; gatectl accept goes on")
			return nil
		case <-time.After(acceptLook):
		case word, ok := <-in:
			if !ok {
				return errors.New("standard input has ended: 'gatectl accept' goes on where it was")
			}
			if err := t.say(ctx, word, a); err != nil {
				return err
			}
			shown = ""
		}
	}
}

// typed hands on every line that is typed, until there is none or nobody waits.
func typed(ctx context.Context, r io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(io.LimitReader(r, 64<<10)); s.Scan(); {
			select {
			case lines <- strings.TrimSpace(s.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}

func (t *tool) accepting(ctx context.Context) (a setup.Acceptance, err error) {
	err = t.ask(ctx, http.MethodGet, "/v1/acceptance", nil, &a)
	return a, err
}

func (t *tool) beginAcceptance(ctx context.Context, in <-chan string) error {
	var names gate.AcceptanceNames
	for _, one := range []struct {
		prompt string
		to     *string
	}{{"安装人 · who installs: ", &names.Installer}, {"学校见证人 · the school's witness: ", &names.Witness}} {
		fmt.Fprint(t.stderr, one.prompt)
		select {
		case *one.to = <-in:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return t.post(ctx, "/v1/acceptance", names)
}

// present returns the step that is taken now, nil where there is none.
func present(a setup.Acceptance) *setup.Step {
	for i := range a.Steps {
		if a.Steps[i].Now {
			return &a.Steps[i]
		}
	}
	return nil
}

// ask is what is printed about a step: what to do, how much of it the record
// shows, and what may be typed.
func ask(a setup.Acceptance, s *setup.Step) string {
	if s == nil {
		return ""
	}
	number := 1
	for _, x := range a.Steps {
		if x.Result != "" {
			number++
		}
	}
	keys := "n 不是 no · s 这里没有 not here"
	switch {
	case s.Shown() && s.Asks:
		keys = "y 是 yes · " + keys
	case s.Shown():
		keys = "回车 Enter 下一步 next · " + keys
	}
	return fmt.Sprintf("[%d/%d] %s\n      %s\n      记录里 in the record %d/%d   %s",
		number, len(a.Steps), web.Chinese.Text("accept."+s.Key), web.English.Text("accept."+s.Key), s.Count, s.Of, keys)
}

// say hands on what was typed about the present step.
func (t *tool) say(ctx context.Context, typed string, a setup.Acceptance) error {
	step := present(a)
	if step == nil {
		return nil
	}
	word, ok := map[string]string{"y": setup.SayYes, "n": setup.SayNo, "s": setup.SaySkipped, "": setup.SayNext}[strings.ToLower(typed)]
	if !ok || word == setup.SayYes && !step.Asks || word == setup.SayNext && step.Asks {
		return nil // the step is asked about again
	}
	err := t.post(ctx, "/v1/acceptance/step", gate.AcceptanceWord{Step: step.Key, Word: word})
	if err != nil && err.Error() == setup.ErrNotSeen.Error() { // it came over the socket as text
		fmt.Fprintln(t.stdout, "记录里还没有 · not in the record yet")
		return nil
	}
	return err
}

// accepted says how it ended; one that failed is an error.
func (t *tool) accepted(a setup.Acceptance) error {
	if a.Last == nil || !a.Last.Passed {
		return errors.New("验收未通过,已记入记录:改好后再验收一次 / not accepted, and recorded: mend it and accept again")
	}
	fmt.Fprintf(t.stdout, "✓ 已验收,已记入记录 · accepted, and recorded, %s\n", a.Last.At.Format("2006-01-02 15:04"))
	return nil
}
