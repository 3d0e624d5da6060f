package desk_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// undoable has one act of each kind, of the last minute.
func undoable() []desk.Undo {
	return []desk.Undo{
		{ID: 15, Name: "李一涵", Class: "1班", What: "act.type", Value: "36.9", Left: 48 * time.Second},
		{ID: 14, Name: "赵敏", Class: "2班", What: "colour.green", Left: 31 * time.Second},
		{ID: 12, Name: "周明", Class: "2班", What: "desk.hold", Left: 30 * time.Second},
		{ID: 11, Name: "王建国", What: "act.override", Left: time.Second},
	}
}

// large gives 2班 as many people as make a letter worth a press.
func large(g *gate) {
	for i := range 12 {
		g.people = append(g.people, desk.Person{ID: uint64(100 + i), Name: longName, Class: "2班"})
	}
}

func TestAForgottenBadgeTakesFourTaps(t *testing.T) {
	b := newTablet(t, web.Chinese)
	large(b.gate)
	b.home()
	for _, label := range []string{"忘带卡 · 1 号通道", "2班", "Z", "周明"} {
		b.tap(label)
	}
	b.did(desk.Naming{Lane: 1, Subject: 8, By: clerk()})
	b.says("请到通道测温")
	if b.taps > 4 {
		t.Errorf("%d taps", b.taps)
	}
}

func TestNoLetterIsAskedForInASmallClass(t *testing.T) {
	b := newTablet(t, web.English)
	b.home()
	for _, label := range []string{"No badge · lane 1", "2班", "周明"} {
		b.tap(label)
	}
	b.did(desk.Naming{Lane: 1, Subject: 8, By: clerk()})
}

func TestOnlyLettersThatOccurAreOffered(t *testing.T) {
	b := newTablet(t, web.Chinese)
	large(b.gate)
	b.send("POST", "/desk/named", url.Values{"lane": {"1"}, "class": {"2班"}})
	for letter, want := range map[string]bool{"a": true, "z": true, "l": false, "0": false} {
		if got := strings.Contains(b.page, fmt.Sprintf(`name="letters" value="%s"`, letter)); got != want {
			t.Errorf("%s offered: %v", letter, got)
		}
	}
}

func TestInitialsMayBeTypedOnAKeyboard(t *testing.T) {
	b := newTablet(t, web.Chinese)
	large(b.gate)
	b.home()
	b.tap("忘带卡 · 1 号通道")
	b.tap("2班")
	b.tap("找", "letters", "李")
	b.says("请输入拼音首字母")
	b.tap("找", "letters", "zy")
	b.says("没有这样的姓名")
	if len(b.gate.did) != 0 {
		t.Errorf("did %v", b.gate.did)
	}
	b.tap("找", "letters", "Z M")
	b.tap("赵敏")
	b.did(desk.Naming{Lane: 1, Subject: 9, By: clerk()})
}

func TestOnlyLanesByWhichPeopleComeInAskForNames(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.home()
	if strings.Contains(b.page, "3 号通道") {
		t.Error("the lane that leads out is offered")
	}
}

func TestWhyALaneDoesNotTakeANameIsSaid(t *testing.T) {
	for err, want := range map[error]string{
		guard.ErrBusy: "正忙", fmt.Errorf("name: %w", desk.ErrLaneOut): "通道停用", guard.ErrStale: "画面已变",
	} {
		b := newTablet(t, web.Chinese)
		b.gate.err = err
		b.send("POST", "/desk/named", url.Values{"lane": {"1"}, "subject": {"8"}})
		b.says(want)
	}
}

func TestWhoLooksIllIsHeldInFourTaps(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.home()
	b.tap("有症状 · 1 号通道")
	b.says("07:18:00 1班 李一涵")
	if strings.Contains(b.page, "周明") {
		t.Error("more than the last three are offered")
	}
	b.tap("07:17:57 2班 赵敏")
	if strings.Contains(b.page, "checked") {
		t.Error("something is filled in beforehand")
	}
	b.tap("移到一边", "found-cough", "1")
	b.did(desk.Illness{Lane: 1, Arrival: "3-11", Found: []string{"cough"}, By: clerk()})
	b.says("各通道立即生效")
	if b.taps > 4 {
		t.Errorf("%d taps", b.taps)
	}
}

func TestWhoLooksIllMayBecomeACase(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.home()
	b.tap("有症状 · 1 号通道")
	b.gate.lately = append([]desk.Recent{{Arrival: "3-13", Person: desk.Person{ID: 1, Name: "王建国"}}}, b.gate.lately...) // the lane goes on
	b.tap("07:17:55 王建国")
	b.tap("开个案")
	b.says("请选看到的症状")
	b.tap("开个案", "found-rash", "1", "found-vomiting", "1")
	b.did(desk.Illness{Lane: 1, Arrival: "3-10", Found: []string{"vomiting", "rash"}, Case: true, By: clerk()})
	b.says("已开个案")
}

func TestWhoIsNotOfThatLaneIsNotShown(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.send("POST", "/desk/ill", url.Values{"lane": {"1"}, "arrival": {"2-1"}})
	b.says("画面已变")
	b.gate.lately = nil
	b.send("POST", "/desk/ill", url.Values{"lane": {"1"}})
	b.says("此通道还没有人")
}

func TestAnOwnActIsTakenBackInOneTap(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.gate.undos = undoable()
	b.home()
	b.says("撤销 赵敏 · 绿码")
	if strings.Contains(b.page, "撤销 王建国") {
		t.Error("more than three are offered")
	}
	b.tap("撤销 李一涵 · 36.9 (50 秒内)")
	b.did([]any{uint64(15), clerk()})
	b.says("已撤销")
	if b.taps > 1 {
		t.Errorf("%d taps", b.taps)
	}
}

func TestWhoIsInsideMeanwhileIsToBeFound(t *testing.T) {
	b := newTablet(t, web.Chinese)
	b.gate.inside = true
	b.send("POST", "/desk/undo", url.Values{"undo": {"15"}})
	b.says("人已在校内 · 请找到")
	b.gate.err = guard.ErrStale
	b.send("POST", "/desk/undo", url.Values{"undo": {"15"}})
	b.says("画面已变")
}

func TestWhoIsDuePulses(t *testing.T) {
	b := newTablet(t, web.Chinese)
	now := b.gate.view.Now
	b.gate.view.Asides[0].Due = now.Add(5 * time.Minute)
	b.home()
	if b.says("再量 07:23"); strings.Contains(b.page, "card due") {
		t.Error("it pulses early")
	}
	b.gate.view.Asides[0].Due = now
	b.home()
	b.says("现在再量")
	b.says("card due")
}

func TestWhatNoPageSendsIsRefused(t *testing.T) {
	for rule, tt := range map[string]struct{ path, form string }{
		"no lane":                   {"/desk/named", "subject=8"},
		"a lane that is no number":  {"/desk/named", "lane=x"},
		"letters without a class":   {"/desk/named", "lane=1&letters=z"},
		"too many letters":          {"/desk/named", "lane=1&class=&letters=" + strings.Repeat("z", 41)},
		"two lanes":                 {"/desk/named", "lane=1&lane=2"},
		"an illness without a lane": {"/desk/ill", "arrival=3-11"},
		"no such arrival":           {"/desk/ill", "lane=1&arrival=x"},
		"an end without an arrival": {"/desk/ill", "lane=1&then=case&found-cough=1"},
		"another end":               {"/desk/ill", "lane=1&arrival=3-11&then=home&found-cough=1"},
		"nothing to take back":      {"/desk/undo", ""},
		"two acts at once":          {"/desk/undo", "undo=14&undo=15"},
	} {
		t.Run(rule, func(t *testing.T) {
			b := newTablet(t, web.Chinese)
			form, err := url.ParseQuery(tt.form)
			if err != nil {
				t.Fatal(err)
			}
			if w := b.send("POST", tt.path, form); w.Code != http.StatusBadRequest || len(b.gate.did) != 0 {
				t.Errorf("got %d, did %v", w.Code, b.gate.did)
			}
		})
	}
}
