package class_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/class"
)

// The longest strings that schools really have.
const (
	longName  = "阿卜杜热合曼·艾则孜"
	longClass = "初三(12)班 · 实验部"
)

// full is a class as large as they come, with as many checks on a day.
func full() *school {
	s := noon()
	at := s.today.List[0].From
	s.sheet.Group = longClass
	for i, check := range []string{"bus", "morning", "noon", "evening", "dormitory"} {
		one := class.Owed{Key: class.Key{Check: check, Group: longClass}, From: at, By: at.Add(time.Hour), State: []string{"late", "open", "to-come", "done", "done"}[i], Times: 2, Least: 4, Short: i == 0}
		if one.State == "done" {
			one.At, one.Who, one.Expected, one.Absent, one.Ill, one.MayTakeBack = at, longName, 56, 12, 10, true
		}
		s.today.List = append(s.today.List, one)
	}
	for i := range 50 {
		s.sheet.People = append(s.sheet.People, class.Member{ID: uint64(100 + i), Name: longName, Hint: []string{"", "not-come", "in-case", "at-home"}[i%4], Absent: i%4 > 1})
	}
	return s
}

// TestEveryStepCanBeReadAndTouchedOnAPhone writes a picture of each to the directory
// MENSHEN_SCREENSHOTS, if it is set.
func TestEveryStepCanBeReadAndTouchedOnAPhone(t *testing.T) {
	b := browser.StartFor(t)
	form := url.Values{"check": {"noon"}, "group": {longClass}}
	slip := url.Values{"check": {"noon"}, "group": {longClass}, "version": {"9"}, "instrument": {"ear"}, "temperature-4": {"3755"}, "found-4-cough": {"1"}}
	for _, language := range []web.Language{web.Chinese, web.English} {
		for name, step := range map[string]struct {
			method, path string
			form         url.Values
		}{
			"1-today": {"GET", "/class/?said=checked-case", nil},
			"2-sheet": {"POST", "/class/check", form},
			"3-slip":  {"POST", "/class/check", slip},
		} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				p := newPhone(t, language, web.DutyTeacher)
				*p.school = *full()
				if err := b.Open(p.serve(step.method, step.path, step.form)); err != nil {
					t.Fatal(err)
				}
				b.Look(t, name+"."+language.Tag(), "document.readyState === 'complete'", browser.Screen{390, 844}, browser.Screen{800, 1280})
			})
		}
	}
}

// TestTheButtonSaysWhatItDoes: with nothing ticked all are well, and otherwise the
// others.
func TestTheButtonSaysWhatItDoes(t *testing.T) {
	b := browser.StartFor(t)
	p := newPhone(t, web.Chinese, web.DutyTeacher)
	p.school.sheet.People = p.school.sheet.People[:1]
	if err := b.Open(p.serve("POST", "/class/check", url.Values{"check": {"noon"}, "group": {"三年级1班"}})); err != nil {
		t.Fatal(err)
	}
	said := func() string {
		got, err := b.Text(`document.querySelector('#submit button').innerText + ' ' + document.querySelector('summary').innerText.replace(/\s+/g, ' ')`)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := said(); got != "全部正常 李一涵 正常" {
		t.Errorf("at first: %q", got)
	}
	if err := b.Tap("summary"); err != nil {
		t.Fatal(err)
	}
	if err := b.Tap(".toggle"); err != nil {
		t.Fatal(err)
	}
	if got := said(); got != "提交 · 其余正常 李一涵 有情况" {
		t.Errorf("with somebody absent: %q", got)
	}
}

// serve returns the address of the page that answers one step.
func (p *phone) serve(method, path string, form url.Values) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/step":
			p.send(method, path, form)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = w.Write([]byte(p.page)) // the browser may have gone
		default:
			r.RemoteAddr = "127.0.0.1:40000"
			p.handler.ServeHTTP(w, r)
		}
	}))
	p.t.Cleanup(server.Close)
	return server.URL + "/step"
}
