package guard

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/menshen/menshen/web"
)

// Questions takes what a person at the gate answers for that is about nobody in
// particular. The entry of each is durable before it returns without an error.
type Questions interface {
	// Leaders are those in whose name emergency passage may be.
	Leaders() []Leader
	// Emergency begins emergency passage, or lets it last longer, or ends it. It
	// returns ErrNotAllowed of somebody who is no leader, one of web's PIN errors,
	// ErrStale of an end where nothing is in force, or why it failed.
	Emergency(ctx context.Context, p Passage) error
	// Accept takes one answer, or returns ErrStale when nobody asks that now.
	Accept(ctx context.Context, a Acceptance) error
	// SetClock sets the gate's time, or returns ErrEarly, ErrFar, or ErrStale
	// when the clock is trusted.
	SetClock(ctx context.Context, t ClockTime) error
}

// Why a gate did not take the time that was typed.
var (
	// ErrEarly says that it lies before the gate's newest entry.
	ErrEarly = errors.New("time lies before the newest entry")
	// ErrFar says that there is no such day, or that it lies years away.
	ErrFar = errors.New("no such day, or years away")
)

// Emergency is emergency passage while it is in force.
type Emergency struct {
	// Left is how long, until it ends by itself.
	Left time.Duration
	// Passed is how many it has let in.
	Passed int
}

// Minutes are those left, the one that has begun included.
func (e Emergency) Minutes() int { return int(math.Ceil(e.Left.Minutes())) }

// Leader is somebody in whose name emergency passage may be.
type Leader struct {
	ID uint64
	// Name is the full name; the page masks it.
	Name string
}

// Passage is one press about emergency passage.
type Passage struct {
	// Leader answers for it, and typed the PIN; both are zero where End ends it.
	Leader uint64
	PIN    string
	End    bool
	// By is who is signed on at the browser.
	By web.Person
}

// The kinds of question.
const (
	AskList  = "list"  // the list of people and holds is old
	AskRules = "rules" // the rules have changed
	AskWrist = "wrist" // foreheads are too cold at the lane that it is about
	AskOrder = "order" // a lane has scanned a policy order, which wants a PIN
	// AskOrderWrong says that one was refused; About stands in web's words behind
	// "order.".
	AskOrderWrong = "order-wrong"
	// AskReason: a lane was opened by its button, and nobody has said why.
	AskReason = "reason"
)

// Question is what the gate asks whoever is on duty, until it is answered.
type Question struct {
	Kind string
	// About tells this question from the next of its kind.
	About string
	// Date of the list, zero where nothing is known of any; or from when an order
	// is, zero for at once.
	Date time.Time
	// Lane that was opened, at Date; Open is how many reasons are owed in all, and
	// Late says that this one is for longer than it should.
	Lane, Open int
	Late       bool
	// Number of the rules in force or of the order, and what is new in them.
	Number  uint32
	Changes []Change
}

// Change is one sentence about new rules: Kind stands in web's words behind
// "rules.", Row, where there is one, behind "row." unless the rules have words of
// their own for it. Without a Kind those are all of the sentence.
type Change struct {
	Kind, Row, From, To string
	Say                 Sentence
}

// Acceptance is one answer.
type Acceptance struct {
	Kind, About string
	By          web.Person
}

// ClockTime is what somebody read off a watch, and off a calendar if the day was
// wrong too: Month and Day are zero otherwise.
type ClockTime struct {
	Month        time.Month
	Day          int
	Hour, Minute int
	By           web.Person
}

// On returns the moment that is meant by somebody who is shown now; false when
// there is no such day. Nobody types a year: it is that of the nearest.
func (t ClockTime) On(now time.Time) (time.Time, bool) {
	at := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, t.Hour, t.Minute, 0, 0, now.Location())
	}
	if t.Month == 0 {
		return at(now.Date()), true
	}
	var best time.Time
	for year := now.Year() - 1; year <= now.Year()+1; year++ {
		d := at(year, t.Month, t.Day)
		if d.Day() == t.Day && (best.IsZero() || d.Sub(now).Abs() < best.Sub(now).Abs()) {
			best = d
		}
	}
	return best, !best.IsZero()
}

// parseClock reads four digits, hours and minutes, or eight, with month and day
// before them. Nothing is guessed from more or fewer.
func parseClock(s string) (ClockTime, error) {
	var t ClockTime
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || len(s) != 4 && len(s) != 8 {
		return t, slip("clock-format")
	}
	t.Hour, t.Minute = int(n/100%100), int(n%100)
	if len(s) == 8 {
		t.Month, t.Day = time.Month(n/1_000_000), int(n/10_000%100)
		if t.Month < time.January || t.Month > time.December || t.Day < 1 || t.Day > 31 {
			return t, slip("clock-format")
		}
	}
	if t.Hour > 23 || t.Minute > 59 {
		return t, slip("clock-format")
	}
	return t, nil
}

// sheet is a page on which something is typed; nothing on it changes by itself.
type sheet struct {
	web.Page
	View View
	// Said is the key of why the last try was not taken, or empty.
	Said    string
	Leaders []Leader
	// From is the first of what is new that a page about the rules says.
	From int
	// Why is the reason that was chosen, and Lane where a badge is typed.
	Why  string
	Lane int
}

func (p *page) showSheet(w http.ResponseWriter, r *http.Request, status int, name, said string, leaders ...Leader) {
	s := sheet{Page: p.site.Page(r, pageTitle), View: p.gate.View(), Said: said}
	for _, l := range leaders {
		s.Leaders = append(s.Leaders, Leader{l.ID, web.Mask(l.Name)})
	}
	p.site.Show(w, status, p.sheets()[name], s)
}

// maxLeaders is how many buttons one screen has room for.
const maxLeaders = 4

// leaders are those who may be chosen; whoever is signed on here comes first.
func (p *page) leaders(r *http.Request) []Leader {
	if p.questions == nil {
		return nil
	}
	who, _ := p.site.Sessions.Who(r)
	list := p.questions.Leaders()
	slices.SortStableFunc(list, func(a, b Leader) int { return before(a.ID == who.ID, b.ID == who.ID) })
	return list[:min(len(list), maxLeaders)]
}

func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// Pick is the key of the i-th button.
func (sheet) Pick(i int) string { return screen{}.Pick(i) }

// Minute is the gate's time as the page asks about it.
func (s sheet) Minute() string { return s.Language.Moment(s.View.Now) }

func (p *page) showClock(w http.ResponseWriter, r *http.Request) {
	p.showSheet(w, r, http.StatusOK, "clock", "")
}

// showEmergency asks who answers for emergency passage, unless there is nothing
// to choose.
func (p *page) showEmergency(w http.ResponseWriter, r *http.Request) {
	leaders, name := p.leaders(r), "emergency"
	if len(leaders) == 1 && p.gate.View().Emergency == nil {
		name = "emergency-pin"
	}
	p.showSheet(w, r, http.StatusOK, name, "", leaders...)
}

// setClock takes a time that was typed.
func (p *page) setClock(w http.ResponseWriter, r *http.Request) {
	who, form, ok := p.asked(w, r)
	if !ok {
		return
	}
	t, err := parseClock(form.Get("time"))
	if err == nil {
		t.By = who
		err = p.questions.SetClock(r.Context(), t)
	}
	if !typedAgain(err) {
		p.back(w, r, err)
		return
	}
	p.showSheet(w, r, http.StatusUnprocessableEntity, "clock", "said."+p.answer(err))
}

// emergency takes who answers for emergency passage and asks for the PIN, takes
// that, or the press that ends it.
func (p *page) emergency(w http.ResponseWriter, r *http.Request) {
	who, form, ok := p.asked(w, r)
	if !ok {
		return
	}
	if form.Get("end") == "yes" {
		p.back(w, r, p.questions.Emergency(r.Context(), Passage{End: true, By: who}))
		return
	}
	leaders := p.leaders(r)
	i := slices.IndexFunc(leaders, func(l Leader) bool { return strconv.FormatUint(l.ID, 10) == form.Get("leader") })
	if i < 0 {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	act := Passage{Leader: leaders[i].ID, PIN: form.Get("pin"), By: who}
	var err error
	switch {
	case !form.Has("pin"):
		p.showSheet(w, r, http.StatusOK, "emergency-pin", "", leaders[i])
		return
	case act.PIN == "" || len(act.PIN) > maxPIN:
		err = slip("pin-missing")
	default:
		err = p.questions.Emergency(r.Context(), act)
	}
	if !typedAgain(err) {
		p.back(w, r, err)
		return
	}
	p.showSheet(w, r, http.StatusUnprocessableEntity, "emergency-pin", "said."+p.answer(err), leaders[i])
}

// accept takes the answer to one question.
func (p *page) accept(w http.ResponseWriter, r *http.Request) {
	who, form, ok := p.asked(w, r)
	if !ok {
		return
	}
	p.back(w, r, p.questions.Accept(r.Context(), Acceptance{Kind: form.Get("kind"), About: form.Get("about"), By: who}))
}

// asked returns who pressed and the form, or refuses the request itself.
func (p *page) asked(w http.ResponseWriter, r *http.Request) (web.Person, url.Values, bool) {
	who, form, ok := p.pressed(w, r)
	if ok && p.questions == nil {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		ok = false
	}
	return who, form, ok
}

// typedAgain reports whether what was typed is what was wrong.
func typedAgain(err error) bool {
	var slip slip
	return errors.As(err, &slip) || errors.Is(err, ErrEarly) || errors.Is(err, ErrFar) || errors.Is(err, ErrNoBadge) || errors.Is(err, web.ErrPIN) || errors.Is(err, web.ErrLocked)
}
