package e2e

import (
	"os"
	"testing"
	"time"
)

// Soon is how long a test waits for what takes milliseconds on a quiet machine.
const Soon = time.Minute

// How often a condition is looked at: often at first, and seldom when it takes
// long, for looking takes time from what is waited for.
const pollFirst, pollLast = 2 * time.Millisecond, 30 * time.Millisecond

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
	wait := pollFirst
	for end := time.Now().Add(limit); ; <-time.After(wait) {
		if cond() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		wait = min(wait+wait/8, pollLast)
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
