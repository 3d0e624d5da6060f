package gate

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// under lets the built-in rules with further rows be in force.
func under(t *testing.T, g *Gate, rows ...screening.Requirement) {
	t.Helper()
	spec := screening.Default()
	spec.Requirements = append(spec.Requirements, rows...)
	p, err := screening.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	g.rules.now.Store(&ruling{doc: policy.Document{Spec: spec}, compiled: p})
}

func row(id string, e screening.Evidence) screening.Requirement {
	r := screening.Requirement{ID: id, Ask: screening.Ask{Evidence: e}, Fail: screening.Refer}
	if e == screening.Document {
		r.Ask.Name = "pass"
	}
	return r
}

// knownPupil gives a crew and a pupil of whom the list says a lot.
func knownPupil(t *testing.T, dir string) {
	t.Helper()
	crewed(t, dir)
	r, err := roster.Open(t.Context(), dir+"/roster.db", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("\n", ",,,,,\n", "卡号\n", "卡号,年级,住宿,星号,核酸,材料\n",
		pupilBadge+"\n", pupilBadge+",五年级,住校,bad,2020-12-06T20:00:00Z;+2020-12-05T20:00:00Z,pass@2020-12-07\n").Replace(rosterOfIDs)
	list, err := roster.Parse(strings.NewReader(text))
	if err == nil {
		_, err = r.Import(t.Context(), list, roster.ImportOpts{By: "test"})
	}
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestWhatTheListKnowsGoesWithEveryScan(t *testing.T) {
	dir := t.TempDir()
	knownPupil(t, dir)
	d := atDesk(t, dir, newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	s := d.lanes[0].lookUp([]byte(pupilBadge))
	if want := (screening.Subject{ID: pupilID, Role: screening.Student, Grade: "五年级", Boarding: screening.Boarder}); s.Subject != want {
		t.Errorf("%+v", s.Subject)
	}
	want := []screening.Proof{
		{Of: screening.TripCard, Bad: true},
		{Of: screening.Tests, Bad: true, At: time.Date(2020, 12, 5, 20, 0, 0, 0, time.UTC)},
		{Of: screening.Tests, At: time.Date(2020, 12, 6, 20, 0, 0, 0, time.UTC)},
		{Of: screening.Document, Name: "pass", At: time.Date(2020, 12, 7, 0, 0, 0, 0, time.UTC)},
	}
	if !slices.Equal(s.Proofs, want) || s.Case != screening.NoCase || s.Again != screening.NotAgain || s.NoSchool {
		t.Errorf("%+v", s)
	}
}

func TestWhoPassedBefore(t *testing.T) {
	at := func(day, hour, minute int) time.Time { return time.Date(2020, 12, day, hour, minute, 0, 0, time.UTC) }
	in := func(laneNumber uint8, d screening.Direction) lane.Record {
		rec := admitted(d)
		rec.Arrival = 16 + uint32(laneNumber-1)
		return rec
	}
	change := func(rec lane.Record, f func(*lane.Record)) lane.Record { f(&rec); return rec }
	type step struct {
		rec lane.Record
		at  time.Time
	}
	for rule, tt := range map[string]struct {
		steps []step
		lane  uint8
		to    screening.Direction
		now   time.Time
		since time.Time
		want  screening.Again
	}{
		"nobody":                             {lane: 1, now: at(7, 7, 0)},
		"at another lane, ten minutes later": {steps: []step{{in(1, screening.In), at(7, 7, 0)}}, lane: 2, now: at(7, 7, 10), want: screening.AgainElsewhere},
		"at another lane, later":             {steps: []step{{in(1, screening.In), at(7, 7, 0)}}, lane: 2, now: at(7, 7, 11), want: screening.AgainInside},
		"at the same lane":                   {steps: []step{{in(1, screening.In), at(7, 7, 0)}}, lane: 1, now: at(7, 7, 1), want: screening.AgainInside},
		"on the way out":                     {steps: []step{{in(1, screening.In), at(7, 7, 0)}}, lane: 2, to: screening.Out, now: at(7, 7, 1)},
		"out twice at two lanes":             {steps: []step{{in(1, screening.Out), at(7, 7, 0)}}, lane: 2, to: screening.Out, now: at(7, 7, 1), want: screening.AgainElsewhere},
		"out twice at one lane":              {steps: []step{{in(1, screening.Out), at(7, 7, 0)}}, lane: 1, to: screening.Out, now: at(7, 7, 1)},
		"back after going out":               {steps: []step{{in(1, screening.In), at(7, 7, 0)}, {in(2, screening.Out), at(7, 9, 0)}}, lane: 1, now: at(7, 10, 0)},
		"the day before":                     {steps: []step{{in(1, screening.In), at(6, 23, 59)}}, lane: 2, now: at(7, 0, 1)},
		"a card that was somebody else's":    {steps: []step{{in(1, screening.In), at(7, 7, 0)}}, lane: 1, now: at(7, 9, 0), since: at(7, 8, 0)},
		"an admission that was withheld": {steps: []step{{in(1, screening.In), at(7, 7, 0)}, {change(in(1, screening.In), func(r *lane.Record) {
			r.Act, r.Subject, r.Decision = lane.Withheld, screening.Subject{}, screening.Decision{}
		}), at(7, 7, 0)}}, lane: 2, now: at(7, 7, 1)},
		"whom the desk has let in": {steps: []step{{change(in(1, screening.In), func(r *lane.Record) { r.Act, r.Ticket = lane.Typed, 3 }), at(7, 7, 0)}}, lane: 2, now: at(7, 7, 1)},
		"who ran on":               {steps: []step{{change(in(1, screening.In), func(r *lane.Record) { r.End = lane.Incomplete }), at(7, 7, 0)}}, lane: 2, now: at(7, 7, 1)},
		"who was stopped":          {steps: []step{{stopped(screening.Refer, screening.NotShown), at(7, 7, 0)}}, lane: 2, now: at(7, 7, 1)},
		"who was let in by a look": {steps: []step{{change(in(1, screening.In), func(r *lane.Record) { r.Act = lane.Looked }), at(7, 7, 0)}}, lane: 2, now: at(7, 7, 1), want: screening.AgainElsewhere},
	} {
		t.Run(rule, func(t *testing.T) {
			r := newRegister()
			for _, s := range tt.steps {
				r.apply(entry.ArrivalID{Counter: s.rec.Arrival}, s.rec, s.at)
			}
			if got := r.again(7, tt.to, tt.lane, tt.now, tt.since); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

// asked sets somebody aside of whom a paper was asked for.
func askedFor(t *testing.T, dir string, c *clockAt) deskPage {
	t.Helper()
	d := atDesk(t, dir, c)
	rec := lane.Record{Arrival: 16, End: lane.Decided, Subject: screening.Subject{ID: pupilID, Role: screening.Student},
		Decision: screening.Decision{Outcome: screening.Admit}.Stop("paper", screening.NotShown, screening.Refer),
		Reading:  &screening.Reading{Value: 36_500, Peak: 36_500, Instrument: "gate@1", Quality: screening.Valid, Samples: 3}}
	set := rec
	set.Act, set.Ticket = lane.Aside, 12
	storeAt(t, d.Gate, 1, rec)
	storeAt(t, d.Gate, 1, set)
	shut(t, d.Gate)
	return again(t, dir, c)
}

// again opens the gate once more, under the same rules.
func again(t *testing.T, dir string, c *clockAt) deskPage {
	t.Helper()
	d := atDesk(t, dir, c)
	under(t, d.Gate, row("paper", screening.Document), row("star", screening.TravelStar))
	return d
}

func TestALookAtTheDeskStandsIsTakenBackAndServesAtALane(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC))
	d := askedFor(t, dir, c)
	if a := d.View().Asides; len(a) != 1 || !slices.Equal(a[0].Looks, []guard.Look{{Row: "paper", Evidence: "document", Name: "pass"}}) || a[0].CanColour {
		t.Fatalf("%+v", a)
	}
	look := guard.Act{Kind: guard.KindLook, Row: "paper"}
	answerWaiting(t, d, look)
	if got := d.View().Asides[0].Reasons; !slices.Equal(got, []string{"shown-bad"}) {
		t.Errorf("not in order: %v", got)
	}
	shut(t, d.Gate)
	d = again(t, dir, c)
	if got := d.View().Asides[0].Reasons; !slices.Equal(got, []string{"shown-bad"}) {
		t.Errorf("after a restart: %v", got)
	}
	look.InOrder = true
	answerWaiting(t, d, look)
	if _, held, _ := d.register.look(pupilID, 0); held || len(d.View().Asides) != 0 {
		t.Error("a good look ends neither hold nor ticket")
	}
	if s := d.lanes[0].lookUp([]byte(pupilBadge)); !slices.Equal(s.Shown, []screening.Shown{{Row: "paper", InOrder: true}}) {
		t.Errorf("the lane hears of %+v", s.Shown)
	}
	if list := d.Undos(web.Person{ID: teacherID}); len(list) != 1 || list[0].What != "look.yes" || !web.Known(list[0].What) {
		t.Fatalf("%+v", list)
	}
	undoFirst(t, d)
	if s := d.lanes[0].lookUp([]byte(pupilBadge)); s.Shown != nil || !s.Held {
		t.Errorf("after an undo: %+v", s)
	}
	shut(t, d.Gate)
	d = again(t, dir, c)
	defer shut(t, d.Gate)
	if a := d.View().Asides; len(a) != 1 || !slices.Equal(a[0].Reasons, []string{"shown-bad"}) {
		t.Errorf("after undo and restart: %+v", a)
	}
	var reasons []string
	for _, a := range answers(t, d.Gate) {
		reasons = append(reasons, a.Reason)
	}
	if want := []string{"", "paper:not-in-order", "paper:in-order", "looked"}; !slices.Equal(reasons, want) {
		t.Errorf("entries say %q", reasons)
	}
}

func TestWhoWasSetAsideIsJudgedByWhatTheListSaysNow(t *testing.T) {
	dir := t.TempDir()
	knownPupil(t, dir) // with a star
	d := askedFor(t, dir, newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	answerWaiting(t, d, guard.Act{Kind: guard.KindLook, Row: "paper", InOrder: true})
	if a := d.View().Asides; len(a) != 1 || !slices.Equal(a[0].Reasons, []string{"star"}) {
		t.Errorf("%+v", a)
	}
}

func TestNoLookIsTakenOfARowThatDidNotStop(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	d := askedFor(t, dir, newClockAt(time.Date(2020, 12, 7, 7, 18, 0, 0, time.UTC)))
	defer shut(t, d.Gate)
	a := d.View().Asides[0]
	for _, name := range []string{"star", "identity", "paper2"} {
		err := d.Do(t.Context(), guard.Act{Kind: guard.KindLook, Row: name, InOrder: true, Arrival: a.Arrival, Version: a.Version, By: web.Person{ID: teacherID}})
		if !errors.Is(err, guard.ErrNotAllowed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAVisitIsApprovedByALeadersPIN(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 9, 0, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	made(t, d)
	if len(d.Visitors().Leaders) != 0 {
		t.Error("nobody asks for an approval, and it is offered")
	}
	under(t, d.Gate, row("approved", screening.Approval))
	if err := d.roster.SetDuty(t.Context(), "T1", roster.Leader); err != nil {
		t.Fatal(err)
	}
	if l := d.Visitors().Leaders; len(l) != 1 || l[0].ID != teacherID {
		t.Fatalf("%+v", l)
	}
	v := giving(1)
	v.By = web.Person{ID: cookID}
	for why, bad := range map[error]func(*desk.Giving){
		web.ErrPIN:          func(v *desk.Giving) { v.Leader, v.PIN = teacherID, "000000" },
		guard.ErrNotAllowed: func(v *desk.Giving) { v.Leader, v.PIN = nurseID, teacherPIN },
	} {
		wrong := v
		bad(&wrong)
		if err := d.Give(t.Context(), wrong); !errors.Is(err, why) {
			t.Errorf("%v, want %v", err, why)
		}
	}
	if got := inside(d); len(got) != 0 {
		t.Fatalf("lent to %v", got)
	}
	v.Leader, v.PIN = teacherID, teacherPIN
	if err := d.Give(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	give(t, d, 2) // without
	last := answers(t, d.Gate)
	if a := last[0]; a.Reason != "parent:approved" || !slices.Equal(a.By, []uint64{cookID, teacherID}) {
		t.Errorf("%+v", a)
	}
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	cards := d.roster.Snapshot().Cards()
	for i, want := range []int{1, 0} {
		s := d.lanes[0].lookUp([]byte(cards[i].Badge))
		if len(s.Proofs) != want || want == 1 && (s.Proofs[0].Of != screening.Approval || !s.Proofs[0].At.Equal(c.now().Wall)) {
			t.Errorf("card %d proves %+v", i+1, s.Proofs)
		}
	}
	if list := d.Visitors().Inside; len(list) != 2 || list[0].Reason != "parent" || list[1].Reason != "parent" {
		t.Errorf("%+v", list)
	}
}

// made makes two cards.
func made(t *testing.T, d deskPage) {
	t.Helper()
	if _, err := d.roster.MakeCards(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
}

func TestTheRulesOwnSentencesStandInPlaceOfOurs(t *testing.T) {
	g, _ := build(t, t.TempDir(), stillClock)
	open(t, g)
	defer shut(t, g)
	paper, star := row("paper", screening.Document), row("star", screening.TravelStar)
	paper.Say = screening.Text{Zh: "请出示承诺书", En: "Show your promise."}
	under(t, g, paper, star)
	d := screening.Decision{}.Stop("paper", screening.NotShown, screening.Refer).Stop("star", screening.StarSeen, screening.Refer)
	keys, own := g.why(pupilID, d)
	if !slices.Equal(keys, []string{"star"}) || !slices.Equal(own, []guard.Sentence{{Zh: "请出示承诺书", En: "Show your promise."}}) {
		t.Errorf("%v %v", keys, own)
	}
	stranger := screening.Decision{}.Stop("identity", screening.NoIdentity, screening.Refer).Stop("paper", screening.NotShown, screening.Refer)
	if keys, own := g.why(0, stranger); !slices.Equal(keys, []string{"no-identity"}) || own != nil {
		t.Errorf("of a stranger: %v %v", keys, own)
	}
	if keys, own := g.why(roster.Card{Number: 1}.ID(), screening.Decision{}.Stop("bound/hold", screening.OnHold, screening.Refer).Stop("paper", screening.NotShown, screening.Refer)); !slices.Equal(keys, []string{"card-not-given"}) || own != nil {
		t.Errorf("of a card that nobody has: %v %v", keys, own)
	}
}

func TestAMissingMaskOfSomebodyWhoWentOnIsAHold(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	c := newClockAt(time.Date(2020, 12, 7, 7, 28, 0, 0, time.UTC))
	d := atDesk(t, dir, c)
	d.register.met(1, entry.ArrivalID{Counter: 2}, decided(2, pupilID), c.now().Wall)
	seen := desk.Illness{Lane: 1, Arrival: "0-2", Found: []string{desk.NoMask}, By: web.Person{ID: teacherID}}
	if err := d.LooksIll(t.Context(), seen); !errors.Is(err, guard.ErrNotAllowed) || d.View().Masks {
		t.Errorf("where no row asks: %v", err)
	}
	under(t, d.Gate, row("mask", screening.Mask))
	illCase := seen
	illCase.Case = true
	if err := d.LooksIll(t.Context(), illCase); !errors.Is(err, guard.ErrNotAllowed) {
		t.Errorf("a case of a mask: %v", err)
	}
	if err := d.LooksIll(t.Context(), seen); err != nil || !d.View().Masks || d.View().NoCodes {
		t.Fatal(err)
	}
	shut(t, d.Gate)
	d = atDesk(t, dir, c)
	defer shut(t, d.Gate)
	if list := d.Holds(); len(list) != 1 || list[0].Reason != "no-mask" {
		t.Errorf("%+v", list)
	}
}

func TestThePagesKnowEverythingThatIsLookedAt(t *testing.T) {
	for e := screening.Identity; e.String() != "unknown"; e++ {
		if !e.Lookable() || e == screening.PositiveGreen {
			continue
		}
		r := row("row", e)
		for _, l := range looksOf([]screening.Requirement{r}) {
			known(t, "evidence."+l.Evidence)
		}
	}
	for _, c := range coloursOf(lane.Colours{PopUp: true, Printed: true}) {
		known(t, "colour."+c)
	}
	for _, w := range []string{actWord(lane.Looked, screening.Code{}, "a:in-order"), actWord(lane.Looked, screening.Code{}, "a:not-in-order"),
		"note." + guard.NoteMask, "note." + guard.NoteSymptoms, "symptom." + desk.NoMask, "hold." + desk.NoMask} {
		known(t, w)
	}
}
