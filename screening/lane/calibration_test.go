package lane

import (
	"testing"

	"github.com/menshen/menshen/screening"
)

// shows300Less is the certificate of a part that shows 0.3 K too little.
func shows300Less() Calibrated {
	return Calibrated{Certificate: 1042, Correction: screening.Correction{Offset: 300, Slope: 1_000_000}}
}

func TestAFeverThatThePartShowsTooColdIsStopped(t *testing.T) {
	w := newWorld(t, fitted)
	w.do(shows300Less())
	w.scan(1)
	w.face(37_000)
	w.wantStopped(screening.HighOnce)
	r := w.last().Reading
	if r.Peak != 37_300 || r.Formula != "skin/1 cal/1042 raw/0/37000" && r.Formula != "skin/1 cal/1042 raw/37000/37000" {
		t.Errorf("recorded %+v", r)
	}
}

func TestTheReadingKeepsWhatThePartShowed(t *testing.T) {
	w := newWorld(t, fitted)
	w.do(shows300Less())
	w.scan(1)
	for _, v := range []screening.MilliC{36_220, 36_200, 36_240} {
		w.pass(lens.Period)
		w.look(v)
	}
	w.wantReleased(1)
	if r := w.last().Reading; r.Value != 36_520 || r.Peak != 36_540 || r.Formula != "skin/1 cal/1042 raw/36220/36240" {
		t.Errorf("recorded %+v", r)
	}
}

func TestWithoutACertificateNothingIsCorrected(t *testing.T) {
	w := newWorld(t, fitted)
	w.do(shows300Less())
	w.do(Calibrated{})
	w.scan(1)
	w.face(36_200)
	w.wantReleased(1)
	if r := w.last().Reading; r.Value != 36_200 || r.Formula != screening.FormulaSkin1 {
		t.Errorf("recorded %+v", r)
	}
}

func TestACertificateOutOfBoundsCorrectsNothing(t *testing.T) {
	w := newWorld(t, fitted)
	w.do(Calibrated{Certificate: 1042, Correction: screening.Correction{Offset: -1_500, Slope: 1_000_000}})
	w.scan(1)
	w.face(38_000)
	w.wantStopped(screening.HighOnce)
}

func TestAHighSampleOfBeforeACertificateStillStops(t *testing.T) {
	w := newWorld(t, fitted)
	w.scan(1)
	w.pass(lens.Period)
	w.look(37_400)
	w.do(Calibrated{Certificate: 1042, Correction: screening.Correction{Offset: -300, Slope: 1_000_000}})
	w.empty()
	w.wantStopped(screening.HighOnce)
}
