package desk_test

import (
	"strings"
	"testing"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
)

// late knows what is late.
type late []desk.Reminder

func (l late) Reminders() []desk.Reminder { return l }

// overdue is what stands on the desk on a bad day.
func overdue() late {
	return late{
		{Kind: desk.CheckLate, Check: "noon", Names: []string{"三年级1班", longClass, "三年级3班"}, N: 14},
		{Kind: desk.CheckLate, Check: "bus", Names: []string{"1号车"}, N: 1},
		{Kind: desk.ChecksFew, Names: []string{"三年级1班"}, N: 1},
		{Kind: desk.NotInClass, Names: []string{"三年级1班 " + longName}, N: 1},
	}
}

// checking is a tablet at which somebody with these duties has signed on.
func checking(t *testing.T, duties web.Duty, language web.Language) *tablet {
	t.Helper()
	b := newTablet(t, language)
	b.signOn(onDuty(duties), func(o *desk.Options) { o.Checks = overdue() })
	return b
}

func TestTheDeskIsRemindedOfChecksAndTheGuardIsNot(t *testing.T) {
	for language, lines := range map[web.Language][]string{
		web.Chinese: {"午检超时未做: 三年级1班 · " + longClass + " · 三年级3班 等 14 个", "校车检查超时未做: 1号车", "今日检查次数不够: 三年级1班", "进了校门但不在班: 三年级1班 " + longName},
		web.English: {"Noon check overdue: 三年级1班 · " + longClass + " · 三年级3班 and others, 14 in all", "Bus check overdue: 1号车", "Too few checks today: 三年级1班", "Came in and is not in class: 三年级1班 " + longName},
	} {
		for who, tt := range map[string]struct {
			duties web.Duty
			told   bool
		}{
			"the desk": {web.DutyDesk, true}, "the leader": {web.DutyLeader, true}, "a guard": {web.DutyGuard, false},
		} {
			b := checking(t, tt.duties, language)
			b.home()
			page := text(b.page)
			for _, line := range lines {
				if strings.Contains(page, line) != tt.told {
					t.Errorf("%s, %q: told is to be %v\n%s", who, line, tt.told, page)
				}
			}
			if strings.Contains(b.page, `href="/class/"`) != tt.told {
				t.Errorf("%s is led to the checks, or is not", who)
			}
		}
	}
}

func TestOverdueChecksFitATablet(t *testing.T) {
	b := browser.StartFor(t)
	for _, language := range []web.Language{web.Chinese, web.English} {
		tab := checking(t, web.DutyLeader, language)
		*tab.gate = *full()
		if err := b.Open(tab.serve("GET /desk/")); err != nil {
			t.Fatal(err)
		}
		b.Look(t, "50-checks."+language.Tag(), "document.readyState === 'complete'", browser.Screen{1280, 800}, browser.Screen{800, 1280})
	}
}
