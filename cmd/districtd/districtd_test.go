package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/district"
	"github.com/menshen/menshen/district/pull"
	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/wire"
)

// configure writes a configuration with free ports and returns its name.
func configure(t *testing.T, more string) (name, data string) {
	t.Helper()
	dir := t.TempDir()
	name, data = filepath.Join(dir, "districtd.toml"), filepath.Join(dir, "data")
	text := fmt.Sprintf("name = \"yucai\"\ndata = %q\n[web]\nlisten = \"127.0.0.1:0\"\n[broker]\n%s\n", data, more)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name, data
}

const ownBroker = `listen = "127.0.0.1:0"`

type result struct {
	code     int
	out, err string
}

// districtd calls the program within this process.
func districtd(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &out, &err)
	return result{code, out.String(), err.String()}
}

func (r result) want(t *testing.T, code int, words ...string) result {
	t.Helper()
	if r.code != code {
		t.Fatalf("exit %d, want %d: %s%s", r.code, code, r.out, r.err)
	}
	for _, w := range words {
		if !strings.Contains(r.out+r.err, w) {
			t.Errorf("%q is not in %s%s", w, r.out, r.err)
		}
	}
	return r
}

func newKey(t *testing.T) string {
	t.Helper()
	pub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return wire.FormatPublicKey(pub)
}

func TestWrongCallsAreRefused(t *testing.T) {
	name, data := configure(t, ownBroker)
	for _, args := range []string{"now", "-colour", "run now", "admit east", "admit -colour east x", "gates all", "revoke", "token", "token add", "token sell x",
		"token revoke", "key all", "roster", "roster sell", "roster list all", "roster import -school x", "roster import list.csv", "roster undo", "roster undo x",
		"roster import -school x -allow-left -1 list.csv", "policy", "policy publish", "policy publish a b", "policy status x"} {
		districtd(t, "", append([]string{"-config", name}, strings.Fields(args)...)...).want(t, exitUsage)
	}
	districtd(t, "", "-h").want(t, 0, "districtd collects")
	districtd(t, "", "version").want(t, 0, version)
	if _, err := os.Stat(data); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a wrong call made the data directory: %v", err)
	}
}

func TestAFaultyConfigurationIsToldWithItsRemedy(t *testing.T) {
	name, _ := configure(t, "colour = 1")
	for _, command := range []string{"run", "check", "gates"} {
		districtd(t, "", "-config", name, command).want(t, exitConfig, "districtd.toml:6: broker.colour: unknown key · remove it")
	}
	name, _ = configure(t, ownBroker)
	districtd(t, "", "-config", name, "check").want(t, 0, "collector yucai", "its own at 127.0.0.1:0")
}

func TestTheKeyIsTheSameEachTime(t *testing.T) {
	name, data := configure(t, ownBroker)
	first := districtd(t, "", "-config", name, "key").want(t, 0, "ed25519:").out
	if again := districtd(t, "", "-config", name, "key").out; again != first {
		t.Errorf("got %s, then %s", first, again)
	}
	if _, err := wire.ParsePublicKey(strings.TrimSpace(first)); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(data, district.KeyFile), []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	districtd(t, "", "-config", name, "key").want(t, exitFailed, "collector's key")
}

func TestAGateIsLetInAndShutOut(t *testing.T) {
	name, _ := configure(t, ownBroker)
	key := newKey(t)
	call := func(stdin string, args ...string) result {
		return districtd(t, stdin, append([]string{"-config", name}, args...)...)
	}
	made := call("", "admit", "-school", "育才小学", "-duty", "6123", "east", key).want(t, 0).out
	if len(strings.TrimSpace(made)) < district.MinPassword {
		t.Errorf("got password %q", made)
	}
	call("", "gates").want(t, 0, "east", "育才小学", "6123", key)
	call("", "revoke", "east").want(t, 0)
	call("", "revoke", "east").want(t, exitFailed, "no gate of this name is let in")
	call("", "gates").want(t, 0, "revoked")
	// Let in again without saying who it is: that is known.
	if got := call("a password of the gate's own\n", "admit", "-password-stdin", "east", key).want(t, 0); got.out != "" {
		t.Errorf("a password that was given is shown: %s", got.out)
	}
	call("", "gates").want(t, 0, "育才小学", "6123")
}

func TestAGateThatCannotBeLetInIsRefusedInWords(t *testing.T) {
	own, _ := configure(t, ownBroker)
	other, _ := configure(t, "url = \"mqtts://broker.example\"\npassword_file = \"/p\"")
	key := newKey(t)
	districtd(t, "", "-config", own, "admit", "west", key).want(t, 0)
	for rule, tt := range map[string]struct {
		config, stdin, args, want string
	}{
		"a name that is no topic":       {own, "", "East " + key, "cannot be a gate's name"},
		"the collector's own name":      {own, "", "yucai " + key, "cannot be a gate's name"},
		"a key that is none":            {own, "", "east ed25519:AAAA", "parse public key"},
		"a key of low order":            {own, "", "east ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "low order"},
		"another gate's key":            {own, "", "east " + key, "admit gate east"},
		"a short password":              {own, "1234\n", "-password-stdin east " + newKey(t), "has 4 characters"},
		"a password of somebody else's": {other, "x\n", "-password-stdin east " + newKey(t), "the broker is another one"},
	} {
		t.Run(rule, func(t *testing.T) {
			districtd(t, tt.stdin, append([]string{"-config", tt.config, "admit"}, strings.Fields(tt.args)...)...).want(t, exitFailed, tt.want)
		})
	}
	if got := districtd(t, "", "-config", other, "admit", "east", key).want(t, 0); got.out != "" {
		t.Errorf("a password was made for a broker that does not know it: %s", got.out)
	}
}

func TestATokenIsShownOnceAndRevokedByName(t *testing.T) {
	name, _ := configure(t, ownBroker)
	call := func(args ...string) result {
		return districtd(t, "", append([]string{"-config", name, "token"}, args...)...)
	}
	token := strings.TrimSpace(call("add", "-names", "bureau").want(t, 0).out)
	call("add", "bureau").want(t, exitFailed, "revoke it first")
	call("add", strings.Repeat("a", 65)).want(t, exitFailed, "1 to 64 characters")
	if got := call("list").want(t, 0, "bureau", "true"); strings.Contains(got.out, token) || len(token) < 26 {
		t.Errorf("token %q in %s", token, got.out)
	}
	call("revoke", "bureau").want(t, 0)
	call("revoke", "bureau").want(t, exitFailed, "no token has this name")
}

func TestNothingIsMadeInAnotherUsersDirectory(t *testing.T) {
	name, data := configure(t, ownBroker)
	if os.Geteuid() == 0 {
		if err := errors.Join(os.Mkdir(data, 0o755), os.Chown(data, 12345, 12345)); err != nil {
			t.Fatal(err)
		}
	} else if err := os.Symlink("/etc", data); err != nil {
		t.Fatal(err)
	}
	districtd(t, "", "-config", name, "gates").want(t, exitFailed, "belongs to another user", "sudo -u")
}

// output is standard error that can be read while it is written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

// find returns what the only group of a pattern matches.
func (o *output) find(t *testing.T, pattern string) string {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	m := regexp.MustCompile(pattern).FindStringSubmatch(o.buf.String())
	if m == nil {
		t.Fatalf("%s is not in %s", pattern, o.buf.String())
	}
	return m[1]
}

func TestTheCollectorRunsAndIsAdministeredBesideIt(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "")
	told := func() string {
		b := make([]byte, 200)
		if err := manager.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := manager.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	name, _ := configure(t, ownBroker)
	ctx, stop := context.WithCancel(t.Context())
	var stderr output
	code := make(chan int, 1)
	go func() { code <- run(ctx, []string{"-config", name}, nil, io.Discard, &stderr) }()
	defer stop()
	if got := told(); got != "READY=1" {
		t.Fatalf("systemd was told %q", got)
	}

	password := strings.TrimSpace(districtd(t, "", "-config", name, "admit", "east", newKey(t)).want(t, 0).out)
	session, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "mqtt://" + stderr.find(t, `broker=(\S+)`), Name: "east", Password: password,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	session.Close()
	token := strings.TrimSpace(districtd(t, "", "-config", name, "token", "add", "bureau").want(t, 0).out)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+stderr.find(t, `address=(\S+)`)+"/api/v1/entries", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if _, there := resp.Header[pull.CursorHeader]; resp.StatusCode != http.StatusOK || !there {
		t.Errorf("got %s, %v", resp.Status, resp.Header)
	}
	stop()
	if got := told(); got != "STOPPING=1" {
		t.Errorf("systemd was told %q", got)
	}
	if got := <-code; got != 0 {
		t.Errorf("exit %d", got)
	}
	for _, secret := range []string{password, token} {
		stderr.mu.Lock()
		if strings.Contains(stderr.buf.String(), secret) {
			t.Error("a secret stands in the log")
		}
		stderr.mu.Unlock()
	}
}

func TestAnAddressInUseIsAFailure(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	name, _ := configure(t, ownBroker)
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), "127.0.0.1:0", l.Addr().String(), 1)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	districtd(t, "", "-config", name).want(t, exitFailed, "web.listen")
}
