package isolation_test

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
	"github.com/menshen/menshen/web/isolation"
)

// The longest strings that schools really have.
const (
	longSchool = "上海市浦东新区世纪大道与张杨路口外国语大学附属浦东外国语学校东校区九年一贯制实验部初中"
	longName   = "阿卜杜热合曼·艾则孜"
	longClass  = "高二(12)班"
)

// full is a room on a bad morning: one case of each kind, with long names.
func full() *room {
	long := func(c isolation.Case, number int) isolation.Case {
		c.Number, c.Name, c.Class, c.Since = number, longName, longClass, seven.Add(-125*time.Minute)
		c.Found = []string{"high-once", "hard-fever", "no-green", "clock-untrusted"}
		for i := range c.Guardians {
			c.Guardians[i].Name, c.Guardians[i].Phone = longName, "+86 138 0013 8000"
		}
		return c
	}
	late, fetched, unknown, unstored := coming(), coming(), here(), fever()
	late.Late, fetched.Bring, unstored.Stored = true, longName, false
	unstored.Guardians[0].Call, unstored.Guardians[1].Call, unstored.Next = "no-answer", "reached", "home"
	r := with(long(late, 3), long(fetched, 999), long(here(), 12), long(normal(), 13), long(fever(), 14), long(unstored, 15), unknown)
	r.view.Cases[6].Number, r.view.Cases[6].Name, r.view.Cases[6].Class, r.view.Cases[6].Guardians, r.view.Cases[6].Next = 16, "", "", nil, "identified"
	for i := 2; i < 6; i++ {
		r.view.Cases[i].Receive = longName
	}
	r.view.School, r.view.ClockTrusted = longSchool, false
	r.view.Drill, r.view.Clusters = 60, []web.Cluster{{Syndrome: "hand-foot-mouth", Place: longClass, People: 12, Days: 14, Since: seven, New: true}, {Syndrome: "ili", People: 10, Days: 7, Since: seven}}
	told := gone(away())
	r.view.Diagnoses = told.view.Diagnoses
	for i, f := range []func(*isolation.Case){unknownDay, mayCome, undiagnosed} {
		r.view.Returns = append(r.view.Returns, long(away(f), 20+i))
		r.view.Ended = append(r.view.Ended, isolation.Ended{Number: 999, Name: longName, Class: longClass, How: "not-this-person", At: seven})
	}
	for _, c := range []*isolation.Case{&r.view.Cases[4], &r.view.Returns[0]} { // a fever of which nobody was told in time
		c.Duties, c.Log, c.Bed, c.Round, c.Rounds, c.Suspected, c.Diagnosis = owing().Duties, owing().Log, 20, 2, 3, true, isolation.Words{Zh: "手足口病", En: "Hand, foot and mouth disease"}
		for i := range c.Duties {
			c.Duties[i].By, c.Duties[i].Name = longName, isolation.Words{Zh: "县新冠肺炎疫情防控指挥部办公室", En: "County epidemic command office"}
		}
	}
	for i := range 2 {
		r.view.Alarms = append(r.view.Alarms, isolation.Alarm{Arrival: fmt.Sprintf("3-%d", i), Name: longName, Class: longClass, Since: seven.Add(-3 * time.Minute)})
		r.view.Leaving = append(r.view.Leaving, isolation.Leaving{Name: longName, Class: longClass, Until: seven.Add(20 * time.Minute)})
	}
	r.leaders = nil
	for i := range 4 {
		r.leaders = append(r.leaders, isolation.Person{ID: uint64(i + 1), Name: longName})
	}
	r.people = []isolation.Person{{ID: 1000, Name: "王建国"}}
	for i := range 36 {
		for j := range 45 {
			name := []string{"李一涵", longName, "欧阳䶮𠅤"}[j%3]
			r.people = append(r.people, isolation.Person{ID: uint64(i*45 + j + 1), Name: name, Class: fmt.Sprintf("高%c(%d)班", []rune("一二三")[i/12], i%12+1)})
		}
	}
	return r
}

// TestEveryStepCanBeReadAndTouchedOnATablet writes a picture of each to the
// directory MENSHEN_SCREENSHOTS, if it is set.
func TestEveryStepCanBeReadAndTouchedOnATablet(t *testing.T) {
	b := browser.StartFor(t)
	seen := func(number, version int) string { return fmt.Sprintf("number=%d&version=%d", number, version) }
	for _, language := range []web.Language{web.Chinese, web.English} {
		for name, step := range map[string]string{
			"01-room": "GET /isolation/?said=case-home", "02-coming": "GET /isolation/case?number=3", "03-fetched": "GET /isolation/case?number=999",
			"04-here": "GET /isolation/case?number=12", "05-normal": "GET /isolation/case?number=13", "06-fever": "GET /isolation/case?number=14",
			"07-called": "GET /isolation/case?number=15&said=temperature-range", "08-unknown": "GET /isolation/case?number=16",
			"09-phones": "GET /isolation/case?number=15&phones", "10-not-this": "POST /isolation/not-this " + seen(14, 3),
			"11-home": "POST /isolation/home " + seen(14, 3), "12-wrong-digits": "POST /isolation/home relation=mother&digits=1&" + seen(14, 3),
			"13-leader": "POST /isolation/home vouched=yes&" + seen(14, 3), "14-vouch": "POST /isolation/home leader=1&" + seen(14, 3),
			"15-class": "POST /isolation/open ", "16-child": "POST /isolation/open class=" + url.QueryEscape(longClass), "17-symptom": "POST /isolation/open subject=2",
			"18-paper": "POST /isolation/paper subject=2", "19-wrong-time": "POST /isolation/paper time=1&value=1&subject=2", "20-empty": "GET /isolation/", "21-sure": "POST /isolation/step kind=hospital&" + seen(14, 3),
			"22-away": "GET /isolation/case?number=20", "23-cleared": "GET /isolation/case?number=21", "24-ended": "POST /isolation/return ended=&" + seen(21, 5),
			"25-proof": "POST /isolation/return " + seen(21, 5), "26-correct": "POST /isolation/correct " + seen(14, 3), "27-again": "POST /isolation/correct corrects=2&" + seen(14, 3),
			"28-disease": "POST /isolation/return " + seen(22, 5), "29-bed": "POST /isolation/place " + seen(14, 3),
		} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				r := full()
				if name == "20-empty" {
					r = with()
				}
				if err := b.Open(serve(t, language, r, step)); err != nil {
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
func serve(t *testing.T, language web.Language, r *room, step string) string {
	t.Helper()
	tab := newTablet(t, language, r)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/step" {
			method, to, _ := strings.Cut(step, " ")
			path, form, _ := strings.Cut(to, " ")
			r = httptest.NewRequest(method, path, strings.NewReader(form))
			r.Host = "localhost"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		r.RemoteAddr = "127.0.0.1:40000"
		r.AddCookie(tab.cookie)
		tab.handler.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections() // streams have no end of their own
		server.Close()
	})
	return server.URL + "/step"
}
