package main

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/rig"
)

// dialogue is a terminal at which somebody waits for what is printed before
// typing.
type dialogue struct {
	mu   sync.Mutex
	text strings.Builder
	in   *io.PipeWriter
}

func (d *dialogue) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.Write(p)
}

func (d *dialogue) said() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text.String()
}

// see waits until something is printed.
func (d *dialogue) see(t *testing.T, part string) {
	t.Helper()
	limit, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(d.said(), part) {
		select {
		case <-limit.Done():
			t.Fatalf("%q is not printed:\n%s", part, d.said())
		case <-tick.C:
		}
	}
}

func (d *dialogue) enter(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(d.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) accept(t *testing.T) (d *dialogue, ended <-chan int) {
	t.Helper()
	r, w := io.Pipe()
	d = &dialogue{in: w}
	done := make(chan int, 1)
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	go func() { done <- run(ctx, []string{"-config", b.config, "accept"}, r, d, d) }()
	return d, done
}

func TestAnAcceptanceIsTakenStepByStepAtTheTerminal(t *testing.T) {
	b := start(t)
	pupils, staff := rig.People(1, 1)
	if err := b.Import(t.Context(), append(pupils, staff...)); err != nil {
		t.Fatal(err)
	}
	d, ended := b.accept(t)
	d.see(t, "who installs")
	d.enter(t, "王工")
	d.see(t, "witness")
	d.enter(t, "李校长")
	d.see(t, "[1/7] 刷一张名册里的卡")
	d.enter(t, "") // before the record shows it
	d.see(t, "not in the record yet")
	if !b.Scan(t.Context(), 1, pupils[0].Badge, 30*time.Second) {
		t.Fatal("the lane shows no arrival")
	}
	b.Lanes[0].Show(36.5, 21)
	d.see(t, "in the record 1/1   回车 Enter 下一步 next")
	d.enter(t, "")
	for i := range 6 {
		d.see(t, "["+string(rune('2'+i))+"/7]")
		d.enter(t, "s")
	}
	if code := <-ended; code != 0 || !strings.Contains(d.said(), "✓ 已验收") {
		t.Errorf("exit %d:\n%s", code, d.said())
	}
	b.call("", "doctor").want(t, exitFailed, "✓ 已验收")
}

func TestAnAcceptanceWithOneNoIsNone(t *testing.T) {
	b := start(t)
	d, ended := b.accept(t)
	for _, line := range []string{"王工", "李校长", "n", "s", "s", "s", "s", "s", "s"} {
		d.enter(t, line)
	}
	if code := <-ended; code != exitFailed || !strings.Contains(d.said(), "not accepted, and recorded") {
		t.Errorf("exit %d:\n%s", code, d.said())
	}
	b.call("", "doctor").want(t, exitFailed, "! 未验收", "$ gatectl accept")
}

func TestTwoNamesThatAreOneAreRefused(t *testing.T) {
	b := start(t)
	for rule, names := range map[string]string{"the same": "王工\n王工\n", "none": "\n\n"} {
		t.Run(rule, func(t *testing.T) {
			b.call(names, "accept").want(t, exitFailed, "two names")
		})
	}
}
