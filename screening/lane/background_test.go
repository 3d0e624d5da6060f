package lane

import (
	"testing"

	"github.com/menshen/menshen/screening"
)

func TestBeforeAWarmWallNothingIsMeasured(t *testing.T) {
	w := newWorld(t, fitted)
	w.do(Background{Warm: true})
	if w.m.View().Faults&BackgroundWarm == 0 {
		t.Error("the lane does not say so")
	}
	w.scan(1)
	w.wantStopped(screening.NoTemperature)
	w.face(36_500) // the wall
	w.wantNobodyReleased()
	w.press(typed(36_500))
	w.wantReleased(1)
}

func TestAnEmptyViewThatIsColdAgainIsMeasuredBefore(t *testing.T) {
	w := newWorld(t, fitted)
	w.do(Background{Warm: true})
	w.do(Background{Warm: false})
	if w.m.View().Faults&BackgroundWarm != 0 {
		t.Error("the lane still says so")
	}
	w.scan(1)
	w.face(36_500)
	w.wantReleased(1)
}

func TestWhoeverIsBeingMeasuredWhenTheBackgroundGetsWarmIsAPersonsTurn(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.do(Background{Warm: true})
	w.wantStopped(screening.NoTemperature)
}

func TestWithAPresenceInputNoBackgroundIsTakenForSomebody(t *testing.T) {
	w := newWorld(t, watched)
	w.do(Background{Warm: true})
	if w.m.View().Faults != 0 {
		t.Errorf("faults %v", w.m.View().Faults)
	}
}
