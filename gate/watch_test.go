package gate

import (
	"errors"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/isolation"
)

// schooled gives a directory the crew with a leader and a nurse that have PINs,
// and a class of four.
func schooled(t *testing.T, dir string) {
	t.Helper()
	crewed(t, dir)
	r, err := roster.Open(t.Context(), dir+"/roster.db", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	list, err := roster.Parse(strings.NewReader(rosterOfIDs + "P2,周明,1班,student,\nP3,吴芳,1班,student,\nP4,郑洁,1班,student,\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Import(t.Context(), list, roster.ImportOpts{By: "test"}); err != nil {
		t.Fatal(err)
	}
	err = errors.Join(r.SetDuty(t.Context(), "T1", roster.Leader), r.SetPIN(t.Context(), "S1", teacherPIN), r.SetPIN(t.Context(), "T2", teacherPIN), r.Close())
	if err != nil {
		t.Fatal(err)
	}
}

// illOf opens a case of somebody in the room.
func (r roomPage) illOf(t *testing.T, subject uint64, found ...string) {
	t.Helper()
	if _, err := r.Open(t.Context(), isolation.Opening{Subject: subject, Found: found, By: web.Person{ID: nurseID}}); err != nil {
		t.Fatal(err)
	}
}

// page returns what a page shows to whoever has a badge.
func (p deskPage) page(t *testing.T, badge, path string) string {
	t.Helper()
	b := &browser{t: t, g: p.Gate}
	if w := b.send("POST", "/sign-on", url.Values{"badge": {badge}, "pin": {teacherPIN}, "take-over": {"yes"}}); w.Code != 303 {
		t.Fatalf("sign on: %d %s", w.Code, w.Body)
	}
	w := b.send("GET", path, nil)
	if w.Code != 200 {
		t.Fatalf("%s: %d", path, w.Code)
	}
	return w.Body.String()
}

func TestAClusterIsToldToNurseAndLeaderAndNeverToTheGuard(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	schooled(t, dir)
	r := inRoom(t, dir, c)
	defer func() { shut(t, r.Gate) }()
	pages := r.pages()
	r.front.Store(&pages)
	const line, clean = "1班 · 呕吐 · 1 天内 3 人 · 12-07 07:", "关闭并消毒该区"
	for subject := range uint64(3) {
		if all := r.View().Clusters; len(all) != 0 {
			t.Errorf("a cluster of %d: %+v", subject, all)
		}
		r.illOf(t, pupilID+subject, "vomiting")
	}
	p := deskPage(r)
	for who, tt := range map[string]struct {
		badge, path string
		told        bool
	}{
		"the nurse in the room":   {nurseBadge, "/isolation/", true},
		"the leader at the desk":  {guardBadge, "/desk/", true},
		"the guard at the desk":   {cookBadge, "/desk/", false},
		"the guard at the lanes":  {cookBadge, "/guard/", false},
		"the leader at the lanes": {guardBadge, "/guard/", false},
	} {
		if text := p.page(t, tt.badge, tt.path); strings.Contains(text, line) != tt.told || strings.Contains(text, clean) != tt.told {
			t.Errorf("%s: %s", who, text)
		}
	}
	before := r.View().Clusters
	r = r.again(t, dir, c)
	if after := r.View().Clusters; len(after) != 1 || after[0].People != 3 || !after[0].Since.Equal(before[0].Since) {
		t.Errorf("after a restart %+v, before %+v", after, before)
	}
}

func TestWhatWasNoIllnessIsNoCluster(t *testing.T) {
	for rule, tt := range map[string]struct {
		do   func(t *testing.T, r roomPage)
		want int
	}{
		"three with a fever at the gate": {func(t *testing.T, r roomPage) {
			for i := range uint64(3) {
				r.isolate(t, uint32(i+1), pupilID+i, screening.HighTwice)
			}
		}, 1},
		"one of them is back in class": {func(t *testing.T, r roomPage) {
			r.isolate(t, 1, pupilID, screening.HighTwice)
			r.must(t, received, measured37(36_500), backToClass)
			r.illOf(t, pupilID+1, "fever")
			r.illOf(t, pupilID+2, "fever")
		}, 0},
		"one was somebody else": {func(t *testing.T, r roomPage) {
			r.isolate(t, 1, pupilID, screening.HighTwice)
			r.must(t, notThis)
			r.illOf(t, pupilID+1, "fever")
			r.illOf(t, pupilID+2, "fever")
		}, 0},
		"one went home": {func(t *testing.T, r roomPage) {
			r.illOf(t, pupilID, "fever")
			r.must(t, inHospital)
			r.illOf(t, pupilID+1, "fever")
			r.illOf(t, pupilID+2, "fever")
		}, 1},
		"a drill": {func(t *testing.T, r roomPage) {
			deskPage(r).played(t)
			r.illOf(t, pupilID+1, "fever")
			r.illOf(t, pupilID+2, "fever")
		}, 0},
		"one looked ill and no case was opened": {func(t *testing.T, r roomPage) {
			store(t, r.Gate, entry.Answer{Act: entry.ActSymptoms, Subject: pupilID, By: []uint64{cookID}, Reason: "cough,fever"})
			r.illOf(t, pupilID+1, "fever")
			r.illOf(t, pupilID+2, "fever")
		}, 1},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			schooled(t, dir)
			r := inRoom(t, dir, c)
			defer func() { shut(t, r.Gate) }()
			tt.do(t, r)
			r = r.again(t, dir, c) // store has gone past the gate
			if got := r.View().Clusters; len(got) != tt.want {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// waved are records of a morning in which little is screened.
func waved() (list []lane.Record) {
	reading := &screening.Reading{Instrument: "gate@1", Quality: screening.Valid, Value: 36_500, Peak: 36_500}
	pass := func(subject uint64, act lane.Act, d screening.Decision, r *screening.Reading) lane.Record {
		rec := lane.Record{Arrival: uint32(len(list) + 1), Act: act, End: lane.Decided, Subject: screening.Subject{ID: subject, Role: screening.Student}, Decision: d, Reading: r, Policy: 12, Admits: true}
		if act != lane.NoAct {
			rec.Arrival, rec.By, rec.End = uint32(len(list)), []uint64{cookID}, 0
		}
		return rec
	}
	yes := screening.Decision{Outcome: screening.Admit}
	warned := screening.Decision{Outcome: screening.Admit, Failures: []screening.Failure{{Row: "green", Reason: screening.NoGreen, Warn: true}}}
	for i := range uint64(5) { // a frozen sensor
		list = append(list, pass(100+i, lane.NoAct, warned, reading))
	}
	cold := screening.Decision{Outcome: screening.Recheck, Failures: []screening.Failure{{Row: "temperature", Reason: screening.TooCold, Outcome: screening.Recheck}}}
	for i := range uint64(5) { // too cold, and let in by name without a measurement
		list = append(list, pass(200+i, lane.NoAct, cold, nil))
		list = append(list, pass(200+i, lane.Overridden, yes, nil))
	}
	for i := range uint64(5) { // 36.5 typed for all
		list = append(list, pass(300+i, lane.NoAct, cold, nil))
		list = append(list, pass(300+i, lane.Typed, yes, reading))
	}
	return list
}

func TestTheLeaderIsShownWhatIsWavedThroughAndWhatOnlyWarns(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(time.Date(2020, 12, 7, 7, 50, 0, 0, time.UTC))
	schooled(t, dir)
	p := atDesk(t, dir, c)
	for _, rec := range waved() {
		p.recorder.record(1, rec, c.now(), func(_ journal.Receipt, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	roomPage(p).settle(t)
	signs := []desk.Sign{
		{Kind: "frozen", Lane: 1, N: 5, Value: "36.5"}, {Kind: "low-share", Lane: 1, N: 10, Of: 15}, {Kind: "overrides", Name: "李红", N: 5},
		{Kind: "typed-alike", Name: "李红", N: 5, Value: "36.5"}, {Kind: "unmeasured", N: 5, Of: 15},
	}
	for _, when := range []string{"as it happens", "after a restart"} {
		got := p.Watched()
		if !reflect.DeepEqual(got.Signs, signs) {
			t.Errorf("%s: got  %+v\nwant %+v", when, got.Signs, signs)
		}
		if want := []desk.Warned{{Policy: 12, Row: "green", People: 5}}; !reflect.DeepEqual(got.Warned, want) {
			t.Errorf("%s: rows that warn: %+v", when, got.Warned)
		}
		shut(t, p.Gate)
		p = atDesk(t, dir, c)
	}
	defer shut(t, p.Gate)
	pages := p.pages()
	p.front.Store(&pages)
	leaders, guards := p.page(t, guardBadge, "/desk/"), p.page(t, cookBadge, "/desk/")
	for _, line := range []string{"1 号通道 · 连续 5 人都是 36.5", "李红 · 今日破例放行 5 次", "没测温就放行 5/15", "第 12 号 · 绿码 · 5 人"} {
		if !strings.Contains(leaders, line) || strings.Contains(guards, line) {
			t.Errorf("%q is not the leader's alone", line)
		}
	}
	c.wall.Add(24 * 60 * 60)
	if got := p.Watched(); len(got.Signs)+len(got.Warned) != 0 {
		t.Errorf("on the next day: %+v", got)
	}
}
