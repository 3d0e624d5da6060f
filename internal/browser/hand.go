package browser

import (
	"context"
	"errors"
	"fmt"

	"github.com/chromedp/chromedp"
)

// first is the JavaScript of the first element that can be seen of those that a
// CSS selector names.
func first(selector string) string {
	return fmt.Sprintf("[...document.querySelectorAll(%q)].find((e) => e.checkVisibility({ visibilityProperty: true }))", selector)
}

// Tap touches the middle of the first visible element that a CSS selector names,
// and has scrolled to it if it must. It is an error if something lies over it:
// a finger meets what is on top.
func (b *Browser) Tap(selector string) error {
	at, err := chromedp.Run(b.ctx, chromedp.Evaluate[struct {
		X     float64 `json:"x"`
		Y     float64 `json:"y"`
		Fault string  `json:"fault"`
	}](fmt.Sprintf(`(() => {
		const e = %s;
		if (!e) return { x: 0, y: 0, fault: 'nothing is there' };
		e.scrollIntoView({ block: 'nearest', inline: 'nearest', behavior: 'instant' });
		const r = e.getBoundingClientRect(), x = (r.left + r.right) / 2, y = (r.top + r.bottom) / 2, top = document.elementFromPoint(x, y);
		return { x, y, fault: e.contains(top) ? '' : 'under ' + (top ? top.localName + ' ' + top.className : 'the edge of the screen') };
	})()`, first(selector))))
	if err == nil && at.Fault != "" {
		err = errors.New(at.Fault)
	}
	if err == nil {
		err = chromedp.Do(b.ctx, chromedp.MouseClickXY(at.X, at.Y))
	}
	if err != nil {
		return fmt.Errorf("tap %s: %w", selector, err)
	}
	return nil
}

// tabsMost is how often somebody presses the tab key before giving up.
const tabsMost = 60

// Reach presses the tab key until the first visible element that a CSS selector
// names has the focus.
func (b *Browser) Reach(selector string) error {
	for range tabsMost {
		there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](fmt.Sprintf("document.activeElement === (%s ?? 0)", first(selector))))
		if err != nil {
			return fmt.Errorf("reach %s: %w", selector, err)
		}
		if there {
			return nil
		}
		if err := b.Press("\t"); err != nil {
			return err
		}
	}
	return fmt.Errorf("reach %s: not with %d tabs", selector, tabsMost)
}

// Steady stops the clocks of every page that is opened from now on, so that
// none takes the pause of a loaded machine for silence.
func (b *Browser) Steady() error {
	const stop = `{ const steady = performance.now(), wall = Date.now(); performance.now = () => steady; Date.now = () => wall }`
	err := chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		return t.Call(ctx, "Page.addScriptToEvaluateOnNewDocument", map[string]string{"source": stop}, nil)
	}))
	if err != nil {
		return fmt.Errorf("stop clocks: %w", err)
	}
	return nil
}
