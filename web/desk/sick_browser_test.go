package desk_test

import (
	"testing"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
)

func TestWhoIsIllAtHomeFitsATablet(t *testing.T) {
	b := browser.StartFor(t)
	for name, step := range map[string]string{
		"40-at-home": "GET /desk/", "41-class": "POST /desk/sick ", "42-symptoms": "POST /desk/sick subject=2",
	} {
		for _, language := range []web.Language{web.Chinese, web.English} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				tab, s := caring(t, web.DutyDesk, language)
				*tab.gate = *full()
				for range 3 {
					s.list = append(s.list, desk.AtHome{Name: longName, Class: longClass, Found: []string{"cough", "vomiting", "diarrhoea", "rash", "weakness", "sore-throat", "fever", "other"}})
				}
				if err := b.Open(tab.serve(step)); err != nil {
					t.Fatal(err)
				}
				b.Look(t, name+"."+language.Tag(), "document.readyState === 'complete'", browser.Screen{1280, 800}, browser.Screen{800, 1280})
			})
		}
	}
}
