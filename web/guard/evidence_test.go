package guard_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// asked lets lane 1 hold somebody of whom a paper is asked.
func asked(v *guard.View) {
	l := person(1, guard.Stop, "step-aside", "held")
	l.Reasons, l.CanAside, l.CanMask, l.CanSymptoms = []string{"tests-missing"}, true, true, true
	l.Sentences = []guard.Sentence{{Zh: "请出示承诺书", En: "Show your promise."}, {En: "English alone."}}
	l.Looks = []guard.Look{{Row: "promise", Say: l.Sentences[0]}, {Row: "tests", Evidence: "tests"}, {Row: "card", Evidence: "document", Name: "健康卡"}}
	v.Lanes, v.Asides = []guard.Lane{l}, nil
}

func TestARowIsLookedAtByOneOfTwoButtonsOfWhichNoneHasTheFocus(t *testing.T) {
	for language, want := range map[web.Language][]string{
		web.Chinese: {"核酸次数不够", " · 请出示承诺书</span>", " · English alone.</span>", "<p>请出示承诺书</p>", "已查看·符合", "不符合"},
		web.English: {"Tests missing", " · Show your promise.</span>", "<p>Show your promise.</p>", "Seen, in order", "Not in order"},
	} {
		r := newRig(t, language)
		r.gate.set(asked)
		page := r.get("/guard/", true).Body.String()
		for _, text := range append(want, `name="row" value="promise"`, `name="order" value="yes"`, `name="order" value="no"`) {
			if !strings.Contains(page, text) {
				t.Errorf("%s: the page does not hold %q", language, text)
			}
		}
		if strings.Contains(page, "autofocus") || strings.Index(page, `name="order" value="yes"`) < strings.Index(page, `name="order" value="no"`) {
			t.Error("the button that may let in comes first, or has the focus")
		}
		if page = r.get("/guard/", false).Body.String(); strings.Contains(page, "promise") || strings.Contains(page, "承诺书") || strings.Contains(page, "no-mask") {
			t.Error("evidence is shown to nobody in particular")
		}
	}
}

// The screen has room for one at a time: the next stands there when it is
// answered.
func TestTheNextRowIsLookedAtWhenTheOneBeforeIsInOrder(t *testing.T) {
	r := newRig(t, web.Chinese)
	r.gate.set(asked)
	for _, want := range []string{"<p>请出示承诺书</p>", "<p>核酸证明</p>", "<p>材料 健康卡</p>"} {
		page := r.get("/guard/", true).Body.String()
		if !strings.Contains(page, want) || strings.Count(page, `name="row"`) != 1 {
			t.Errorf("want %s alone", want)
		}
		r.gate.set(func(v *guard.View) {
			v.Lanes = slices.Clone(v.Lanes)
			v.Lanes[0].Looks = v.Lanes[0].Looks[1:]
		})
	}
}

func TestANoteIsOneTouchWhileSomebodyIsServedAndBehindMoreAtAStop(t *testing.T) {
	r := newRig(t, web.Chinese)
	r.gate.set(func(v *guard.View) {
		l := person(1, guard.Wait, "temperature", "gathering")
		l.CanMask = true
		v.Lanes, v.Asides = []guard.Lane{l}, nil
	})
	page := r.get("/guard/", true).Body.String()
	if strings.Count(page, `name="note"`) != 1 || !strings.Contains(page, `<form class="notes"`) || !strings.Contains(page, `value="no-mask"`) {
		t.Error("the note is not one touch away")
	}
	r.gate.set(asked)
	page = r.get("/guard/", true).Body.String()
	if strings.Count(page, `name="note"`) != 2 || strings.Contains(page, `<form class="notes"`) {
		t.Error("at a stop the notes are not behind the rest")
	}
	r.gate.set(func(v *guard.View) { v.Lanes[0].CanMask, v.Lanes[0].CanSymptoms, v.Lanes[0].Looks = false, false, nil })
	if page = r.get("/guard/", true).Body.String(); strings.Contains(page, `name="note"`) || strings.Contains(page, `name="row"`) {
		t.Error("what no row asks for is drawn")
	}
}

func TestOnlyTheColoursThatARowLooksAtAreOffered(t *testing.T) {
	for n, list := range [][]string{{"green", "yellow", "red"}, {"green", guard.Printed, "yellow", "red", guard.PopUp}} {
		r := newRig(t, web.Chinese)
		r.gate.set(func(v *guard.View) {
			l := person(1, guard.Stop, "step-aside", "held")
			l.CanColour, l.Colours = true, list
			v.Lanes, v.Asides = []guard.Lane{l}, nil
		})
		page := r.get("/guard/", true).Body.String()
		if got := strings.Count(page, `name="colour"`); got != len(list) {
			t.Errorf("%d: %d colours are offered", n, got)
		}
		if strings.Contains(page, "弹窗") != (len(list) == 5) || strings.Contains(page, "纸质绿码") != (len(list) == 5) {
			t.Errorf("%d: pop-up and paper", n)
		}
	}
}
