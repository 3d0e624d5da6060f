package lane

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// stoppedAt brings somebody with a normal temperature to a stop under a policy
// that asks for everything.
func stoppedAt(t *testing.T, s Scan) *world {
	t.Helper()
	w := newWorldUnder(t, fitted, policyOf(t, strict))
	w.do(s)
	w.face(36_500)
	w.wantPhase(Held)
	return w
}

func rowsOf(w *world) string { return strings.Join(w.m.View().Decision.Rows(), " ") }

func TestALookAnswersTheRowAndNoOther(t *testing.T) {
	w := stoppedAt(t, badge(1))
	if got := rowsOf(w); got != "tests:tests-missing pass:not-shown" {
		t.Fatal(got)
	}
	for _, row := range []string{"mask", "temperature", "identity", "nonsense", ""} {
		w.press(Answer{Act: Looked, Row: row, InOrder: true})
		if got := w.replies[len(w.replies)-1]; got != ErrNotAllowed {
			t.Errorf("a look at %q is answered with %v", row, got)
		}
	}
	w.press(Answer{Act: Looked, Row: "tests", InOrder: true})
	if r := w.last(); r.Act != Looked || r.Reason != "tests:in-order" || r.Hold() != PlaceHold {
		t.Errorf("%+v", r)
	}
	w.press(Answer{Act: Looked, Row: "pass", InOrder: false})
	if got := rowsOf(w); got != "pass:shown-bad" {
		t.Fatal(got)
	}
	w.wantNobodyReleased()
	w.press(Answer{Act: Looked, Row: "pass", InOrder: true}) // the other side of the paper
	w.wantReleased(1)
	if r := w.last(); r.Reason != "pass:in-order" || r.Hold() != LiftHold || len(r.By) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestNoLookAnswersAPositiveTestOrARowThatOnlyWarns(t *testing.T) {
	s := badge(1)
	s.Proofs = []screening.Proof{{Of: screening.Tests, Bad: true, At: morning}, {Of: screening.Document, Name: "pass"}}
	w := stoppedAt(t, s)
	w.press(Answer{Act: Looked, Row: "tests", InOrder: true})
	w.wantStopped(screening.TestPositive)

	w = newWorldUnder(t, fitted, policyOf(t, func(s *screening.Spec) {
		strict(s)
		s.Requirements[len(s.Requirements)-5].Warn = true
	}))
	w.do(badge(1))
	w.face(36_500)
	w.press(Answer{Act: Looked, Row: "tests", InOrder: true})
	if got := w.replies[len(w.replies)-1]; got != ErrNotAllowed {
		t.Errorf("a look at a row that only warns is answered with %v", got)
	}
}

func TestNoLookGivesAStrangerAName(t *testing.T) {
	w := newWorldUnder(t, fitted, policyOf(t, strict))
	w.do(Scan{Digest: []byte{1, 2}})
	w.wantStopped(screening.NoIdentity)
	w.press(Answer{Act: Looked, Row: "tests", InOrder: true})
	if got := w.replies[len(w.replies)-1]; got != ErrNotAllowed || len(w.m.View().Looks) != 0 {
		t.Errorf("a look at what a stranger shows is answered with %v", got)
	}
}

func TestARowOfAGreenIsAnsweredByItsColour(t *testing.T) {
	w := newWorld(t, fitted)
	s := badge(1)
	s.Subject.Role = screening.Staff
	w.do(s)
	w.face(36_500)
	if v := w.m.View(); len(v.Looks) != 0 || !v.Allowed.Colour || !v.Colours.PopUp || v.Colours.Printed {
		t.Errorf("%+v", v)
	}
	w.press(Answer{Act: ColourSeen, Colour: screening.Green, Printed: true}) // no row takes paper
	w.wantStopped(screening.NoGreen)
	w.press(Answer{Act: ColourSeen, Colour: screening.PopUp})
	w.wantStopped(screening.PopUpCode)
}

func TestAPrintedGreenServesWhereARowTakesPaper(t *testing.T) {
	s := badge(1)
	s.Proofs = []screening.Proof{{Of: screening.Tests, At: morning}}
	w := stoppedAt(t, s)
	if v := w.m.View(); len(v.Looks) != 1 || v.Looks[0].ID != "pass" || !v.Colours.Printed {
		t.Fatalf("%+v", v.Looks)
	}
	// The row asks for the document first, so that its reason does not speak of a
	// green; a code that was scanned opens the colours.
	w.press(Answer{Act: Looked, Row: "pass", InOrder: true})
	w.wantReleased(1)
}

func TestWhatIsKnownOfACaseStopsAtTheScan(t *testing.T) {
	for state, why := range map[screening.CaseState]screening.Reason{screening.CaseOpen: screening.OpenCase, screening.ReturnOwed: screening.ReturnNotProven} {
		w := newWorld(t, fitted)
		s := badge(1)
		s.Case = state
		s.Code = screening.Code{Colour: screening.Green, How: screening.SeenByName}
		w.do(s)
		w.wantStopped(why)
		w.press(Answer{Act: Overridden})
		w.wantPhase(Held)
	}
}

func TestANoteIsOneTouchAndLetsNobodyIn(t *testing.T) {
	good := badge(1)
	good.Proofs = []screening.Proof{{Of: screening.Tests, At: morning}, {Of: screening.Document, Name: "pass"}}
	note := func(w *world, of screening.Evidence) error {
		v := w.m.View()
		w.do(Answer{Act: Noted, Of: of, Arrival: v.Arrival, By: []uint64{900}})
		return w.replies[len(w.replies)-1]
	}
	t.Run("while somebody is being served", func(t *testing.T) {
		w := newWorldUnder(t, fitted, policyOf(t, strict))
		w.do(good)
		if err := note(w, screening.Mask); err != nil {
			t.Fatal(err)
		}
		if err := note(w, screening.Mask); err != ErrNotAllowed {
			t.Errorf("the same once more: %v", err)
		}
		w.face(36_500)
		w.wantStopped(screening.NoMask)
		w.press(Answer{Act: Looked, Row: "mask", InOrder: true}) // one was given out
		w.wantReleased(1)
	})
	t.Run("at a stop", func(t *testing.T) {
		w := newWorldUnder(t, fitted, policyOf(t, strict))
		w.do(badge(1))
		w.face(36_500)
		if err := note(w, screening.Symptoms); err != nil {
			t.Fatal(err)
		}
		w.wantStopped(screening.SymptomsSeen)
		if r := w.last(); r.Act != Noted || r.Reason != "symptoms" || r.Hold() != PlaceHold || !has(w.out, isA[Alarm]) {
			t.Errorf("%+v", r)
		}
		for _, row := range []string{"tests", "pass"} {
			w.press(Answer{Act: Looked, Row: row, InOrder: true})
		}
		w.wantStopped(screening.SymptomsSeen)
	})
	t.Run("only where a row asks, and of whom it was pressed", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.do(badge(1))
		if err := note(w, screening.Mask); err != ErrNotAllowed {
			t.Error(err)
		}
		w = newWorldUnder(t, fitted, policyOf(t, strict))
		w.do(badge(1))
		v := w.m.View()
		w.do(badge(2))
		w.do(Answer{Act: Noted, Of: screening.Mask, Arrival: v.Arrival, By: []uint64{900}})
		if got := w.replies[len(w.replies)-1]; got != ErrStale {
			t.Error(got)
		}
	})
}

func TestANoteTakesNothingAway(t *testing.T) {
	w := newWorldUnder(t, fitted, policyOf(t, strict))
	s := badge(1)
	s.Proofs = []screening.Proof{{Of: screening.Tests, At: morning}, {Of: screening.Document, Name: "pass"}}
	for range 3 { // admitted, once more, and then a person's turn
		w.do(s)
		if w.m.Phase() == Gathering {
			w.face(36_500)
		}
		w.pass(time.Second)
	}
	w.wantStopped(screening.AlreadyIn)
	w.do(Answer{Act: Noted, Of: screening.Mask, Arrival: w.m.View().Arrival, By: []uint64{900}})
	w.wantStopped(screening.AlreadyIn)
	w.wantStopped(screening.NoMask)
}

func FuzzParseLooked(f *testing.F) {
	for _, s := range []string{"tests:in-order", "a:b:not-in-order", ":in-order", "", "x:not-in-order:in-order"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, reason string) {
		s, ok := ParseLooked(reason)
		if !ok {
			if s != (screening.Shown{}) {
				t.Errorf("%q is refused with %+v", reason, s)
			}
			return
		}
		if LookedAt(s.Row, s.InOrder) != reason || len(s.Row) > 40 {
			t.Errorf("%q is read as %+v", reason, s)
		}
	})
}
