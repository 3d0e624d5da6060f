package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen/menshen/internal/browser"
)

// face is a state as a page draws it.
func face(name, colour, path, word string) string {
	return fmt.Sprintf(`<div id="%s" style="height: 200px; background: %s"><svg width="40" height="40"><path d="%s"/></svg><b>%s</b></div>`, name, colour, path, word)
}

// faces shows pass and another to an eye.
func faces(t *testing.T, b *browser.Browser, eye, body string) (pass, other browser.Face) {
	t.Helper()
	if err := b.See(eye); err != nil {
		t.Fatal(err)
	}
	if err := b.Open(serve(t, body)); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*browser.Face{"pass": &pass, "stop": &other} {
		var err error
		if *f, err = b.Face(name, "#"+name, "svg", "b"); err != nil {
			t.Fatal(err)
		}
	}
	return pass, other
}

func TestPicturesThatAnEyeCannotTellApartAreFound(t *testing.T) {
	b := browser.StartFor(t)
	if err := b.Size(400, 600); err != nil {
		t.Fatal(err)
	}
	const green, red, darkRed, tick, cross = "#3db88b", "#ff8080", "#8a0014", "M0 0h9", "M0 0v9"
	for what, tt := range map[string]struct{ eye, colour, path, word, want string }{
		"nothing is wrong":                       {"none", darkRed, cross, "请到旁边", ""},
		"nothing is wrong without hue":           {"achromatopsia", darkRed, cross, "请到旁边", ""},
		"a red as light as the green":            {"none", red, cross, "请到旁边", "grounds"},
		"a red as light as the green, grey":      {"achromatopsia", red, cross, "请到旁边", "grounds"},
		"a yellow that is one with the green":    {"deuteranopia", "#b8a03d", cross, "请到旁边", "grounds"},
		"one shape in two colours":               {"none", darkRed, tick, "请到旁边", "shape"},
		"one word on two colours":                {"none", darkRed, cross, "请进", "say"},
		"a dark word does not change the ground": {"none", darkRed, cross, strings.Repeat("旁边", 20), ""},
	} {
		t.Run(what, func(t *testing.T) {
			pass, other := faces(t, b, tt.eye, face("pass", green, tick, "请进")+face("stop", tt.colour, tt.path, tt.word))
			faults := browser.Alike(pass, other)
			if tt.want == "" && len(faults) > 0 || tt.want != "" && (len(faults) != 1 || !strings.Contains(faults[0].What, tt.want)) {
				t.Errorf("found %v, want %q", faults, tt.want)
			}
		})
	}
}

func TestAnEyeWithoutHueSeesGrey(t *testing.T) {
	b := browser.StartFor(t)
	body := face("pass", "#00ff00", "", "") + face("stop", "#ffffff", "", "")
	green, white := faces(t, b, "none", body)
	if green.Ground < 0.7 || green.Ground > 0.72 || white.Ground < 0.99 {
		t.Errorf("green is %.3f, want 0.715; white is %.3f, want 1", green.Ground, white.Ground)
	}
	if grey, _ := faces(t, b, "achromatopsia", body); grey.Ground == green.Ground {
		t.Error("the picture is the one of an ordinary eye")
	}
}

func TestWhatIsNotOnTheScreenHasNoFace(t *testing.T) {
	b := browser.StartFor(t)
	if err := b.Open(serve(t, `<p style="position: absolute; top: -300px" id="pass">请进</p>`)); err != nil {
		t.Fatal(err)
	}
	if f, err := b.Face("pass", "#pass", "svg", "b"); err == nil {
		t.Errorf("got %+v", f)
	}
	if f, err := b.Face("stop", "#stop", "svg", "b"); err == nil {
		t.Errorf("got %+v", f)
	}
}

// judge is a test that notes what it is told.
type judge struct {
	testing.TB
	said []string
}

func (j *judge) Errorf(format string, args ...any) {
	j.said = append(j.said, fmt.Sprintf(format, args...))
}

func TestALookFailsForWhatIsOverfullOnOneOfItsScreens(t *testing.T) {
	pictures := t.TempDir()
	t.Setenv("MENSHEN_SCREENSHOTS", pictures)
	b := browser.StartFor(t)
	if err := b.Open(serve(t, `<p id="place" style="width: calc(60 * var(--mm)); overflow: hidden; white-space: nowrap" data-line>实验小学东门一号通道请测温</p>`)); err != nil {
		t.Fatal(err)
	}
	j := &judge{TB: t}
	b.Look(j, "place.zh", "document.readyState === 'complete'", browser.Screen{800, 480, 100}, browser.Screen{800, 480}, browser.Screen{480, 800, 200})
	if len(j.said) != 2 || !strings.HasPrefix(j.said[0], "800x480-0mm: cut: #place") || !strings.HasPrefix(j.said[1], "480x800-200mm: ") {
		t.Errorf("said %q", j.said)
	}
	for _, size := range []string{"800x480-100mm", "800x480-0mm", "480x800-200mm"} {
		if _, err := os.Stat(filepath.Join(pictures, size, "place.zh.png")); err != nil {
			t.Error(err)
		}
	}
}
