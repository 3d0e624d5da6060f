package web

import (
	"net/http"
	"strings"
)

// Right is one row of the table that says who may use which route. Its zero
// value lets nobody in.
type Right struct {
	// Pattern is the route as http.ServeMux reads it.
	Pattern string
	// For says in a few words what the route does.
	For string
	// Places are the browsers that may use it. Without PlaceAny a browser of
	// another machine must have been paired.
	Places Place
	// SignOn says who must be signed on at the browser.
	SignOn SignOn
	// Duties are those of which one is needed where SignOn is WithDuty.
	Duties Duty
}

// SignOn is how far somebody must be known. The zero value demands most.
type SignOn uint8

// The degrees.
const (
	WithDuty   SignOn = iota // somebody with one of the row's duties
	Anybody                  // somebody, whatever the duty
	Unattended               // nobody need be signed on
)

// AtGate are the rights at a gate's pages. A route that is not here cannot be
// registered there.
func AtGate() []Right {
	const (
		crew = DutyGuard | DutyDesk
		all  = PlaceAny | placePaired
	)
	return []Right{
		{"GET /healthz", "whether the pages are served", all, Unattended, 0},
		{"GET /metrics", "faults, commits and what waits, in figures for a program on the gate's own machine", PlaceGuard, Unattended, 0},
		{"GET /assets/base.css", "looks", all, Unattended, 0},
		{"GET /assets/live.js", "keeps a page up to date, and grey while it is not", all, Unattended, 0},
		{"GET /assets/pad.css", "looks of the digits to type by touch", all, Unattended, 0},
		{"GET /assets/pad.js", "the digits to type by touch", all, Unattended, 0},
		{"GET /assets/screen.css", "the true size of what is shown", all, Unattended, 0},
		{"GET /assets/guard.css", "looks", all, Unattended, 0},
		{"GET /assets/guard.js", "the keys of the guard's page", all, Unattended, 0},
		{"POST /language", "the language of this browser", all, Unattended, 0},
		{"GET /pair", "asks for the six digits on the gate's screen", all, Unattended, 0},
		{"POST /pair", "takes them", all, Unattended, 0},
		{"GET /{$}", "leads to the browser's page", placePaired, Unattended, 0},
		{"GET /sign-on", "asks for badge and PIN", placePaired, Unattended, 0},
		{"POST /sign-on", "takes them", placePaired, Unattended, 0},
		{"POST /sign-off", "takes who is signed on here off duty", placePaired, Unattended, 0},
		{"GET /guard/{$}", "the guard's page; evidence and names only for who is signed on", PlaceGuard | PlaceDesk | PlaceRoom, Unattended, 0},
		{"GET /guard/events", "the same, as it changes", PlaceGuard | PlaceDesk | PlaceRoom, Unattended, 0},
		{"POST /guard/act", "answers an arrival or an alarm", placePaired, WithDuty, crew},
		{"POST /guard/clock", "confirms the clock", placePaired, WithDuty, crew},
		{"GET /guard/set-clock", "asks for the time", placePaired, WithDuty, crew},
		{"POST /guard/set-clock", "sets the clock", placePaired, WithDuty, crew},
		{"GET /guard/emergency", "asks for a leader's PIN", placePaired, WithDuty, crew},
		{"POST /guard/emergency", "begins emergency passage by a leader's PIN, or ends it", placePaired, WithDuty, crew},
		{"POST /guard/answer", "accepts an old list for today, or has seen new rules", placePaired, WithDuty, crew},
		{"GET /guard/rules", "says all that is new in the rules", placePaired, WithDuty, crew},
		{"GET /guard/order", "asks for the PIN under a policy order that a lane has scanned", placePaired, WithDuty, crew},
		{"POST /guard/order", "takes that order by a guard's or leader's PIN", placePaired, WithDuty, crew},
		{"GET /guard/badge", "asks for the number of a badge where a lane's scanner is gone", placePaired, WithDuty, crew},
		{"POST /guard/badge", "takes it, as if it had been scanned there", placePaired, WithDuty, crew},
		{"GET /guard/reason", "asks why a lane was opened by its button", placePaired, WithDuty, crew},
		{"POST /guard/reason", "takes that, and the PIN", placePaired, WithDuty, crew},
		{"POST /guard/sign-on", "puts on duty who has just scanned a badge", PlaceGuard, Unattended, 0},
		{"GET /assets/desk.css", "looks", all, Unattended, 0},
		{"GET /desk/{$}", "the desk's page, with full names", PlaceDesk, WithDuty, crew},
		{"GET /desk/events", "the same, as it changes", PlaceDesk, WithDuty, crew},
		{"GET /desk/aside", "one person who was set aside", PlaceDesk, WithDuty, crew},
		{"GET /desk/thermometers", "what the thermometers' own medians say", PlaceDesk, WithDuty, crew},
		{"POST /desk/act", "answers for that person", PlaceDesk, WithDuty, crew},
		{"POST /desk/hold", "asks whom to hold, why and until when, and holds", PlaceDesk, WithDuty, crew},
		{"POST /desk/lift", "asks for the PIN, and lifts the holds against somebody", PlaceDesk, WithDuty, crew},
		{"POST /desk/visit", "asks who visits whom and why, and lends a card; counts who waits where it is too early", PlaceDesk, WithDuty, crew},
		{"POST /desk/visit/out", "takes the card back", PlaceDesk, WithDuty, crew},
		{"POST /desk/goods", "notes that something was handed over outside", PlaceDesk, WithDuty, crew},
		{"POST /desk/badge", "asks for a blank badge, and binds it in place of a lost one", PlaceDesk, WithDuty, crew},
		{"POST /desk/named", "asks who stands at a lane without a badge, and names them there", PlaceDesk, WithDuty, crew},
		{"POST /desk/ill", "asks what is seen of somebody at a lane, and holds or opens a case", PlaceDesk, WithDuty, crew},
		{"POST /desk/report", "says that a report has gone out, or not after all", PlaceDesk, WithDuty, DutyDesk | DutyLeader},
		{"POST /desk/sick", "asks who is ill at home and with what, and reports it", PlaceDesk | PlaceRoom, WithDuty, DutyDesk | DutyNurse},
		{"POST /desk/undo", "takes back an own act of the last minute", PlaceDesk | PlaceRoom, WithDuty, crew | DutyNurse},
		{"POST /desk/drill", "asks why, how long and for the PIN, and begins a drill; opens a case of one", PlaceDesk, WithDuty, DutyLeader},
		{"POST /desk/drill/end", "ends it", PlaceDesk, WithDuty, DutyLeader},
		{"GET /assets/isolation.css", "looks", all, Unattended, 0},
		{"GET /isolation/{$}", "the isolation room's page, with full names", PlaceRoom, WithDuty, DutyNurse},
		{"GET /isolation/events", "the same, as it changes", PlaceRoom, WithDuty, DutyNurse},
		{"GET /isolation/case", "one case, with the guardians' phones", PlaceRoom, WithDuty, DutyNurse},
		{"POST /isolation/step", "takes one step of a case", PlaceRoom, WithDuty, DutyNurse},
		{"POST /isolation/not-this", "asks why a case is not about this person, and ends it", PlaceRoom, WithDuty, DutyNurse},
		{"POST /isolation/home", "asks who takes a child home, and hands it over", PlaceRoom, WithDuty, DutyNurse},
		{"POST /desk/home", "asks who takes a child home that was set aside, and hands it over", PlaceDesk, WithDuty, crew},
		{"POST /isolation/who", "asks who an unknown person is", PlaceRoom, WithDuty, DutyNurse},
		{"POST /isolation/diagnosis", "asks what it is, and how sure that is", PlaceRoom, WithDuty, DutyNurse},
		{"POST /isolation/place", "asks for the bed", PlaceRoom, WithDuty, DutyNurse},
		{"POST /isolation/return", "asks when it ended and what was shown, and lets somebody come back", PlaceRoom, WithDuty, DutyNurse},
		{"POST /desk/return", "the same for whom the desk holds", PlaceDesk, WithDuty, crew},
		{"POST /isolation/correct", "asks which step was not so, and says so", PlaceRoom, WithDuty, DutyNurse},
		{"POST /isolation/open", "asks about whom and what, and opens a case", PlaceRoom, WithDuty, DutyNurse},
		{"POST /isolation/paper", "asks for what stands on paper, and enters it", PlaceRoom, WithDuty, DutyNurse},
		{"POST /isolation/answer", "answers an alarm", PlaceRoom, WithDuty, DutyNurse},
		{"POST /isolation/mute", "mutes the room's buzzer for two minutes", PlaceRoom, WithDuty, DutyNurse},
		{"GET /assets/class.css", "looks", all, Unattended, 0},
		{"GET /class/{$}", "which checks beside the gate are owed today; full names of one's own class, dormitory or bus", PlaceClass | PlaceDesk, WithDuty, DutyTeacher | DutyDesk},
		{"POST /class/check", "asks of whom something was found at one of them, and takes it", PlaceClass | PlaceDesk, WithDuty, DutyTeacher | DutyDesk},
		{"POST /class/undo", "takes back an own check of the last minute", PlaceClass | PlaceDesk, WithDuty, DutyTeacher | DutyDesk},
		{"GET /assets/setup.css", "looks", all, Unattended, 0},
		{"GET /setup/{$}", "what is plugged in and wrong, how it is mended, and the acceptance", PlaceSetup, Unattended, 0},
		{"GET /setup/events", "what the devices send, and the acceptance as it goes on", PlaceSetup, Unattended, 0},
		{"GET /setup/mark", "the mark for the floor, to print", PlaceSetup, Unattended, 0},
		{"POST /setup/scan", "looks for devices; a leader's once the gate was accepted, as all that follow", PlaceSetup, Unattended, 0},
		{"POST /setup/write", "puts the lines of a found device into the configuration, or takes that back", PlaceSetup, Unattended, 0},
		{"POST /setup/mend", "asks for one fix of the board from a closed list, or takes it back", PlaceSetup, Unattended, 0},
		{"POST /setup/restart", "starts the gate again", PlaceSetup, Unattended, 0},
		{"POST /setup/accept", "begins the acceptance by two names, or says one word of its step", PlaceSetup, Unattended, 0},
		{"POST /setup/phone", "shows a code by which the phone of who installs is paired", PlaceGuard, Unattended, 0},
		{"GET /guard/pair", "asks for which place", PlaceGuard, WithDuty, crew},
		{"POST /guard/pair", "shows a code by which a browser is paired", PlaceGuard, WithDuty, crew},
	}
}

// AtBoard are the rights at the page of an isolation room's board, which is for
// the board's own screen: no browser of another machine is paired there.
func AtBoard() []Right {
	return []Right{
		{"GET /healthz", "whether the page is served", PlaceAny, Unattended, 0},
		{"GET /assets/base.css", "looks", PlaceAny, Unattended, 0},
		{"GET /assets/live.js", "keeps the page up to date, and grey while it is not", PlaceAny, Unattended, 0},
		{"GET /assets/pad.css", "looks of the digits to type by touch", PlaceAny, Unattended, 0},
		{"GET /assets/pad.js", "the digits to type by touch", PlaceAny, Unattended, 0},
		{"GET /assets/screen.css", "the true size of what is shown", PlaceAny, Unattended, 0},
		{"GET /assets/board.css", "looks", PlaceAny, Unattended, 0},
		{"POST /language", "the language of this browser", PlaceRoom, Unattended, 0},
		{"GET /pair", "says that no browser is paired here", PlaceRoom, Unattended, 0},
		{"POST /pair", "the same", PlaceRoom, Unattended, 0},
		{"GET /{$}", "leads to the page", PlaceRoom, Unattended, 0},
		{"GET /sign-on", "asks for badge and PIN", PlaceRoom, Unattended, 0},
		{"POST /sign-on", "takes them, and asks the gates", PlaceRoom, Unattended, 0},
		{"POST /sign-off", "ends the session", PlaceRoom, Unattended, 0},
		{"GET /board/{$}", "the board's page; full names only for who has the room for a duty", PlaceRoom, Unattended, 0},
		{"GET /board/events", "the same, as it changes", PlaceRoom, Unattended, 0},
		{"POST /board/answer", "answers an alarm", PlaceRoom, WithDuty, DutyNurse},
		{"POST /board/lost", "silences the alarm that a gate is lost", PlaceRoom, Unattended, 0},
	}
}

// AtDistrict are the rights at a collector's pages: a token stands behind every
// sign-on there, and there are neither duties nor paired browsers.
func AtDistrict() []Right {
	return []Right{
		{"GET /healthz", "whether the pages are served", PlaceAny, Unattended, 0},
		{"GET /assets/base.css", "looks", PlaceAny, Unattended, 0},
		{"GET /assets/live.js", "keeps the page up to date, and grey while it is not", PlaceAny, Unattended, 0},
		{"GET /assets/district.css", "looks", PlaceAny, Unattended, 0},
		{"GET /assets/screen.css", "the true size of a refusal", PlaceAny, Unattended, 0},
		{"POST /language", "the language of this browser", PlaceAny, Unattended, 0},
		{"GET /sign-on", "asks for a token", PlaceAny, Unattended, 0},
		{"POST /sign-on", "takes it", PlaceAny, Unattended, 0},
		{"POST /sign-off", "ends the session", PlaceAny, Unattended, 0},
		{"GET /{$}", "leads to the page", PlaceAny, Unattended, 0},
		{"GET /district/{$}", "the collector's page", PlaceAny, Anybody, 0},
		{"GET /district/events", "the same, as it changes", PlaceAny, Anybody, 0},
	}
}

// Mux serves routes that have a row in a table of rights, to whom their row
// lets in.
type Mux struct {
	site   *Site
	rights map[string]Right
	routes *http.ServeMux
}

// NewMux returns a mux without routes for the rows of a table.
func (s *Site) NewMux(rights []Right) *Mux {
	m := &Mux{site: s, rights: make(map[string]Right, len(rights)), routes: http.NewServeMux()}
	for _, r := range rights {
		m.rights[r.Pattern] = r
	}
	return m
}

// Handle registers a route. It panics when the pattern has no row, or a second
// time: the routes are part of the program.
func (m *Mux) Handle(pattern string, h http.Handler) {
	right, ok := m.rights[pattern]
	if !ok {
		panic("web: no row in the table of rights for " + pattern)
	}
	m.routes.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if m.site.admit(w, r, right) {
			h.ServeHTTP(w, r)
		}
	})
}

// HandleFunc registers a route as Handle does.
func (m *Mux) HandleFunc(pattern string, f func(http.ResponseWriter, *http.Request)) {
	m.Handle(pattern, http.HandlerFunc(f))
}

// ServeHTTP implements http.Handler.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.routes.ServeHTTP(w, r) }

// admit reports whether a row lets r in, or answers it.
func (s *Site) admit(w http.ResponseWriter, r *http.Request, right Right) bool {
	if place := s.Place(r); place&right.Places == 0 {
		if place == PlaceAny {
			s.showPair(w, r, http.StatusUnauthorized, "")
		} else {
			s.Refuse(w, r, http.StatusForbidden, "refused.screen")
		}
		return false
	}
	if right.SignOn == Unattended {
		return true
	}
	who, ok := s.Sessions.Who(r)
	switch {
	case !ok && r.Method == http.MethodGet && strings.HasSuffix(right.Pattern, "/{$}"): // a page
		http.Redirect(w, r, "/sign-on", http.StatusSeeOther)
	case !ok:
		s.Refuse(w, r, http.StatusUnauthorized, "refused.sign-on")
	case right.SignOn == WithDuty && !who.Duties.Any(right.Duties):
		s.Refuse(w, r, http.StatusForbidden, "refused.duty")
	default:
		return true
	}
	return false
}
