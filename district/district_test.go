package district

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/district/pull"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
	page "github.com/menshen/menshen/web/district"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// running is a collector that runs, and an administrator's tool beside it.
type running struct {
	*District
	t     *testing.T
	url   string
	admin *store.Store
	stop  func() // ends it, and returns when it has ended
}

// start runs a collector with its own broker.
func start(t *testing.T) *running {
	t.Helper()
	return startWith(t, &config.District{Name: "yucai", Title: "育才区", Data: t.TempDir(), Language: config.LanguageEnglish,
		Broker: config.Broker{Server: config.Server{Listen: "127.0.0.1:0"}}})
}

func startWith(t *testing.T, c *config.District) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	d := New(Options{Config: c, Web: l, Log: slog.New(slog.DiscardHandler)})
	d.lookEvery = 10 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	r := &running{District: d, t: t, url: "http://" + l.Addr().String(), stop: func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}}
	t.Cleanup(func() { r.stop() })
	within, done := context.WithTimeout(t.Context(), time.Minute)
	defer done()
	must(t, d.Alive(within))
	r.admin, err = OpenStore(t.Context(), c, slog.New(slog.DiscardHandler))
	must(t, err)
	t.Cleanup(func() { r.admin.Close() })
	return r
}

// admit lets a gate in as an administrator does.
func (r *running) admit(g *fakeGate) {
	r.t.Helper()
	must(r.t, r.admin.Admit(r.t.Context(), store.Gate{Name: g.name, Key: g.public(), Password: HashPassword(g.name, g.password),
		School: "育才小学", Duty: "6123", Admitted: time.Now()}))
}

// await waits until a view is as wanted, and returns how long that took.
func (r *running) await(what string, is func(page.View) bool) time.Duration {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	began, ticks, again := time.Now(), r.Watch(ctx), time.NewTicker(20*time.Millisecond)
	defer again.Stop()
	for {
		v, err := r.View(ctx)
		if err == nil && is(v) {
			return time.Since(began)
		}
		select {
		case <-ticks:
		case <-again.C:
		case <-ctx.Done():
			r.t.Fatalf("%s: still %+v, %v", what, v, err)
		}
	}
}

// isStored reports whether the store has a gate's whole journal, byte for byte.
func (r *running) isStored(g *fakeGate) bool {
	r.t.Helper()
	var got, want [][]byte
	for row, err := range r.admin.Entries(r.t.Context(), store.Cursor{}, 1<<20) {
		must(r.t, err)
		if row.Gate == g.name {
			got = append(got, row.Leaf)
		}
	}
	for leaf, err := range g.Leaves(r.t.Context(), 0) {
		must(r.t, err)
		want = append(want, leaf)
	}
	return bytes.Equal(bytes.Join(got, nil), bytes.Join(want, nil)) && len(got) == len(want)
}

// isUp says that the only gate is there and nothing of it is still to come.
func isUp(v page.View) bool {
	return v.Connected && len(v.Gates) == 1 && v.Gates[0].State == page.Up && v.Gates[0].BacklogKnown
}

func TestWhatAGateRecordsIsStoredAtItsDistrict(t *testing.T) {
	r, g := start(t), newGate(t, "east")
	for range 700 {
		g.arrive(uint8(screening.Admit))
	}
	r.admit(g)
	key := publicKey(t, r)
	leave := g.stream(r.BrokerAddr(), key)
	r.await("the backlog", func(v page.View) bool { return isUp(v) && v.Gates[0].Today.Admit == 700 })
	if !r.isStored(g) {
		t.Error("store and journal differ")
	}

	// Whatever is lost on the way, an alarm does not wait for it.
	g.mute.Store(true)
	for range 20 {
		g.arrive(uint8(screening.Admit))
	}
	seq, leaf := g.arrive(uint8(screening.Isolate))
	must(t, g.uplink.Alarm(seq, leaf))
	r.await("the alarm", func(v page.View) bool { return len(v.Alarms) == 1 && v.Alarms[0].Seq == seq })
	g.mute.Store(false)
	r.await("the alarm's entry", func(v page.View) bool {
		return len(v.Alarms) == 0 && isUp(v) && v.Gates[0].Today.Isolate == 1 && v.Gates[0].Today.Admit == 720
	})
	if !r.isStored(g) {
		t.Error("store and journal differ")
	}

	leave()
	r.await("the farewell", func(v page.View) bool { return v.Gates[0].State == page.Stopped })
}

func TestAGateThatVanishesIsLost(t *testing.T) {
	r, g := startWith(t, &config.District{Name: "yucai", Data: t.TempDir(), Broker: config.Broker{Server: config.Server{Listen: "127.0.0.1:0"}},
		Calendar: calendar.Calendar{Windows: []calendar.Window{{From: 0, To: 24 * 60}}}}), newGate(t, "east") // people come at any hour
	r.admit(g)
	// A gate that says hello is heard whenever the collector comes; this one
	// says no more than what a broker may lose between publisher and subscriber.
	r.await("the collector's session", func(v page.View) bool { return v.Connected })
	status, err := wire.Status{Online: false, Wall: 1}.Encode()
	must(t, err)
	s, err := mqtt.Dial(t.Context(), mqtt.Options{URL: "mqtt://" + r.BrokerAddr(), Name: g.name, Password: g.password,
		Will: mqtt.Message{Topic: wire.Topic(g.name, wire.KindStatus), Payload: status}, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	online, err := wire.Status{Online: true, Wall: 2}.Encode()
	must(t, err)
	must(t, s.Publish(t.Context(), wire.Topic(g.name, wire.KindStatus), online, true))
	r.await("a gate that says no hello", func(v page.View) bool { return v.Gates[0].State == page.Quiet })
	// The collector shuts it out: the broker speaks the will.
	r.broker.Disconnect(g.name)
	r.await("the will", func(v page.View) bool { return v.Gates[0].State == page.Lost })
}

func TestARevokedGateLosesItsConnection(t *testing.T) {
	r, g := start(t), newGate(t, "east")
	r.admit(g)
	g.stream(r.BrokerAddr(), publicKey(t, r))
	r.await("the gate", isUp)
	must(t, r.admin.Revoke(t.Context(), g.name, time.Now()))
	r.await("the end", func(v page.View) bool {
		return v.Gates[0].State == page.Revoked && g.uplink.State().Phase != uplink.Streaming
	})
	_, err := gateTransport{g, r.BrokerAddr()}.Connect(t.Context(), mqttWill(g))
	if err == nil {
		t.Error("it was let in again")
	}
	g.arrive(uint8(screening.Admit))
	g.uplink.Grew()
	r.admit(g)
	r.await("the gate that was let in again", func(v page.View) bool { return isUp(v) && v.Gates[0].Today.Admit == 1 })
}

func TestWhatIsStoredSurvivesTheCollector(t *testing.T) {
	data := t.TempDir()
	c := config.District{Name: "yucai", Data: data, Broker: config.Broker{Server: config.Server{Listen: "127.0.0.1:0"}}}
	r, g := startWith(t, &c), newGate(t, "east")
	r.admit(g)
	g.arrive(uint8(screening.Admit))
	key := publicKey(t, r)
	g.stream(r.BrokerAddr(), key)
	r.await("the gate", isUp)
	again := c
	again.Broker.Listen = r.BrokerAddr()
	r.stop()
	g.arrive(uint8(screening.Refer))
	g.uplink.Grew()
	r = startWith(t, &again)
	r.await("the gate that came back by itself", func(v page.View) bool { return isUp(v) && v.Gates[0].Today.Refer == 1 })
	if !r.isStored(g) || !key.Equal(publicKey(t, r)) {
		t.Error("store and journal differ, or the collector's key does")
	}
}

func TestStrangersGetNoSession(t *testing.T) {
	r, g := start(t), newGate(t, "east")
	r.admit(g)
	for rule, change := range map[string]func(*fakeGate){
		"a wrong password":             func(g *fakeGate) { g.password = "another that is long" },
		"no password":                  func(g *fakeGate) { g.password = "" },
		"a gate that is not admitted":  func(g *fakeGate) { g.name = "west" },
		"a gate under the collector's": func(g *fakeGate) { g.name = "yucai" },
	} {
		t.Run(rule, func(t *testing.T) {
			stranger := &fakeGate{t: t, name: g.name, password: g.password}
			change(stranger)
			if _, err := (gateTransport{stranger, r.BrokerAddr()}).Connect(t.Context(), mqttWill(stranger)); err == nil {
				t.Error("got a session")
			}
			r.await("the refusal on the page", func(v page.View) bool {
				return slices.ContainsFunc(v.Attempts, func(a page.Attempt) bool { return a.Gate == stranger.name && a.Kind == "login" })
			})
		})
	}
}

// A gate whose password belongs to another broker has none here.
func TestAGateWithoutAPasswordIsNotLetIn(t *testing.T) {
	r, g := start(t), newGate(t, "east")
	must(t, r.admin.Admit(t.Context(), store.Gate{Name: g.name, Key: g.public(), Admitted: time.Now()}))
	for _, password := range []string{"", strings.Repeat("\x00", 32)} {
		if r.gateMayConnect(g.name, password) {
			t.Errorf("%q was taken", password)
		}
	}
}

func TestThePageAndThePullAreServed(t *testing.T) {
	r, g := start(t), newGate(t, "east")
	g.arrive(uint8(screening.Admit))
	r.admit(g)
	g.stream(r.BrokerAddr(), publicKey(t, r))
	r.await("the gate", isUp)
	token := pull.NewToken()
	must(t, r.admin.Grant(t.Context(), store.Token{Name: "office", Hash: pull.Hash(token), Issued: time.Now()}))

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/api/v1/entries", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for leaf, err := range g.Leaves(t.Context(), 0) {
		must(t, err)
		var l struct{ Leaf string }
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &l) != nil || l.Leaf != hex.EncodeToString(leaf) {
			t.Fatalf("pulled %s, want %x", lines.Bytes(), leaf)
		}
	}

	jar, err := cookiejar.New(nil)
	must(t, err)
	browser := &http.Client{Jar: jar}
	resp, err = browser.PostForm(r.url+"/sign-on", url.Values{"token": {token}})
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.Request.URL.Path != "/district/" || !bytes.Contains(body, []byte("In session")) || !bytes.Contains(body, []byte("育才小学")) {
		t.Errorf("%s: %s", resp.Request.URL, body)
	}
	must(t, r.admin.Withdraw(t.Context(), "office"))
	resp, err = browser.Get(r.url + "/district/")
	must(t, err)
	resp.Body.Close()
	if resp.Request.URL.Path != "/sign-on" {
		t.Errorf("after the token was revoked: %s", resp.Request.URL)
	}
}

func TestAnotherNameOfTheMachineIsRefusedUnlessConfigured(t *testing.T) {
	c := &config.District{Name: "yucai", Data: t.TempDir(), Web: config.DistrictWeb{Hosts: []string{"collector.example.cn"}},
		Broker: config.Broker{Server: config.Server{Listen: "127.0.0.1:0"}}}
	r := startWith(t, c)
	for host, want := range map[string]int{"collector.example.cn": http.StatusOK, "evil.example": http.StatusMisdirectedRequest} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+"/healthz", nil)
		must(t, err)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", host, resp.StatusCode, want)
		}
	}
}

func TestWithoutItsBrokerACollectorStillServes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port at which nobody answers
	must(t, err)
	must(t, l.Close())
	password := filepath.Join(t.TempDir(), "password")
	writeFile(t, password, "secret\n")
	r := startWith(t, &config.District{Name: "yucai", Data: t.TempDir(),
		Broker: config.Broker{URL: "mqtt://" + l.Addr().String(), PasswordFile: password}})
	r.await("a view", func(v page.View) bool { return !v.Connected && len(v.Gates) == 0 })
}

func TestACollectorThatCannotBeginSaysWhy(t *testing.T) {
	listen := config.Broker{Server: config.Server{Listen: "127.0.0.1:0"}}
	for rule, tt := range map[string]struct {
		config config.District
		want   string
	}{
		"no data directory":   {config.District{Name: "a", Data: "/proc/none", Broker: listen}, "data directory"},
		"no password":         {config.District{Name: "a", Broker: config.Broker{URL: "mqtt://localhost", PasswordFile: "/none"}}, "broker.password_file"},
		"no certificate":      {config.District{Name: "a", Broker: config.Broker{Server: config.Server{Listen: "127.0.0.1:0", Cert: "/none", Key: "/none"}}}, "broker: read certificate"},
		"an address in use":   {config.District{Name: "a", Broker: config.Broker{Server: config.Server{Listen: busy(t)}}}, "start broker"},
		"no authority's file": {config.District{Name: "a", Broker: config.Broker{URL: "mqtts://x", CA: "/none", PasswordFile: "/dev/null"}}, "certificate authority"},
	} {
		t.Run(rule, func(t *testing.T) {
			c := tt.config
			if c.Data == "" {
				c.Data = t.TempDir()
			}
			err := New(Options{Config: &c, Log: slog.New(slog.DiscardHandler)}).Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// busy returns an address at which somebody listens.
func busy(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return fmt.Sprint(l.Addr())
}
