package rig_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/rig"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/web/guard"
)

// long is how long something may take on a machine that has too much to do.
const long = time.Minute

// TestAPowerCutKeepsWhatWasDurableAndNothingLater: the next gate begins with the
// very entries that there were, and nobody has stopped the one before.
func TestAPowerCutKeepsWhatWasDurableAndNothingLater(t *testing.T) {
	h := gatehouse(t)
	r := h.Rig()
	pupils, _ := rig.People(1, 40)
	if err := r.Import(t.Context(), pupils); err != nil {
		t.Fatal(err)
	}
	l := h.Lane(1)
	l.Empty(20)
	if !r.Scan(t.Context(), 1, pupils[0].Badge, long) {
		t.Fatal("nobody takes the badge")
	}
	l.Show(36.5, 20)
	if !r.Await(t.Context(), 1, long, func(l guard.Lane) bool { return l.Word == "go-in" }) {
		t.Fatal("nobody is admitted")
	}
	stream, err := http.Get(h.URL + "guard/events")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	before := entries(t, r)
	if err := h.PowerOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	if resp, err := http.Get(h.URL); err == nil {
		resp.Body.Close()
		t.Errorf("without power the pages answer %s", resp.Status)
	}
	if _, err := io.Copy(io.Discard, stream.Body); err == nil {
		t.Error("the page that was open was told that the gate ends")
	}
	dark := entries(t, r)
	if len(dark) < len(before) {
		t.Fatalf("%d entries were durable, %d are left", len(before), len(dark))
	}
	for i := range dark {
		if i < len(before) && string(dark[i].Bytes) != string(before[i].Bytes) {
			t.Fatalf("entry %d is another one", i)
		}
		if dark[i].Entry.Kind == entry.KindStop {
			t.Error("the gate had time to say that it stops")
		}
	}
	if err := h.PowerOn(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := entries(t, h.Rig())
	if len(after) <= len(dark) || after[len(dark)].Entry.Kind != entry.KindBoot {
		t.Errorf("after %d entries there are %d, and the next is no boot", len(dark), len(after))
	}
	if n := admits(after); n != 1 {
		t.Errorf("%d were admitted", n)
	}
	resp, err := http.Get(h.URL)
	if err != nil {
		t.Fatalf("the pages are not where they were: %v", err)
	}
	resp.Body.Close()
}

func admits(rows []journal.Row) (n int) {
	for _, row := range rows {
		var a entry.Arrival
		if row.Entry.Kind == entry.KindArrival && row.Entry.Decode(&a) == nil && a.Outcome == uint8(screening.Admit) {
			n++
		}
	}
	return n
}

// gatehouse runs a gate of one lane without collectors.
func gatehouse(t *testing.T) *rig.Gatehouse {
	t.Helper()
	dir, err := os.MkdirTemp("", "rig") // short: a socket's path has little room
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h, err := rig.NewGatehouse(rig.GatehouseOptions{
		Gate: "west", Profile: "all-serial", Dir: filepath.Join(dir, "west"), Web: web, Log: slog.New(slog.DiscardHandler),
		Failed: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := h.PowerOn(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

// entries returns what stands in a gate's journal.
func entries(t *testing.T, r *rig.Rig) (rows []journal.Row) {
	t.Helper()
	j, err := journal.OpenReadOnly(filepath.Join(r.Config.Data, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for row, err := range j.Rows(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}
