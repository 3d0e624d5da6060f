package desk_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// The longest strings that schools really have.
const (
	longSchool = "上海市浦东新区世纪大道与张杨路口外国语大学附属浦东外国语学校东校区九年一贯制实验部初中"
	longName   = "阿卜杜热合曼·艾则孜"
	longClass  = "高二(12)班"
)

// full is a gate with as much on its desk as a bad morning brings.
func full() *gate {
	at := time.Date(2020, 12, 7, 7, 58, 0, 0, time.UTC)
	g := &gate{view: guard.View{Gate: "东门", School: longSchool, Now: at, ClockTrusted: true, OnDuty: []string{"王建国", longName},
		Problems: []guard.Problem{{Key: "collector-diverged", Args: []any{"district"}}}}}
	for i := range 6 {
		g.view.Asides = append(g.view.Asides, guard.Aside{Ticket: 3 + 160*i, Arrival: fmt.Sprintf("3-%d", i), Version: 2, Name: longName, Class: longClass,
			Reasons: []string{"high-once", "no-green", "clock-untrusted"}, Temperature: "37.28", Since: at.Add(-25 * time.Minute), CanColour: true, CanType: i != 2, Isolate: i%2 == 1})
		g.holds = append(g.holds, desk.Hold{Subject: uint64(i + 1), Name: longName, Class: longClass, Reason: "vomiting", By: longName, Since: at, Until: at.Add(40 * time.Hour)})
	}
	g.view.Lanes = []guard.Lane{{Number: 1, Direction: "in"}, {Number: 2, Direction: "in"}}
	g.view.Asides[2].Colours = []string{"green", guard.Printed, "yellow", "red", guard.PopUp}
	g.view.Asides[2].Looks = []guard.Look{
		{Row: "tests", Say: guard.Sentence{Zh: "请出示四十八小时内两次核酸检测阴性证明,两次间隔至少二十四小时", En: "Show two negative tests of the last 48 hours that are 24 hours apart."}},
		{Row: "paper", Evidence: "document", Name: "承诺书和健康卡"},
	}
	g.view.Asides[2].Sentences, g.view.Masks = []guard.Sentence{g.view.Asides[2].Looks[0].Say}, true
	g.view.Asides[0].Due, g.view.Asides[2].Due = at, at.Add(3*time.Minute)
	for i, what := range []string{"act.type", "colour.yellow", "act.override"} {
		g.undos = append(g.undos, desk.Undo{ID: uint64(i + 1), Name: longName, Class: longClass, What: what, Left: time.Minute})
		g.lately = append(g.lately, desk.Recent{Arrival: fmt.Sprintf("3-%d", i), Person: desk.Person{ID: 1, Name: longName, Class: longClass}, At: at})
	}
	g.undos[0].Value = "36.9"
	g.view.Asides[5].Name, g.view.Asides[5].Class = "", ""
	g.people = append(g.people, desk.Person{ID: 1000, Name: "王建国"})
	for i := range 36 {
		for j := range 45 {
			name := []string{"李一涵", longName, "欧阳䶮𠅤"}[j%3]
			g.people = append(g.people, desk.Person{ID: uint64(i*45 + j + 1), Name: name, Class: fmt.Sprintf("高%c(%d)班", []rune("一二三")[i/12], i%12+1)})
		}
	}
	return g
}

// TestEveryStepCanBeReadAndTouchedOnATablet writes a picture of each to the
// directory MENSHEN_SCREENSHOTS, if it is set.
func TestEveryStepCanBeReadAndTouchedOnATablet(t *testing.T) {
	b := browser.StartFor(t)
	subject := "subject=" + url.QueryEscape("2")
	for _, language := range []web.Language{web.Chinese, web.English} {
		for name, step := range map[string]string{
			"1-desk": "GET /desk/?said=still-waits", "2-aside": "GET /desk/aside?arrival=3-0", "3-isolate": "GET /desk/aside?arrival=3-1", "19-looks": "GET /desk/aside?arrival=3-2", "4-unknown": "GET /desk/aside?arrival=3-5",
			"5-class": "POST /desk/hold ", "6-child": "POST /desk/hold class=" + url.QueryEscape("高二(12)班"), "7-reason": "POST /desk/hold " + subject,
			"8-until": "POST /desk/hold reason=other&" + subject, "9-badge": "POST /desk/badge " + subject, "10-wrong-badge": "POST /desk/badge badge=1&" + subject,
			"11-lift": "POST /desk/lift version=1607327880000&" + subject, "12-empty": "GET /desk/",
			"13-letter": "POST /desk/named lane=1&class=" + url.QueryEscape("高二(12)班"), "14-nobody-so": "POST /desk/named lane=1&letters=q&class=" + url.QueryEscape("高二(12)班"),
			"15-named": "POST /desk/named lane=1&letters=a&class=" + url.QueryEscape("高二(12)班"), "16-lately": "POST /desk/ill lane=1", "17-ill": "POST /desk/ill lane=1&arrival=3-0",
			"18-no-symptom": "POST /desk/ill lane=1&then=case&arrival=3-0",
		} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				g := full()
				if name == "12-empty" {
					g.view.Asides, g.holds, g.undos, g.view.Problems, g.view.ClockTrusted = nil, nil, nil, nil, false
				}
				if err := b.Open(serve(t, language, g, step)); err != nil {
					t.Fatal(err)
				}
				b.Look(t, name+"."+language.Tag(), "document.querySelectorAll('.pad').length === document.querySelectorAll('.pad:has(button)').length",
					browser.Screen{1280, 800}, browser.Screen{800, 1280})
			})
		}
	}
}

// serve returns the address of the page that answers one step: its route and,
// behind a blank, its form.
func serve(t *testing.T, language web.Language, g *gate, step string) string {
	t.Helper()
	tab := newTablet(t, language)
	*tab.gate = *g
	return tab.serve(step)
}

// serve does the same of a tablet.
func (b *tablet) serve(step string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/step" {
			method, to, _ := strings.Cut(step, " ")
			path, form, _ := strings.Cut(to, " ")
			r = httptest.NewRequest(method, path, strings.NewReader(form))
			r.Host = "localhost"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		r.RemoteAddr = "127.0.0.1:40000"
		r.AddCookie(b.cookie)
		b.handler.ServeHTTP(w, r)
	}))
	b.t.Cleanup(func() {
		server.CloseClientConnections() // streams have no end of their own
		server.Close()
	})
	return server.URL + "/step"
}
