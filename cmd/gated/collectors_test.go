package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/sync/uplink"
)

const collectorKey = "ed25519:gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q="

// withCollector adds a collector that nobody answers for.
func withCollector(t *testing.T, name, key, password string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(f, "[[collector]]\nname = \"district\"\nurl = \"mqtt://127.0.0.1:1\"\nkey = %q\npassword_file = %q\n", key, password)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestACollectorWhoseKeyIsNoneIsAFaultOfTheConfiguration(t *testing.T) {
	name := configure(t, shortDir(t))
	withCollector(t, name, "ed25519:"+strings.Repeat("A", 43)+"=", "/nowhere")
	p := start(t, "-explain", "127.0.0.1:0", "-config", name)
	if page := p.page(http.StatusServiceUnavailable); !strings.Contains(page, "collector district") || !strings.Contains(page, "districtd key") {
		t.Errorf("page:\n%s", page)
	}
	p.stop()
}

func TestAGateRunsWithoutTheCollectorsPassword(t *testing.T) {
	dir := shortDir(t)
	name := configure(t, dir)
	withCollector(t, name, collectorKey, filepath.Join(dir, "password"))
	p := start(t, "-config", name)
	p.page(http.StatusOK)
	socket := filepath.Join(dir, "gated.sock")
	await(t, "the missing password is a problem", func() bool { return strings.Contains(status(t, socket), `"collector-refused"`) })
	if !strings.Contains(p.log.String(), "read password: open") {
		t.Error("the log does not say what is missing")
	}
	// What is put in place is taken without a restart.
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	await(t, "only the network is missing", func() bool { return strings.Contains(status(t, socket), `"broker-unreachable"`) })
	if strings.Contains(p.log.String(), "secret") {
		t.Error("the password is in the log")
	}
	p.stop()
}

func TestAPasswordIsOneLine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "password")
	for text, want := range map[string]string{
		"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", " spaces count \n": " spaces count ",
		"": "", "\n": "", strings.Repeat("x", maxPassword+1): "",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readPassword(name); got != want || (err == nil) != (want != "") {
			t.Errorf("%.20q is read as %q, %v", text, got, err)
		}
	}
}

func TestAWayThatIsNotEncryptedIsKnown(t *testing.T) {
	for url, want := range map[string]bool{"mqtts://broker.example": false, "mqtt://broker.example": true} {
		cfg := &config.Config{Gate: "east", Collectors: []config.Collector{{Name: "district", URL: url, Key: collectorKey, Insecure: true, CA: "/nowhere"}}}
		all, err := collectors(cfg, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil || len(all) != 1 || all[0].Insecure != want {
			t.Errorf("%s: %+v, %v", url, all, err)
		}
		if _, err := all[0].Transport.Connect(t.Context(), uplink.Message{}); !errors.Is(err, uplink.ErrRefused) || !strings.Contains(err.Error(), "certificate authority") {
			t.Errorf("without its authorities: %v", err)
		}
	}
}
