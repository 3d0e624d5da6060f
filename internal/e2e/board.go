package e2e

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What is wired to which channel of a Board.
const (
	BoardBeacon = 1
	BoardBuzzer = 2
)

// Board is the board of an isolation room: a gated of its own, away from the
// gate, with its relay board and its page.
type Board struct {
	*process
	Relay *Relay

	t        testing.TB
	dir      string
	config   string
	gateKey  string
	base     string // of the page's address
	programs Programs
	client   *http.Client
}

// NewBoard makes a board and introduces it to the gate on the bench, which meets
// it from its next start on. The board has run once, which made its key.
func (b *Bench) NewBoard() *Board {
	b.t.Helper()
	dir, err := os.MkdirTemp("", "menshen-board-")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { os.RemoveAll(dir) })
	r := &Board{t: b.t, dir: dir, config: filepath.Join(dir, "gated.toml"), programs: b.programs, Relay: newRelay(filepath.Join(dir, "relay"))}
	jar, err := cookiejar.New(nil)
	if err := errors.Join(err, r.Relay.Plug()); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		if err := r.Relay.Unplug(); err != nil {
			b.t.Error(err)
		}
	})
	r.client = &http.Client{Timeout: Soon, Jar: jar}
	r.gateKey = key(b.t, b.Gatectl("", "key", "show"))
	r.start("127.0.0.1:9") // where nobody is
	shown, err := exec.Command(b.programs.Gatectl, "-config", r.config, "key", "show").CombinedOutput()
	if err != nil {
		b.t.Fatalf("gatectl key show: %v\n%s", err, shown)
	}
	r.Kill()
	config, err := os.OpenFile(b.config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	_, err = fmt.Fprintf(config, "[boards]\nlisten = \"127.0.0.1:0\"\nkeys = [%q]\n", key(b.t, string(shown)))
	if err := errors.Join(err, config.Close()); err != nil {
		b.t.Fatal(err)
	}
	return r
}

// Follow starts the board, which follows the gate through whatever through puts
// between the two: it is given the gate's host:port and returns its own.
func (r *Board) Follow(g *Gate, through func(far string) (near string)) {
	r.t.Helper()
	met := regexp.MustCompile(`"boards are met" .*address=(\S+)`)
	Await(r.t, Soon, "the gate meets boards", func() bool { return met.MatchString(g.Said()) })
	r.start(through(met.FindStringSubmatch(g.Said())[1]))
}

// start starts the board and waits for its page.
func (r *Board) start(address string) {
	r.t.Helper()
	text := fmt.Sprintf("gate = \"room\"\ndata = %q\nsocket = %q\nprofile = \"isolation-room\"\nlanguage = \"en\"\n[web]\nlisten = \"127.0.0.1:0\"\n[ports]\nrelay = %q\n"+
		"[[follow]]\ngate = %q\naddress = %q\nkey = %q\nphone = \"6123\"\n",
		filepath.Join(r.dir, "data"), filepath.Join(r.dir, "s"), r.Relay.Link, GateName, address, r.gateKey)
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.process = launch(r.t, "board", r.programs.Gated, "-config", r.config)
	r.base = r.awaitSaid(`url=(\S+)`)
}

// key returns the key that gatectl key show has printed.
func key(t testing.TB, shown string) string {
	t.Helper()
	fields := strings.Fields(shown)
	if len(fields) != 2 {
		t.Fatalf("gatectl key show printed %q", shown)
	}
	return fields[1]
}

// Read returns what the page says.
func (r *Board) Read() string {
	r.t.Helper()
	resp, err := r.client.Get(r.base + "board/")
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := read(resp)
	if err != nil {
		r.t.Fatal(err)
	}
	return html.UnescapeString(text)
}

// AwaitSays waits until the page holds a text.
func (r *Board) AwaitSays(text string) {
	r.t.Helper()
	Await(r.t, Soon, "the board says "+text, func() bool { return strings.Contains(r.Read(), text) })
}

// Post sends a form of the page, which must be taken.
func (r *Board) Post(path string, form url.Values) {
	r.t.Helper()
	resp, err := r.client.PostForm(r.base+path, form)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := read(resp); err != nil || resp.Request.URL.Query().Has("said") {
		r.t.Fatalf("post %s: %v, %s", path, err, resp.Request.URL)
	}
}

var boardForm = regexp.MustCompile(`action="/board/answer"><input type="hidden" name="gate" value="([^"]*)"><input type="hidden" name="arrival" value="([^"]*)">`)

// Answer answers everything that the page offers to answer, and returns how much
// that was.
func (r *Board) Answer() int {
	r.t.Helper()
	forms := boardForm.FindAllStringSubmatch(r.Read(), -1)
	for _, f := range forms {
		r.Post("board/answer", url.Values{"gate": {f[1]}, "arrival": {f[2]}})
	}
	return len(forms)
}
