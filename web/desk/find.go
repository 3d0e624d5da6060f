package desk

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

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
	// Types says that Field may be typed as well.
	Types bool
	// Said is the key of why the last try found nobody, or empty.
	Said string
	// Back is where the way back leads.
	Back string
	// Sick and Undos are shown below.
	Sick  []AtHome
	Undos []Undo
}

type field struct{ Name, Value string }

type option struct{ Value, Label string }

// letterFrom is how many people of a class fit a page of which one can be found
// at a glance.
const letterFrom = 13

// find shows the next step to a person, or returns the person. False says that
// the request is answered.
func (p *page) find(w http.ResponseWriter, r *http.Request, s search) (Person, bool) {
	if s.Subject != 0 {
		who, ok := p.people.Person(s.Subject)
		if !ok {
			p.back(w, r, "stale")
		}
		return who, ok
	}
	next := pick{Page: p.site.Page(r, "page.desk"), Action: r.URL.Path, Chosen: s.Keep, Back: p.home(r)}
	switch {
	case !s.HasClass:
		p.askClass(&next)
	case s.ByLetter && s.Letters == "" && len(p.people.Class(s.Class, "")) >= letterFrom:
		p.askLetter(&next, s)
	default:
		p.askPerson(&next, s)
	}
	p.site.Show(w, http.StatusOK, p.pick, next)
	return Person{}, false
}

// findByLetter does what find does, after a form that was read with err: it asks
// again for letters that are none.
func (p *page) findByLetter(w http.ResponseWriter, r *http.Request, s search, err error) (Person, bool) {
	key := slip("")
	switch {
	case err == nil:
		return p.find(w, r, s)
	case errors.As(err, &key):
		ask := pick{Page: p.site.Page(r, "page.desk"), Action: r.URL.Path, Said: "said." + string(key), Back: p.home(r)}
		p.askLetter(&ask, s)
		p.site.Show(w, http.StatusOK, p.pick, ask)
	default:
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
	}
	return Person{}, false
}

func (p *page) askClass(next *pick) {
	next.Ask, next.Field = "desk.class", "class"
	for _, class := range p.people.Classes() {
		label := class
		if class == "" {
			label = next.T("desk.staff")
		}
		next.Options = append(next.Options, option{class, label})
	}
}

// askLetter offers the letters with which a name of the class may begin, and a
// field for whoever has a keyboard.
func (p *page) askLetter(next *pick, s search) {
	next.Ask, next.Field, next.Types = "desk.letter", "letters", true
	next.Chosen = append(slices.Clone(s.Keep), field{"class", s.Class})
	for _, letter := range letters {
		if one := string(letter); len(p.people.Class(s.Class, one)) > 0 {
			next.Options = append(next.Options, option{one, strings.ToUpper(one)})
		}
	}
}

// askPerson lists a class, as far as the letters let it. Where they let nobody
// through it asks for them again.
func (p *page) askPerson(next *pick, s search) {
	list := p.people.Class(s.Class, s.Letters)
	if len(list) == 0 && s.Letters != "" {
		p.askLetter(next, s)
		next.Said = "said.nobody-so"
		return
	}
	next.Ask, next.Field = "desk.child", "subject"
	for _, x := range list {
		next.Options = append(next.Options, option{strconv.FormatUint(x.ID, 10), x.Name})
	}
}

// hold asks for class, person, reason and end, and places the hold.
func (p *page) hold(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	s, placing, err := parseHold(form)
	if err != nil {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	who, found := p.find(w, r, s)
	if !found {
		return
	}
	next := pick{Page: p.site.Page(r, "page.desk"), Who: who, Action: r.URL.Path, Chosen: []field{{"subject", form.Get("subject")}}}
	switch {
	case placing.Reason == "":
		next.Ask, next.Field = "desk.reason", "reason"
		for _, reason := range p.reasons() {
			next.Options = append(next.Options, option{reason, next.T("hold." + reason)})
		}
	case placing.Until == "":
		next.Ask, next.Field, next.Chosen = "desk.until", "until", append(next.Chosen, field{"reason", placing.Reason})
		for _, until := range p.ends() {
			next.Options = append(next.Options, option{string(until), next.T("until." + string(until))})
		}
	default:
		placing.By, _ = p.site.Sessions.Who(r)
		said := "held"
		if err := p.holds.Hold(r.Context(), placing); err != nil {
			said = p.answer(err)
		}
		p.back(w, r, said)
		return
	}
	p.site.Show(w, http.StatusOK, p.pick, next)
}

// ends are those that may be chosen now: a date means nothing to a clock that
// nobody vouches for.
func (p *page) ends() []Until {
	if !p.gate.View().ClockTrusted {
		return []Until{Lifted}
	}
	return ends()
}

// typing is a page on which somebody types about a person.
type typing struct {
	web.Page
	Who     Person
	Version int64
	Said    string // key of why the last try was not taken
}

// bindBadge asks for class, person and badge, and binds the badge.
func (p *page) bindBadge(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	s, binding, err := parseBinding(form)
	if errors.Is(err, errMalformed) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	who, found := p.find(w, r, s)
	if !found {
		return
	}
	ask := typing{Page: p.site.Page(r, "page.desk"), Who: who}
	if err == nil && binding.Badge != "" {
		binding.By, _ = p.site.Sessions.Who(r)
		if err = p.people.BindBadge(r.Context(), binding); err == nil {
			p.back(w, r, "bound")
			return
		}
		ask.Said = "said." + p.answer(err)
	} else if err != nil {
		ask.Said = "said.badge-format"
	}
	p.site.Show(w, http.StatusOK, p.badge, ask)
}

// liftHold asks for the PIN of who lifts, and lifts.
func (p *page) liftHold(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	l, err := parseLifting(form)
	if err != nil {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	holds := p.holds.Holds()
	i := slices.IndexFunc(holds, func(h Hold) bool { return h.Subject == l.Subject && h.Version() == l.Version })
	if i < 0 {
		p.back(w, r, "stale")
		return
	}
	ask := typing{Page: p.site.Page(r, "page.desk"), Who: Person{l.Subject, holds[i].Name, holds[i].Class}, Version: l.Version}
	if l.PIN != "" {
		l.By, _ = p.site.Sessions.Who(r)
		if err = p.holds.Lift(r.Context(), l); err == nil {
			p.back(w, r, "lifted")
			return
		}
		ask.Said = "said." + p.answer(err)
	}
	p.site.Show(w, http.StatusOK, p.lift, ask)
}

// reasons are those of the closed list that the rules in force know of.
func (p *page) reasons() []string {
	if !p.gate.View().NoCodes {
		return reasons()
	}
	return slices.DeleteFunc(reasons(), func(s string) bool { return s == "pop-up" || strings.HasSuffix(s, "-code") })
}
