package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/web"
)

// roll is a staff that keeps sessions, and whose people can lose their duty.
type roll struct {
	staff
	mu   sync.Mutex
	gone map[uint64]bool
	kept []web.KeptSession
	full bool // nothing is kept
}

func (r *roll) Standing(id uint64) (web.Person, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return web.Person{ID: id, Name: "现名", Duties: web.DutyGuard}, !r.gone[id]
}

func (r *roll) Sessions(context.Context) ([]web.KeptSession, error) {
	if r.full {
		return nil, errStore
	}
	return slices.Clone(r.kept), nil
}

func (r *roll) KeepSessions(_ context.Context, list []web.KeptSession) error {
	if r.full {
		return errStore
	}
	r.kept = slices.Clone(list)
	return nil
}

func (r *roll) lose(id uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = map[uint64]bool{id: true}
}

// start is one start of a gate whose wall clock is off by so much.
func (r *roll) start(off time.Duration, log io.Writer) *web.Sessions {
	now := func() time.Time { return time.Now().Add(off) }
	return web.NewKeptSessions(context.Background(), r, now, slog.New(slog.NewTextHandler(log, nil)))
}

func TestASessionAndARestart(t *testing.T) {
	tests := map[string]struct {
		before time.Duration // from sign-on to the restart
		off    time.Duration // of the wall clock after it
		after  time.Duration // from the restart to the look
		want   bool
	}{
		"it goes on":                                {time.Hour, 0, time.Hour, true},
		"it has what was left of its life":          {11 * time.Hour, 0, time.Hour - time.Second, true},
		"and no more":                               {11 * time.Hour, 0, time.Hour, false},
		"it may end while the gate is off":          {12 * time.Hour, 0, 0, false},
		"a clock that went back makes it none":      {time.Hour, -2 * time.Hour, 0, false},
		"a clock a little back adds no second life": {11 * time.Hour, -10 * time.Hour, 11 * time.Hour, false},
		"a clock that went ahead ends it early":     {time.Hour, 11 * time.Hour, 0, false},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &roll{}
				c := signOn(t, r.start(0, io.Discard), "b1")
				advance(tt.before)
				s := r.start(tt.off, io.Discard)
				advance(tt.after)
				if got := isOn(s, c); got != tt.want {
					t.Errorf("signed on: %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestARestartKeepsWhoIsOnDutyAndNoSecret(t *testing.T) {
	r := &roll{}
	s := r.start(0, io.Discard)
	first, second := signOn(t, s, "b1"), signOn(t, s, "b2")
	if secret, err := base64.RawURLEncoding.DecodeString(first.Value); err != nil || r.kept[0].Digest != sha256.Sum256(secret) {
		t.Errorf("kept %x, want the SHA-256 of the secret (%v)", r.kept[0].Digest, err)
	}
	s = r.start(0, io.Discard)
	duty := s.OnDuty()
	if len(duty) != 2 || duty[0].ID != 1 || duty[1].ID != 2 || !isOn(s, first) || !isOn(s, second) {
		t.Errorf("got %v on duty after the restart", duty)
	}
	if err := s.SignOn(httptest.NewRecorder(), from(first), "b3", "1234"); !errors.Is(err, web.ErrFull) {
		t.Errorf("a third signs on beside them: %v", err)
	}
	s.SignOff(httptest.NewRecorder(), from(first))
	if s = r.start(0, io.Discard); isOn(s, first) || !isOn(s, second) {
		t.Error("who signed off is back, or the other is gone")
	}
}

func TestWhoHasNothingToDoAtTheGateIsSignedOffAtOnce(t *testing.T) {
	r := &roll{}
	s := r.start(0, io.Discard)
	first, second := signOn(t, s, "b1"), signOn(t, s, "b2")
	r.lose(1)
	if isOn(s, first) || !isOn(s, second) || len(s.OnDuty()) != 1 {
		t.Errorf("got %v on duty", s.OnDuty())
	}
	if again := r.start(0, io.Discard); isOn(again, first) || !isOn(again, second) {
		t.Error("a restart brings back who was signed off")
	}
}

func TestWhatSomebodyMayDoIsAsOfNow(t *testing.T) {
	r := &roll{}
	s := r.start(0, io.Discard)
	c := signOn(t, s, "b1") // as 王建国, without duties
	if who, ok := s.Who(from(c)); !ok || who.Name != "现名" || who.Duties != web.DutyGuard {
		t.Errorf("got %+v", who)
	}
}

func TestADiskThatStoresNothingKeepsNobodyFromWork(t *testing.T) {
	var log bytes.Buffer
	r := &roll{full: true}
	s := r.start(0, &log)
	if c := signOn(t, s, "b1"); !isOn(s, c) {
		t.Error("not signed on")
	}
	for _, says := range []string{"sessions not read", "sessions not kept", errStore.Error()} {
		if !strings.Contains(log.String(), says) {
			t.Errorf("the log does not say %q: %s", says, &log)
		}
	}
	if strings.Contains(log.String(), "王建国") {
		t.Error("a name is in the log")
	}
}

func TestSomebodyKnownOtherwiseSignsOnBesideOrInPlaceOfTheOthers(t *testing.T) {
	r := &roll{}
	s := r.start(0, io.Discard)
	first := signOn(t, s, "b1")
	begin := func(id uint64, alone bool) (*http.Cookie, error) {
		w := httptest.NewRecorder()
		if err := s.Begin(w, from(first), web.Person{ID: id}, alone); err != nil {
			return nil, err
		}
		return w.Result().Cookies()[0], nil
	}
	second, err := begin(2, false)
	if err != nil || !isOn(s, first) || !isOn(s, second) {
		t.Fatalf("beside: %v", err)
	}
	if _, err := begin(3, false); !errors.Is(err, web.ErrFull) {
		t.Errorf("a third beside two: %v", err)
	}
	third, err := begin(3, true)
	if err != nil || isOn(s, first) || isOn(s, second) || !isOn(s, third) {
		t.Errorf("in their place: %v, on duty %v", err, s.OnDuty())
	}
}
