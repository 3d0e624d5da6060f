package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen/menshen/gate"
)

func TestWrongCallsAreRefused(t *testing.T) {
	for _, args := range []string{"now", "-colour", "-config"} {
		start(t, strings.Fields(args)...).exit(exitUsage)
	}
	for _, args := range []string{"-version", "-h"} {
		start(t, args).exit(0)
	}
}

func TestAGateRunsUntilItIsTold(t *testing.T) {
	dir := shortDir(t)
	p := start(t, "-config", configure(t, dir))
	if page := p.page(http.StatusOK); strings.Contains(page, "last good") {
		t.Errorf("a good configuration is at fault:\n%s", page)
	}
	address := filepath.Join(dir, "data", gate.AddressFile)
	if b, err := os.ReadFile(address); err != nil || p.url() != "http://"+strings.TrimSpace(string(b))+"/" {
		t.Errorf("%s says %q, %v; the pages are at %s", gate.AddressFile, b, err, p.url())
	}
	if info, err := os.Stat(filepath.Join(dir, "gated.sock")); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("socket: %v, %v", info, err)
	}
	p.stop()
	for _, name := range []string{address, filepath.Join(dir, "gated.sock")} {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is left behind: %v", name, err)
		}
	}
}

// Pages that other machines can reach are plain HTTP, and the gate says so.
func TestPagesInTheOpenAreAProblem(t *testing.T) {
	for listen, want := range map[string]bool{"127.0.0.1:0": false, "0.0.0.0:0": true} {
		t.Run(listen, func(t *testing.T) {
			dir := shortDir(t)
			name := configure(t, dir)
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			web := fmt.Sprintf("listen = %q\ninsecure = true", listen)
			if err := os.WriteFile(name, bytes.Replace(b, []byte(`listen = "127.0.0.1:0"`), []byte(web), 1), 0o600); err != nil {
				t.Fatal(err)
			}
			p := start(t, "-config", name)
			p.url()
			if s := status(t, filepath.Join(dir, "gated.sock")); strings.Contains(s, `"insecure-web"`) != want {
				t.Errorf("status: %s", s)
			}
			p.stop()
		})
	}
}

// status asks a gate over its socket, as gatectl does.
func status(t *testing.T, socket string) string {
	t.Helper()
	client := &http.Client{Timeout: soon, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://gate/v1/status")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("status answers %s, %v: %s", resp.Status, err, b)
	}
	return string(b)
}

func TestABadConfigurationGivesWayToTheLastGoodOne(t *testing.T) {
	dir := shortDir(t)
	good := start(t, "-config", configure(t, dir))
	good.page(http.StatusOK)
	good.stop()
	p := start(t, "-config", configure(t, dir, `langauge = "en"`))
	if page := p.page(http.StatusOK); !strings.Contains(page, "running on the last good one") {
		t.Errorf("the page does not say so:\n%s", page)
	}
	if !strings.Contains(p.log.String(), "gated.toml:6: langauge") {
		t.Error("the log does not name the fault")
	}
	p.stop()
	// What ran with a banner is not kept as good in its turn.
	mended := start(t, "-config", configure(t, dir))
	if page := mended.page(http.StatusOK); strings.Contains(page, "last good") {
		t.Errorf("the mended one is at fault:\n%s", page)
	}
	mended.stop()
}

func TestWithNothingUsableAPageSaysWhatToMend(t *testing.T) {
	p := start(t, "-explain", "127.0.0.1:0", "-config", configure(t, shortDir(t), `gate = "<b>"`, `langauge = "en"`))
	page := p.page(http.StatusServiceUnavailable)
	if !strings.Contains(page, "gated.toml:") || strings.Contains(page, "<b>") {
		t.Errorf("page:\n%s", page)
	}
	p.stop()
	missing := start(t, "-explain", "127.0.0.1:0", "-config", configure(t, shortDir(t), `langauge = "en"`))
	if page := missing.page(http.StatusServiceUnavailable); !strings.Contains(page, "gated.toml:6: langauge: ") || !strings.Contains(page, "·") {
		t.Errorf("page:\n%s", page)
	}
	missing.stop()
}

func TestWithNothingUsableAndNoPageTheExitCodeSaysSo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	start(t, "-explain", taken.Addr().String(), "-config", configure(t, shortDir(t), `langauge = "en"`)).exit(exitConfig)
}

func TestASocketThatAKilledProcessLeftIsTakenOver(t *testing.T) {
	dir := shortDir(t)
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "gated.sock")})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	p := start(t, "-config", configure(t, dir))
	p.page(http.StatusOK)
	p.stop()
}

func TestWhatIsNoSocketIsNotRemoved(t *testing.T) {
	dir := shortDir(t)
	name := filepath.Join(dir, "gated.sock")
	if err := os.WriteFile(name, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "-config", configure(t, dir))
	p.exit(exitFailed)
	if b, err := os.ReadFile(name); err != nil || string(b) != "precious" {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestASecondGateRefuses(t *testing.T) {
	dir := shortDir(t)
	first := start(t, "-config", configure(t, dir))
	first.page(http.StatusOK)
	second := start(t, "-config", filepath.Join(dir, "gated.toml"))
	second.exit(exitFailed)
	if !strings.Contains(second.log.String(), "another gated is running") {
		t.Error("it does not say why")
	}
	first.page(http.StatusOK)
	first.stop()
}
