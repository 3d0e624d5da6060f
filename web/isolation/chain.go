package isolation

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/menshen/menshen/web"
)

// lastDays is how many days back a day is asked for: whoever was ill before has
// waited for longer than the rules ask.
const lastDays = 21

// The closed lists, in the order of their buttons.
func proofs() []string  { return []string{"word", "look", "certificate", "release"} }
func mistake() []string { return []string{"not-done", "typed-wrong", "wrong-person"} }

// pressed returns the case that a form is about, as it stands now. False says that
// the request is answered.
func (p *page) pressed(w http.ResponseWriter, r *http.Request) (form url.Values, s Step, c Case, ok bool) {
	if form, ok = p.site.Form(w, r); ok {
		s, c, ok = p.about(w, r, form)
	}
	return form, s, c, ok
}

func (p *page) about(w http.ResponseWriter, r *http.Request, form url.Values) (s Step, c Case, ok bool) {
	s, err := parseCase(form)
	if err != nil {
		p.malformed(w, r)
		return Step{}, Case{}, false
	}
	if c, ok = p.find(s); !ok {
		p.back(w, r, "stale")
	}
	return s, c, ok
}

// ask shows a page about a case of which one button is pressed.
func (p *page) ask(w http.ResponseWriter, r *http.Request, c Case, question, field string, chosen []field, options []option) {
	p.site.Show(w, http.StatusOK, p.pick, pick{
		Page: p.site.Page(r, "page.room"), Ask: question, Who: Person{Name: c.Name, Class: c.Class}, Action: r.URL.Path, Field: field,
		Chosen: chosen, Options: options, Back: backTo(r, c.Number),
	})
}

// backTo returns where the way back from a page about a case leads.
func backTo(r *http.Request, number int) string {
	if atDesk(r) {
		return "/desk/"
	}
	return "/isolation/case?number=" + strconv.Itoa(number)
}

// atDesk reports whether somebody at the desk has pressed, who has no other page of
// the room's.
func atDesk(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/desk/") }

// keyed returns options whose labels are words of the page's own.
func keyed(at web.Page, prefix string, list []string) (options []option) {
	for _, x := range list {
		options = append(options, option{x, at.T(prefix + x)})
	}
	return options
}

// diagnose asks what it is, and how sure that is.
func (p *page) diagnose(w http.ResponseWriter, r *http.Request) {
	form, s, c, ok := p.pressed(w, r)
	if !ok {
		return
	}
	at := p.site.Page(r, "page.room")
	list := p.diagnoses(at)
	sure := []string{StepSuspected, StepDiagnosed}
	s.Reason, s.Kind = form.Get("reason"), form.Get("kind")
	switch {
	case s.Reason == "":
		p.ask(w, r, c, "room.what", "reason", chosen(form, "number", "version"), list)
	case !slices.ContainsFunc(list, func(o option) bool { return o.Value == s.Reason }):
		p.malformed(w, r)
	case s.Kind == "":
		p.ask(w, r, c, "room.how-sure", "kind", chosen(form, "number", "version", "reason"), keyed(at, "step.", sure))
	case !slices.Contains(sure, s.Kind):
		p.malformed(w, r)
	default:
		p.take(w, r, s)
	}
}

// place asks for the bed.
func (p *page) place(w http.ResponseWriter, r *http.Request) {
	form, s, c, ok := p.pressed(w, r)
	if !ok {
		return
	}
	if !form.Has("bed") {
		var beds []option
		for n := 1; n <= Beds; n++ {
			beds = append(beds, option{strconv.Itoa(n), strconv.Itoa(n)})
		}
		p.ask(w, r, c, "room.which-bed", "bed", chosen(form, "number", "version"), beds)
		return
	}
	var err error
	if s.Bed, err = strconv.Atoi(form.Get("bed")); err != nil || s.Bed < 1 || s.Bed > Beds {
		p.malformed(w, r)
		return
	}
	s.Kind = StepPlaced
	p.take(w, r, s)
}

// correct asks which step was not as it says, and what is true.
func (p *page) correct(w http.ResponseWriter, r *http.Request) {
	form, s, c, ok := p.pressed(w, r)
	if !ok {
		return
	}
	at := p.site.Page(r, "page.room")
	var open []option
	for _, l := range c.Log {
		if l.Open {
			open = append(open, option{strconv.Itoa(l.Step), l.At.Format("15:04") + " " + at.T("did."+l.Kind) + " " + l.Value})
		}
	}
	which := form.Get("corrects")
	if which == "" {
		p.ask(w, r, c, "room.which-step", "corrects", chosen(form, "number", "version"), open)
		return
	}
	i := slices.IndexFunc(c.Log, func(l Logged) bool { return l.Open && strconv.Itoa(l.Step) == which })
	if i < 0 {
		p.malformed(w, r)
		return
	}
	s.Kind, s.Corrects, s.Reason = StepCorrected, c.Log[i].Step, form.Get("reason")
	switch {
	case c.Log[i].Kind == StepMeasured:
		p.measureAgain(w, r, form, s, c)
	case s.Reason == "":
		p.ask(w, r, c, "room.why-wrong", "reason", chosen(form, "number", "version", "corrects"), keyed(at, "mistake.", mistake()))
	case !slices.Contains(mistake(), s.Reason):
		p.malformed(w, r)
	default:
		p.take(w, r, s)
	}
}

// measureAgain asks what a measurement was in truth.
func (p *page) measureAgain(w http.ResponseWriter, r *http.Request, form url.Values, s Step, c Case) {
	ask := correctPage{Page: p.site.Page(r, "page.room"), Case: c, About: chosen(form, "number", "version", "corrects")}
	if form.Has("value") {
		var err error
		if s.Value, err = web.ParseTemperature(form.Get("value")); err == nil {
			s.Reason = "typed-wrong"
			p.take(w, r, s)
			return
		}
		if key := slip(""); errors.As(err, &key) {
			ask.Said = "said." + string(key)
		}
	}
	p.site.Show(w, http.StatusOK, p.again, ask)
}

// correctPage asks for the digits that were meant.
type correctPage struct {
	web.Page
	Case  Case
	About []field
	Said  string
}

// clear asks for what is still to be known of a return: what it was, when the
// symptoms ended, what was shown, and for which day. Then the person may come back.
func (p *page) clear(w http.ResponseWriter, r *http.Request) {
	if form, s, c, ok := p.pressed(w, r); ok {
		p.clearing(w, r, form, s, c)
	}
}

// clearAtDesk does the same where the room has nobody. The desk lists whoever is
// held, and knows the number of the case alone.
func (p *page) clearAtDesk(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	if !form.Has("version") {
		for _, c := range p.room.View().Returns {
			if strconv.Itoa(c.Number) == form.Get("number") {
				form.Set("version", strconv.Itoa(c.Version))
			}
		}
	}
	if !form.Has("version") {
		p.back(w, r, "stale")
		return
	}
	if s, c, ok := p.about(w, r, form); ok {
		p.clearing(w, r, form, s, c)
	}
}

func (p *page) clearing(w http.ResponseWriter, r *http.Request, form url.Values, s Step, c Case) {
	at := p.site.Page(r, "page.room")
	switch {
	case form.Get("ended") != "" && c.From != "":
		n, err := strconv.ParseUint(form.Get("ended"), 10, 8)
		if err != nil || n > lastDays {
			p.malformed(w, r)
			return
		}
		s.Kind, s.Days, s.Reason = StepDated, int(n), c.From
		p.take(w, r, s)
	case form.Get("reason") != "":
		s.Kind, s.Reason = StepDiagnosed, form.Get("reason")
		p.take(w, r, s)
	case c.Diagnosis == (Words{}) || c.Suspected:
		p.ask(w, r, c, "room.what", "reason", chosen(form, "number", "version"), p.diagnoses(at))
	case c.From != "" && (c.AsksEnd || form.Has("ended")):
		p.ask(w, r, c, "room."+c.From, "ended", chosen(form, "number", "version"), sinceDays(at))
	default:
		s.Kind, s.Proof = StepCleared, form.Get("proof")
		p.clearBy(w, r, form, s, c)
	}
}

// diagnoses are those of the policy in force.
func (p *page) diagnoses(at web.Page) (list []option) {
	for _, d := range p.room.View().Diagnoses {
		list = append(list, option{d.Word, d.Name.In(at.Language)})
	}
	return list
}

// clearBy takes the proof that was shown and the day of the return.
func (p *page) clearBy(w http.ResponseWriter, r *http.Request, form url.Values, s Step, c Case) {
	at := p.site.Page(r, "page.room")
	enough := proofs()[max(0, slices.Index(proofs(), c.Asked)):]
	switch {
	case s.Proof == "":
		p.ask(w, r, c, "room.what-shown", "proof", chosen(form, "number", "version"), keyed(at, "proof.", enough))
	case !slices.Contains(enough, s.Proof):
		p.malformed(w, r)
	case !form.Has("day"):
		p.ask(w, r, c, "room.which-day", "day", chosen(form, "number", "version", "proof"), keyed(at, "day.", []string{"today", "tomorrow"}))
	case form.Get("day") != "today" && form.Get("day") != "tomorrow":
		p.malformed(w, r)
	default:
		s.Tomorrow = form.Get("day") == "tomorrow"
		p.take(w, r, s)
	}
}

// sinceDays are the days on which the symptoms may have been there last.
func sinceDays(at web.Page) (list []option) {
	for n := range lastDays + 1 {
		label := at.T("day.ago", n)
		switch n {
		case 0:
			label = at.T("day.today")
		case 1:
			label = at.T("day.yesterday")
		}
		list = append(list, option{strconv.Itoa(n), label})
	}
	return list
}
