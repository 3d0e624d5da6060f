package gate

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/room/feed"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/web/guard"
)

// listening is a gate that is not open, with a crew, whose sister says nothing but
// what a test gives it.
func listening(t *testing.T) *Gate {
	t.Helper()
	dir := t.TempDir()
	crewed(t, dir)
	g, _ := build(t, dir, stillClock)
	g.o.Siblings = Siblings{All: []Sibling{{Gate: "east"}}}
	g.siblings = newSiblings(g)
	open(t, g)
	t.Cleanup(func() { shut(t, g) })
	return g
}

func TestWhatAGateMakesOfWhatAnotherSays(t *testing.T) {
	g := listening(t)
	now := stillClock().Wall
	pupil, cook := feed.KeyOf("P1"), feed.KeyOf("S1")
	in := func(who feed.PersonKey, at time.Time) feed.Word {
		return feed.Word{Passed: []feed.Passage{{Who: who, At: at.UnixMilli()}}}
	}
	out := func(at time.Time) feed.Word {
		return feed.Word{Passed: []feed.Passage{{Who: pupil, Out: true, At: at.UnixMilli()}}}
	}
	begins := func(w feed.Word, more bool) feed.Word {
		w.Begins, w.More = true, more
		return w
	}
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for rule, tt := range map[string]struct {
		words  []feed.Word
		own    *crossing
		to     screening.Direction
		silent bool
		want   screening.Again
	}{
		"nothing":                                    {},
		"a moment ago":                               {words: []feed.Word{in(pupil, ago(time.Minute))}, want: screening.AgainElsewhere},
		"this morning":                               {words: []feed.Word{in(pupil, ago(time.Hour))}, want: screening.AgainInside},
		"somebody else":                              {words: []feed.Word{in(cook, ago(time.Minute))}},
		"yesterday":                                  {words: []feed.Word{in(pupil, ago(8*time.Hour))}},
		"out there and in here":                      {words: []feed.Word{out(ago(time.Minute))}},
		"out there and out here":                     {words: []feed.Word{out(ago(time.Minute))}, to: screening.Out, want: screening.AgainElsewhere},
		"in and out again":                           {words: []feed.Word{in(pupil, ago(time.Hour)), out(ago(time.Minute))}},
		"the same word twice":                        {words: []feed.Word{in(pupil, ago(time.Hour)), in(pupil, ago(time.Hour))}, want: screening.AgainInside},
		"an admission that was withheld":             {words: []feed.Word{in(pupil, ago(time.Minute)), {Passed: []feed.Passage{{Who: pupil}}}}},
		"a clock that is a little ahead":             {words: []feed.Word{in(pupil, now.Add(time.Minute))}, want: screening.AgainElsewhere},
		"a clock that is far ahead":                  {words: []feed.Word{in(pupil, now.Add(time.Hour))}},
		"a new stream that does not know":            {words: []feed.Word{in(pupil, ago(time.Minute)), begins(feed.Word{}, false)}},
		"a beginning of which half has come":         {words: []feed.Word{in(pupil, ago(time.Minute)), begins(feed.Word{}, true)}, want: screening.AgainElsewhere},
		"a beginning that another one followed":      {words: []feed.Word{begins(in(pupil, ago(time.Minute)), true), begins(feed.Word{}, false)}},
		"a beginning of two words":                   {words: []feed.Word{begins(in(pupil, ago(time.Hour)), true), in(cook, ago(time.Hour))}, want: screening.AgainInside},
		"stands there":                               {words: []feed.Word{{Here: []feed.PersonKey{cook, pupil}}}, want: screening.AgainElsewhere},
		"stands there on the way out":                {words: []feed.Word{{Here: []feed.PersonKey{pupil}}}, to: screening.Out, want: screening.AgainElsewhere},
		"stood there":                                {words: []feed.Word{{Here: []feed.PersonKey{pupil}}, {}}},
		"stood there when the gate was last heard":   {words: []feed.Word{{Here: []feed.PersonKey{pupil}}}, silent: true},
		"passed there when the gate was last heard":  {words: []feed.Word{in(pupil, ago(time.Hour))}, silent: true, want: screening.AgainInside},
		"came in there before going out here":        {words: []feed.Word{in(pupil, ago(time.Hour))}, own: &crossing{direction: screening.Out, at: ago(time.Minute)}},
		"came in there after going out here":         {words: []feed.Word{in(pupil, ago(time.Minute))}, own: &crossing{direction: screening.Out, at: ago(time.Hour)}, want: screening.AgainElsewhere},
		"went out there after coming in here":        {words: []feed.Word{out(ago(time.Minute))}, own: &crossing{direction: screening.In, at: ago(time.Hour)}},
		"went out there before coming in here again": {words: []feed.Word{out(ago(time.Hour))}, own: &crossing{direction: screening.In, at: ago(time.Minute)}, want: screening.AgainInside},
	} {
		t.Run(rule, func(t *testing.T) {
			g.siblings, g.register = newSiblings(g), newRegister()
			east := g.siblings.list[0]
			for _, w := range tt.words {
				g.siblings.hear(east, w, now)
			}
			if tt.silent {
				east.heard = time.Now().Add(-feed.LostAfter)
			}
			if tt.own != nil {
				g.register.traces.passages = map[uint64]crossing{pupilID: *tt.own}
			}
			a := screening.Arrival{Direction: tt.to, Lane: 1, Subject: screening.Subject{ID: pupilID}, Now: now}
			g.complete(&a, g.roster.Snapshot())
			if a.Again != tt.want {
				t.Errorf("got %v, want %v", a.Again, tt.want)
			}
		})
	}
}

// TestAStreamSaysEverythingOnceAndThenWhatIsDifferent: however long the list, a
// word is bounded, and who hears them all knows what the gate knows.
func TestAStreamSaysEverythingOnceAndThenWhatIsDifferent(t *testing.T) {
	g := listening(t)
	now := stillClock().Wall
	var list []byte
	for i := range 3*feed.Most + 2 {
		list = fmt.Appendf(list, "N%d,某某,2班,student,\n", i)
	}
	enrol(t, g, string(list))
	ids := map[uint64]feed.PersonKey{}
	passages, ill := map[uint64]crossing{}, map[illAt]string{}
	for p := range g.roster.Snapshot().All() {
		ids[p.ID] = feed.KeyOf(p.Number)
		passages[p.ID] = crossing{direction: screening.In, at: now.Add(-time.Duration(p.ID) * time.Second)}
		ill[illAt{feed.KeyOf(p.Number), now.UnixMilli()}] = "cough,fever"
	}
	passages[1<<62] = crossing{at: now} // a card, which no other gate knows
	said := saying{passed: map[uint64]crossing{}, ill: map[illAt]string{}}
	heard := newHearsay()
	hear := func() (words, facts int) {
		for more := true; more; {
			w := feed.Word{Gate: "test"}
			var moreIll bool
			w.Passed, more = newPassages(said.passed, passages, g.roster.Snapshot())
			w.Ill, moreIll = newIllnesses(said.ill, ill)
			more = more || moreIll
			line, err := w.Line()
			if err != nil {
				t.Fatal(err)
			}
			if w, err = feed.ParseWord(line[:len(line)-1]); err != nil {
				t.Fatal(err)
			}
			heard.take(w, now)
			words, facts = words+1, facts+len(w.Passed)+len(w.Ill)
		}
		return words, facts
	}
	if words, facts := hear(); words != 4 || facts != 2*len(ids) || len(heard.passed) != len(ids) || len(heard.ill) != len(ids) {
		t.Errorf("%d words say %d of %d facts", words, facts, 2*len(ids))
	}
	if _, facts := hear(); facts != 0 {
		t.Errorf("%d facts are said again", facts)
	}
	delete(passages, pupilID)
	clear(ill)
	ill[illAt{ids[cookID], 1}] = "rash"
	passages[cookID] = crossing{direction: screening.Out, at: now}
	if _, facts := hear(); facts != 2+len(ids)+1 {
		t.Errorf("%d facts", facts)
	}
	_, there := heard.passed[ids[pupilID]]
	if there || !heard.passed[ids[cookID]].Out || len(heard.ill) != 1 || len(heard.passed) != len(ids)-1 {
		t.Errorf("what was taken back is still known, or what changed is not: %v", heard.ill)
	}
}

func TestWhatIsKeptOfAnotherGateIsBounded(t *testing.T) {
	h := newHearsay()
	w := feed.Word{}
	for i := range passesMost + 10 {
		key := feed.PersonKey(fmt.Sprintf("%032x", i))
		w.Passed = append(w.Passed, feed.Passage{Who: key, At: 1})
		w.Ill = append(w.Ill, feed.Illness{Who: key, At: 1, Signs: []string{"rash"}})
	}
	h.take(w, time.UnixMilli(2))
	if len(h.passed) != passesMost || len(h.ill) != sickMost {
		t.Errorf("%d passages and %d illnesses are kept", len(h.passed), len(h.ill))
	}
	for key := range h.passed {
		h.take(feed.Word{Passed: []feed.Passage{{Who: key, Out: true, At: 2}}}, time.UnixMilli(2))
		if !h.passed[key].Out {
			t.Error("of somebody who is known nothing new is taken")
		}
		break
	}
}

func TestAGateThatCallsItselfOtherwiseIsNotHeard(t *testing.T) {
	g := listening(t)
	for gate, taken := range map[string]bool{"north": false, "east": true} {
		line, err := feed.Word{Gate: gate, Passed: []feed.Passage{{Who: feed.KeyOf("P1"), At: stillClock().Wall.UnixMilli()}}}.Line()
		if err != nil {
			t.Fatal(err)
		}
		g.siblings = newSiblings(g)
		err = g.siblings.take(g.siblings.list[0], feed.NewReader(bytes.NewReader(line)))
		if _, known := g.siblings.last(pupilID); known != taken || (err == nil) != taken {
			t.Errorf("%s: %v, known %v", gate, err, known)
		}
	}
}

func TestHowAnotherGateSawSomebodyIsASentence(t *testing.T) {
	g := listening(t)
	g.o.Siblings.All[0].Called = "东门"
	g.siblings = newSiblings(g)
	at := stillClock().Wall.Add(31 * time.Minute)
	keys := []string{"star", screening.SeenElsewhere.String(), screening.StillInside.String()}
	again := screening.Decision{}.Stop("once", screening.SeenElsewhere, screening.Refer)
	for rule, tt := range map[string]struct {
		seen sighting
		want guard.Sentence
	}{
		"came in":      {sighting{gate: "east", at: at}, guard.Sentence{Zh: "07:31 已从东门进校", En: "Came in at 东门 at 07:31"}},
		"went out":     {sighting{gate: "east", at: at, direction: screening.Out}, guard.Sentence{Zh: "07:31 已从东门离校", En: "Left by 东门 at 07:31"}},
		"stands there": {sighting{gate: "east", at: at, here: true}, guard.Sentence{Zh: "此刻也在东门", En: "Is at 东门 at this moment"}},
		"of a gate that the configuration no longer names": {sighting{gate: "north", at: at}, guard.Sentence{Zh: "07:31 已从north进校", En: "Came in at north at 07:31"}},
	} {
		g.siblings.basis[pupilID] = tt.seen
		left, said := g.siblings.say(pupilID, again, slices.Clone(keys))
		if !slices.Equal(left, []string{"star"}) || !slices.Equal(said, []guard.Sentence{tt.want}) {
			t.Errorf("%s: %v and %v", rule, left, said)
		}
	}
	if left, said := g.siblings.say(pupilID, screening.Decision{}.Stop("star", screening.StarSeen, screening.Refer), keys); len(left) != 3 || said != nil {
		t.Errorf("of another stop: %v and %v", left, said)
	}
	known(t, "problem.sibling-lost")
}
