package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/rig"
)

// said is what a program has printed so far.
type said struct {
	mu    sync.Mutex
	text  bytes.Buffer
	wrote chan struct{} // ticks after a write
}

func newSaid() *said { return &said{wrote: make(chan struct{}, 1)} }

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.wrote <- struct{}{}:
	default:
	}
	return s.text.Write(p)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until a pattern was printed and returns what its groups match.
func (s *said) await(t *testing.T, pattern string) []string {
	t.Helper()
	limit := time.After(time.Minute)
	for re := regexp.MustCompile(pattern); ; {
		if found := re.FindStringSubmatch(s.String()); found != nil {
			return found[1:]
		}
		select {
		case <-s.wrote:
		case <-limit:
			t.Fatalf("never printed %q:\n%s", pattern, s)
		}
	}
}

func TestDemoSaysWhereToLookAndEndsWhenInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, stderr, code := newSaid(), newSaid(), make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"demo", "--seed", "7", "--speed", "1000", "--pupils", "20", "--listen", "127.0.0.1:0"}, out, stderr)
	}()
	url := out.await(t, `guard's page   (http://127\.0\.0\.1:\d+/)`)[0]
	out.await(t, `badge \d{16}   PIN `+demoPIN)
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(page, []byte("门神示范小学")) {
		t.Errorf("page answers %s, %v:\n%s", resp.Status, err, page)
	}
	interrupt()
	if got := <-code; got != 0 || stderr.String() != "" {
		t.Errorf("exit %d: %s", got, stderr)
	}
}

func TestDemoInterruptedAtOnceIsNoFailure(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	stderr := newSaid()
	if got := run(ctx, []string{"demo", "--pupils", "20", "--listen", "127.0.0.1:0"}, io.Discard, stderr); got != 0 {
		t.Errorf("exit %d: %s", got, stderr)
	}
}

func TestWrongCallsAreRefusedWithTheUsage(t *testing.T) {
	for _, args := range [][]string{
		{}, {"play"}, {"demo", "--pupils", "19"}, {"demo", "--pupils", "5001"}, {"demo", "--speed", "0"},
		{"demo", "--speed", "NaN"}, {"demo", "--speed", "1001"}, {"demo", "--seed", "-1"}, {"demo", "now"},
	} {
		stderr := newSaid()
		if got := run(t.Context(), args, io.Discard, stderr); got != exitUsage || strings.Count(stderr.String(), usage) != 1 {
			t.Errorf("%q: exit %d:\n%s", args, got, stderr)
		}
	}
	stderr := newSaid()
	if got := run(t.Context(), []string{"demo", "-h"}, io.Discard, stderr); got != 0 || stderr.String() != usage {
		t.Errorf("-h: exit %d:\n%s", got, stderr)
	}
}

func TestTheSameSeedGivesTheSameMorning(t *testing.T) {
	morning := func(seed uint64) string {
		people := rig.People(seed, 400)
		return fmt.Sprint(people, visits(seed, 1, people[:400]), visits(seed, 2, people[:400]))
	}
	first := morning(3)
	if again := morning(3); again != first {
		t.Error("seed 3 gives two mornings")
	}
	if morning(4) == first {
		t.Error("seeds 3 and 4 give one morning")
	}
	people := rig.People(3, 40)
	if slices.Equal(visits(3, 1, people), visits(3, 2, people)) {
		t.Error("both lanes see the same")
	}
}

func TestAMorningHasEverythingThatThereIsToTry(t *testing.T) {
	seen := map[string]int{}
	for _, v := range visits(1, 2, rig.People(1, 400)[:200]) {
		seen[v.what]++
		if v.pulled {
			seen["pulled"]++
		}
		if v.forehead >= 37.3 && v.what != "37.6" {
			t.Errorf("%.2f by chance", v.forehead)
		}
	}
	for _, what := range []string{"", "an unknown badge", "scans and runs on", "37.6", "a cold forehead, then warm", "pulled"} {
		if seen[what] == 0 {
			t.Errorf("no visit is %q", what)
		}
	}
}
