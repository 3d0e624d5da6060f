package e2e

import (
	"os"
	"testing"
	"time"
)

// Soon is how long a test waits for what takes milliseconds on a quiet machine.
const Soon = 20 * time.Second

// pollEvery is how often a condition is looked at.
const pollEvery = 2 * time.Millisecond

// Await waits until cond holds, and fails the test when it does not within
// limit.
func Await(t testing.TB, limit time.Duration, what string, cond func() bool) {
	t.Helper()
	if !Poll(limit, cond) {
		t.Fatalf("not within %v: %s", limit, what)
	}
}

// Poll reports whether cond held within limit.
func Poll(limit time.Duration, cond func() bool) bool {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for end := time.Now().Add(limit); ; <-tick.C {
		if cond() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// Long marks a test that takes minutes: it is left out, and listed, where only
// a quick answer is wanted.
func Long(t testing.TB) {
	t.Helper()
	if os.Getenv("MENSHEN_FULL") == "" {
		t.Skip("takes minutes: make test-full runs it")
	}
}
