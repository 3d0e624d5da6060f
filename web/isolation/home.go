package isolation

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/menshen/menshen/web"
)

// handing is one hand-over on its way, in the room or at the desk. To give a
// child to the wrong adult must be hard on both.
type handing struct {
	who Case
	// about is what the forms on the way are about, action what takes them.
	about  []field
	action string
	// back leads back, and done to where it is said that the child may go.
	back, done string
	take       func(HandOver) error
}

// handOver lets a child go home from the room.
func (p *page) handOver(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	s, err := parseCase(form)
	if err != nil {
		p.malformed(w, r)
		return
	}
	c, found := p.find(s)
	if !found {
		p.back(w, r, "stale")
		return
	}
	p.hand(w, r, form, handing{c, chosen(form, "number", "version"), r.URL.Path, "/isolation/case?number=" + strconv.Itoa(c.Number), "/isolation/", func(h HandOver) error {
		s.Kind, s.HandOver = StepHome, h
		s.By, _ = p.site.Sessions.Who(r)
		return p.cases.Step(r.Context(), s)
	}})
}

// handOverAtDesk lets a child go home that was set aside at the gate.
func (p *page) handOverAtDesk(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	arrival := form.Get("arrival")
	who, found := p.desk.Waiting(arrival)
	if !found || who.Name == "" {
		http.Redirect(w, r, "/desk/?said=stale", http.StatusSeeOther)
		return
	}
	p.hand(w, r, form, handing{who, []field{{"arrival", arrival}}, r.URL.Path, "/desk/aside?arrival=" + url.QueryEscape(arrival), "/desk/", func(h HandOver) error {
		by, _ := p.site.Sessions.Who(r)
		return p.desk.HandOver(r.Context(), arrival, h, by)
	}})
}

// hand asks for the digits of a guardian's phone, or for a leader who vouches,
// and for the relation; then the child goes home.
func (p *page) hand(w http.ResponseWriter, r *http.Request, form url.Values, on handing) {
	h, vouched, err := parseHome(form)
	if errors.Is(err, errMalformed) {
		p.malformed(w, r)
		return
	}
	if vouched && h.Leader == 0 {
		p.askLeader(w, r, on)
		return
	}
	ask := homePage{Page: p.site.Page(r, "page.room"), Case: on.who, Action: on.action, About: on.about, Back: on.back}
	for _, l := range p.people.Leaders() {
		if l.ID == h.Leader {
			ask.Leader = l
		}
	}
	if err == nil && h.Relation != "" {
		if err = on.take(h); err == nil {
			http.Redirect(w, r, on.done+"?said=case-home", http.StatusSeeOther)
			return
		}
	}
	switch key := slip(""); {
	case errors.As(err, &key):
		ask.Said = "said." + string(key)
	case err != nil:
		ask.Said = "said." + p.answer(err)
	}
	p.site.Show(w, http.StatusOK, p.home, ask)
}

func (p *page) askLeader(w http.ResponseWriter, r *http.Request, on handing) {
	next := pick{Page: p.site.Page(r, "page.room"), Ask: "room.leader", Who: Person{Name: on.who.Name, Class: on.who.Class}, Action: on.action, Field: "leader", Chosen: on.about, Back: on.back}
	for _, l := range p.people.Leaders() {
		next.Options = append(next.Options, option{strconv.FormatUint(l.ID, 10), l.Name})
	}
	p.site.Show(w, http.StatusOK, p.pick, next)
}

// homePage is a hand-over.
type homePage struct {
	web.Page
	Case Case
	// Action takes the form, which is About this.
	Action string
	About  []field
	Back   string
	// Leader vouches for it; zero while the digits of a phone are asked for.
	Leader Person
	Said   string
}

// Relations are what the page offers.
func (homePage) Relations() []string { return relations() }
