package desk

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// ErrLaneOut says that a lane is out of service.
var ErrLaneOut = errors.New("lane is out of service")

// Lanes are those by which people come in, as far as the desk works for them.
type Lanes interface {
	// Name delivers somebody without a badge to a lane, as if the badge had been
	// scanned there. The entry comes first. It returns ErrLaneOut, guard.ErrBusy
	// while the lane serves somebody else, guard.ErrStale, or why it failed.
	Name(ctx context.Context, n Naming) error
	// Lately returns whom a lane decided about, the newest first: more than the page
	// offers, because the lane goes on while somebody presses.
	Lately(lane int) []Recent
	// LooksIll holds somebody by name who looks ill, or opens a case. It returns
	// when that is durable, or guard.ErrStale, or why it failed: then the hold may
	// stand, and the whole may be done again.
	LooksIll(ctx context.Context, i Illness) error
}

// Naming says who stands at a lane without a badge.
type Naming struct {
	Lane    int
	Subject uint64
	By      web.Person
}

// Recent is somebody whom a lane decided about.
type Recent struct {
	// Arrival is "boot-counter".
	Arrival string
	Person
	At time.Time
}

// Illness is what somebody saw of a person at a lane.
type Illness struct {
	// Arrival at Lane is whom it was seen of.
	Lane    int
	Arrival string
	// Found are words of the page's closed list, at least one, in its order.
	Found []string
	// Case asks for a case; otherwise the person is held by name.
	Case bool
	By   web.Person
}

// symptoms is the closed list, in the order of the buttons.
func symptoms() []string {
	return append(web.Symptoms(), NoMask)
}

// NoMask is no symptom, and stands among them where a row asks for masks.
const NoMask = guard.NoteMask

// parseLane returns the number of a lane.
func parseLane(form url.Values) (int, error) {
	n, err := strconv.ParseUint(form.Get("lane"), 10, 8)
	if err != nil || n == 0 {
		return 0, errMalformed
	}
	return int(n), nil
}

// parseNaming returns how far somebody has come who names a person at a lane.
func parseNaming(form url.Values) (search, Naming, error) {
	lane, err := parseLane(form)
	if err != nil {
		return search{}, Naming{}, err
	}
	s, err := parseByLetter(form, field{"lane", form.Get("lane")})
	return s, Naming{Lane: lane, Subject: s.Subject}, err
}

// name asks who stands at a lane without a badge, and names them there.
func (p *page) name(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	s, naming, err := parseNaming(form)
	if _, found := p.findByLetter(w, r, s, err); !found {
		return
	}
	naming.By, _ = p.site.Sessions.Who(r)
	said := "named"
	if err := p.lanes.Name(r.Context(), naming); err != nil {
		said = p.answer(err)
	}
	p.back(w, r, said)
}

// parseIllness returns as much as was chosen: the lane, then the arrival, then
// what was seen and what follows from it.
func parseIllness(form url.Values) (i Illness, done bool, err error) {
	i.Arrival = form.Get("arrival")
	i.Lane, err = parseLane(form)
	for _, s := range symptoms() {
		if form.Has("found-" + s) {
			i.Found = append(i.Found, s)
		}
	}
	then := form.Get("then")
	i.Case = then == "case"
	switch {
	case err != nil || !web.Once(form) || i.Arrival != "" && !web.IsArrival(i.Arrival), then != "" && (i.Arrival == "" || then != "case" && then != "hold"):
		return Illness{}, false, errMalformed
	case then == "":
		return i, false, nil
	case len(i.Found) == 0:
		return i, false, slip("symptom-missing")
	}
	return i, true, nil
}

// illPage is one person of whom something is seen.
type illPage struct {
	web.Page
	Lane    int
	Arrival string
	Who     Person
	// Masks says that a row asks for them.
	Masks bool
	Said  string
}

// Symptoms are what the page offers.
func (p illPage) Symptoms() []string {
	if p.Masks {
		return symptoms()
	}
	return web.Symptoms()
}

// looksIll asks whom, what is seen and what follows from it.
func (p *page) looksIll(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	i, done, err := parseIllness(form)
	if errors.Is(err, errMalformed) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	if done {
		p.seen(w, r, i)
		return
	}
	lately := p.lanes.Lately(i.Lane)
	if i.Arrival == "" {
		p.askRecent(w, r, i.Lane, lately)
		return
	}
	k := slices.IndexFunc(lately, func(x Recent) bool { return x.Arrival == i.Arrival })
	if k < 0 {
		p.back(w, r, "stale")
		return
	}
	ask := illPage{Page: p.site.Page(r, "page.desk"), Lane: i.Lane, Arrival: i.Arrival, Who: lately[k].Person, Masks: p.gate.View().Masks}
	if key := slip(""); errors.As(err, &key) {
		ask.Said = "said." + string(key)
	}
	p.site.Show(w, http.StatusOK, p.ill, ask)
}

// askRecent offers the last people of a lane.
func (p *page) askRecent(w http.ResponseWriter, r *http.Request, lane int, lately []Recent) {
	if len(lately) == 0 {
		p.back(w, r, "nobody-lately")
		return
	}
	ask := pick{Page: p.site.Page(r, "page.desk"), Ask: "desk.who-ill", Action: r.URL.Path, Field: "arrival", Chosen: []field{{"lane", strconv.Itoa(lane)}}}
	for _, x := range lately[:min(3, len(lately))] {
		ask.Options = append(ask.Options, option{x.Arrival, x.At.Format("15:04:05 ") + x.Class + " " + x.Name})
	}
	p.site.Show(w, http.StatusOK, p.pick, ask)
}

// seen hands what was seen of a person to the gate.
func (p *page) seen(w http.ResponseWriter, r *http.Request, i Illness) {
	said := "held"
	if i.Case {
		said = "case-opened"
	}
	i.By, _ = p.site.Sessions.Who(r)
	if err := p.lanes.LooksIll(r.Context(), i); err != nil {
		said = p.answer(err)
	}
	p.back(w, r, said)
}
