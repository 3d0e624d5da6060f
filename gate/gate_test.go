package gate

import (
	"context"
	"io/fs"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
)

// stillClock is a clock of best quality for tests that need none to move.
func stillClock() entry.Stamp {
	return entry.Stamp{Mono: time.Hour, Wall: time.Date(2020, 12, 7, 7, 0, 0, 0, time.UTC), Clock: entry.ClockSynced}
}

// build makes a gate of two lanes and its relay board, over a directory.
func build(t *testing.T, dir string, now func() entry.Stamp) (*Gate, *sim.RelayBoard) {
	t.Helper()
	text := "gate = \"test\"\ndata = \"" + dir + "\"\nsocket = \"" + filepath.Join(dir, "s") + "\"\nprofile = \"all-serial-2\"\n"
	cfg, err := config.Parse(config.File{Name: "gated.toml", Source: []byte(text)}, func(name string) (config.File, error) {
		source, err := fs.ReadFile(firmwareconfig.Profiles(), name+".toml")
		return config.File{Name: name, Source: source}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	w := sim.NewWorld()
	for _, c := range cfg.Board.Lanes {
		w.AddScanner(c.Scanner.Port)
		w.AddSerialThermometer(c.Thermometer.Port)
	}
	relay := w.AddRelayBoard("relay", 8)
	g, err := New(Options{Config: cfg, Opener: w, Now: now, Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return g, relay
}

// open gives a gate its journal and roster without running it.
func open(t *testing.T, g *Gate) {
	t.Helper()
	var err error
	dir := g.o.Config.Data
	g.journal, err = journal.Open(t.Context(), journal.Options{Path: filepath.Join(dir, "journal.db"), Boot: bootBody(g.o), Now: g.o.Now, Log: g.log})
	if err != nil {
		t.Fatal(err)
	}
	if g.roster, err = roster.Open(t.Context(), filepath.Join(dir, "roster.db"), g.log); err != nil {
		t.Fatal(err)
	}
	g.openDuty(t.Context())
}

// shut closes what open opened.
func shut(t *testing.T, g *Gate) {
	t.Helper()
	if err := g.journal.Close(); err != nil {
		t.Error(err)
	}
	if err := g.roster.Close(); err != nil {
		t.Error(err)
	}
}

// run runs a gate until the returned function is called, which hands on what
// Run returned.
func run(t *testing.T, g *Gate) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	limit, done := context.WithTimeout(ctx, 30*time.Second)
	defer done()
	if err := g.Alive(limit); err != nil {
		t.Errorf("gate does not open: %v", err)
	}
	return func() error {
		cancel()
		return <-ended
	}
}
