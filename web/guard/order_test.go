package guard_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// orders remembers what was confirmed.
type orders struct {
	taken []guard.Confirmation
	err   error
}

func (o *orders) TakeOrder(_ context.Context, c guard.Confirmation) error {
	o.taken = append(o.taken, c)
	return o.err
}

func TestAPolicyOrderIsTakenByThePINOfWhoIsSignedOn(t *testing.T) {
	r := newRig(t, web.Chinese)
	now := time.Date(2020, 12, 7, 22, 0, 0, 0, time.UTC)
	changes := []guard.Change{{Kind: "limit", From: "≥ 37.3", To: "≥ 37.0"}, {Kind: "added", Row: "promise", Say: guard.Sentence{Zh: "请出示承诺书", En: "Show your promise."}},
		{Say: guard.Sentence{Zh: "隔离室的人算在校内", En: "in the room is in school"}}, {Kind: "windows"}, {Kind: "removed", Row: "green"}}
	r.gate.set(func(v *guard.View) {
		v.Now = now
		v.Rules = guard.Rules{Number: 11, Next: 12, From: now.Add(2 * time.Hour)}
		v.Policy = "≥ 37.3"
		v.Questions = []guard.Question{{Kind: guard.AskOrder, About: "12", Number: 12, Date: now.Add(2 * time.Hour), Changes: changes}, {Kind: guard.AskOrderWrong, About: "old"}}
	})
	page := r.get("/guard/", true).Body.String()
	for _, want := range []string{"收到第12号规则令", "明日 00:00 起", "体温 ≥ 37.3 改为 ≥ 37.0", "新增:请出示承诺书", "隔离室的人算在校内", "到校或离校时段变了", `href="/guard/rules?from=0"`, `href="/guard/order"`,
		"规则令未收", "已收过,或比现有的旧", "第11号 · 拦下 ≥ 37.3", "第12号 明日 00:00 起"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in\n%s", want, page)
		}
	}
	if page := r.get("/guard/", false).Body.String(); strings.Contains(page, `href="/guard/order"`) || !strings.Contains(page, "收到第12号规则令") {
		t.Error("without a session, want the line and no button")
	}
	for rule, tt := range map[string]struct {
		form   string
		err    error
		status int
		says   string
		signed bool
		taken  bool
	}{
		"the PIN":        {"number=12&pin=4711", nil, http.StatusSeeOther, "", true, true},
		"no PIN":         {"number=12&pin=", nil, http.StatusUnprocessableEntity, "请再输一次密码", true, false},
		"a wrong PIN":    {"number=12&pin=1", web.ErrPIN, http.StatusUnprocessableEntity, "密码不对", true, true},
		"no number":      {"pin=4711", nil, http.StatusBadRequest, "", true, false},
		"nobody is on":   {"number=12&pin=4711", nil, http.StatusUnauthorized, "", false, false},
		"another waits":  {"number=12&pin=4711", guard.ErrStale, http.StatusSeeOther, "", true, true},
		"has no duty so": {"number=12&pin=4711", guard.ErrNotAllowed, http.StatusSeeOther, "", true, true},
	} {
		r.orders.taken, r.orders.err = nil, tt.err
		w := r.post("/guard/order", tt.form, tt.signed)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) || strings.Contains(w.Body.String(), "4711") || (len(r.orders.taken) == 1) != tt.taken {
			t.Errorf("%s: got %d, %+v:\n%s", rule, w.Code, r.orders.taken, w.Body)
		}
		if tt.taken && (r.orders.taken[0].Number != 12 || r.orders.taken[0].By.ID != 17) {
			t.Errorf("%s: %+v", rule, r.orders.taken)
		}
	}
	if page := r.get("/guard/order", true).Body.String(); !strings.Contains(page, "收到第12号规则令") || !strings.Contains(page, "本人密码") {
		t.Errorf("the sheet says\n%s", page)
	}
	if page := r.get("/guard/rules?from=0", true).Body.String(); !strings.Contains(page, "不再要求") || strings.Contains(page, "下一页") {
		t.Errorf("the page of all rules says\n%s", page)
	}
	r.gate.set(func(v *guard.View) {
		v.Questions[0].Changes = slices.Repeat([]guard.Change{{Say: guard.Sentence{Zh: strings.Repeat("请", 40), En: "Please."}}}, 9)
	})
	for from, next := range map[string]string{"0": "from=3", "3": "from=6", "6": ""} {
		page := r.get("/guard/rules?from="+from, true).Body.String()
		if n := strings.Count(page, "<li>"); n != 3 || strings.Contains(page, "下一页") != (next != "") || !strings.Contains(page, next) {
			t.Errorf("from %s: %d sentences, want 3 and %q next", from, n, next)
		}
	}
	for _, from := range []string{"9", "-1", "", "x"} {
		if w := r.get("/guard/rules?from="+from, true); w.Code != http.StatusSeeOther {
			t.Errorf("from %q: got %d", from, w.Code)
		}
	}
	r.gate.set(func(v *guard.View) { v.Questions = nil })
	if w := r.get("/guard/order", true); w.Code != http.StatusSeeOther {
		t.Errorf("where no order waits: got %d", w.Code)
	}
}
