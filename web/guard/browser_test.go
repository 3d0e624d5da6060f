package guard_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/browser"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// screens are those that the page must fit: small, medium and large, as they
// stand and turned, at the size that is assumed and at that of a 7" panel.
func screens() []browser.Screen {
	return []browser.Screen{
		{800, 480, 0}, {1280, 800, 0}, {1920, 1080, 0}, {480, 800, 0}, {800, 1280, 0}, {1080, 1920, 0},
		{800, 480, 154}, {1280, 800, 151}, {480, 800, 93}, {800, 1280, 94},
	}
}

// alive is true of a page that is not grey, which on a loaded machine it may be
// for a moment.
const alive = "document.getElementById('lost')?.hidden ?? true"

// The longest strings that schools really have.
const (
	longSchool = "上海市浦东新区世纪大道与张杨路口外国语大学附属浦东外国语学校东校区九年一贯制实验部初中"
	longName   = "欧阳䶮𠅤"
	longClass  = "高二(12)班"
)

// state is what the page shows, and what is pressed before it is looked at.
type state struct {
	view      guard.View
	signedOff bool
	click     []string // selectors, in their order
}

func person(n int, v guard.Verdict, word, phase string) guard.Lane {
	return guard.Lane{Number: n, Direction: "in", Phase: phase, Verdict: v, Word: word, Arrival: "3-12", Version: 4, Name: longName, Class: longClass}
}

func stopped(n int, temperature string, reasons ...string) guard.Lane {
	l := person(n, guard.Stop, "step-aside", "held")
	l.Temperature, l.Limit, l.Reasons, l.CanAside, l.CanTurnAway = temperature, "≥ 37.3", reasons, true, true
	return l
}

// states are all that the product can show, each as full as it can be.
func states() map[string]state {
	at := time.Date(2020, 12, 7, 7, 58, 0, 0, time.UTC)
	view := func(change func(*guard.View), lanes ...guard.Lane) guard.View {
		v := guard.View{
			Gate: "东门", School: longSchool, Now: at, ClockTrusted: true, OnDuty: []string{"王建国", longName}, Lanes: lanes,
			ArrivedToday: 861, RosterSize: 1093, Policy: "≥ 37.3", DoneAt: at.Add(9 * time.Minute),
		}
		if change != nil {
			change(&v)
		}
		return v
	}
	lane := func(l guard.Lane, change func(*guard.Lane)) guard.Lane { change(&l); return l }
	idle := func(n int) guard.Lane { return guard.Lane{Number: n, Direction: "in", Phase: "idle"} }
	pass := lane(person(1, guard.Pass, "go-in", "releasing"), func(l *guard.Lane) { l.Temperature, l.Limit = "36.5", "≥ 37.3" })
	again := lane(person(2, guard.Again, "too-cold", "gathering"), func(l *guard.Lane) {
		l.Temperature, l.Try, l.Tries, l.Reasons = "33.9", 2, 3, []string{"too-cold"}
	})
	high := lane(stopped(1, "37.4", "high-once"), func(l *guard.Lane) { l.CanType = true })
	grave := lane(stopped(2, "38.6", "hard-fever", "yellow-code"), func(l *guard.Lane) { l.CanAcknowledge, l.CanType = true, true })
	full := lane(stopped(1, "37.28", "high-twice", "no-green", "clock-untrusted"), func(l *guard.Lane) {
		l.CanType, l.CanColour, l.CanOverride, l.CanAcknowledge = true, true, true, true
	})
	code := lane(person(2, guard.Unknown, "step-aside", "held"), func(l *guard.Lane) {
		l.Name, l.Class, l.Reasons, l.CanAside, l.CanColour, l.CanTurnAway, l.CanOverride = "", "", []string{"no-identity"}, true, true, true, true
	})
	closed := guard.Lane{Number: 1, Direction: "in", Phase: "attended", Verdict: guard.Attended, Word: "cannot-record", Faults: []string{"journal-failed", "barrier-open"}}
	every := []string{"green", guard.Printed, "yellow", "red", guard.PopUp}
	looks := []guard.Look{
		{Row: "tests", Say: guard.Sentence{Zh: "请出示四十八小时内两次核酸检测阴性证明,两次间隔至少二十四小时", En: "Show two negative tests of the last 48 hours that are 24 hours apart."}},
		{Row: "paper", Evidence: "document", Name: "承诺书和健康卡"},
	}
	asked := lane(stopped(1, "", "no-mask", "not-shown"), func(l *guard.Lane) {
		l.Looks, l.CanMask, l.CanSymptoms, l.Sentences = looks, true, true, []guard.Sentence{looks[0].Say}
	})
	fuller := lane(full, func(l *guard.Lane) {
		l.Looks, l.CanMask, l.CanSymptoms, l.Colours = looks, true, true, every
	})
	served := lane(person(1, guard.Wait, "temperature", "gathering"), func(l *guard.Lane) { l.CanMask, l.CanSymptoms = true, true })
	noScanner := guard.Lane{Number: 2, Direction: "in", Phase: "idle", Verdict: guard.Attended, Word: "lane-closed", Faults: []string{"scanner-lost", "thermometer-lost"}, UseLane: 1}
	asides := func(n int) func(*guard.View) {
		return func(v *guard.View) {
			for i := range n {
				v.Asides = append(v.Asides, guard.Aside{Ticket: 3 + 40*i, Arrival: "3-9", Version: 2, Name: longName, Class: longClass, Reasons: []string{"high-once", "no-green"},
					Temperature: "37.5", Since: at, CanColour: true, CanType: true, Isolate: i%2 == 0})
			}
		}
	}
	problems := func(v *guard.View) {
		v.Problems = []guard.Problem{{Key: "collector-diverged", Args: []any{"district"}}, {Key: "not-recorded", Args: []any{12}}, {Key: "offline", Args: []any{1234}}}
	}
	alarm := func(v *guard.View) {
		asides(2)(v)
		v.Alarms = []guard.Alarm{{Arrival: "3-8", Name: longName, Class: longClass, Since: at}}
	}
	return map[string]state{
		"01-idle":       {view: view(nil, idle(1), idle(2))},
		"02-pass":       {view: view(nil, pass, person(2, guard.Wait, "temperature", "gathering"))},
		"03-badge":      {view: view(nil, person(1, guard.Wait, "badge", "gathering"), person(2, guard.Wait, "wait-recording", "recording"))},
		"04-already-in": {view: view(nil, person(1, guard.Pass, "already-in", "releasing"), lane(person(2, guard.Pass, "go-out", "releasing"), func(l *guard.Lane) { l.Direction = "out" }))},
		"05-too-cold":   {view: view(nil, pass, again)},
		"06-step-back":  {view: view(nil, person(1, guard.Wait, "step-back", "gathering"), person(2, guard.Again, "scan-again", "idle"))},
		"07-high":       {view: view(nil, high, lane(pass, func(l *guard.Lane) { l.Number = 2 }))},
		"08-isolate":    {view: view(problems, pass, grave)},
		"09-listed":     {view: view(nil, stopped(1, "", "on-hold"), idle(2))},
		"10-unknown":    {view: view(nil, high, code)},
		"11-everything": {view: view(func(v *guard.View) { problems(v); alarm(v) }, full, code)},
		"12-incomplete": {view: view(nil, person(1, guard.Again, "incomplete", "idle"), lane(again, func(l *guard.Lane) { l.Word, l.Reasons = "again", []string{"ambient"} }))},
		"13-cannot":     {view: view(nil, closed, noScanner)},
		"14-asides":     {view: view(asides(6), high, idle(2))},
		"15-alarm":      {view: view(alarm, pass, idle(2))},
		"16-nobody": {view: view(func(v *guard.View) {
			v.OnDuty = nil
			v.Problems = []guard.Problem{{Key: "nobody-on-duty"}}
			asides(2)(v)
		}, stopped(1, "37.4", "high-once"), pass), signedOff: true},
		"17-clock": {view: view(func(v *guard.View) { v.ClockTrusted = false; v.DoneAt = time.Time{}; asides(1)(v) }, pass, idle(2))},
		"18-old-list": {view: view(func(v *guard.View) {
			v.Questions = []guard.Question{{Kind: guard.AskList, About: "2020-12-07", Date: at.Add(-62 * time.Hour)}}
		}, pass, idle(2))},
		"32-rules": {view: view(func(v *guard.View) {
			v.Questions = []guard.Question{{Kind: guard.AskRules, About: "12", Number: 12, Changes: []guard.Change{
				{Kind: "limit", From: "≥ 37.3", To: "≥ 37.0"}, {Kind: "removed", Row: "colour"}, {Kind: "added", Row: "school-bus-seat"},
			}}, {Kind: guard.AskList, About: "2020-12-07"}}
			asides(2)(v)
		}, pass, idle(2))},
		"68-order": {view: view(func(v *guard.View) {
			v.Rules = guard.Rules{Number: 4294967294, Next: 4294967295, From: at.Add(14 * time.Hour)}
			v.Questions = []guard.Question{longOrder(at)}
		}, pass, idle(2))},
		"33-emergency": {view: view(func(v *guard.View) {
			v.Emergency = &guard.Emergency{Left: 11*time.Minute + time.Second, Passed: 123}
			v.Problems = []guard.Problem{{Key: "emergency", Args: []any{12, 123}}, {Key: "offline", Args: []any{1234}}}
		}, lane(idle(1), func(l *guard.Lane) {
			l.Verdict, l.Word, l.Faults, l.UseLane = guard.Wait, "emergency", []string{"scanner-lost"}, 2
		}),
			lane(idle(2), func(l *guard.Lane) { l.Faults = []string{"no-emergency"} }))},
		"34-signed-off-questions": {view: view(func(v *guard.View) {
			v.OnDuty, v.Questions = nil, []guard.Question{{Kind: guard.AskList, About: "2020-12-07", Date: at.Add(-62 * time.Hour)}}
			v.Problems = []guard.Problem{{Key: "emergency-cut"}, {Key: "nobody-on-duty"}}
		}, pass, idle(2)), signedOff: true},
		"19-offline":     {view: view(func(v *guard.View) { v.Problems = []guard.Problem{{Key: "offline", Args: []any{37}}} }, pass, idle(2))},
		"20-one-lane":    {view: view(nil, high)},
		"21-one-pass":    {view: view(problems, pass)},
		"22-attendance":  {view: view(func(v *guard.View) { v.Attendance = true; v.RosterSize = 0 }, idle(1), pass)},
		"23-type":        {view: view(nil, high, lane(full, func(l *guard.Lane) { l.Number = 2 })), click: []string{"#lane-1 .panel summary"}},
		"24-colour":      {view: view(nil, high, code), click: []string{"#lane-2 .panel summary"}},
		"25-more":        {view: view(nil, full, pass), click: []string{"#lane-1 .panel:nth-of-type(2) > summary"}},
		"26-override":    {view: view(nil, full, code), click: []string{"#lane-1 .panel:nth-of-type(2) > summary", "#lane-1 .panel .panel:last-child > summary"}},
		"27-ticket":      {view: view(asides(3), high, pass), click: []string{".ticket > summary"}},
		"28-ticket-type": {view: view(asides(3), idle(1), idle(2)), click: []string{".ticket > summary", ".ticket .panel > summary"}},
		"30-hand-over": {view: view(func(v *guard.View) {
			v.Offer = &guard.Offer{ID: 1, Person: 18, Name: longName, Handover: true, Open: 12}
		}, pass, idle(2))},
		"31-pairing": {view: view(func(v *guard.View) { v.Pairing = &guard.Pairing{Code: "120974", For: "room"} }, pass, idle(2))},
		"60-wrist": {view: view(func(v *guard.View) {
			v.Questions = []guard.Question{{Kind: guard.AskWrist, About: "2"}}
			asides(2)(v)
			v.Asides[0].Due, v.Asides[1].Due, v.Asides[0].Isolate = at, at.Add(time.Minute), false
		}, lane(again, func(l *guard.Lane) { l.Number, l.Word = 1, "wrist" }), stopped(2, "33.9", "wait-ticket"))},
		"61-drill": {view: view(func(v *guard.View) {
			v.Drill = 60
			problems(v)
			alarm(v)
		}, full, code)},
		"62-looks":      {view: view(nil, asked, lane(asked, func(l *guard.Lane) { l.Number = 2 })), click: []string{"#lane-1 .panel summary"}},
		"63-looks-more": {view: view(nil, fuller, pass), click: []string{"#lane-1 .panel:nth-of-type(2) > summary"}},
		"64-looks-in":   {view: view(nil, fuller, pass), click: []string{"#lane-1 .panel:nth-of-type(2) > summary", "#lane-1 .panel .panel:nth-of-type(2) > summary"}},
		"65-notes":      {view: view(nil, served, asked)},
		"66-colours":    {view: view(nil, lane(code, func(l *guard.Lane) { l.Number, l.Colours = 1, every }), code), click: []string{"#lane-1 .panel summary"}},
		"67-ticket-looks": {view: view(func(v *guard.View) {
			asides(1)(v)
			v.Asides[0].CanType, v.Asides[0].CanColour, v.Asides[0].Looks, v.Asides[0].Sentences = false, false, looks, []guard.Sentence{looks[0].Say}
		}, pass, idle(2)), click: []string{".ticket > summary", ".ticket .panel > summary"}},
		"29-menu": {view: view(func(v *guard.View) {
			asides(2)(v)
			v.Held = slices.Repeat([]guard.Held{{Name: web.Mask(longName), Reason: "return"}}, 3)
			v.CanSetUp, v.NotAccepted = true, true
		}, pass, idle(2)), click: []string{"#menu summary"}},
	}
}

// served is a page with a server of its own.
type served struct {
	rig
	server *httptest.Server
	url    string
}

// serve serves a page to a browser that has signed on, unless signedOff says
// otherwise; while down is set it answers nothing.
func serve(t *testing.T, language web.Language, signedOff, down *atomic.Bool) served {
	t.Helper()
	r := newRig(t, language)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		if !signedOff.Load() {
			request.AddCookie(r.cookie)
		}
		r.handler.ServeHTTP(w, request)
	}))
	ctx, stop := context.WithCancel(context.Background())
	server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	server.Start()
	t.Cleanup(func() {
		stop() // streams have no end of their own, and a page comes back for another
		server.Close()
	})
	return served{r, server, server.URL + "/guard/"}
}

// TestEveryStateCanBeReadAndTouchedOnEveryScreen writes a picture of each to
// the directory MENSHEN_SCREENSHOTS, if it is set.
func TestEveryStateCanBeReadAndTouchedOnEveryScreen(t *testing.T) {
	b := browser.StartFor(t)
	for _, language := range []web.Language{web.Chinese, web.English} {
		var signedOff, down atomic.Bool
		s := serve(t, language, &signedOff, &down)
		for name, state := range states() {
			t.Run(name+"."+language.Tag(), func(t *testing.T) {
				signedOff.Store(state.signedOff)
				s.gate.set(func(v *guard.View) { *v = state.view })
				if err := b.Open(s.url); err != nil {
					t.Fatal(err)
				}
				for _, selector := range state.click {
					if _, err := b.Text(fmt.Sprintf("document.querySelector(%q).click(), ''", selector)); err != nil {
						t.Fatal(err)
					}
				}
				b.Look(t, name+"."+language.Tag(), alive, screens()...)
			})
		}
	}
}
