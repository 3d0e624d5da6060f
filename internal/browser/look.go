package browser

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Screen is a screen to look at a page on: width and height in pixels, and the
// visible width in millimetres where somebody has measured it; 0 leaves what
// the page assumes.
type Screen [3]int64

// String returns the screen as the directory of its pictures is called.
func (s Screen) String() string { return fmt.Sprintf("%dx%d-%dmm", s[0], s[1], s[2]) }

// StartFor starts a browser that ends with the test.
func StartFor(t testing.TB) *Browser {
	t.Helper()
	b, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// Show gives the page the size of a screen, and its millimetre as
// /assets/screen.css does.
func (b *Browser) Show(s Screen) error {
	mm := ""
	if s[2] > 0 {
		mm = fmt.Sprintf("calc(100vw / %d)", s[2])
	}
	_, err := b.Text(fmt.Sprintf("document.documentElement.style.setProperty('--mm', %q), ''", mm))
	return errors.Join(b.Size(s[0], s[1]), err)
}

// Look shows the open page on every screen and fails the test for each fault
// that Check finds there. It writes a picture of each to the directory
// MENSHEN_SCREENSHOTS, if that is set. ready is the JavaScript expression that
// must be true of a page before it is judged, empty when it always may be.
func (b *Browser) Look(t testing.TB, name, ready string, screens ...Screen) {
	t.Helper()
	pictures := os.Getenv("MENSHEN_SCREENSHOTS")
	for _, s := range screens {
		if err := b.Show(s); err != nil {
			t.Fatal(err)
		}
		if ready != "" {
			if err := b.Await(ready); err != nil {
				t.Fatal(err)
			}
		}
		faults, err := b.Check()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults {
			t.Errorf("%v: %v", s, f)
		}
		if pictures == "" {
			continue
		}
		if err := b.Screenshot(filepath.Join(pictures, s.String(), name+".png")); err != nil {
			t.Fatal(err)
		}
	}
}
