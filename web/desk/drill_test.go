package desk_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// drills goes on for some minutes and remembers what was pressed.
type drills struct {
	minutes int
	err     error
	did     []any
}

func (d *drills) Drill() int                                           { return d.minutes }
func (d *drills) BeginDrill(_ context.Context, p desk.DrillPlan) error { return d.take(p) }
func (d *drills) DrillCase(context.Context, web.Person) (int, error)   { return 4, d.take("case") }
func (d *drills) EndDrill(context.Context, web.Person) error           { return d.take("end") }
func (d *drills) take(what any) error                                  { d.did = append(d.did, what); return d.err }

// told is what a leader is told.
type told desk.Watched

func (w *told) Watched() desk.Watched { return desk.Watched(*w) }

// principal is a leader; badge l signs one on.
var principal = web.Person{ID: 1, Name: "王建国", Duties: web.DutyLeader}

type principals struct{}

func (principals) CheckPIN(context.Context, string, string) (web.Person, error) {
	return principal, nil
}

// led is a tablet at which somebody of the staff has signed on, with drills and
// what there is to tell.
func led(t *testing.T, who web.Staff, language web.Language) (*tablet, *drills, *told) {
	t.Helper()
	b, d, w := newTablet(t, language), &drills{}, &told{}
	b.signOn(who, func(o *desk.Options) { o.Drills, o.Watchers = d, w })
	return b, d, w
}

func TestADrillTakesALeaderThreePressesAndThePIN(t *testing.T) {
	b, d, _ := led(t, principals{}, web.Chinese)
	b.home()
	for _, label := range []string{"演练", "按计划演练", "60 分钟"} {
		b.tap(label)
	}
	b.says("到时自动结束")
	b.tap("开始演练", "pin", "274916")
	b.says("演练已开始")
	if want := (desk.DrillPlan{Reason: "planned", For: time.Hour, PIN: "274916", By: principal}); len(d.did) != 1 || d.did[0] != any(want) {
		t.Errorf("did %v", d.did)
	}
	d.minutes, d.did = 60, nil
	b.home()
	b.tap("演练")
	b.says("演练中 · 还剩 60 分")
	b.tap("演练个案")
	b.says("演练个案已报隔离室")
	b.tap("演练")
	b.tap("结束演练")
	b.says("演练已结束")
	if len(d.did) != 2 || d.did[0] != "case" || d.did[1] != "end" {
		t.Errorf("did %v", d.did)
	}
}

func TestAWrongPINIsAskedForAgain(t *testing.T) {
	b, d, _ := led(t, principals{}, web.English)
	d.err = web.ErrPIN
	b.send("POST", "/desk/drill", url.Values{"reason": {"training"}, "minutes": {"15"}, "pin": {"1"}})
	b.says("Training · 15 min")
	b.says(`role="alert"`)
	d.err = guard.ErrStale
	b.send("POST", "/desk/drill/end", nil)
	b.says(`role="alert"`)
}

func TestADrillIsOfferedToALeaderOnly(t *testing.T) {
	b, d, _ := led(t, staff{}, web.Chinese)
	b.home()
	if strings.Contains(b.page, "/desk/drill") {
		t.Error("the clerk is offered one")
	}
	for _, path := range []string{"/desk/drill", "/desk/drill/end"} {
		if w := b.send("POST", path, nil); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if len(d.did) != 0 {
		t.Errorf("did %v", d.did)
	}
}

func TestAMalformedDrillIsRefused(t *testing.T) {
	b, d, _ := led(t, principals{}, web.Chinese)
	for rule, form := range map[string]url.Values{
		"another reason":         {"reason": {"fun"}},
		"another time":           {"reason": {"planned"}, "minutes": {"61"}},
		"minutes alone":          {"minutes": {"60"}},
		"a PIN alone":            {"pin": {"274916"}},
		"a reason twice":         {"reason": {"planned", "training"}},
		"a PIN that is too long": {"reason": {"planned"}, "minutes": {"60"}, "pin": {strings.Repeat("1", 33)}},
	} {
		if w := b.send("POST", "/desk/drill", form); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", rule, w.Code)
		}
	}
	if len(d.did) != 0 {
		t.Errorf("did %v", d.did)
	}
}

// A page that does not follow the gate by itself says it in a banner.
func TestEveryPageOfADrillSaysThatItIsOne(t *testing.T) {
	b, d, _ := led(t, principals{}, web.Chinese)
	d.minutes = 12
	for _, path := range []string{"/desk/", "/desk/aside?arrival=3-9"} {
		b.send("GET", path, nil)
		b.says(`<p class="drill">演练 DRILL · 还剩 12 分</p>`)
	}
	d.minutes = 0
	if b.send("GET", "/desk/aside?arrival=3-9", nil); strings.Contains(b.page, "DRILL") {
		t.Error("there is none, and the page says so")
	}
}

func TestWhatALeaderIsToldStandsOnTheDeskForNobodyElse(t *testing.T) {
	at := time.Date(2020, 12, 7, 7, 41, 0, 0, time.UTC)
	all := told{
		Closed: "校庆", Counted: true, Missing: 12, Late: 3,
		Clusters: []web.Cluster{{Syndrome: "vomiting", Place: "1班", People: 3, Days: 1, Since: at, New: true}, {Syndrome: "ili", People: 10, Days: 7, Since: at}},
		Signs: []desk.Sign{
			{Kind: "unmeasured", N: 2, Of: 861}, {Kind: "frozen", Lane: 2, N: 6, Value: "36.5"}, {Kind: "low-share", Lane: 1, N: 30, Of: 200},
			{Kind: "overrides", Name: "李红", N: 7}, {Kind: "typed-alike", Name: "李红", N: 5, Value: "36.5"},
		},
		Warned: []desk.Warned{{Policy: 12, Row: "green", People: 41}, {Policy: 12, Row: "mask-1", People: 2}},
	}
	for language, lines := range map[web.Language][]string{
		web.Chinese: {
			"校历:校庆 · 今日不上学", "学生未到 12 · 迟到 3", "1班 · 呕吐 · 1 天内 3 人 · 12-07 07:41 起", "关闭并消毒该区", "全校 · 流感样 · 7 天内 10 人 · 12-07 07:41 起",
			"没测温就放行 2/861", "2 号通道 · 连续 6 人都是 36.5", "1 号通道 · 太凉也放行 30/200", "李红 · 今日破例放行 7 次", "李红 · 连续 5 次输入 36.5",
			"第 12 号 · 绿码 · 41 人", "第 12 号 · mask-1 · 2 人",
		},
		web.English: {
			"Calendar: 校庆, no school today", "Pupils missing 12 · late 3", "1班: vomiting, 3 in 1 day(s) · since 12-07 07:41", "Whole school: influenza-like illness, 10 in 7 day(s)",
			"Let in without a temperature: 2 of 861", "Lane 2: 6 in a row at 36.5", "No. 12 · green code · 41",
		},
	} {
		b, _, w := led(t, principals{}, language)
		*w = all
		b.home()
		for _, line := range lines {
			b.says(line)
		}
		b, _, w = led(t, staff{}, language)
		*w = all
		b.home()
		for _, line := range lines {
			if strings.Contains(b.page, line) {
				t.Errorf("the clerk is told %q", line)
			}
		}
	}
}
