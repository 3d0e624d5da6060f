package room

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/room/feed"
	"github.com/menshen/menshen/web"
)

func testKey(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

// answering returns a gate that answers a sign-on so, or one that is away.
func answering(t *testing.T, name, says string) Gate {
	t.Helper()
	g := Gate{Name: name, Key: testKey(2).Public().(ed25519.PublicKey)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.Address = l.Addr().String()
	if says == "away" {
		l.Close()
		return g
	}
	trust, err := feed.Server(testKey(2), []ed25519.PublicKey{testKey(1).Public().(ed25519.PublicKey)})
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: tls.NewListener(l, trust), Config: &http.Server{
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var in feed.SignOn
			if err := feed.Body(r.Body, &in); err != nil || r.URL.Path != feed.SignsOn || in != (feed.SignOn{Badge: "7001", PIN: "294716"}) {
				t.Errorf("%s is asked %s %+v, %v", name, r.URL, in, err)
			}
			switch says {
			case "wrong":
				w.WriteHeader(http.StatusForbidden)
			case "locked":
				w.WriteHeader(http.StatusTooManyRequests)
			case "no-duty":
				w.WriteHeader(http.StatusConflict)
			case "sends elsewhere":
				http.Redirect(w, r, "https://192.0.2.1/", http.StatusTemporaryRedirect)
			default:
				_, _ = io.WriteString(w, says)
			}
		}),
	}}
	s.Start()
	t.Cleanup(s.Close)
	return g
}

func TestTheGatesSayWhoSignsOn(t *testing.T) {
	const nurse = `{"number":"T2","name":"赵敏","duties":4}`
	for rule, c := range map[string]struct {
		gates []string
		err   error
		duty  web.Duty
	}{
		"the first that knows":              {[]string{nurse, "wrong"}, nil, web.DutyNurse},
		"the second, if the first does not": {[]string{"wrong", nurse}, nil, web.DutyNurse},
		"the second, if the first is away":  {[]string{"away", nurse}, nil, web.DutyNurse},
		"nobody knows":                      {[]string{"wrong", "wrong"}, web.ErrPIN, 0},
		"nobody can be asked":               {[]string{"away", "away"}, errNoGate, 0},
		"a lock is not gone around":         {[]string{"locked", nurse}, web.ErrLocked, 0},
		"no duty anywhere":                  {[]string{"no-duty", "wrong"}, web.ErrNoDuty, 0},
		"what is no person":                 {[]string{`{"number":"T2"} {}`}, errNoGate, 0},
		"a gate sends nobody elsewhere":     {[]string{"sends elsewhere"}, errNoGate, 0},
	} {
		t.Run(rule, func(t *testing.T) {
			o := Options{Config: &config.Config{Data: t.TempDir()}, Key: testKey(1), Log: slog.New(slog.DiscardHandler)}
			for i, says := range c.gates {
				o.Gates = append(o.Gates, answering(t, string(rune('a'+i)), says))
			}
			b, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			who, err := b.staff.CheckPIN(t.Context(), "7001", "294716")
			if !errors.Is(err, c.err) || who.Duties != c.duty {
				t.Fatalf("got %+v, %v", who, err)
			}
			if err == nil && (who.Name != "赵敏" || b.staff.number(who.ID) != "T2" || b.staff.id("T2") != who.ID) {
				t.Errorf("got %+v, number %q", who, b.staff.number(who.ID))
			}
			if b.staff.number(0) != "" || b.staff.number(99) != "" {
				t.Error("nobody has a number")
			}
		})
	}
}
