package lane

import (
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// recording is a lane that admitted subject 1 and waits for the record.
func recording(t testing.TB, cfg Config) *world {
	w := newWorld(t, cfg)
	w.slow = true
	w.scan(1)
	w.face(36_500)
	w.wantPhase(Recording)
	return w
}

func TestNothingMovesBeforeTheRecord(t *testing.T) {
	for name, cfg := range map[string]Config{"barrier": fitted, "green lamp only": lampOnly} {
		t.Run(name, func(t *testing.T) {
			w := recording(t, cfg)
			w.pass(time.Second)
			if has(w.out, isA[Release]) || has(w.out, isSignal(Pass)) {
				t.Fatal("released before the record")
			}
			w.do(Sample{Fault: true})
			w.slow = false
			w.follow()
			w.wantReleased(1)
			if !has(w.out, isSignal(Pass)) {
				t.Error("no green")
			}
		})
	}
}

func TestRecordWithinTwoSecondsReleasesAndLaterDoesNot(t *testing.T) {
	t.Run("just in time", func(t *testing.T) {
		w := recording(t, fitted)
		w.pass(RecordWithin - 1)
		w.recorded()
		w.wantReleased(1)
	})
	t.Run("late", func(t *testing.T) {
		w := recording(t, fitted)
		w.pass(RecordWithin)
		w.wantPhase(Idle)
		w.recorded()
		w.wantNobodyReleased()
		if r := w.last(); r.Act != Withheld || r.Arrival != w.records[0].Arrival || r.Admits {
			t.Errorf("%+v", r)
		}
	})
	t.Run("late, and the timer later still", func(t *testing.T) {
		w := recording(t, fitted)
		w.now += RecordWithin + 1
		w.recorded()
		w.wantStopped(screening.LaneAttended)
		w.wantNobodyReleased()
	})
}

func TestRecordOfAnotherArrivalIsWithheld(t *testing.T) {
	w := recording(t, fitted)
	late := w.appends[0]
	w.appends = nil
	w.pass(RecordWithin)
	w.empty()
	w.scan(2)
	w.face(36_500)
	w.wantPhase(Recording)
	w.do(Recorded{Arrival: late.Arrival, Admits: true, Seq: 1})
	w.wantPhase(Recording)
	w.wantNobodyReleased()
	if r := w.last(); r.Act != Withheld || r.Arrival != late.Arrival {
		t.Errorf("%+v", r)
	}
	w.recorded()
	w.wantReleased(2)
}

func TestStopsRecordNeverReleases(t *testing.T) {
	w := stopped(t)
	w.do(Recorded{Arrival: w.m.View().Arrival, Seq: 9})
	w.wantPhase(Held)
	w.do(Recorded{Arrival: w.m.View().Arrival, Admits: true, Seq: 9})
	w.wantNobodyReleased()
}

func TestSomebodyHotDuringTheRecordWithholdsIt(t *testing.T) {
	w := recording(t, fitted)
	w.look(37_400)
	w.slow = false
	w.follow()
	w.wantStopped(screening.HighOnce)
	w.wantNobodyReleased()
	w.press(typed(36_500))
	w.wantReleased(1)
	t.Run("38.5 isolates", func(t *testing.T) {
		w := recording(t, fitted)
		w.look(38_500)
		w.recorded()
		w.wantStopped(screening.HardFeverSeen)
	})
}

func TestFailedAppendStopsAndAttends(t *testing.T) {
	w := recording(t, fitted)
	w.appendFails()
	w.wantStopped(screening.LaneAttended)
	w.wantNobodyReleased()
	w.slow = false
	w.press(Answer{Act: TurnedAway})
	w.wantPhase(Attended)
	w.empty()
	w.scan(2)
	w.face(36_500)
	w.wantStopped(screening.LaneAttended)
	w.press(Answer{Act: TurnedAway})
	w.do(DeviceBack{RoleJournal})
	w.wantPhase(Idle)
	w.empty()
	w.admit(3)
}

func TestFaultDuringTheRecordWithholdsIt(t *testing.T) {
	for _, r := range []Role{RoleBarrier, RoleJournal} {
		t.Run(r.String(), func(t *testing.T) {
			w := recording(t, fitted)
			w.do(DeviceLost{r})
			w.recorded()
			w.wantStopped(screening.LaneAttended)
			w.wantNobodyReleased()
		})
	}
}

func TestLaneIsIdleOnlyAfterOffWasWritten(t *testing.T) {
	t.Run("at the start", func(t *testing.T) {
		m, first := New(fitted, policyOf(t, nil))
		if m.Phase() != Attended || !has(first, isA[Shut]) || !has(first, isA[SetTimer]) {
			t.Fatalf("%v %+v", m.Phase(), first)
		}
		m.Step(Time{}, Rested{Order: 1})
		if m.Phase() != Idle {
			t.Errorf("phase %v", m.Phase())
		}
	})
	t.Run("after a stop", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.jammed = true
		w.scan(1)
		w.face(37_400)
		w.press(Answer{Act: Aside})
		w.wantPhase(Attended)
		w.rest(nil)
		w.wantPhase(Idle)
	})
	t.Run("before the next release", func(t *testing.T) {
		w := newWorld(t, fitted)
		w.jammed = true
		w.scan(1)
		w.face(37_400)
		w.press(typed(36_500))
		w.wantStopped(screening.LaneAttended)
		w.wantNobodyReleased()
	})
}

func TestFailedOffAttendsAndIsTriedAgain(t *testing.T) {
	for name, answer := range map[string]func(w *world){
		"an error":  func(w *world) { w.rest(errBroken) },
		"no answer": func(w *world) { w.pass(fitted.Pulse + RestGrace) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, fitted)
			w.jammed = true
			w.scan(1)
			w.face(36_500)
			w.wantPhase(Releasing)
			answer(w)
			w.wantPhase(Attended)
			n := w.m.order
			w.pass(2 * RestGrace)
			if w.m.order < n+2 || !has(w.out, isSignal(Attend)) {
				t.Errorf("tried %d times", w.m.order-n)
			}
			w.jammed = false
			w.follow()
			w.wantPhase(Idle)
		})
	}
}

func TestLateAnswerOfTheBarrierDoesNotEndThePulseThatRuns(t *testing.T) {
	w := newWorld(t, fitted)
	old := w.m.order
	w.scan(1)
	w.face(36_500)
	w.do(Rested{Order: old})
	w.wantPhase(Releasing)
	w.pass(fitted.Pulse)
	w.wantPhase(Idle)
}

func TestBarrierLostMidReleaseIsAttendedUntilItIsBack(t *testing.T) {
	w := newWorld(t, fitted)
	w.jammed = true
	w.scan(1)
	w.face(36_500)
	w.do(DeviceLost{RoleBarrier})
	w.pass(fitted.Pulse + RestGrace)
	w.wantPhase(Attended)
	w.do(DeviceBack{RoleBarrier})
	w.wantPhase(Idle)
}
