package web_test

import (
	"net/http/httptest"
	"testing"

	"github.com/menshen/menshen/web"
)

func TestAMillimetreIsThatOfTheScreen(t *testing.T) {
	tests := map[string]struct {
		width int
		want  string
	}{
		"measured":     {154, ":root { --mm: calc(100vw / 154); }\n"},
		"not measured": {0, ":root { --mm: 4.76px; }\n"},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			w := httptest.NewRecorder()
			web.Screen(tt.width).ServeHTTP(w, httptest.NewRequest("GET", "/assets/screen.css", nil))
			if got := w.Body.String(); got != tt.want || w.Header().Get("Content-Type") != "text/css; charset=utf-8" {
				t.Errorf("got %q as %q, want %q", got, w.Header().Get("Content-Type"), tt.want)
			}
		})
	}
}
