package e2e_test

import (
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	_ "github.com/mattn/go-sqlite3" // the driver of the store's file

	"github.com/menshen/menshen/internal/e2e"
	"github.com/menshen/menshen/sync/wire"
)

func TestACollectorWithAFullDiskAcknowledgesNothing(t *testing.T) {
	data := e2e.Memory(t, 8<<20)
	m := e2e.NewMosquitto(t, e2e.GateName)
	d := e2e.NewDistrict(t, e2e.DistrictSetup{Mosquitto: m, Data: data})
	key, err := wire.ParsePublicKey(d.Tool("key"))
	must(t, err)
	w := watch(t, m.Options(e2e.WitnessName, "menshen/v1/+/down/have"), key)
	b := prepared(t, e2e.Setup{}, 2, 500, d)
	g := b.Run()
	before := d.AwaitWhole(b, e2e.Soon).Head.Size
	g.StopCleanly()

	filler := filepath.Join(data, "filler")
	if err := os.WriteFile(filler, make([]byte, 16<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	const backlog = 10_000
	b.Backlog(backlog)
	g = b.Run()
	e2e.Await(t, e2e.Soon, "the collector says that it stores nothing", func() bool {
		return strings.Contains(d.Said(), "message not dealt with")
	})
	b.Lane(1).Admit(1) // at the gate nobody notices
	if size := d.Size(e2e.GateName); w.acknowledged() > size || size >= before+backlog {
		t.Errorf("%d entries acknowledged, %d stored on a full disk", w.acknowledged(), size)
	}
	if !d.Alive() {
		t.Fatal("the collector ended")
	}
	must(t, os.Remove(filler))
	c := d.AwaitWhole(b, 2*e2e.Soon)
	asRecorded(t, b, c)
	w.check(t, c)
	noOns(t, b, g, 1, 0)
}

func TestAStoreOfANewerVersionIsRefused(t *testing.T) {
	d := e2e.NewDistrict(t, e2e.DistrictSetup{})
	d.Kill()
	file := url.URL{Scheme: "file", Path: filepath.Join(d.Data, "district.db")}
	db, err := sql.Open("sqlite3", file.String())
	must(t, err)
	_, err = db.ExecContext(t.Context(), "PRAGMA user_version = 99")
	must(t, errors.Join(err, db.Close()))
	d.Start()
	if code := d.ExitCode(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, words := range []string{"schema version 99, this program knows ", ": store written by a newer program"} {
		if !strings.Contains(d.Said(), words) {
			t.Errorf("districtd does not say %q", words)
		}
	}
}
