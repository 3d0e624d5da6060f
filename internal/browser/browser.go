// Package browser knows how a test looks at a page as a person does: it starts
// Debian's chromium without a window, opens pages at a size, presses keys, takes
// pictures, and finds what no person could read or touch: text that wraps or is
// cut, blocks that lie over each other, buttons too small for a finger, letters
// without contrast.
//
// It does not know what a page should say. Only tests import it.
package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"
)

// program is where Debian's package chromium puts it.
const program = "/usr/bin/chromium"

// How long a browser may live and a page may take: longer than the slowest
// machine needs, shorter than a test that hangs.
const (
	life     = 15 * time.Minute
	patience = time.Minute
)

// Browser is one process with one tab. It is not safe for concurrent use.
type Browser struct {
	ctx  context.Context
	stop func()
}

// Start starts the browser; it takes seconds, so tests share one. Whoever
// starts it must Close it.
func Start(ctx context.Context) (*Browser, error) {
	if _, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("start browser: %w: install Debian's packages chromium and fonts-noto-cjk", err)
	}
	ctx, cancel := context.WithTimeout(ctx, life)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.NoSandbox, // tests run as root
		chromedp.DisableGPU,
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("font-render-hinting", "none"),
		chromedp.Flag("force-prefers-reduced-motion", true),
	)
	ctx, release := chromedp.NewExecAllocator(ctx, options...)
	ctx, end := chromedp.NewContext(ctx)
	b := &Browser{ctx, func() { end(); release(); cancel() }}
	if err := chromedp.Do(b.ctx); err != nil {
		b.Close()
		return nil, fmt.Errorf("start browser: %w", err)
	}
	return b, nil
}

// Close ends the process and waits for it.
func (b *Browser) Close() { b.stop() }

// Size gives the page a width and a height in pixels.
func (b *Browser) Size(width, height int64) error {
	if err := chromedp.Do(b.ctx, chromedp.EmulateViewport(width, height)); err != nil {
		return fmt.Errorf("size page: %w", err)
	}
	return b.Await(fmt.Sprintf("innerWidth === %d && innerHeight === %d", width, height))
}

// Open loads an address with all that belongs to it.
func (b *Browser) Open(url string) error {
	if err := chromedp.Do(b.ctx, chromedp.Navigate(url)); err != nil {
		return fmt.Errorf("open page: %w", err)
	}
	return nil
}

// Press presses one key, as a keyboard without a focus of its own would.
func (b *Browser) Press(key string) error {
	if err := chromedp.Do(b.ctx, chromedp.KeyEvent(key)); err != nil {
		return fmt.Errorf("press %s: %w", key, err)
	}
	return nil
}

// Await waits until a JavaScript expression is true of the page, be it this
// page or the one to which it leads.
func (b *Browser) Await(expression string) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		// An error says that one page has gone and the next is not there yet.
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("await %s: %w", expression, errors.Join(ctx.Err(), err))
		case <-again.C:
		}
	}
}

// Text evaluates a JavaScript expression that is a text.
func (b *Browser) Text(expression string) (string, error) {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		return "", fmt.Errorf("evaluate %s: %w", expression, err)
	}
	return text, nil
}

// Screenshot writes what is seen to a PNG file and makes its directory.
func (b *Browser) Screenshot(file string) error {
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		return fmt.Errorf("take picture: %w", err)
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, png, 0o644)); err != nil {
		return fmt.Errorf("keep picture: %w", err)
	}
	return nil
}
