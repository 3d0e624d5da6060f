package gate

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/sync/wire"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/class"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
	"github.com/menshen/menshen/web/isolation"
	"github.com/menshen/menshen/web/setup"
)

// AddressFile holds the address at which the pages are really served, below
// the data directory: the configuration may leave the port to the system.
const AddressFile = "web.addr"

// listMost bounds a roster list that arrives over the socket.
const listMost = 10 << 20

// pages returns the guard's and the desk's page, once there is something to show.
func (g *Gate) pages() http.Handler {
	language := web.Chinese
	if g.o.Config.Language == config.LanguageEnglish {
		language = web.English
	}
	lanes := guard.New(guard.Options{Gate: g, Offers: g, Questions: g, Orders: g, Reasons: g, Badges: g, Metrics: http.HandlerFunc(g.metrics), Drill: g.drill.minutes, Sessions: g.sessions, Pairing: g.outside(), Language: language, ScreenMM: g.o.Config.Web.ScreenMM, Log: g.o.Log})
	d := deskPage{g}
	tablet := desk.New(desk.Options{Gate: d, Holds: d, People: d, Lanes: d, Undos: d, Visits: d, Drills: d, Watchers: d, Sick: d, Reports: d, Thermometers: d, Checks: d, Rest: lanes, Sessions: g.sessions, Pairing: g.outside(), Language: language, Log: g.o.Log})
	r := roomPage{g}
	room := isolation.New(isolation.Options{Room: r, Cases: r, Desk: r, People: r, Rest: tablet, Drill: g.drill.minutes, Sessions: g.sessions, Pairing: g.outside(), Language: language, Log: g.o.Log})
	classes := class.New(class.Options{Checks: classPage{g}, Rest: room, Drill: g.drill.minutes, Sessions: g.sessions, Pairing: g.outside(), Language: language, Log: g.o.Log})
	if g.o.Setup == nil {
		return classes
	}
	m := setupPage{g}
	return setup.New(setup.Options{Machine: m, Process: m, Acceptor: m, Rest: classes, Drill: g.drill.minutes, Sessions: g.sessions, Pairing: g.outside(), Language: language, ScreenMM: g.o.Config.Web.ScreenMM, Log: g.o.Log})
}

// serveWeb serves pages from before the journal is open: a gate that cannot
// record says so instead of saying nothing.
func (g *Gate) serveWeb(ctx context.Context) error {
	file := filepath.Join(g.o.Config.Data, AddressFile)
	if err := os.WriteFile(file, []byte(g.o.Web.Addr().String()+"\n"), 0o644); err != nil {
		g.log.Warn("address of the pages not written", "err", err)
	}
	defer os.Remove(file)
	return serve(ctx, g.o.Web, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := g.front.Load(); h != nil {
			(*h).ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Refresh", "2")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, notOpen) // a browser that left needs no answer
	}))
}

const notOpen = `<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>门神 Menshen</title>
<h1>不能记录 · 校门未启用 · 用纸质表</h1><p>The gate cannot record yet. It tries again by itself; if this stays, look at the disk.</p></html>
`

// serve serves until the context ends, and does not wait for open pages.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %v: %w", l.Addr(), err)
	}
	return nil
}

// serveControl answers gatectl on the unix socket. Whoever may open the socket
// may do all of this; the system's own permissions guard it.
func (g *Gate) serveControl(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", g.status)
	mux.HandleFunc("GET /v1/key", g.showKey)
	mux.HandleFunc("POST /v1/roster/import", g.importRoster)
	mux.HandleFunc("POST /v1/roster/undo", g.undoRoster)
	mux.HandleFunc("POST /v1/roster/pin", g.setPIN)
	mux.HandleFunc("POST /v1/roster/duty", g.setDuty)
	mux.HandleFunc("GET /v1/web/paired", g.listPaired)
	mux.HandleFunc("POST /v1/web/unpair", g.unpair)
	mux.HandleFunc("GET /v1/roster/people", g.people)
	mux.HandleFunc("GET /v1/roster/export", g.exportRoster)
	mux.HandleFunc("POST /v1/roster/cards", g.makeCards)
	mux.HandleFunc("GET /v1/calendar", g.showCalendar)
	mux.HandleFunc("POST /v1/calendar", g.loadCalendar)
	mux.HandleFunc("GET /v1/holds", g.listHolds)
	mux.HandleFunc("POST /v1/policy", g.loadPolicy)
	mux.HandleFunc("POST /v1/holds/lift", g.liftHold)
	mux.HandleFunc("GET /v1/live", g.showLive)
	mux.HandleFunc("GET /v1/acceptance", g.showAcceptance)
	mux.HandleFunc("POST /v1/acceptance", g.beginAcceptance)
	mux.HandleFunc("POST /v1/acceptance/step", g.sayAcceptance)
	mux.HandleFunc("GET /v1/calibration/samples", g.showComparison)
	mux.HandleFunc("POST /v1/calibration", g.takeCalibration)
	return serve(ctx, g.o.Control, mux)
}

// Status is what gatectl status shows.
type Status struct {
	Gate     string
	Version  string
	Boot     uint64
	Entries  uint64
	Root     string
	Clock    string
	Now      time.Time
	Roster   int
	Arrived  int
	Waiting  int // entries that are not stored yet
	Lost     int // entries that never will be
	Banner   string
	Lanes    []LaneStatus
	Asides   int
	Alarms   int
	Holds    int
	OnDuty   int
	Problems []Problem
	// Commits is what the journal's commits have taken since the start.
	Commits journal.Effort
	// Outages are of the parts that were lost since the start.
	Outages []Outage
	// Accepted is when the gate was accepted where it stands; zero where it was not.
	Accepted time.Time
	// Collectors are in the order of the configuration.
	Collectors []CollectorStatus
	// Calibrations are of the lanes with a thermometer.
	Calibrations []Calibration
	// Drifts are what the thermometers' daily medians say, worst first.
	Drifts []Drift
	// Policies are those in force and to come, the newest last.
	Policies []PolicyStatus
}

// Outage is a part that was lost since the start.
type Outage struct {
	Lane  int    // 0 for one of the gate's own
	Part  string // such as "scanner"
	Times int    // how often
	Lost  bool   // it is gone now
}

// LaneStatus is one lane of Status.
type LaneStatus struct {
	Number    int
	Direction string
	Phase     string
	Faults    []Problem
}

// Problem is one line of the strip or one fault of a lane.
type Problem struct {
	Key  string // in the page's words, behind "problem." or "fault."
	Text string // in English
}

func (g *Gate) status(w http.ResponseWriter, _ *http.Request) { answer(w, g.now(), nil) }

// now is the gate as gatectl shows it.
func (g *Gate) now() Status {
	v, stamp, head := g.View(), g.recorder.now(), g.journal.Head()
	s := Status{
		Gate: v.Gate, Version: g.o.Version, Boot: g.journal.Boot(), Entries: head.Size, Root: fmt.Sprintf("%x", head.Root),
		Clock: stamp.Clock.String(), Now: stamp.Wall, Roster: v.RosterSize, Arrived: v.ArrivedToday, Banner: g.o.Banner,
		Asides: len(v.Asides), Alarms: len(v.Alarms), Holds: len(g.register.holds()), OnDuty: len(v.OnDuty),
	}
	s.Waiting, s.Lost = g.recorder.waiting()
	s.Commits, s.Outages = g.journal.Effort(), g.lost.outages()
	s.Collectors, s.Accepted = g.collectors.status(), g.acceptance.passed()
	s.Calibrations, s.Drifts = g.calibrations.list(stamp), g.drift.alarms(stamp.Wall)
	s.Policies = g.rules.list()
	for _, l := range v.Lanes {
		lane := LaneStatus{Number: l.Number, Direction: l.Direction, Phase: l.Phase}
		for _, key := range l.Faults {
			lane.Faults = append(lane.Faults, Problem{key, web.English.Text("fault." + key)})
		}
		s.Lanes = append(s.Lanes, lane)
	}
	for _, p := range v.Problems {
		s.Problems = append(s.Problems, Problem{p.Key, web.English.Text("problem."+p.Key, p.Args...)})
	}
	return s
}

// RosterChange is what an import or an undo did, or would do.
type RosterChange struct {
	Version              uint32
	Added, Changed, Left int
	LeftClasses          []string
	// Refused says why nothing was changed.
	Refused string `json:",omitempty"`
}

func changeOf(c roster.Change) RosterChange {
	return RosterChange{Version: c.Version, Added: len(c.Added), Changed: len(c.Changed), Left: len(c.Left), LeftClasses: c.LeftClasses}
}

func (g *Gate) importRoster(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	allow, err := strconv.Atoi(q.Get("allow_left"))
	if q.Get("allow_left") != "" && (err != nil || allow < 0) {
		answer(w, nil, errors.New("allow-left is not a number of people"))
		return
	}
	list, err := roster.Parse(io.LimitReader(r.Body, listMost+1))
	if err != nil {
		answer(w, nil, err)
		return
	}
	if q.Get("preview") != "" {
		c, err := g.roster.Preview(r.Context(), list)
		out := changeOf(c)
		if err == nil && c.TooManyLeft() && len(c.Left) > allow {
			out.Refused = fmt.Sprintf("%d people would leave: import with --allow-left %d if that is meant", len(c.Left), len(c.Left))
		}
		answer(w, out, err)
		return
	}
	c, err := g.roster.Import(r.Context(), list, roster.ImportOpts{AllowLeft: allow, By: "gatectl"})
	g.rosterEntry(c, err)
	answer(w, changeOf(c), err)
}

// Identity is what a collector has to be told of a gate.
type Identity struct {
	Gate string
	// Key is the gate's public key as wire.FormatPublicKey writes it.
	Key string
}

func (g *Gate) showKey(w http.ResponseWriter, _ *http.Request) {
	if g.collectors.key == nil {
		answer(w, nil, g.collectors.fault)
		return
	}
	answer(w, Identity{g.o.Config.Gate, wire.FormatPublicKey(g.collectors.key.Public().(ed25519.PublicKey))}, nil)
}

func (g *Gate) undoRoster(w http.ResponseWriter, r *http.Request) {
	c, err := g.roster.Undo(r.Context())
	g.rosterEntry(c, err)
	answer(w, changeOf(c), err)
}

// rosterEntry writes which roster is in force from now on.
func (g *Gate) rosterEntry(c roster.Change, err error) {
	if err != nil {
		return
	}
	g.questions.list(g.recorder.now().Wall)
	g.recorder.note(g.rosterBody(c, "gatectl"), 0)
	g.refreshLanes()
	debug.FreeOSMemory() // a list takes many times what is kept of it
}

// rosterBody says how the roster came to be what it is.
func (g *Gate) rosterBody(c roster.Change, by string) entry.Roster {
	s := g.roster.Snapshot()
	return entry.Roster{
		Version: s.Version, Hash: s.Hash, Added: uint32(len(c.Added)), Changed: uint32(len(c.Changed)), Left: uint32(len(c.Left)), By: by,
	}
}

// refreshLanes lets resting lanes and the pages take the newest roster.
func (g *Gate) refreshLanes() {
	for _, l := range g.lanes {
		l.send(refresh{})
	}
	g.changed()
}

func (g *Gate) setPIN(w http.ResponseWriter, r *http.Request) {
	var in struct{ Number, PIN string }
	if err := json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&in); err != nil {
		answer(w, nil, fmt.Errorf("read request: %w", err))
		return
	}
	answer(w, struct{}{}, g.roster.SetPIN(r.Context(), in.Number, in.PIN))
}

// people lists the people present, for printing badges.
func (g *Gate) people(w http.ResponseWriter, _ *http.Request) {
	list := []roster.Person{}
	for p := range g.roster.Snapshot().All() {
		list = append(list, p)
	}
	answer(w, list, nil)
}

// RosterExport is the numbered list of everybody who ever had a roster number
// here, those who left included, as roster.Parse reads it.
type RosterExport struct {
	Version uint32
	// Present is how many of the people have not left.
	Present int
	List    []byte
}

func (g *Gate) exportRoster(w http.ResponseWriter, _ *http.Request) {
	people := g.roster.Snapshot()
	var list bytes.Buffer
	err := people.WriteEverybody(&list)
	answer(w, RosterExport{Version: people.Version, Present: people.Len(), List: list.Bytes()}, err)
}

// Hold is one hold as gatectl lists it.
type Hold struct {
	Number string // the school's own
	Class  string
	// Arrival is empty where none at this gate, or none in this journal, stands
	// behind the hold.
	Arrival string
	// Grave: no recheck ends it, only a lift by name, or its own time.
	Grave bool
	// Above: a collector placed it, and may lift it.
	Above bool
}

func (g *Gate) listHolds(w http.ResponseWriter, _ *http.Request) {
	people, list := g.roster.Snapshot(), []Hold{}
	for id, h := range g.register.holds() {
		p, _ := people.ByID(id)
		one := Hold{Number: p.Number, Class: p.Class, Grave: h.grave, Above: h.above}
		if card, ok := roster.CardOf(id); ok {
			one.Number = card.String()
		}
		if h.id != (entry.ArrivalID{}) {
			one.Arrival = h.id.String()
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b Hold) int { return strings.Compare(a.Number, b.Number) })
	answer(w, list, nil)
}

// liftHold ends a hold in the name of a member of staff.
func (g *Gate) liftHold(w http.ResponseWriter, r *http.Request) {
	var in struct{ Number, By, PIN string }
	if err := json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&in); err != nil {
		answer(w, nil, fmt.Errorf("read request: %w", err))
		return
	}
	var subject, by roster.Person
	for p := range g.roster.Snapshot().All() {
		switch p.Number {
		case in.Number:
			subject = p
		case in.By:
			by = p
		}
	}
	for _, c := range g.roster.Snapshot().Cards() {
		if subject.ID == 0 && c.String() == in.Number {
			subject.ID = c.ID()
		}
	}
	switch {
	case in.Number == in.By:
		answer(w, nil, errors.New("nobody lifts a hold against themselves: ask another member of staff"))
		return
	case subject.ID == 0:
		answer(w, nil, errors.New("nobody on the roster has the number of the hold"))
		return
	case by.ID == 0:
		answer(w, nil, errors.New("nobody on the roster has the number given with -by"))
		return
	}
	if _, err := g.roster.CheckPIN(r.Context(), by.Badge, in.PIN); err != nil {
		answer(w, nil, err)
		return
	}
	g.register.deciding.Lock()
	defer g.register.deciding.Unlock()
	answer(w, struct{}{}, g.liftByName(r.Context(), subject.ID, []uint64{by.ID}))
}

// answer writes a result, or the error as text.
func answer(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		v = struct{ Error string }{err.Error()}
	}
	_ = json.NewEncoder(w).Encode(v) // a caller that left needs no answer
}
