package desk_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
)

// manyVisitors has every card, out or free, and the longest names.
func manyVisitors(at time.Time) desk.Visitors {
	v := desk.Visitors{From: "08:30", Waiting: 12, Goods: 128}
	for i := range 20 {
		if i%5 > 0 {
			v.Free = append(v.Free, i+1)
			continue
		}
		v.Inside = append(v.Inside, desk.Visit{Card: i + 1, Name: longName, Host: longName, Reason: "inspection",
			Since: at.Add(time.Duration(i-19) * 2 * time.Hour), Over: i < 15, Open: i > 0})
	}
	return v
}

// TestEveryStepOfAVisitCanBeReadAndTouchedOnATablet writes a picture of each to
// the directory MENSHEN_SCREENSHOTS, if it is set.
func TestEveryStepOfAVisitCanBeReadAndTouchedOnATablet(t *testing.T) {
	b := browser.StartFor(t)
	chosen := "reason=inspection&subject=1"
	for _, language := range []web.Language{web.Chinese, web.English} {
		for name, step := range map[string]string{
			"visit-1-desk": "GET /desk/?said=card-given", "visit-2-quiet": "GET /desk/?said=visitor-waits", "visit-3-why": "POST /desk/visit ",
			"visit-4-letter": "POST /desk/visit reason=inspection", "visit-5-host": "POST /desk/visit reason=inspection&class=&letters=a",
			"visit-6-card": "POST /desk/visit " + chosen, "visit-7-slip": "POST /desk/visit " + chosen + "&card=2&phone=1&name=" + url.QueryEscape(longName),
			"visit-8-no-card": "POST /desk/visit " + chosen, "visit-9-delivery": "POST /desk/visit reason=delivery&subject=1",
			"visit-10-inside": "GET /desk/",
		} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				g := full()
				g.visits = manyVisitors(g.view.Now)
				g.people = append(g.people, desk.Person{ID: 1, Name: longName})
				for i := range 60 {
					g.people = append(g.people, desk.Person{ID: 2000 + uint64(i), Name: longName})
				}
				switch name {
				case "visit-2-quiet":
					g.view.Asides, g.holds, g.undos, g.view.Problems, g.visits = nil, nil, nil, nil, desk.Visitors{Free: []int{1}}
				case "visit-6-card", "visit-7-slip":
					g.visits.Leaders = []desk.Person{{ID: 4, Name: longName}}
				case "visit-10-inside":
					g.view.Asides, g.holds, g.undos, g.view.Lanes = nil, nil, nil, nil
				case "visit-3-why":
					g.visits.From = ""
				case "visit-8-no-card":
					g.visits.Free = nil
				}
				if err := b.Open(serve(t, language, g, step)); err != nil {
					t.Fatal(err)
				}
				b.Look(t, name+"."+language.Tag(), "document.readyState === 'complete'", browser.Screen{1280, 800}, browser.Screen{800, 1280})
			})
		}
	}
}
