package web

import (
	"errors"
	"net/http"
)

// Place returns what the browser that sent r may show.
func (s *Site) Place(r *http.Request) Place {
	switch {
	case atTheGate(r):
		return PlaceAny | placePaired
	case s.Pairing == nil:
		return PlaceAny
	}
	return PlaceAny | s.Pairing.Place(r)
}

// showPair asks for the digits of a code. It is all that a browser sees which
// was not paired, whatever it asked for.
func (s *Site) showPair(w http.ResponseWriter, r *http.Request, status int, said string) {
	if s.Pairing == nil {
		s.Refuse(w, r, http.StatusForbidden, "refused.screen")
		return
	}
	// A phone brings the digits along by the QR code that it scanned.
	code, _ := parseCode(r.URL.Query().Get("code"))
	s.Show(w, status, s.pair(), struct {
		Page
		Said, Code string
	}{s.Page(r, "page.pair"), said, code})
}

func (s *Site) postPair(w http.ResponseWriter, r *http.Request) {
	form, ok := s.Form(w, r)
	if !ok {
		return
	}
	if s.Pairing == nil {
		s.Refuse(w, r, http.StatusForbidden, "refused.screen")
		return
	}
	err := s.Pairing.Pair(w, r, form.Get("code"))
	switch {
	case err == nil:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case errors.Is(err, ErrCode):
		s.showPair(w, r, http.StatusForbidden, "said.code")
	case errors.Is(err, ErrTries):
		s.showPair(w, r, http.StatusTooManyRequests, "said.code-tries")
	case errors.Is(err, ErrManyPaired):
		s.showPair(w, r, http.StatusConflict, "said.many-paired")
	default:
		s.log.Error("pair", "err", err)
		s.showPair(w, r, http.StatusServiceUnavailable, "said.failed")
	}
}
