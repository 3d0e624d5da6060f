package isolation

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/menshen/menshen/web"
)

// pick is a page of which one button is pressed to come one step further.
type pick struct {
	web.Page
	// Ask is the key of the question, Who the person once there is one.
	Ask string
	Who Person
	// Action takes the form: what was Chosen before, and Field.
	Action, Field string
	Chosen        []field
	Options       []option
	// Back is where the way back leads.
	Back string
}

type field struct{ Name, Value string }

type option struct{ Value, Label string }

// chosen keeps what a form is about on the way to its end.
func chosen(form url.Values, names ...string) (list []field) {
	for _, name := range names {
		if form.Has(name) {
			list = append(list, field{name, form.Get(name)})
		}
	}
	return list
}

// search shows the next step to a person, or returns the person. False says
// that the request is answered.
func (p *page) search(w http.ResponseWriter, r *http.Request, form url.Values, back string) (Person, bool) {
	s, err := parseSearch(form)
	if err != nil {
		p.malformed(w, r)
		return Person{}, false
	}
	people := p.people.People()
	next := pick{Page: p.site.Page(r, "page.room"), Action: r.URL.Path, Chosen: chosen(form, "number", "version"), Back: back}
	switch {
	case s.Subject != 0:
		if i := slices.IndexFunc(people, func(x Person) bool { return x.ID == s.Subject }); i >= 0 {
			return people[i], true
		}
		p.back(w, r, "stale")
		return Person{}, false
	case s.HasClass:
		next.Ask, next.Field = "desk.child", "subject"
		for _, x := range people {
			if x.Class == s.Class {
				next.Options = append(next.Options, option{strconv.FormatUint(x.ID, 10), x.Name})
			}
		}
	default:
		next.Ask, next.Field = "desk.class", "class"
		seen := map[string]bool{}
		for _, x := range people {
			if seen[x.Class] {
				continue
			}
			seen[x.Class] = true
			label := x.Class
			if label == "" {
				label = next.T("desk.staff")
			}
			next.Options = append(next.Options, option{x.Class, label})
		}
	}
	p.site.Show(w, http.StatusOK, p.pick, next)
	return Person{}, false
}

// open asks for class, person and symptom, and opens a case.
func (p *page) open(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	who, found := p.search(w, r, form, "/isolation/")
	if !found {
		return
	}
	symptom := form.Get("symptom")
	if symptom == "" {
		next := pick{Page: p.site.Page(r, "page.room"), Ask: "room.symptom", Who: who, Action: r.URL.Path, Field: "symptom", Chosen: chosen(form, "subject"), Back: "/isolation/"}
		for _, s := range symptoms() {
			next.Options = append(next.Options, option{s, next.T("symptom." + s)})
		}
		p.site.Show(w, http.StatusOK, p.pick, next)
		return
	}
	if !slices.Contains(symptoms(), symptom) {
		p.malformed(w, r)
		return
	}
	by, _ := p.site.Sessions.Who(r)
	number, err := p.cases.Open(r.Context(), Opening{Subject: who.ID, Found: []string{symptom}, By: by})
	if err != nil {
		p.back(w, r, p.answer(err))
		return
	}
	p.toCase(w, r, number, "")
}

// identify asks for class and person, and says who the person of a case is.
func (p *page) identify(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	s, err := parseCase(form)
	if err != nil {
		p.malformed(w, r)
		return
	}
	if who, found := p.search(w, r, form, "/isolation/case?number="+strconv.Itoa(s.Number)); found {
		s.Kind, s.Subject = StepIdentified, who.ID
		p.take(w, r, s)
	}
}

// notThis asks why, and ends a case that was never about this person.
func (p *page) notThis(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	s, err := parseNotThis(form)
	if err != nil {
		p.malformed(w, r)
		return
	}
	if s.Reason != "" {
		p.take(w, r, s)
		return
	}
	c, found := p.find(s)
	if !found {
		p.back(w, r, "stale")
		return
	}
	next := pick{Page: p.site.Page(r, "page.room"), Ask: "room.why-not", Who: Person{Name: c.Name, Class: c.Class}, Action: r.URL.Path, Field: "reason",
		Chosen: chosen(form, "number", "version"), Back: "/isolation/case?number=" + strconv.Itoa(c.Number)}
	for _, reason := range reasons() {
		next.Options = append(next.Options, option{reason, next.T("not-this." + reason)})
	}
	p.site.Show(w, http.StatusOK, p.pick, next)
}

// askAgain shows a step once more before it is taken.
func (p *page) askAgain(w http.ResponseWriter, r *http.Request, s Step, form url.Values) {
	c, found := p.find(s)
	if !found {
		p.back(w, r, "stale")
		return
	}
	p.site.Show(w, http.StatusOK, p.pick, pick{Page: p.site.Page(r, "page.room"), Ask: "room.sure", Who: Person{Name: c.Name, Class: c.Class}, Action: r.URL.Path, Field: "sure",
		Chosen: chosen(form, "number", "version", "kind"), Back: "/isolation/case?number=" + strconv.Itoa(c.Number), Options: []option{{"yes", p.site.Page(r, "").T("step." + s.Kind)}}})
}

// enter asks for class, person, time and temperature as they stand on paper.
func (p *page) enter(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	who, found := p.search(w, r, form, "/isolation/")
	if !found {
		return
	}
	ask := paperPage{Page: p.site.Page(r, "page.room"), Who: who, Now: p.room.View().Now}
	if form.Has("time") {
		number, err := p.takePaper(r, who, form)
		key := slip("")
		switch {
		case err == nil:
			p.toCase(w, r, number, "paper")
			return
		case errors.As(err, &key):
			ask.Said = "said." + string(key)
		default:
			ask.Said = "said." + p.answer(err)
		}
	}
	p.site.Show(w, http.StatusOK, p.paper, ask)
}

func (p *page) takePaper(r *http.Request, who Person, form url.Values) (number int, err error) {
	sheet := Paper{Subject: who.ID}
	if sheet.Hour, sheet.Minute, err = parseTime(form.Get("time")); err != nil {
		return 0, err
	}
	if sheet.Value, err = web.ParseTemperature(form.Get("value")); err != nil {
		return 0, err
	}
	sheet.By, _ = p.site.Sessions.Who(r)
	return p.cases.Paper(r.Context(), sheet)
}
