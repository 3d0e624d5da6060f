package desk_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
)

// lenses are what a test says of thermometers.
type lenses struct {
	list     []desk.Thermometer
	drifting []desk.Drifting
}

func (l lenses) Thermometers() []desk.Thermometer { return l.list }
func (l lenses) Drifting() []desk.Drifting        { return l.drifting }

// measuring is a tablet of a gate with these lenses.
func measuring(t *testing.T, duties web.Duty, l lenses) *tablet {
	t.Helper()
	b := newTablet(t, web.Chinese)
	b.signOn(onDuty(duties), func(o *desk.Options) { o.Thermometers = l })
	return b
}

func TestTheDeskIsToldOfAThermometerThatDrifts(t *testing.T) {
	b := measuring(t, web.DutyDesk, lenses{drifting: []desk.Drifting{{Lane: 1, By: "-0.35 K"}, {Lane: 1, By: "+0.65 K", Against: 2}}})
	b.home()
	for _, want := range []string{"1 号通道测温比前几天偏 -0.35 K", "1 号与 2 号通道测温相差 &#43;0.65 K", `href="/desk/thermometers"`} {
		if !strings.Contains(b.page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	b = measuring(t, web.DutyDesk, lenses{})
	b.home()
	if strings.Contains(b.page, "drifts") {
		t.Error("there is something about thermometers although nothing drifts")
	}
}

func TestTheChartShowsTheDaysBeforeAndTheHoursOfToday(t *testing.T) {
	b := measuring(t, web.DutyDesk|web.DutyLeader, lenses{list: []desk.Thermometer{
		{
			Lane: 1, State: "good", Due: time.Date(2027, 11, 22, 8, 0, 0, 0, time.UTC),
			Days:  []desk.Spot{{"11-20", 36_400, 900}, {"11-21", 36_425, 912}},
			Hours: []desk.Spot{{"7:00", 36_375, 600}, {"8:00", 36_775, 90}},
		},
		{Lane: 2, State: "missing"}, {Lane: 3},
	}})
	b.home()
	if !strings.Contains(b.page, `href="/desk/thermometers"`) {
		t.Error("a leader does not find the page")
	}
	b.send("GET", "/desk/thermometers", nil)
	if dots := len(regexp.MustCompile(`<circle `).FindAllString(b.page, -1)); dots != 4 {
		t.Errorf("%d dots", dots)
	}
	for _, want := range []string{"已校准 · 有效至 2027-11-22", "未校准", "11-20 · 36.40 °C · 900", `points="112,112 136,73"`, "还没有读数", ">36.5</text>"} {
		if !strings.Contains(b.page, want) {
			t.Errorf("%q is not in\n%s", want, b.page)
		}
	}
	if strings.Contains(b.page, "style=") || strings.Contains(b.page, "NaN") {
		t.Error("the page's policy would not draw it")
	}
}
