package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configureBoard writes a gated.toml for the board of an isolation room in dir,
// which follows a gate that nobody answers for, and returns its name.
func configureBoard(t *testing.T, dir, key string) string {
	t.Helper()
	text := fmt.Sprintf("gate = \"room\"\ndata = %q\nsocket = %q\nprofile = \"isolation-room\"\nlanguage = \"en\"\n[web]\nlisten = \"127.0.0.1:0\"\n[ports]\nrelay = %q\n"+
		"[[follow]]\ngate = \"east\"\naddress = \"127.0.0.1:1\"\nkey = %q\n", filepath.Join(dir, "data"), filepath.Join(dir, "gated.sock"), filepath.Join(dir, "relay"), key)
	name := filepath.Join(dir, "gated.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestABoardRunsWithoutItsGateAndWithoutItsLamp(t *testing.T) {
	dir := shortDir(t)
	p := start(t, "-config", configureBoard(t, dir, collectorKey))
	if page := p.page(http.StatusOK); !strings.Contains(page, "Isolation room board") {
		t.Errorf("page:\n%s", page)
	}
	socket := filepath.Join(dir, "gated.sock")
	await(t, "the gate is lost", func() bool { return strings.Contains(status(t, socket), "Lost “east” since") })
	if s := status(t, socket); !strings.Contains(s, "Beacon or buzzer not there") || !strings.Contains(s, `"Gate":"room"`) {
		t.Errorf("status %s", s)
	}
	first := boardKey(t, socket)
	p.stop()
	again := start(t, "-config", configureBoard(t, dir, collectorKey))
	again.url()
	if key := boardKey(t, socket); key != first || !strings.Contains(key, "ed25519:") {
		t.Errorf("the key was %s and is %s", first, key)
	}
	again.stop()
	if _, err := os.Stat(filepath.Join(dir, "data", "board.json")); err != nil {
		t.Errorf("nothing is kept: %v", err)
	}
}

// boardKey asks a board for its key as gatectl does.
func boardKey(t *testing.T, socket string) string {
	t.Helper()
	client := &http.Client{Timeout: soon, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	resp, err := client.Get("http://board/v1/key")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b := make([]byte, 200)
	n, _ := resp.Body.Read(b)
	return string(b[:n])
}

func TestAKeyOfABoardOrAGateThatIsNoneIsAFaultOfTheConfiguration(t *testing.T) {
	none := "ed25519:" + strings.Repeat("A", 43) + "="
	for rule, name := range map[string]string{
		"follow east: ":  configureBoard(t, shortDir(t), none),
		"boards.keys: ":  configure(t, shortDir(t), "[boards]", `listen = "127.0.0.1:0"`, fmt.Sprintf("keys = [%q]", none)),
		"sibling west: ": configure(t, shortDir(t), "[boards]", `listen = "127.0.0.1:0"`, "[[sibling]]", `gate = "west"`, `address = "127.0.0.1:1"`, fmt.Sprintf("key = %q", none)),
	} {
		p := start(t, "-explain", "127.0.0.1:0", "-config", name)
		if page := p.page(http.StatusServiceUnavailable); !strings.Contains(page, rule) || !strings.Contains(page, "gatectl key show") {
			t.Errorf("page:\n%s", page)
		}
		p.stop()
	}
}
