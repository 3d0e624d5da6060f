package board_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/board"
)

// long is a bad morning with the longest strings that schools really have.
func long() *room {
	r := morning()
	r.view.School, r.view.Name = "上海市浦东新区世纪大道与张杨路口外国语大学附属浦东外国语学校东校区九年一贯制实验部初中", "isolation-room-of-building-three"
	r.view.Dark, r.view.LastGood = true, true
	for i := range r.view.Alarms {
		a := &r.view.Alarms[i]
		a.Gate, a.Number, a.Name, a.Class, a.Since, a.Drill = "north-gate-behind-the-dormitory", 999, "阿卜杜热合曼·艾则孜", "高二(12)班", seven.Add(-125*time.Minute), true
	}
	r.view.Gates = append(r.view.Gates, board.Gate{Name: "north-gate-behind-the-dormitory", Lost: true, Heard: true, Since: seven.AddDate(0, 0, -3), Phone: "+86 138 0013 8000"})
	return r
}

// TestTheBoardCanBeReadAndTouched writes a picture of each view to the directory
// MENSHEN_SCREENSHOTS, if it is set.
func TestTheBoardCanBeReadAndTouched(t *testing.T) {
	b := browser.StartFor(t)
	calm := &room{view: board.View{School: "实验小学", Name: "room", Now: seven, Gates: []board.Gate{{Name: "east", Here: true}, {Name: "west"}}}}
	for _, language := range []web.Language{web.Chinese, web.English} {
		for name, c := range map[string]struct {
			r   *room
			pin string
		}{"01-calm": {calm, ""}, "02-alarm": {morning(), ""}, "03-nurse": {morning(), "nurse"}, "04-long": {long(), "nurse"}} {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				s := at(t, c.r, c.pin)
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.RemoteAddr = "127.0.0.1:40000"
					for _, cookie := range s.cookies {
						r.AddCookie(cookie)
					}
					r.AddCookie(&http.Cookie{Name: "menshen_language", Value: language.Tag()})
					s.handler.ServeHTTP(w, r)
				}))
				t.Cleanup(func() {
					server.CloseClientConnections() // streams have no end of their own
					server.Close()
				})
				if err := b.Open(server.URL + "/board/"); err != nil {
					t.Fatal(err)
				}
				b.Look(t, name+"."+language.Tag(), "", browser.Screen{1280, 800, 217}, browser.Screen{800, 1280, 136})
			})
		}
	}
}
