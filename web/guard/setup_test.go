package guard_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/menshen/menshen/web/guard"
)

func TestTheWayToTheInstallationIsShownOnlyWhereAndWhileItIsOpen(t *testing.T) {
	s := newOutposts(t)
	on := s.signedOn(t, 17)
	for rule, c := range map[string]struct {
		notAccepted, canSetUp bool
		cookies               []*http.Cookie
		link                  bool
	}{
		"a new gate":                  {true, true, nil, true},
		"somebody is signed on":       {true, true, []*http.Cookie{on}, false},
		"another machine's screen":    {true, true, []*http.Cookie{s.second}, false},
		"it was accepted":             {false, true, nil, false},
		"a program without that page": {true, false, nil, false},
	} {
		t.Run(rule, func(t *testing.T) {
			s.gate.set(func(v *guard.View) { v.NotAccepted, v.CanSetUp = c.notAccepted, c.canSetUp })
			page := s.ask("GET", "/guard/", nil, c.cookies...).Body.String()
			if strings.Contains(page, `href="/setup/"`) != c.link || strings.Contains(page, "未验收") != c.notAccepted {
				t.Errorf("page %s", page)
			}
		})
	}
}
