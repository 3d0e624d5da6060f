package browser

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"math"

	"github.com/chromedp/chromedp"
)

// Eyes are the ways of seeing that a page must serve, as the protocol of
// developer tools calls them; the first is the ordinary one.
func Eyes() []string {
	return []string{"none", "protanopia", "deuteranopia", "tritanopia", "achromatopsia"}
}

// See shows every page, and takes every picture, as one of the Eyes does.
func (b *Browser) See(eye string) error {
	err := chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		return t.Call(ctx, "Emulation.setEmulatedVisionDeficiency", map[string]string{"type": eye}, nil)
	}))
	if err != nil {
		return fmt.Errorf("see with %s: %w", eye, err)
	}
	return nil
}

// Face is what one state of a page shows from afar.
type Face struct {
	// Name is the state's.
	Name string
	// Shape is the source of its drawing, Word its text.
	Shape, Word string
	// Ground is the relative luminance, 0 to 1, of the colour that most of it
	// has as it is seen now.
	Ground float64
}

// Face looks at one part of the open page. part, shape and word are CSS
// selectors, the last two of what stands within part.
func (b *Browser) Face(name, part, shape, word string) (Face, error) {
	f := Face{Name: name}
	box, err := chromedp.Run(b.ctx, chromedp.Evaluate[struct {
		Shape string  `json:"shape"`
		Word  string  `json:"word"`
		Left  float64 `json:"left"`
		Top   float64 `json:"top"`
		Right float64 `json:"right"`
		Low   float64 `json:"bottom"`
	}](fmt.Sprintf(`(() => {
		const part = document.querySelector(%q), box = part.getBoundingClientRect();
		return { shape: part.querySelector(%q)?.innerHTML ?? '', word: part.querySelector(%q)?.textContent.trim() ?? '',
			left: box.left, top: box.top, right: box.right, bottom: box.bottom };
	})()`, part, shape, word)))
	if err != nil {
		return Face{}, fmt.Errorf("look at %s: %w", part, err)
	}
	f.Shape, f.Word = box.Shape, box.Word
	shot, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return Face{}, fmt.Errorf("take picture: %w", err)
	}
	picture, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		return Face{}, fmt.Errorf("read picture: %w", err)
	}
	within := image.Rect(int(box.Left), int(box.Top), int(box.Right), int(box.Low)).Intersect(picture.Bounds())
	if within.Empty() {
		return Face{}, errors.New("look at " + part + ": it is not on the screen")
	}
	f.Ground = ground(picture, within)
	return f, nil
}

// ground returns the luminance of the commonest colour.
func ground(picture image.Image, within image.Rectangle) float64 {
	type colour [3]uint32
	count, most := map[colour]int{}, colour{}
	for y := within.Min.Y; y < within.Max.Y; y++ {
		for x := within.Min.X; x < within.Max.X; x++ {
			r, g, b, _ := picture.At(x, y).RGBA()
			c := colour{r, g, b}
			if count[c]++; count[c] > count[most] {
				most = c
			}
		}
	}
	// WCAG 2.2, relative luminance.
	linear := func(v uint32) float64 {
		s := float64(v) / 0xFFFF
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(most[0]) + 0.7152*linear(most[1]) + 0.0722*linear(most[2])
}

// apart is the least ratio of two grounds that are told apart at a glance.
const apart = 2

// Alike finds what could be taken for the face that lets people in, or for one
// another: two of one shape, and beside pass a ground within 2:1 of its own or
// the same word. Others may share ground and word, for what is to be done may
// be the same.
func Alike(pass Face, others ...Face) []Fault {
	var faults []Fault
	say := func(a, b Face, format string, args ...any) {
		faults = append(faults, Fault{Kind: Same, Where: a.Name + " and " + b.Name, What: fmt.Sprintf(format, args...)})
	}
	for i, f := range others {
		if r := (max(pass.Ground, f.Ground) + 0.05) / (min(pass.Ground, f.Ground) + 0.05); r < apart {
			say(pass, f, "their grounds are %.2f:1", r)
		}
		if pass.Word == f.Word {
			say(pass, f, "both say %q", f.Word)
		}
		for _, g := range append([]Face{pass}, others[:i]...) {
			if g.Shape == f.Shape {
				say(g, f, "both have one shape")
			}
		}
	}
	return faults
}
