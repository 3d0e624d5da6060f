package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

const (
	openPages = 50
	// openMost is what they may cost, in kB of memory. The garbage of what they are
	// sent counts, so that the test fails at a multiple.
	openMost = 10 << 10
	// comers is how many come in before the pages are opened, and again after.
	comers = 30
)

// TestFiftyOpenPagesCostLittleAndHoldNoLane opens as many pages as no school has,
// and one more that takes nothing of what it is sent, in the middle of a
// morning.
func TestFiftyOpenPagesCostLittleAndHoldNoLane(t *testing.T) {
	Long(t)
	b := NewBench(t, Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond})
	g := b.Run()
	b.Enrol(2 * comers)
	g.StopCleanly()
	g = b.Run() // without what the roster's import and the PIN took
	began := time.Now()
	letIn(b, 1, comers)
	alone := time.Since(began)
	before, p := g.resident(t), g.visitor()
	var heard []func() int
	for range openPages {
		heard = append(heard, p.follow(t))
	}
	g.deaf(t)
	began = time.Now()
	letIn(b, comers+1, 2*comers)
	t.Logf("%d arrivals took %v with %d pages open and %v without", comers, time.Since(began).Round(time.Millisecond), openPages, alone.Round(time.Millisecond))
	for i, beats := range heard {
		Await(t, Soon, fmt.Sprintf("page %d hears the gate", i), func() bool { return beats() > 0 })
	}
	cost := g.resident(t) - before
	t.Logf("%d pages cost %d kB, goal %d", openPages, cost, openMost)
	if cost > 2*openMost {
		t.Errorf("%d kB are over twice the goal", cost)
	}
	g.StopCleanly()
	b.MustAudit()
}

// deaf opens a page that reads nothing.
func (g *Gate) deaf(t *testing.T) {
	t.Helper()
	address := strings.TrimPrefix(g.url(""), "http://")
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := fmt.Fprintf(c, "GET /guard/events HTTP/1.1\r\nHost: %s\r\n\r\n", address); err != nil {
		t.Fatal(err)
	}
}
