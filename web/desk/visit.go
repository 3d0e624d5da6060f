package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/menshen/menshen/web"
)

// Why no card was given.
var (
	// ErrEarly says that the visitors' hours have not begun.
	ErrEarly = errors.New("visitors are not taken yet")
	// ErrCardTaken says that somebody has the card, or that it is on hold.
	ErrCardTaken = errors.New("card is not free")
)

// Visits are the visitors of the gate and the cards that they are lent.
type Visits interface {
	Visitors() Visitors
	// Give lends a card, which opens lanes once its entry is durable. It returns
	// ErrEarly, ErrCardTaken, guard.ErrStale, guard.ErrNotAllowed of a leader who is
	// none, one of web's PIN errors, or why it failed.
	Give(ctx context.Context, v Giving) error
	// TakeBack ends a visit: from then on the card opens nothing. It returns when
	// the entry is durable, or guard.ErrStale, or why it failed.
	TakeBack(ctx context.Context, b Return) error
	// Count takes one press that only counts, or returns guard.ErrStale.
	Count(ctx context.Context, c Count) error
}

// Visitors is what the page shows of visitors.
type Visitors struct {
	// From is when the visitors' hours begin, as 15:04; empty within them.
	From string
	// Waiting is how many wait for a card, Goods how often something was handed
	// over outside; both of today.
	Waiting, Goods int
	// Inside are the cards that are out, the longest first.
	Inside []Visit
	// Free are the numbers of the cards that may be given.
	Free []int
	// Leaders are those who may approve a visit; empty where the policy asks for
	// nobody's approval.
	Leaders []Person
}

// Visit is one card that is out.
type Visit struct {
	// Card is its number.
	Card int
	// Name is the visitor's, Host of whom they visit; either may be empty.
	Name, Host string
	// Reason stands in web's words behind "visit.".
	Reason string
	Since  time.Time
	// Over says that it lasts too long, Open that the card opens lanes: its entry
	// is durable and nobody has pressed that it is back.
	Over, Open bool
}

// Version tells a visit from another one with the same card.
func (v Visit) Version() int64 { return v.Since.UnixMilli() }

// Giving lends a visitor a card.
type Giving struct {
	Card int
	// Host is the roster number of whom they visit.
	Host uint64
	// Reason is one of the page's closed list.
	Reason      string
	Name, Phone string
	// Leader approves the visit, and typed the PIN; 0 where nobody does.
	Leader uint64
	PIN    string
	By     web.Person
}

// Return takes a card back.
type Return struct {
	Card    int
	Version int64
	By      web.Person
}

// What only counts.
const (
	CountWaiting = "waiting" // one more waits for the visitors' hours
	CountGoods   = "goods"   // something was handed over outside, and recorded
)

// Count is one more of what somebody saw Seen of.
type Count struct {
	What string
	Seen int
	By   web.Person
}

const (
	maxCard     = 99
	maxName     = 100 // bytes
	maxPhone    = 20
	phoneDigits = 5 // at least
	digits      = "0123456789"
	delivery    = "delivery"
)

func visitReasons() []string {
	return []string{"parent", delivery, "repair", "inspection", "interview", "other"}
}

// parseVisit returns as much of a visit as was chosen; it is complete with Card.
// A slip of what was typed comes with what was typed.
func parseVisit(form url.Values) (s search, v Giving, err error) {
	if s, err = parseSearch(form); err != nil {
		return search{}, Giving{}, err
	}
	v = Giving{Host: s.Subject, Reason: form.Get("reason")}
	if v.Reason != "" && !slices.Contains(visitReasons(), v.Reason) || v.Host != 0 && v.Reason == "" {
		return search{}, Giving{}, errMalformed
	}
	if !form.Has("card") {
		return s, v, nil
	}
	v.Card, err = strconv.Atoi(form.Get("card"))
	if err != nil || v.Card < 1 || v.Card > maxCard || v.Host == 0 {
		return search{}, Giving{}, errMalformed
	}
	v.Name, v.Phone = strings.TrimSpace(form.Get("name")), strings.TrimSpace(form.Get("phone"))
	if v.Leader, v.PIN, err = parseApproval(form); err != nil {
		return search{}, Giving{}, err
	}
	return s, v, v.check()
}

// parseApproval returns the leader who approves a visit, if one does. Whoever
// does types a PIN; check asks for it.
func parseApproval(form url.Values) (leader uint64, pin string, err error) {
	if form.Get("leader") == "" {
		return 0, "", nil
	}
	leader, err = strconv.ParseUint(form.Get("leader"), 10, 64)
	if pin = form.Get("pin"); err != nil || leader == 0 || len(pin) > maxPIN {
		return 0, "", errMalformed
	}
	return leader, pin, nil
}

// check holds what was typed to what can be read later. Of who delivers neither
// name nor phone need be known.
func (v Giving) check() error {
	must := v.Reason != delivery
	switch {
	case v.Name == "" && must:
		return slip("visit-name-missing")
	case len(v.Name) > maxName || strings.ContainsFunc(v.Name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return slip("visit-name-format")
	case v.Leader != 0 && v.PIN == "":
		return slip("pin-missing")
	case v.Phone == "" && !must:
		return nil
	case len(v.Phone) > maxPhone || strings.Trim(v.Phone, digits+"+- ") != "" || len(onlyDigits(v.Phone)) < phoneDigits:
		return slip("visit-phone-format")
	}
	return nil
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(digits, r) {
			return r
		}
		return -1
	}, s)
}

func parseReturn(form url.Values) (Return, error) {
	card, err := strconv.Atoi(form.Get("card"))
	version, versionErr := strconv.ParseInt(form.Get("version"), 10, 64)
	if err != nil || versionErr != nil || !web.Once(form) || card < 1 || card > maxCard {
		return Return{}, errMalformed
	}
	return Return{Card: card, Version: version}, nil
}

// parseSeen returns the count that stood on the button.
func parseSeen(form url.Values) (int, error) {
	seen, err := strconv.ParseUint(form.Get("seen"), 10, 31)
	if err != nil || !web.Once(form) {
		return 0, errMalformed
	}
	return int(seen), nil
}

// visitPage asks who somebody is and which card they get.
type visitPage struct {
	web.Page
	Host Person
	// Giving is what was chosen and typed so far.
	Giving Giving
	Free   []int
	// Leaders are those who may approve it.
	Leaders []Person
	Said    string // key of why the last try was not taken
}

// CardName is what stands on a card in large: V07.
func (visitPage) CardName(number int) string { return fmt.Sprintf("V%02d", number) }

// CardName is as visitPage has it.
func (screen) CardName(number int) string { return visitPage{}.CardName(number) }

// Began returns when a visit began, with the day unless that is today.
func (s screen) Began(v Visit) string {
	if at := s.View.Now.Format(time.DateOnly); at == v.Since.Format(time.DateOnly) {
		return s.T("visit.since", v.Since.Format("15:04"))
	}
	return s.T("visit.since", s.Language.Moment(v.Since))
}

// Optional reports whether nothing need be typed.
func (v visitPage) Optional() bool { return v.Giving.Reason == delivery }

// visit asks for reason, host, name and card, and lends the card. Before the
// visitors' hours the first press only counts who waits.
func (p *page) visit(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	s, giving, err := parseVisit(form)
	if errors.Is(err, errMalformed) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	now := p.visits.Visitors()
	if giving.Reason == "" {
		p.beginVisit(w, r, form, now)
		return
	}
	s.Keep = []field{{"reason", giving.Reason}}
	s.HasClass, s.ByLetter = true, true // the class of staff, unless another was chosen
	host, found := p.find(w, r, s)
	if !found {
		return
	}
	ask := visitPage{Page: p.site.Page(r, "page.desk"), Host: host, Giving: giving, Free: now.Free, Leaders: now.Leaders}
	switch key := slip(""); {
	case errors.As(err, &key):
		ask.Said = "said." + string(key)
	case giving.Card != 0:
		giving.By, _ = p.site.Sessions.Who(r)
		if err = p.visits.Give(r.Context(), giving); err == nil {
			p.back(w, r, "card-given")
			return
		}
		ask.Said, ask.Free = "said."+p.answer(err), p.visits.Visitors().Free
	case len(now.Free) == 0:
		ask.Said = "said.no-card"
	}
	p.site.Show(w, http.StatusOK, p.visitor, ask)
}

// beginVisit asks for the reason, or counts who waits where it is too early.
func (p *page) beginVisit(w http.ResponseWriter, r *http.Request, form url.Values, now Visitors) {
	if now.From != "" {
		p.count(w, r, form, CountWaiting, "visitor-waits")
		return
	}
	next := pick{Page: p.site.Page(r, "page.desk"), Ask: "visit.why", Action: r.URL.Path, Field: "reason"}
	for _, reason := range visitReasons() {
		next.Options = append(next.Options, option{reason, next.T("visit." + reason)})
	}
	p.site.Show(w, http.StatusOK, p.pick, next)
}

// visitOver takes a card back by one press.
func (p *page) visitOver(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	back, err := parseReturn(form)
	if err != nil {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	back.By, _ = p.site.Sessions.Who(r)
	said := "card-back"
	if err := p.visits.TakeBack(r.Context(), back); err != nil {
		said = p.answer(err)
	}
	p.back(w, r, said)
}

// goods notes by one press that something was handed over outside.
func (p *page) goods(w http.ResponseWriter, r *http.Request) {
	if form, ok := p.site.Form(w, r); ok {
		p.count(w, r, form, CountGoods, "goods-noted")
	}
}

func (p *page) count(w http.ResponseWriter, r *http.Request, form url.Values, what, said string) {
	seen, err := parseSeen(form)
	if err != nil {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	by, _ := p.site.Sessions.Who(r)
	if err := p.visits.Count(r.Context(), Count{What: what, Seen: seen, By: by}); err != nil {
		said = p.answer(err)
	}
	p.back(w, r, said)
}
