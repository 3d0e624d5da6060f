package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
)

func stamp() entry.Stamp {
	return entry.Stamp{Mono: time.Second, Wall: time.UnixMilli(1663200000000), Clock: entry.ClockRTC}
}

// openJournal opens the journal in a directory for writing.
func openJournal(t *testing.T, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), journal.Options{Path: filepath.Join(dir, "journal.db"), Boot: entry.Boot{Version: "test"}, Now: stamp})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// admit appends an admission with a counter, measured by "wrist-" and it.
func admit(t *testing.T, j *journal.Journal, counter uint32) {
	t.Helper()
	if _, err := j.Append(t.Context(), journal.Draft{Kind: entry.KindArrival, Stamp: stamp(), Lane: 1, Body: entry.Arrival{
		Counter: counter, End: entry.EndDecided, Outcome: 1, Subject: 1042, Role: 1, Badge: []byte{0xAB, 0x01},
		Reading: &entry.Reading{Value: 36400, Peak: 36500, Instrument: fmt.Sprintf("wrist-%d", counter), Quality: 1, Samples: 3},
	}}); err != nil {
		t.Fatal(err)
	}
}

// filled is the configuration of a gate whose journal has a boot entry and n
// admissions.
func filled(t *testing.T, n uint32) (name string) {
	t.Helper()
	dir := shortDir(t)
	j := openJournal(t, dir)
	for i := range n {
		admit(t, j, i+1)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return configuration(t, dir)
}

func TestVerifyNamesSizeAndRoot(t *testing.T) {
	name := filled(t, 5)
	r, err := journal.OpenReadOnly(filepath.Join(filepath.Dir(name), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	head, err := r.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gatectl(t, "", "-config", name, "journal", "verify").want(t, 0, fmt.Sprintf("6 entries, root %x:", head.Root))
}

func TestVerifyOfAChangedFileFailsAndSaysWhere(t *testing.T) {
	name := filled(t, 5)
	file := filepath.Join(filepath.Dir(name), "journal.db")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(b, []byte("wrist-3")) != 1 {
		t.Fatal("the third admission does not stand in the file")
	}
	write(t, file, string(bytes.Replace(b, []byte("wrist-3"), []byte("wrist-4"), 1)))
	gatectl(t, "", "journal", "verify", "-file", file).want(t, exitFailed, "damaged", "entry 3")
}

func TestAJournalThatIsNotThereIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "journal.db")
	gatectl(t, "", "journal", "verify", "-file", file).want(t, exitFailed, file)
	if _, err := os.Stat(file); err == nil {
		t.Error("it was made")
	}
}

func TestExportWritesEveryEntryAsOneLine(t *testing.T) {
	c := gatectl(t, "", "-config", filled(t, 2), "journal", "export")
	c.want(t, 0)
	lines := strings.SplitAfter(strings.TrimSuffix(c.out, "\n"), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), c.out)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[2]), &got); err != nil {
		t.Fatal(err)
	}
	leaf, _ := got["Leaf"].(string)
	delete(got, "Leaf")
	want := map[string]any{
		"Seq": 2., "Kind": "arrival", "Boot": 0., "Mono": 1000., "Wall": "2022-09-15T00:00:00Z", "Clock": "rtc", "Lane": 1.,
		"Body": map[string]any{
			"Counter": 2., "Direction": 0., "End": 1., "Outcome": 1., "Subject": 1042., "Role": 1., "Rows": []any{}, "Policy": 0.,
			"Roster": 0., "Code": nil, "Staff": []any{}, "Badge": "ab01",
			"Reading": map[string]any{"Value": 36400., "Peak": 36500., "Ambient": 0., "Site": 0., "Instrument": "wrist-2",
				"Formula": "", "Quality": 1., "Samples": 3.},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	// The leaf alone gives the entry back.
	var raw []byte
	if _, err := fmt.Sscanf(leaf, "%x", &raw); err != nil {
		t.Fatal(err)
	}
	if e, err := entry.Unmarshal(raw); err != nil || e.Kind != entry.KindArrival {
		t.Errorf("leaf: %v, %v", e, err)
	}
}

func TestTailPrintsTheNewest(t *testing.T) {
	name := filled(t, 30)
	for _, c := range []struct {
		args        string
		first, rows int
	}{
		{"", 11, 20}, {"-n 2", 29, 2}, {"-n 1000", 0, 31}, {"-n 0", 31, 0},
	} {
		t.Run(c.args, func(t *testing.T) {
			args := append([]string{"-config", name, "journal", "tail"}, strings.Fields(c.args)...)
			got := gatectl(t, "", args...)
			if got.want(t, 0); strings.Count(got.out, "\n") != c.rows {
				t.Fatalf("%d lines, want %d", strings.Count(got.out, "\n"), c.rows)
			}
			if c.rows > 0 && !strings.HasPrefix(got.out, fmt.Sprintf(`{"Seq":%d,`, c.first)) {
				t.Errorf("begins with %.40s", got.out)
			}
		})
	}
}

func TestTailFollowsUntilItIsInterrupted(t *testing.T) {
	dir := shortDir(t)
	name := configuration(t, dir)
	j := openJournal(t, dir)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	read, written := io.Pipe()
	var stderr bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"-config", name, "journal", "tail", "-f"}, nil, written, &stderr)
		written.Close()
	}()
	out := json.NewDecoder(read)
	for seq, kind := range []string{"boot", "arrival", "arrival"} {
		if seq > 0 {
			admit(t, j, uint32(seq))
		}
		var l line
		if err := out.Decode(&l); err != nil || l.Seq != uint64(seq) || l.Kind != kind {
			t.Fatalf("got entry %d, %s, %v", l.Seq, l.Kind, err)
		}
	}
	interrupt()
	if err := out.Decode(&line{}); err != io.EOF {
		t.Errorf("after the interrupt: %v", err)
	}
	if got := <-code; got != 0 {
		t.Errorf("exit %d: %s", got, stderr.String())
	}
}
