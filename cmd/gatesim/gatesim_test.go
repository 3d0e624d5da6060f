package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
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
// ended is what ends without it.
func (s *said) await(t *testing.T, pattern string, ended <-chan struct{}) []string {
	t.Helper()
	limit := time.After(5 * time.Minute)
	for re := regexp.MustCompile(pattern); ; {
		if found := re.FindStringSubmatch(s.String()); found != nil {
			return found[1:]
		}
		select {
		case <-s.wrote:
			continue
		case <-ended:
		case <-limit:
		}
		if re.MatchString(s.String()) {
			continue
		}
		t.Fatalf("never printed %q:\n%s", pattern, s)
	}
}

// alone makes a directory for what is temporary, so that what is left in it is
// the demonstration's.
func alone(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "demo") // short: a socket's path has little room
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("TMPDIR", dir)
	return dir
}

func TestDemoSaysWhereToLookAndLeavesNothingBehind(t *testing.T) {
	dir := alone(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, stderr, code, ended := newSaid(), newSaid(), 0, make(chan struct{})
	go func() {
		defer close(ended)
		code = run(ctx, []string{"demo", "--seed", "7", "--speed", "1000", "--pupils", "40", "--listen", "127.0.0.1:0"}, out, stderr)
	}()
	for _, page := range []string{"东门 east", "西门 west", "学校 school", "区里 district"} {
		url := out.await(t, page+`.*http://[a-z0-9.]+:(\d+)/`, ended)[0]
		resp, err := http.Get("http://127.0.0.1:" + url + "/")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(text, []byte("<main")) {
			t.Errorf("%s answers %s, %v:\n%s", page, resp.Status, err, text)
		}
	}
	for _, who := range []string{"保卫 guard", "值班桌 desk", "校医 nurse", "值班领导 leader"} {
		out.await(t, who+` +\d{16} +`+demoPIN, ended)
	}
	interrupt()
	<-ended
	if code != 0 || stderr.String() != "" {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestDemoInterruptedAtOnceIsNoFailure(t *testing.T) {
	dir := alone(t)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	stderr := newSaid()
	if got := run(ctx, []string{"demo", "--pupils", "40", "--listen", "127.0.0.1:0"}, io.Discard, stderr); got != 0 {
		t.Errorf("exit %d: %s", got, stderr)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAPortThatIsTakenNamesTheFlag(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	stderr := newSaid()
	got := run(t.Context(), []string{"demo", "--listen", taken.Addr().String()}, io.Discard, stderr)
	if got != exitFailed || !strings.Contains(stderr.String(), "--listen") {
		t.Errorf("exit %d: %s", got, stderr)
	}
}

func TestPagesOfOneMachineHaveANameEach(t *testing.T) {
	web, err := listenAll("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer web.close()
	names := map[string]bool{}
	for _, url := range web.urls() {
		host, _, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
		names[host] = true
	}
	if len(names) != len(web) {
		t.Errorf("browsers would mix up the sessions of %v", web.urls())
	}
}

func TestWrongCallsAreRefusedWithTheUsage(t *testing.T) {
	for _, args := range [][]string{
		{}, {"play"}, {"demo", "--pupils", "39"}, {"demo", "--pupils", "5001"}, {"demo", "--speed", "0"},
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
	for _, listen := range []string{"8630", "127.0.0.1:65533", "127.0.0.1:http"} {
		stderr := newSaid()
		if got := run(t.Context(), []string{"demo", "--listen", listen}, io.Discard, stderr); got != exitFailed || !strings.Contains(stderr.String(), "--listen") {
			t.Errorf("--listen %s: exit %d: %s", listen, got, stderr)
		}
	}
}

func TestTheSameSeedGivesTheSameMorning(t *testing.T) {
	morning := func(seed uint64) string {
		pupils, staff := rig.People(seed, 400)
		c := assign(pupils, staff)
		return fmt.Sprint(c, visits(seed, 1, c.crowd), visits(seed, 2, c.crowd))
	}
	first := morning(3)
	if again := morning(3); again != first {
		t.Error("seed 3 gives two mornings")
	}
	if morning(4) == first {
		t.Error("seeds 3 and 4 give one morning")
	}
	pupils, _ := rig.People(3, 40)
	if slices.Equal(visits(3, 1, pupils), visits(3, 2, pupils)) {
		t.Error("both lanes see the same")
	}
}

func TestTheCrowdHasEverythingThatThereIsToTry(t *testing.T) {
	seen := map[string]int{}
	pupils, _ := rig.People(1, 400)
	for _, v := range visits(1, 2, pupils[:200]) {
		seen[v.en]++
		if v.tries > 0 {
			seen["a cold forehead"]++
		}
		if v.forehead >= 37.3 {
			t.Errorf("%.2f by chance", v.forehead)
		}
	}
	for _, what := range []string{"", "an unknown badge", "scans and runs on", "a cold forehead"} {
		if seen[what] == 0 {
			t.Errorf("no visit is %q", what)
		}
	}
}

func TestEveryPartIsPlayedBySomebodyElse(t *testing.T) {
	for _, pupils := range []int{40, 41, 400, 5000} {
		c := assign(rig.People(1, pupils))
		players := append([]rig.Person{c.rider, c.colder, c.warm, c.feverish, c.held, c.offline, c.late, c.after, c.you, c.desk, c.nurse, c.leader, c.east, c.west, c.relief}, c.forgetful[:]...)
		seen := map[string]bool{"": true}
		for _, p := range append(players, c.crowd...) {
			if seen[p.Number] {
				t.Fatalf("%d pupils: %q has two parts, or a part has nobody", pupils, p.Number)
			}
			seen[p.Number] = true
		}
		if len(seen) != 1+pupils+7 {
			t.Errorf("%d pupils: %d people", pupils, len(seen)-1)
		}
	}
}

func TestScenesCanBeSeenWithinThreeMinutes(t *testing.T) {
	list := scenes()
	for i := 1; i < len(list); i++ {
		if list[i].at <= list[i-1].at {
			t.Errorf("%q is before what it follows", list[i].en)
		}
	}
	s := script{speed: 10}
	if last := s.lasts(list[len(list)-1].at - list[0].at); last > 3*time.Minute {
		t.Errorf("the last scene begins after %v", last)
	}
}
