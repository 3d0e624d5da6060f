package guard

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/menshen/menshen/web"
)

// Offer is what a scan at one of the lanes lets its person do at the gate's own
// screen, by one press and without a PIN.
type Offer struct {
	// ID names this offer and no other.
	ID uint64
	// Person is who scanned; Name the full name, which the page masks.
	Person uint64
	Name   string
	// Handover says that others are on duty, Full that there is no place
	// beside them.
	Handover, Full bool
	// Open is how many people and alarms wait for somebody.
	Open int
}

// Offers hands out what scans have offered.
type Offers interface {
	// TakeOffer uses an offer up and returns whose it was, or ErrStale.
	TakeOffer(id uint64) (web.Person, error)
}

// Pairing is the code by which a browser of another machine is paired.
type Pairing struct {
	// Code is six digits.
	Code string
	// For stands in web's words behind "place.".
	For string
}

// addDuty leaves the offer to the gate's own screen, and shows the code there to
// whoever may have asked for it.
func (p *page) addDuty(r *http.Request, v *View) {
	offer := v.Offer
	v.Offer = nil
	who, signedOn := p.site.Sessions.Who(r)
	v.CanSetUp = v.CanSetUp && p.site.Place(r)&web.PlaceSetup != 0 && v.NotAccepted && !signedOn
	if p.site.Place(r)&web.PlaceGuard == 0 {
		return
	}
	if offer != nil && !(signedOn && who.ID == offer.Person) {
		masked := *offer
		masked.Name = web.Mask(offer.Name)
		v.Offer = &masked
	}
	if !signedOn {
		return
	}
	at := p.site.Place(r)
	v.CanDesk = at&web.PlaceDesk != 0 && who.Duties.Any(web.DutyGuard|web.DutyDesk)
	v.CanRoom = at&web.PlaceRoom != 0 && who.Duties.Any(web.DutyNurse)
	v.CanEmergency = p.questions != nil && who.Duties.Any(web.DutyGuard|web.DutyDesk)
	if p.site.Pairing == nil {
		return
	}
	v.CanPair = true
	if digits, place, ok := p.site.Pairing.Code(); ok {
		v.Pairing = &Pairing{Code: digits, For: place.String()}
	}
}

// signOn puts on duty at this browser who has just scanned a badge.
func (p *page) signOn(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	id, takeOver, ok := parseOffer(form)
	if !ok || p.offers == nil {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	who, err := p.offers.TakeOffer(id)
	if err == nil {
		err = p.site.Sessions.Begin(w, r, who, takeOver)
	}
	p.back(w, r, err)
}

// parseOffer reads which offer was pressed, and whether those on duty go.
func parseOffer(form url.Values) (id uint64, takeOver, ok bool) {
	id, err := strconv.ParseUint(form.Get("offer"), 10, 64)
	how := form.Get("how")
	return id, how == "take-over", err == nil && (how == "take-over" || how == "join")
}

// askPlace asks for which place a browser is to be paired.
func (p *page) askPlace(w http.ResponseWriter, r *http.Request) {
	p.site.Show(w, http.StatusOK, p.sheets()["pair"], struct {
		web.Page
		Places []web.Place
	}{p.site.Page(r, "pair.new"), web.Places()})
}

// pair shows a code by which one browser is paired for a place.
func (p *page) pair(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	place, ok := web.ParsePlace(form.Get("place"))
	if !ok || p.site.Pairing == nil {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	p.site.Pairing.Begin(place)
	p.back(w, r, nil)
}
