package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// rosters returns what the journal says of the roster's versions.
func (b *bench) rosters(t *testing.T) (said []string) {
	t.Helper()
	c := b.call("", "journal", "export")
	c.want(t, 0)
	for l := range strings.Lines(c.out) {
		var e struct {
			Kind string
			Body json.RawMessage
		}
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Fatal(err)
		}
		if e.Kind != "roster" {
			continue
		}
		var r struct {
			Version, Added, Changed, Left uint32
			By                            string
		}
		if err := json.Unmarshal(e.Body, &r); err != nil {
			t.Fatal(err)
		}
		said = append(said, fmt.Sprintf("%d: +%d ~%d -%d by %s", r.Version, r.Added, r.Changed, r.Left, r.By))
	}
	return said
}

func TestEveryChangeOfTheRosterIsAnEntry(t *testing.T) {
	b := start(t)
	b.call("", "roster", "import", b.list(40)).want(t, 0)
	b.call("", "roster", "import", "-preview", b.list(39)).want(t, 0)
	b.call("", "roster", "import", b.list(10)).want(t, exitFailed)
	b.call("", "roster", "import", b.list(39)).want(t, 0)
	b.call("", "roster", "undo").want(t, 0)
	want := []string{"1: +42 ~0 -0 by gatectl", "2: +0 ~0 -1 by gatectl", "3: +1 ~0 -0 by gatectl"}
	var got []string
	for limit := time.After(30 * time.Second); !slices.Equal(got, want); got = b.rosters(t) {
		select {
		case <-limit:
			t.Fatalf("the journal says %q, want %q", got, want)
		case <-time.After(10 * time.Millisecond): // an entry follows its answer
		}
	}
	b.call("", "journal", "verify").want(t, 0, "every leaf and every hash")
}
