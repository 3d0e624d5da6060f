package desk_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

func (g *gate) Visitors() desk.Visitors                         { return g.visits }
func (g *gate) Give(_ context.Context, v desk.Giving) error     { return g.take(v) }
func (g *gate) TakeBack(_ context.Context, b desk.Return) error { return g.take(b) }
func (g *gate) Count(_ context.Context, c desk.Count) error     { return g.take(c) }

// lent has two free cards and two visitors, of whom one is late.
func lent(at time.Time) desk.Visitors {
	return desk.Visitors{Waiting: 1, Goods: 4, Free: []int{7, 12}, Inside: []desk.Visit{
		{Card: 3, Name: "周明", Host: "王建国", Reason: "repair", Since: at.Add(-70 * time.Minute), Over: true, Open: true},
		{Card: 4, Reason: "delivery", Since: at.Add(-5 * time.Minute), Open: true},
	}}
}

func atVisits(t *testing.T, language web.Language) *tablet {
	b := newTablet(t, language)
	b.gate.visits = lent(b.gate.view.Now)
	b.home()
	return b
}

func TestAVisitorHasACardAfterFourTapsAndTyping(t *testing.T) {
	b := atVisits(t, web.Chinese)
	for _, label := range []string{"来访 1", "家长", "王建国"} {
		b.tap(label)
	}
	if strings.Contains(b.page, "checked") || !strings.Contains(b.page, `name="name" value=""`) || !strings.Contains(b.page, `name="phone" value=""`) {
		t.Error("something is filled in beforehand")
	}
	b.tap("V07", "name", "周明", "phone", "138-0000 0001")
	b.did(desk.Giving{Card: 7, Host: 1, Reason: "parent", Name: "周明", Phone: "138-0000 0001", By: clerk()})
	b.says("请到通道刷来访卡")
	if typed := len("周明") + len("138-0000 0001"); b.taps-typed > 4 {
		t.Errorf("%d taps", b.taps-typed)
	}
}

func TestOfWhoDeliversNothingNeedBeTyped(t *testing.T) {
	b := atVisits(t, web.English)
	for _, label := range []string{"Visitors 1", "Delivery", "王建国", "V12"} {
		b.tap(label)
	}
	b.did(desk.Giving{Card: 12, Host: 1, Reason: "delivery", By: clerk()})
}

func TestAVisitorWhoIsNotKnownGetsNoCard(t *testing.T) {
	for rule, tt := range map[string]struct{ name, phone, says string }{
		"no name":         {"", "13800000001", "请输来访人姓名"},
		"an odd name":     {"周\x01明", "13800000001", "姓名太长或有不能用的字符"},
		"a name too long": {strings.Repeat("周", 34), "13800000001", "姓名太长或有不能用的字符"},
		"no phone":        {"周明", "", "请输电话号码"},
		"half a phone":    {"周明", "138", "请输电话号码"},
		"no phone at all": {"周明", "1380000000a", "请输电话号码"},
	} {
		t.Run(rule, func(t *testing.T) {
			b := atVisits(t, web.Chinese)
			b.send("POST", "/desk/visit", url.Values{"reason": {"parent"}, "subject": {"1"}, "card": {"7"}, "name": {tt.name}, "phone": {tt.phone}})
			b.says(tt.says)
			if len(b.gate.did) != 0 {
				t.Errorf("did %+v", b.gate.did)
			}
			if tt.phone != "" {
				b.says(`name="phone" value="` + tt.phone + `"`) // it need not be typed again
			}
		})
	}
}

func TestACardThatWentMeanwhileIsSaidToBeTaken(t *testing.T) {
	b := atVisits(t, web.Chinese)
	b.gate.err = desk.ErrCardTaken
	b.send("POST", "/desk/visit", url.Values{"reason": {"parent"}, "subject": {"1"}, "card": {"7"}, "name": {"周明"}, "phone": {"13800000001"}})
	b.says("请换一张")
	b.says(`name="name" value="周明"`)
}

func TestWithoutAFreeCardTheDeskSaysSo(t *testing.T) {
	b := atVisits(t, web.Chinese)
	b.gate.visits.Free = nil
	b.send("POST", "/desk/visit", url.Values{"reason": {"parent"}, "subject": {"1"}})
	b.says("没有空卡")
}

func TestBeforeTheirHoursOneTapCountsWhoWaits(t *testing.T) {
	b := atVisits(t, web.Chinese)
	b.gate.visits.From, b.gate.visits.Waiting = "08:30", 2
	b.home()
	b.says("来访 08:30 后办理 · 排队 2")
	b.tap("来访 2")
	b.did(desk.Count{What: desk.CountWaiting, Seen: 2, By: clerk()})
	b.says("已排队")
	if b.taps != 1 {
		t.Errorf("%d taps", b.taps)
	}
}

func TestACardIsBackWithOneTap(t *testing.T) {
	b := atVisits(t, web.Chinese)
	b.tap("还卡 V03")
	b.did(desk.Return{Card: 3, Version: b.gate.visits.Inside[0].Version(), By: clerk()})
	b.says("卡已收回")
}

func TestGoodsHandedOverOutsideAreOneTap(t *testing.T) {
	b := atVisits(t, web.Chinese)
	b.tap("门外交接 4")
	b.did(desk.Count{What: desk.CountGoods, Seen: 4, By: clerk()})
	b.says("已登记")
	b.gate.did, b.gate.err = nil, guard.ErrStale
	b.tap("门外交接 4")
	b.says("画面已变")
}

func TestTheDeskListsWhoIsInside(t *testing.T) {
	b := atVisits(t, web.Chinese)
	page := text(b.page)
	for _, want := range []string{"在校访客 2", "V03 周明 维修 · 找 王建国 06:08 进 · 超时 还卡 V03", "V04 送货 07:13 进 还卡 V04"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q:\n%s", want, page)
		}
	}
	b.gate.visits.Inside[0].Since = b.gate.view.Now.Add(-24 * time.Hour)
	b.home()
	b.says("12月6日 周日 07:18 进")
}

func TestNoVisitorStandsInTheLogOrAnAddress(t *testing.T) {
	b := atVisits(t, web.Chinese)
	b.gate.err = fmt.Errorf("the disk is full")
	b.send("POST", "/desk/visit", url.Values{"reason": {"parent"}, "subject": {"1"}, "card": {"7"}, "name": {"周明"}, "phone": {"13800000001"}})
	if log := b.log.String(); strings.Contains(log, "周明") || strings.Contains(log, "1380") || log == "" {
		t.Errorf("the log says %q", log)
	}
	for _, link := range links.FindAllStringSubmatch(b.page, -1) {
		if strings.Contains(link[1], "%") || strings.Contains(link[1], "1380") {
			t.Errorf("an address says %q", link[1])
		}
	}
}
