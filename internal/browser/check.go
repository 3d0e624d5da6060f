package browser

import (
	_ "embed"
	"fmt"

	"github.com/chromedp/chromedp"
)

// Fault is one thing on a page that a person cannot read or touch.
type Fault struct {
	// Kind is one of the kinds below.
	Kind string `json:"kind"`
	// Where is the element, What the measure that was missed.
	Where string `json:"where"`
	What  string `json:"what"`
}

// The kinds of a fault.
const (
	Wrapped  = "wrapped"  // a one-line text stands on two lines
	Cut      = "cut"      // a text is wider than its place
	Outside  = "outside"  // a block, or a letter, lies outside what holds it
	Overlap  = "overlap"  // two texts of one block lie over each other
	Small    = "small"    // a target is under 20 mm
	Contrast = "contrast" // text on its ground is under 4.5:1
	Heavy    = "heavy"    // the page with all that belongs to it is over 150 kB
	Same     = "same"     // two pictures can be taken for each other
)

// String returns the fault for a terminal.
func (f Fault) String() string { return fmt.Sprintf("%s: %s: %s", f.Kind, f.Where, f.What) }

//go:embed check.js
var check string

// Check finds the faults of the page as it is drawn now. The page says with
// data-line which elements are one line ("may-shrink" when an ellipsis is
// right there), and with data-block which must lie inside their parent without
// being scrolled ("screen": inside the screen too); data-scroll="x" is a row whose
// rest is reached by scrolling sideways; --mm is what it takes for a
// millimetre.
//
// That a page scrolls sideways, or that a line box is higher than its line, is
// looked at by nobody: the first misses what is clipped, and the second is true
// of every Han text.
func (b *Browser) Check() ([]Fault, error) {
	faults, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]Fault](check))
	if err != nil {
		return nil, fmt.Errorf("check page: %w", err)
	}
	return faults, nil
}
