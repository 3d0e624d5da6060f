package guard

import (
	"context"
	"net/http"
	"slices"

	"github.com/menshen/menshen/web"
)

// Reasons takes why a lane was opened by its button.
type Reasons interface {
	// GiveReason returns once its entry is durable: ErrStale where nothing is owed
	// for that opening any more, one of web's PIN errors, or why it failed.
	GiveReason(ctx context.Context, r Reason) error
}

// Reason is why somebody was let in by the button of a lane.
type Reason struct {
	// About is the arrival, as its Question says.
	About string
	// Why is one of the reasons of an override.
	Why string
	PIN string
	By  web.Person
}

// owed returns the question about the opening whose reason is owed.
func (s sheet) owed() (Question, bool) {
	i := slices.IndexFunc(s.View.Questions, func(q Question) bool { return q.Kind == AskReason })
	if i < 0 {
		return Question{}, false
	}
	return s.View.Questions[i], true
}

// Owed is the question about the opening whose reason is owed, or a blank one.
func (s sheet) Owed() Question {
	q, _ := s.owed()
	return q
}

// Overrides are the reasons to choose from.
func (sheet) Overrides() []string { return overrides() }

// showReason asks why.
func (p *page) showReason(w http.ResponseWriter, r *http.Request) {
	p.askReason(w, r, http.StatusOK, "reason", sheet{})
}

// askReason shows one of the two pages, with what is known so far.
func (p *page) askReason(w http.ResponseWriter, r *http.Request, status int, name string, s sheet) {
	s.Page, s.View = p.site.Page(r, pageTitle), p.gate.View()
	if _, owed := s.owed(); !owed {
		p.back(w, r, ErrStale)
		return
	}
	p.site.Show(w, status, p.sheets()[name], s)
}

// giveReason takes why and asks for the PIN of whoever is signed on, or takes
// that.
func (p *page) giveReason(w http.ResponseWriter, r *http.Request) {
	who, form, ok := p.asked(w, r)
	if !ok {
		return
	}
	about, why, pin := form.Get("about"), form.Get("reason"), form.Get("pin")
	if p.reasons == nil || !web.Once(form) || !web.IsArrival(about) || !slices.Contains(overrides(), why) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	var err error
	switch {
	case !form.Has("pin"):
		p.askReason(w, r, http.StatusOK, "reason-pin", sheet{Why: why})
		return
	case pin == "" || len(pin) > maxPIN:
		err = slip("pin-missing")
	default:
		err = p.reasons.GiveReason(r.Context(), Reason{About: about, Why: why, PIN: pin, By: who})
	}
	if !typedAgain(err) {
		p.back(w, r, err)
		return
	}
	p.askReason(w, r, http.StatusUnprocessableEntity, "reason-pin", sheet{Why: why, Said: "said." + p.answer(err)})
}
