package broker

import (
	"crypto/tls"
	"errors"
	"net"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/uplink"
)

// plain is a broker without TLS that lets in whom known names, with any password.
func plain(t *testing.T, known func(name string) bool) *Broker {
	t.Helper()
	return begin(t, Options{
		Listen: "127.0.0.1:0", StoreDir: t.TempDir(), Collector: "district", Log: quiet(),
		Gate: func(name, _ string) bool { return known(name) },
	})
}

func anyone(string) bool { return true }

func plainGate(b *Broker, name string) mqtt.Options {
	return mqtt.Options{URL: "mqtt://" + b.Addr(), Name: name, Password: "any", Log: quiet(),
		Subscribe: []string{"menshen/v1/" + name + "/down/+"}}
}

func TestGatesComeAndGoWithoutARestart(t *testing.T) {
	var known atomic.Bool
	b := plain(t, func(string) bool { return known.Load() })
	if _, err := mqtt.Dial(t.Context(), plainGate(b, "east")); !errors.Is(err, uplink.ErrRefused) {
		t.Fatalf("before it is known: got %v, want ErrRefused", err)
	}
	known.Store(true)
	east := dial(t, plainGate(b, "east"))
	other := dial(t, plainGate(b, "west"))
	known.Store(false)
	b.Disconnect("east")
	ended(t, east)
	if _, err := mqtt.Dial(t.Context(), plainGate(b, "east")); !errors.Is(err, uplink.ErrRefused) {
		t.Errorf("when it is known no more: got %v, want ErrRefused", err)
	}
	collector, err := b.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer collector.Close()
	say(t, other, "menshen/v1/west/up/hello", "still here")
	hear(t, collector, "menshen/v1/west/up/hello", "still here")
	b.Disconnect("nobody")
}

func TestTheNewestSessionOfAGateStays(t *testing.T) {
	b := plain(t, anyone)
	first := dial(t, plainGate(b, "east"))
	second := dial(t, plainGate(b, "east"))
	ended(t, first)
	b.Disconnect("east")
	ended(t, second)
}

func TestNoGateIsLetInUnderANameThatSaysMore(t *testing.T) {
	b := plain(t, anyone)
	for _, name := range []string{"*", ">", "+", "#", "a.b", "a/b", "East", "district"} {
		o := plainGate(b, name)
		o.Subscribe = nil
		if _, err := mqtt.Dial(t.Context(), o); !errors.Is(err, uplink.ErrRefused) {
			t.Errorf("%s: got %v, want ErrRefused", name, err)
		}
	}
}

func TestStrangersLeaveNothingBehind(t *testing.T) {
	b := plain(t, func(string) bool { return false })
	for _, name := range []string{"a", "b", "c"} {
		if _, err := mqtt.Dial(t.Context(), plainGate(b, name)); !errors.Is(err, uplink.ErrRefused) {
			t.Errorf("%s: got %v, want ErrRefused", name, err)
		}
	}
	b.guard.mu.Lock()
	defer b.guard.mu.Unlock()
	if len(b.guard.open) != 0 {
		t.Errorf("remembered %v", b.guard.open)
	}
}

func TestStartSaysWhyItCannot(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	good := Options{Listen: "127.0.0.1:0", StoreDir: t.TempDir(), Collector: "district", Gate: func(string, string) bool { return true }, Log: quiet()}
	for name, spoil := range map[string]func(*Options){
		"address in use":           func(o *Options) { o.Listen = taken.Addr().String() },
		"no address":               func(o *Options) { o.Listen = "127.0.0.1" },
		"name of the collector":    func(o *Options) { o.Collector = "District" },
		"TLS without certificate":  func(o *Options) { o.TLS = &tls.Config{} },
		"no directory can be made": func(o *Options) { o.StoreDir = "/dev/null/store" },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			spoil(&o)
			if b, err := Start(o); err == nil {
				b.Close()
				t.Error("started")
			}
		})
	}
}

func TestTheCollectorTrustsOnlyItsOwnListener(t *testing.T) {
	r, other := embedded(t), embedded(t)
	o := r.collector
	if _, err := mqtt.Dial(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	o.URL = other.collector.URL
	if _, err := mqtt.Dial(t.Context(), o); err == nil || errors.Is(err, uplink.ErrRefused) {
		t.Errorf("at another listener: got %v, want it to be found out before the password is shown", err)
	}
}

func TestTheCollectorReachesAListenerOnEveryAddress(t *testing.T) {
	for _, listen := range []string{":0", "0.0.0.0:0", "localhost:0"} {
		b := begin(t, Options{Listen: listen, StoreDir: filepath.Join(t.TempDir(), "store"), Collector: "district",
			Gate: func(string, string) bool { return false }, Log: quiet()})
		s, err := b.Dial(t.Context())
		if err != nil {
			t.Errorf("%s: %v", listen, err)
			continue
		}
		s.Close()
	}
}
