package broker

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

// knock sends a greeting that must be turned away.
func knock(t *testing.T, r *running, g greeting) {
	t.Helper()
	if _, code, err := greet(t, r, g); err == nil && code == 0 {
		t.Fatalf("%+v: let in", g)
	}
}

// wantRefusals waits until the broker counts these, in any order. What a
// session may not do is counted beside what it is answered.
func wantRefusals(t *testing.T, b *Broker, want ...string) {
	t.Helper()
	slices.Sort(want)
	var got []string
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for late := time.After(patience); ; {
		got = nil
		for _, r := range b.Refusals() {
			if n, err := strconv.Atoi(r.Detail); r.Kind == RefusedLength && err == nil && n > wire.MaxPayload {
				r.Detail = "too long"
			}
			got = append(got, fmt.Sprintf("%s %v %s ×%d", r.Name, r.Kind, r.Detail, r.Times))
		}
		if slices.Sort(got); slices.Equal(got, want) {
			return
		}
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("got  %q\nwant %q", got, want)
		}
	}
}

func TestWhatTheBrokerRefusesIsCountedByName(t *testing.T) {
	for rule, tt := range map[string]struct {
		try  func(t *testing.T, r *running)
		want []string
	}{
		"a wrong password": {func(t *testing.T, r *running) {
			knock(t, r, greeting{id: "east", user: "east", password: "guess"})
			knock(t, r, greeting{id: "east", user: "east", password: "again"})
		}, []string{"east login  ×2"}},
		"an unknown gate": {func(t *testing.T, r *running) {
			knock(t, r, greeting{id: "north", user: "north", password: "guess"})
		}, []string{"north login  ×1"}},
		"the collector's own name": {func(t *testing.T, r *running) {
			knock(t, r, greeting{id: "collector", user: "collector", password: "guess"})
		}, []string{"collector login  ×1"}},
		"no name that a gate may have": {func(t *testing.T, r *running) {
			knock(t, r, greeting{id: "east"})
			knock(t, r, greeting{id: "a", user: "<b>", password: "guess"})
		}, []string{" login  ×2"}},
		"another's client id": {func(t *testing.T, r *running) {
			knock(t, r, greeting{id: "east", user: "west", password: passwords()["west"]})
		}, []string{"west client-id east ×1"}},
		"another gate's topic": {func(t *testing.T, r *running) {
			west := dial(t, r.gate("west"))
			say(t, west, "menshen/v1/east/up/hello", "forged")
			say(t, west, "menshen/v1/east/down/have", "forged")
			say(t, west, "menshen/v1/west/up/hello", "true")
		}, []string{"west speak menshen/v1/east/down/have ×2"}},
		"a will about another gate": {func(t *testing.T, r *running) {
			lose(t, r, "west", mqtt.Message{Topic: "menshen/v1/east/up/status", Payload: []byte("forged")})
		}, []string{"west speak menshen/v1/east/up/status ×1"}},
		"what is said to another gate": {func(t *testing.T, r *running) {
			o := r.gate("west")
			o.Subscribe = []string{"menshen/v1/east/down/have"}
			if _, err := mqtt.Dial(t.Context(), o); !errors.Is(err, uplink.ErrRefused) {
				t.Fatalf("got %v, want ErrRefused", err)
			}
		}, []string{"west hear menshen/v1/east/down/have ×1"}},
		"a message over the limit": {func(t *testing.T, r *running) {
			raw, code, err := greet(t, r, greeting{id: "west", user: "west", password: passwords()["west"]})
			if err != nil || code != 0 {
				t.Fatalf("west is not let in: code %d, %v", code, err)
			}
			raw.Write(publishPacket("menshen/v1/west/up/batch", make([]byte, wire.MaxPayload+8<<10))) // may fail half-way
			if _, err := io.Copy(io.Discard, raw); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the session goes on")
			}
		}, []string{"west length too long ×1"}},
	} {
		t.Run(rule, func(t *testing.T) {
			r := embedded(t)
			tt.try(t, r)
			wantRefusals(t, r.broker(), tt.want...)
		})
	}
}

func TestWhatIsRefusedIsBoundedAndTheNewestComesFirst(t *testing.T) {
	var r refused
	r.add("east", RefusedSpeak, strings.Repeat("门", maxDetail))
	r.add("east", RefusedSpeak, "a\xff")
	r.add("west", RefusedSpeak, strings.Repeat("门", maxDetail))
	for i := range 2 * maxRefusals {
		r.add(fmt.Sprint("stranger-", i), RefusedLogin, "")
	}
	r.add("no name", RefusedLogin, "")
	all := r.newest()
	if len(all) != maxRefusals || all[0].Name != "" || all[1].Name != "stranger-127" {
		t.Errorf("got %d: %v", len(all), all)
	}
	// Strangers have not pushed out what gates were refused.
	east, west := all[maxRefusals-1], all[maxRefusals-2]
	if east.Name != "east" || east.Times != 2 || east.Detail != "a" {
		t.Errorf("got %+v", east)
	}
	if west.Name != "west" || len(west.Detail) > maxDetail || !utf8.ValidString(west.Detail) {
		t.Errorf("got %+v", west)
	}
	for i := range 2 * maxRefusals {
		r.add(fmt.Sprint("gate-", i), RefusedSpeak, "")
	}
	if all := r.newest(); len(all) != maxRefusals || all[0].Name != "gate-127" || all[maxRefusals-1].Name != "gate-64" {
		t.Errorf("got %d: %v", len(all), all)
	}
}

// A stranger chooses its client id, which stands in the server's messages.
func TestNoClientIDIsReadAsARefusalOfAnother(t *testing.T) {
	for _, id := range []string{
		`east" - Subscription Violation - Subject "x"`, `"east" - ` + violatedHear + `"x", SID y`, `east" - ` + violatedSpeak, `%s: %d vs %d`, "",
	} {
		session := fmt.Sprintf("127.0.0.1:5 - mid:9 - %q - ", id)
		for _, rest := range []string{"authentication error - User %q", "first packet", ""} {
			if name, kind, detail := readViolation(session+rest, []any{[]byte("x")}); name != "" {
				t.Errorf("%s: read as %s, %v, %q", session+rest, name, kind, detail)
			}
		}
	}
}

func FuzzReadViolation(f *testing.F) {
	f.Add(`127.0.0.1:5 - mid:9 - "west" - Publish Violation - Subject %q`, "menshen.v1.east.up.hello")
	f.Add(`127.0.0.1:5 - mid:9 - "west" - Subscription Violation - Subject "menshen.v1.>", SID x`, "")
	f.Add(`127.0.0.1:5 - mid:9 - "west" - %s: %d vs %d`, "maximum payload exceeded")
	f.Fuzz(func(t *testing.T, format, v string) {
		for _, args := range [][]any{nil, {[]byte(v)}, {v, 5, int32(6)}} {
			name, kind, _ := readViolation(format, args)
			if name != "" && (!wire.ValidName(name) || !strings.Contains(format, `"`+name+`" - `) || kind < RefusedSpeak) {
				t.Errorf("read as %q, %v", name, kind)
			}
		}
	})
}
