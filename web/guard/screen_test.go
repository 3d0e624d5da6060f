package guard_test

import (
	"html"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

func TestTheStripSaysWhenEverybodyWillBeIn(t *testing.T) {
	r := newRig(t, web.Chinese)
	r.gate.set(func(v *guard.View) { v.DoneAt = time.Date(2020, 12, 7, 8, 7, 0, 0, time.UTC) })
	if page := r.get("/guard/", false).Body.String(); !strings.Contains(page, "已到 861/1093 · 约 08:07 完") {
		t.Error("the strip does not say 约 08:07 完")
	}
	r.gate.set(func(v *guard.View) { v.DoneAt = time.Time{} })
	if page := r.get("/guard/", false).Body.String(); strings.Contains(page, "完</p>") || !strings.Contains(page, "已到 861/1093</p>") {
		t.Error("want the counts alone while nothing can be said")
	}
}

func TestALaneWithoutScannerSaysWhereToGo(t *testing.T) {
	r := newRig(t, web.Chinese)
	for lane, want := range map[int]string{1: "扫码器断开 · 并到 1 号通道", 0: "扫码器断开 · 检查插头"} {
		r.gate.set(func(v *guard.View) { v.Lanes[6].Faults, v.Lanes[6].UseLane = []string{"scanner-lost"}, lane })
		if page := r.get("/guard/", false).Body.String(); !strings.Contains(page, want) {
			t.Errorf("the lane does not say %q", want)
		}
	}
}

func TestWhoComesTwiceIsSaidToBeInAlready(t *testing.T) {
	r := newRig(t, web.Chinese)
	r.gate.set(func(v *guard.View) { v.Lanes[2].Word = "already-in" })
	for _, signedOn := range []bool{true, false} {
		if page := r.get("/guard/", signedOn).Body.String(); !strings.Contains(page, "<span>已登记</span>") {
			t.Errorf("signed on %v: want 已登记", signedOn)
		}
	}
}

func TestNamesOnTheStripAreMaskedForEverybody(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/", true).Body.String()
	if strings.Contains(page, "王建国") || !strings.Contains(page, "在岗 王*国 · 李*") {
		t.Error("want 在岗 王*国 · 李*")
	}
}

func TestOnlyTheFirstThreeLanesHaveKeys(t *testing.T) {
	r := newRig(t, web.Chinese)
	for lane, want := range map[int]bool{1: true, 2: true, 3: true, 4: false, 16: false} {
		r.gate.set(func(v *guard.View) { v.Lanes[4].Number = lane })
		_, section, _ := strings.Cut(r.get("/guard/", true).Body.String(), `<section class="lane stop"`)
		section, _, _ = strings.Cut(section, "</section>")
		if got := strings.Contains(section, `value="aside" aria-keyshortcuts="`+strconv.Itoa(lane)+`"`); got != want {
			t.Errorf("lane %d: a key %v, want %v", lane, got, want)
		}
	}
}

func TestNoKeyAdmitsByItself(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/", true).Body.String()
	for _, button := range regexp.MustCompile(`<button [^>]*name="(colour|instrument|reason)"[^>]*>`).FindAllString(page, -1) {
		if key := regexp.MustCompile(`aria-keyshortcuts="([^"]*)"`).FindStringSubmatch(button); key == nil || strings.ContainsAny(html.UnescapeString(key[1]), "0123456789.") {
			t.Errorf("%s: want the key of a choice in a panel", button)
		}
	}
}

func TestEveryControlHasAName(t *testing.T) {
	page := newRig(t, web.Chinese).get("/guard/", true).Body.String()
	for _, input := range regexp.MustCompile(`<input [^>]*>`).FindAllString(page, -1) {
		if !strings.Contains(input, `type="hidden"`) && !strings.Contains(input, "aria-label=") {
			t.Errorf("%s has no label", input)
		}
	}
	for _, button := range regexp.MustCompile(`(?s)<(?:button|summary)[^>]*>.*?</(?:button|summary)>`).FindAllString(page, -1) {
		text := regexp.MustCompile(`(?s)<kbd>.*?</kbd>|<[^>]*>`).ReplaceAllString(button, "")
		if strings.TrimSpace(text) == "" && !strings.Contains(button, "aria-label=") && !strings.Contains(button, "hidden disabled") {
			t.Errorf("%s has no name", button)
		}
	}
}

// A gate's screen is often the slowest computer of the school.
func TestThePageWeighsLittle(t *testing.T) {
	const most = 150_000
	r := newRig(t, web.Chinese)
	for name, state := range states() {
		r.gate.set(func(v *guard.View) { *v = state.view })
		page := r.get("/guard/", !state.signedOff).Body.String()
		weight := len(page)
		for _, link := range regexp.MustCompile(`(?:href|src)="(/assets/[^"]*)"`).FindAllStringSubmatch(page, -1) {
			weight += r.get(link[1], false).Body.Len()
		}
		if weight > most {
			t.Errorf("%s: %d bytes, at most %d are allowed", name, weight, most)
		}
	}
}

// luminance is that of WCAG 2.2 for a colour of the palette.
func luminance(t *testing.T, css, name string) float64 {
	t.Helper()
	m := regexp.MustCompile(`--` + name + `: #([0-9a-f]{6});`).FindStringSubmatch(css)
	if m == nil {
		t.Fatalf("the palette has no colour %s", name)
	}
	var l float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		v, err := strconv.ParseUint(m[1][2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(v) / 255
		if c <= 0.04045 {
			l += weight * c / 12.92
		} else {
			l += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return l
}

func TestVerdictsDifferInLuminanceAndNotOnlyInHue(t *testing.T) {
	css, err := os.ReadFile("../assets/base.css")
	if err != nil {
		t.Fatal(err)
	}
	verdicts := []string{"pass", "wait", "stop"}
	for i, a := range verdicts {
		for _, b := range verdicts[i+1:] {
			l := []float64{luminance(t, string(css), a), luminance(t, string(css), b)}
			slices.Sort(l)
			if ratio := (l[1] + 0.05) / (l[0] + 0.05); ratio < 2 {
				t.Errorf("%s and %s: %.2f:1, want 2:1", a, b, ratio)
			}
		}
	}
}
