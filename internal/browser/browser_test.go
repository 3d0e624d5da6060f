package browser_test

import (
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/internal/browser"
)

const style = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><style>
:root { --mm: 4px } body { margin: 0; background: #fff; color: #111; font: 20px/1.3 "Noto Sans CJK SC" }
p { margin: 0 } .half { width: 150px } .clip { overflow: hidden; white-space: nowrap } button { width: 80px; height: 80px }
.rel { position: relative } .low { position: absolute; top: 10px } .box { height: 60px; overflow: auto }
</style>`

// planted are pages with one fault each, and pages that only look faulty.
func planted() map[string]struct{ body, want string } {
	const long = "实验小学东门一号通道请测温"
	return map[string]struct{ body, want string }{
		"nothing is wrong":                              {`<p data-line>请进</p><div data-block><button>好</button></div>`, ""},
		"a text that wraps":                             {`<p class="half" data-line>` + long + `</p>`, browser.Wrapped},
		"a text that may wrap":                          {`<p class="half">` + long + `</p>`, ""},
		"a text that is cut":                            {`<p class="half clip" data-line>` + long + `</p>`, browser.Cut},
		"a text that may shrink":                        {`<p class="half clip" data-line="may-shrink">` + long + `</p>`, ""},
		"a text that its parent cuts":                   {`<div class="half clip"><p><span data-line>` + long + `</span></p></div>`, browser.Outside},
		"a text beyond the screen":                      {`<p style="width: 900px; text-align: right" data-line>` + long + `</p>`, browser.Outside},
		"a text that is not shown":                      {`<p class="half" data-line hidden>` + long + `</p>`, ""},
		"a small letter beside a large one is one line": {`<p data-line><b style="font-size: 40px">37.4</b> ≥ 37.3</p>`, ""},
		"a block beyond its parent":                     {`<div style="height: 40px"><div data-block style="height: 60px"></div></div>`, browser.Outside},
		"a block beyond the screen":                     {`<div data-block="screen" style="height: 2000px"></div>`, browser.Outside},
		"a block that must be scrolled":                 {`<div class="box" data-block><div style="height: 90px"></div></div>`, browser.Cut},
		"two texts over each other":                     {`<div class="rel" data-block style="height: 90px"><p>请到旁边</p><p class="low">37.4</p></div>`, browser.Overlap},
		"a target for a pencil":                         {`<button style="height: 60px">好</button>`, browser.Small},
		"a target beyond the screen":                    {`<button style="margin-left: 360px"></button>`, browser.Outside},
		"a target in a row that scrolls":                {`<div style="overflow-x: auto; white-space: nowrap" data-scroll="x"><div style="width: 360px; display: inline-block"></div><button>好</button></div>`, ""},
		"a link for a pencil":                           {`<a href="/">好</a>`, browser.Small},
		"a button in a closed panel":                    {`<details><summary style="display: block; width: 80px; height: 80px">更多</summary><button style="height: 60px">好</button></details>`, ""},
		"grey on grey":                                  {`<p style="color: #777; background: #bbb">请进</p>`, browser.Contrast},
		"faded text":                                    {`<div style="opacity: .4"><p>请进</p></div>`, browser.Contrast},
		"contrast lost on one stripe":                   {`<p style="color: #fff; background: repeating-linear-gradient(45deg, #8a0014 0 9px, #d66 9px 18px)">请到旁边</p>`, browser.Contrast},
		"a page that is heavy":                          {`<p>请进</p><script>/*` + strings.Repeat("-", 150_000) + `*/</script>`, browser.Heavy},
		"contrast with what shines through":             {`<div style="background: #000"><p style="color: #fff; background: rgb(255 255 255 / .1)">请进</p></div>`, ""},
	}
}

func serve(t *testing.T, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, style, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestEveryPlantedFaultIsFoundAndNoOther(t *testing.T) {
	b := browser.StartFor(t)
	if err := b.Size(400, 600); err != nil {
		t.Fatal(err)
	}
	for what, tt := range planted() {
		t.Run(what, func(t *testing.T) {
			if err := b.Open(serve(t, tt.body)); err != nil {
				t.Fatal(err)
			}
			faults, err := b.Check()
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			for _, f := range faults {
				kinds = append(kinds, f.Kind)
			}
			kinds = slices.Compact(kinds)
			if tt.want == "" && len(kinds) > 0 || tt.want != "" && !slices.Equal(kinds, []string{tt.want}) {
				t.Errorf("found %v, want %q", faults, tt.want)
			}
		})
	}
}

func TestAPictureIsAsLargeAsTheScreen(t *testing.T) {
	b := browser.StartFor(t)
	if err := b.Size(480, 320); err != nil {
		t.Fatal(err)
	}
	if err := b.Open(serve(t, "<p>请进</p>")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "new", "page.png")
	if err := b.Screenshot(file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || picture.Width != 480 || picture.Height != 320 {
		t.Errorf("got %d × %d, %v", picture.Width, picture.Height, err)
	}
}

func TestAKeyReachesThePage(t *testing.T) {
	b := browser.StartFor(t)
	if err := b.Open(serve(t, `<p id="got"></p><script>addEventListener('keydown', (e) => { document.title = e.key })</script>`)); err != nil {
		t.Fatal(err)
	}
	if err := b.Press("7"); err != nil {
		t.Fatal(err)
	}
	if err := b.Await(`document.title === '7'`); err != nil {
		t.Fatal(err)
	}
	if title, err := b.Text(`document.title`); err != nil || title != "7" {
		t.Errorf("got %q, %v", title, err)
	}
}
