package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// soon is how long a test waits for what takes milliseconds on a quiet machine.
const soon = 30 * time.Second

// await waits until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(soon); !holds(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", soon, what)
		}
	}
}

// buffer is what a program has logged so far.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// shortDir is a directory whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "gated")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// configure writes a gated.toml for a gate in dir, with further lines, and
// returns its name. No device is there.
func configure(t *testing.T, dir string, more ...string) string {
	t.Helper()
	text := fmt.Sprintf("gate = \"east\"\ndata = %q\nsocket = %q\nprofile = \"all-serial\"\nlanguage = \"en\"\n%s\n[web]\nlisten = \"127.0.0.1:0\"\n[ports]\n",
		filepath.Join(dir, "data"), filepath.Join(dir, "gated.sock"), strings.Join(more, "\n"))
	for _, port := range []string{"scanner-1", "thermometer-1", "relay"} {
		text += fmt.Sprintf("%s = %q\n", port, filepath.Join(dir, port))
	}
	name := filepath.Join(dir, "gated.toml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// process is a gated that runs in this process.
type process struct {
	t    *testing.T
	log  *buffer
	term context.CancelFunc // what SIGTERM does
	code chan int
}

func start(t *testing.T, args ...string) *process {
	t.Helper()
	ctx, term := context.WithCancel(context.WithoutCancel(t.Context()))
	p := &process{t: t, log: &buffer{}, term: term, code: make(chan int, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.code <- run(ctx, args, p.log)
	}()
	t.Cleanup(func() {
		term()
		<-ended
		if t.Failed() {
			t.Logf("gated said:\n%s", p.log)
		}
	})
	return p
}

// exit waits for the end and wants a code.
func (p *process) exit(want int) {
	p.t.Helper()
	select {
	case code := <-p.code:
		if code != want {
			p.t.Errorf("exit %d, want %d", code, want)
		}
	case <-time.After(soon):
		p.t.Fatalf("does not end within %v", soon)
	}
}

func (p *process) stop() {
	p.t.Helper()
	p.term()
	p.exit(0)
}

// url waits until the program has said where its pages are.
func (p *process) url() string {
	p.t.Helper()
	said := regexp.MustCompile(`url=(http://\S+)`)
	await(p.t, "pages are served", func() bool { return said.MatchString(p.log.String()) })
	return said.FindStringSubmatch(p.log.String())[1]
}

// page waits until the page answers with a status, and returns it.
func (p *process) page(status int) string {
	p.t.Helper()
	url, text := p.url(), ""
	await(p.t, "the page answers", func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		text = string(b)
		return err == nil && resp.StatusCode == status
	})
	return text
}
