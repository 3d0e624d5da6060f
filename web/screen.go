package web

import (
	"fmt"
	"io"
	"net/http"
)

// Screen serves the style sheet that gives a page its true size: everything a
// person must read or touch is measured in --mm, one millimetre of the screen.
// width is the visible width of the screen in millimetres. Where nobody has
// measured it (0), a pixel is taken for 0.21 mm.
//
// It is a route of its own because the pages' policy forbids a style inside
// the page.
func Screen(width int) http.Handler {
	mm := "4.76px"
	if width > 0 {
		mm = fmt.Sprintf("calc(100vw / %d)", width)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = io.WriteString(w, ":root { --mm: "+mm+"; }\n") // the browser may have gone; nobody else is concerned
	})
}
