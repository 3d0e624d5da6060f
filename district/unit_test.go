package district

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
	page "github.com/menshen/menshen/web/district"
)

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	must(t, os.WriteFile(name, []byte(text), 0o600))
}

func publicKey(t *testing.T, r *running) ed25519.PublicKey {
	t.Helper()
	key, err := LoadKey(r.o.Config.Data)
	must(t, err)
	return key.Public().(ed25519.PublicKey)
}

func mqttWill(g *fakeGate) uplink.Message {
	return uplink.Message{Topic: wire.Topic(g.name, wire.KindStatus), Payload: []byte("gone")}
}

func TestTheKeyIsMadeOnceAndKept(t *testing.T) {
	dir := t.TempDir()
	keys := make([]ed25519.PrivateKey, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			var err error
			if keys[i], err = LoadKey(dir); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, k := range keys {
		if !bytes.Equal(k, keys[0]) {
			t.Error("two processes have two keys")
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if info, err := os.Stat(filepath.Join(dir, KeyFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	for rule, text := range map[string]string{
		"no PEM":      "hello",
		"no key":      "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n",
		"another key": ecKey,
	} {
		writeFile(t, filepath.Join(dir, KeyFile), text)
		if _, err := LoadKey(dir); err == nil {
			t.Errorf("%s was taken for the collector's", rule)
		}
	}
}

const ecKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G
-----END PRIVATE KEY-----
`

func TestOnlyDecidedArrivalsInwardAreCounted(t *testing.T) {
	noon := time.Date(2020, 12, 7, 12, 0, 0, 0, time.Local)
	for rule, tt := range map[string]struct {
		body any
		want string
	}{
		"admitted":          {entry.Arrival{End: entry.EndDecided, Outcome: 1}, "admit"},
		"isolated":          {entry.Arrival{End: entry.EndDecided, Outcome: 3}, "isolate"},
		"outward":           {entry.Arrival{End: entry.EndDecided, Outcome: 1, Direction: 1}, ""},
		"a second release":  {entry.Arrival{End: entry.EndRepeat, Outcome: 1}, ""},
		"gone in the midst": {entry.Arrival{End: entry.EndIncomplete}, ""},
		"no arrival":        {entry.Heartbeat{}, ""},
	} {
		t.Run(rule, func(t *testing.T) {
			kind, _ := entry.KindOf(tt.body)
			body, err := entry.Encode(tt.body)
			must(t, err)
			leaf, err := entry.Entry{Kind: kind, Wall: noon.UnixMilli(), Body: body}.Marshal()
			must(t, err)
			m := reader{}.stored(leaf)
			if m.Key != tt.want || m.Key != "" && m.Day != "2020-12-07" {
				t.Errorf("got %q on %q", m.Key, m.Day)
			}
		})
	}
	if m := (reader{}).stored([]byte("no entry")); !reflect.DeepEqual(m, store.Meaning{}) {
		t.Errorf("got %+v", m)
	}
}

func TestWhatACardRepeatsIsNotCountedTwice(t *testing.T) {
	got := sum([]store.Count{{Epoch: 1, Key: "admit", N: 500}, {Epoch: 2, Key: "admit", N: 520}, {Epoch: 2, Key: "isolate", N: 1}, {Epoch: 1, Key: "new", N: 9}})
	if want := (page.Counts{Admit: 520, Isolate: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWithoutASessionNobodyIsKnownToBeThere(t *testing.T) {
	l := live{gates: map[string]seen{}}
	l.connect(true)
	l.observe(collect.Event{Kind: collect.EventStatus, Gate: "east", Status: wire.Status{Online: true, Wall: 10}})
	l.observe(collect.Event{Kind: collect.EventStatus, Gate: "east", Status: wire.Status{Wall: 20}})
	l.observe(collect.Event{Kind: collect.EventRefused, Gate: "stranger"})
	l.observe(collect.Event{Kind: collect.EventFailed, Gate: "stranger"})
	connected, gates := l.snapshot()
	if s := gates["east"]; !connected || !s.told || s.online || !s.orderly() || len(gates) != 1 {
		t.Errorf("got %+v", gates)
	}
	l.connect(false)
	connected, gates = l.snapshot()
	if s := gates["east"]; connected || s.told || !s.orderly() {
		t.Errorf("got %+v", s)
	}
}

func TestTheStoresErrorsHaveTheCollectorsNames(t *testing.T) {
	for err, want := range map[error]error{store.ErrUnknown: collect.ErrUnknown, store.ErrConflict: collect.ErrConflict} {
		if got := translate(err); !errors.Is(got, want) || !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
	}
	if other := errors.New("disk"); translate(other) != other || translate(nil) != nil {
		t.Error("another error has become something else")
	}
}

func TestAPasswordIsKeptForOneGateOnly(t *testing.T) {
	if HashPassword("east", fakePassword) == HashPassword("west", fakePassword) || HashPassword("east", fakePassword) == sha256.Sum256([]byte(fakePassword)) {
		t.Error("one gate's hash opens another's connection")
	}
}
