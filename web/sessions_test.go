package web_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/web"
)

// staff knows three people by badge; their PIN is "1234".
type staff struct{ asked int }

var errStore = errors.New("roster is closed")

func (s *staff) CheckPIN(_ context.Context, badge, pin string) (web.Person, error) {
	s.asked++
	people := map[string]web.Person{
		"b1": {ID: 1, Name: "王建国"}, "b2": {ID: 2, Name: "李红"}, "b3": {ID: 3, Name: "赵敏"},
	}
	person, known := people[badge]
	switch {
	case badge == "locked":
		return web.Person{}, web.ErrLocked
	case badge == "broken":
		return web.Person{}, errStore
	case !known || pin != "1234":
		return web.Person{}, web.ErrPIN
	}
	return person, nil
}

// signOn returns the browser's cookie.
func signOn(t *testing.T, s *web.Sessions, badge string) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.SignOn(w, httptest.NewRequest("POST", "/sign-on", nil), badge, "1234"); err != nil {
		t.Fatalf("sign on %s: %v", badge, err)
	}
	return w.Result().Cookies()[0]
}

func from(c *http.Cookie) *http.Request {
	r := httptest.NewRequest("GET", "/guard/", nil)
	r.AddCookie(c)
	return r
}

func isOn(s *web.Sessions, c *http.Cookie) bool {
	_, ok := s.Who(from(c))
	return ok
}

func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestSessionCookieIsOutOfReachOfScriptsAndOtherSites(t *testing.T) {
	s := web.NewSessions(&staff{})
	c := signOn(t, s, "b1")
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.MaxAge != 12*3600 {
		t.Errorf("got %v, want HttpOnly, SameSite=Strict, 12 h and, over plain HTTP, not Secure", c)
	}
	if secret, err := base64.RawURLEncoding.DecodeString(c.Value); err != nil || len(secret) != 32 {
		t.Errorf("got a secret of %d bytes (%v), want 32", len(secret), err)
	}
}

func TestSessionCookieIsSecureOverTLS(t *testing.T) {
	w, r := httptest.NewRecorder(), httptest.NewRequest("POST", "/sign-on", nil)
	r.TLS = &tls.ConnectionState{}
	if err := web.NewSessions(&staff{}).SignOn(w, r, "b1", "1234"); err != nil {
		t.Fatal(err)
	}
	if c := w.Result().Cookies()[0]; !c.Secure {
		t.Errorf("got %v, want Secure", c)
	}
}

func TestSessionEndsTwelveHoursAfterSignOnHoweverMuchItIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := web.NewSessions(&staff{})
		c := signOn(t, s, "b1")
		for range 11 {
			advance(time.Hour)
			if !isOn(s, c) {
				t.Fatal("session ended early")
			}
		}
		advance(time.Hour - time.Nanosecond)
		if !isOn(s, c) || len(s.OnDuty()) != 1 {
			t.Error("session ended before 12 h")
		}
		advance(time.Nanosecond)
		if isOn(s, c) || len(s.OnDuty()) != 0 {
			t.Error("session outlived 12 h")
		}
	})
}

func TestAForgedCookieIsNobody(t *testing.T) {
	s := web.NewSessions(&staff{})
	c := signOn(t, s, "b1")
	for _, value := range []string{"", "x", c.Value[1:], c.Value + "AAAA", base64.RawURLEncoding.EncodeToString(make([]byte, 32))} {
		if isOn(s, &http.Cookie{Name: c.Name, Value: value}) {
			t.Errorf("cookie %q has a session", value)
		}
	}
}

func TestAThirdPersonReplacesNobody(t *testing.T) {
	s := web.NewSessions(&staff{})
	first, second := signOn(t, s, "b1"), signOn(t, s, "b2")
	err := s.SignOn(httptest.NewRecorder(), from(first), "b3", "1234")
	if !errors.Is(err, web.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	if duty := s.OnDuty(); len(duty) != 2 || duty[0].ID != 1 || duty[1].ID != 2 || !isOn(s, first) || !isOn(s, second) {
		t.Errorf("got %v on duty, want 1 and 2 as before", duty)
	}
}

func TestTakingOverEndsEveryOtherPersonsScreensOnly(t *testing.T) {
	s := web.NewSessions(&staff{})
	first, tablet, second := signOn(t, s, "b1"), signOn(t, s, "b1"), signOn(t, s, "b2")
	own := signOn(t, s, "b2")
	w := httptest.NewRecorder()
	if err := s.TakeOver(w, from(first), "b2", "1234"); err != nil {
		t.Fatal(err)
	}
	if isOn(s, first) || isOn(s, tablet) {
		t.Error("a screen of who was replaced still has a session")
	}
	if !isOn(s, second) || !isOn(s, own) || !isOn(s, w.Result().Cookies()[0]) {
		t.Error("a screen of who took over has lost its session")
	}
}

func TestARefusedTakeOverReplacesNobody(t *testing.T) {
	s := web.NewSessions(&staff{})
	first := signOn(t, s, "b1")
	for badge, want := range map[string]error{"b9": web.ErrPIN, "locked": web.ErrLocked, "broken": errStore} {
		if err := s.TakeOver(httptest.NewRecorder(), from(first), badge, "1234"); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", badge, err, want)
		}
	}
	if !isOn(s, first) {
		t.Error("a refused take-over ended a session")
	}
}

func TestOnePersonAtManyScreensIsOnDutyOnceAndBounded(t *testing.T) {
	s := web.NewSessions(&staff{})
	oldest := signOn(t, s, "b1")
	signOn(t, s, "b2")
	var newest *http.Cookie
	for range 4 {
		newest = signOn(t, s, "b1")
	}
	if len(s.OnDuty()) != 2 {
		t.Errorf("got %v on duty, want each person once", s.OnDuty())
	}
	if isOn(s, oldest) || !isOn(s, newest) {
		t.Error("a fifth screen must end the first one's session")
	}
}

func TestSigningOffEndsDutyAtEveryScreenOfThatPersonOnly(t *testing.T) {
	s := web.NewSessions(&staff{})
	desk, tablet, other := signOn(t, s, "b1"), signOn(t, s, "b1"), signOn(t, s, "b2")
	w := httptest.NewRecorder()
	s.SignOff(w, from(desk))
	if isOn(s, desk) || isOn(s, tablet) || !isOn(s, other) {
		t.Error("want both screens of the first person ended and the other person on duty")
	}
	if c := w.Result().Cookies()[0]; c.Value != "" || c.MaxAge >= 0 {
		t.Errorf("got %v, want the cookie removed", c)
	}
	signOn(t, s, "b3")
}

func TestEmptyOrOverlongEntriesNeverReachStaff(t *testing.T) {
	known := &staff{}
	s := web.NewSessions(known)
	long := string(make([]byte, 65))
	for _, entry := range [][2]string{{"", "1234"}, {"b1", ""}, {long, "1234"}, {"b1", long}} {
		err := s.SignOn(httptest.NewRecorder(), httptest.NewRequest("POST", "/", nil), entry[0], entry[1])
		if !errors.Is(err, web.ErrPIN) {
			t.Errorf("got %v, want ErrPIN", err)
		}
	}
	if known.asked != 0 {
		t.Errorf("staff was asked %d times", known.asked)
	}
}

// ward lets a nurse in beside the crew.
type ward struct{ staff }

func (w *ward) CheckPIN(ctx context.Context, badge, pin string) (web.Person, error) {
	if badge == "nurse" {
		return web.Person{ID: 9, Name: "孙芳", Duties: web.DutyNurse}, nil
	}
	if badge == "teacher" {
		return web.Person{ID: 10, Name: "钱芳", Duties: web.DutyTeacher}, nil
	}
	p, err := w.staff.CheckPIN(ctx, badge, pin)
	p.Duties = web.DutyGuard
	return p, err
}

// TestWhoHasTheIsolationRoomTakesNoPlaceAtTheGate: with two on duty the nurse
// signs on, and no change of shift at the gate signs her off.
func TestWhoHasTheIsolationRoomTakesNoPlaceAtTheGate(t *testing.T) {
	s := web.NewSessions(&ward{})
	first, second, nurse := signOn(t, s, "b1"), signOn(t, s, "b2"), signOn(t, s, "nurse")
	if on := s.OnDuty(); len(on) != 2 || on[0].ID != 1 || on[1].ID != 2 {
		t.Errorf("on duty %v", on)
	}
	w := httptest.NewRecorder()
	if err := s.TakeOver(w, from(first), "b3", "1234"); err != nil || isOn(s, first) || isOn(s, second) || !isOn(s, nurse) {
		t.Errorf("take over: %v, the nurse is signed on: %v", err, isOn(s, nurse))
	}
	if err := s.TakeOver(httptest.NewRecorder(), from(nurse), "nurse", "1234"); err != nil || len(s.OnDuty()) != 1 {
		t.Errorf("the nurse takes over: %v, on duty %v", err, s.OnDuty())
	}
}

// TestWhoChecksAClassTakesNoPlaceAtTheGate: forty teachers sign on beside two guards.
func TestWhoChecksAClassTakesNoPlaceAtTheGate(t *testing.T) {
	s := web.NewSessions(&ward{})
	first, second, teacher := signOn(t, s, "b1"), signOn(t, s, "b2"), signOn(t, s, "teacher")
	if on := s.OnDuty(); len(on) != 2 || !isOn(s, first) || !isOn(s, second) {
		t.Errorf("on duty %v", on)
	}
	if err := s.TakeOver(httptest.NewRecorder(), from(first), "b3", "1234"); err != nil || !isOn(s, teacher) {
		t.Errorf("take over: %v, the teacher is signed on: %v", err, isOn(s, teacher))
	}
}
