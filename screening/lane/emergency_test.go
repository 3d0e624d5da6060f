package lane

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// leader answers for emergency passage.
const leader = 901

// emergency is what the checker knows of emergency passage.
type emergency struct {
	presence bool
	until    time.Duration    // 0 when it is not in force
	judged   bool             // an admission was decided since somebody new could come
	peak     screening.MilliC // the hottest sample since then
	excused  int              // who was let in so
}

func (c *emergency) happened(s trace) {
	switch ev := s.ev.(type) {
	case Emergency:
		c.until = 0
		if len(ev.By) > 0 && ev.Until > s.at {
			c.until = ev.Until
		}
	case Presence:
		if c.presence && ev.On {
			c.judged, c.peak = false, 0
		}
	case Sample:
		if ev.Fault || s.at-ev.At > screening.SampleAge || ev.At > s.at {
			return
		}
		if ev.Object < screening.EmptyBelow && !c.presence {
			c.judged, c.peak = false, 0
		}
		if ev.Object >= screening.EmptyBelow && ev.Object <= screening.BodyAbove {
			c.peak = max(c.peak, ev.Object)
		}
	}
}

// admits judges one admission of emergency passage.
func (c *emergency) admits(s trace, r Record) error {
	c.excused++
	switch {
	case s.at >= c.until:
		return errors.New("let in by an emergency passage that is not in force")
	case r.Direction != screening.In || r.Act != Overridden || r.Subject.ID != 0 || !slices.Equal(r.By, []uint64{leader}):
		return fmt.Errorf("an emergency passage with the record %+v", r)
	case r.Reading == nil || r.Reading.Quality != screening.Valid || s.judged.HighAt(r.Reading.Site, r.Reading.Peak):
		return fmt.Errorf("an emergency passage with the reading %+v", r.Reading)
	case r.Reading.Samples < screening.SamplesPerReading || r.Reading.Instrument != lens.Name:
		return fmt.Errorf("an emergency passage with a reading that the lane did not take: %+v", r.Reading)
	case c.peak > 0 && s.judged.HighAt(r.Reading.Site, c.peak):
		return errors.New("an emergency passage of somebody of whom something hot was seen")
	case c.judged:
		return errors.New("an emergency passage of a body that was judged before")
	}
	return nil
}

func TestCheckerCatchesEveryPlantedEmergencyPassage(t *testing.T) {
	reading := screening.Reading{Value: 36_500, Peak: 36_500, Quality: screening.Valid, Samples: screening.SamplesPerReading, Instrument: lens.Name}
	for want, plant := range map[string]func(*emergency, *Record){
		"":                     func(*emergency, *Record) {},
		"not in force":         func(c *emergency, _ *Record) { c.until = time.Second },
		"the record":           func(_ *emergency, r *Record) { r.Subject.ID = 1 },
		"with the record":      func(_ *emergency, r *Record) { r.By = nil },
		"an emergency passage": func(_ *emergency, r *Record) { r.Direction = screening.Out },
		"the reading":          func(_ *emergency, r *Record) { r.Reading = nil },
		"Peak:38.0":            func(_ *emergency, r *Record) { r.Reading.Peak = 38_000 },
		"did not take":         func(_ *emergency, r *Record) { r.Reading.Instrument = "ear" },
		"something hot":        func(c *emergency, _ *Record) { c.peak = 38_000 },
		"judged before":        func(c *emergency, _ *Record) { c.judged = true },
	} {
		r, taken := Record{Act: Overridden, By: []uint64{leader}, Reason: ReasonEmergency}, reading
		r.Reading = &taken
		c := emergency{until: 2 * time.Second}
		plant(&c, &r)
		err := c.admits(trace{at: time.Second, judged: policyOf(t, nil)}, r)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v", want, err)
		}
	}
}

func inForce(t *testing.T, cfg Config) *world {
	w := newWorld(t, cfg)
	w.do(Emergency{Until: w.now + 15*time.Minute, By: []uint64{leader}})
	return w
}

// come brings somebody new before the lens.
func (w *world) come(object screening.MilliC) {
	if w.cfg.Presence {
		w.present(true)
	} else {
		w.empty()
	}
	w.face(object)
}

func (w *world) leave() {
	if w.cfg.Presence {
		w.present(false)
	}
	w.empty()
	w.pass(2 * time.Second)
}

func TestEmergencyPassageLetsInByTemperatureAloneAndRecordsItFirst(t *testing.T) {
	for name, cfg := range map[string]Config{"a lane without presence": fitted, "a lane with presence": watched, "a lane with a lamp only": lampOnly} {
		t.Run(name, func(t *testing.T) {
			w := inForce(t, cfg)
			w.slow = true
			w.come(36_500)
			w.wantPhase(Recording)
			w.wantNobodyReleased()
			r := w.last()
			if r.Act != Overridden || r.Reason != ReasonEmergency || !slices.Equal(r.By, []uint64{leader}) || r.Subject.ID != 0 || !r.Admits ||
				r.Reading == nil || r.Reading.Peak != 36_500 || r.Hold() != KeepHold {
				t.Errorf("got the record %+v", r)
			}
			w.slow = false
			w.follow()
			w.wantReleased(0)
			for range 3 { // one after the other, each as a body of its own
				w.leave()
				w.come(36_400)
			}
			if len(w.freed) != 4 {
				t.Errorf("%d were let in, want 4", len(w.freed))
			}
		})
	}
}

func TestEmergencyPassageLetsNobodyInWho(t *testing.T) {
	for rule, tt := range map[string]struct {
		cfg Config
		do  func(*world)
	}{
		"was let in and stands there still":     {fitted, func(w *world) { w.come(36_500); w.freed = nil; w.pass(2 * time.Second); w.face(36_500); w.face(36_500) }},
		"was let in and whose presence goes on": {watched, func(w *world) { w.come(36_500); w.freed = nil; w.pass(2 * time.Second); w.empty(); w.face(36_500) }},
		"comes when it is over":                 {fitted, func(w *world) { w.pass(15 * time.Minute); w.come(36_500) }},
		"comes when somebody has ended it":      {fitted, func(w *world) { w.do(Emergency{}); w.come(36_500) }},
		"is hot":                                {fitted, func(w *world) { w.come(37_400); w.wantStopped(screening.HighOnce) }},
		"was hot for a moment": {fitted, func(w *world) {
			w.empty()
			w.look(37_400)
			w.look(36_700)
			w.empty()
			w.wantStopped(screening.HighOnce)
		}},
		"is high for a wrist, at a lane that measures wrists": {fitted, func(w *world) {
			w.do(WristFirst{For: time.Hour})
			w.come(36_800)
			w.wantStopped(screening.HighOnce)
		}},
		"was high for a wrist for a moment": {fitted, func(w *world) {
			w.do(WristFirst{For: time.Hour})
			w.empty()
			w.look(36_900)
			w.look(36_100)
			w.empty()
			w.wantStopped(screening.HighOnce)
		}},
		"is cold":                                      {fitted, func(w *world) { w.come(33_000); w.wantPhase(Idle) }},
		"comes while the thermometer is out":           {fitted, func(w *world) { w.do(DeviceLost{RoleThermometer}); w.come(36_500) }},
		"comes while nothing says who is measured":     {watched, func(w *world) { w.do(DeviceLost{RolePresence}); w.come(36_500) }},
		"comes while nothing can be recorded":          {fitted, func(w *world) { w.do(DeviceLost{RoleJournal}); w.come(36_500) }},
		"stands at a lane without a thermometer":       {Config{Number: 3, Barrier: true, Pulse: time.Second}, func(w *world) { w.come(36_500) }},
		"stands at an exit":                            {Config{Number: 4, Thermometer: true, Instrument: lens, Direction: screening.Out}, func(w *world) { w.come(36_500) }},
		"shows a badge that nobody has":                {fitted, func(w *world) { w.do(Scan{Digest: []byte{7}}); w.wantStopped(screening.NoIdentity) }},
		"is held":                                      {fitted, func(w *world) { s := badge(1); s.Held = true; w.do(s); w.wantStopped(screening.OnHold) }},
		"is not there, under a policy without numbers": {fitted, func(w *world) { w.do(PolicyChanged{screening.Policy{}}); w.come(36_500) }},
	} {
		t.Run(rule, func(t *testing.T) {
			w := inForce(t, tt.cfg)
			tt.do(w)
			w.wantNobodyReleased()
		})
	}
}

func TestABadgeGoesOnCountingDuringEmergencyPassage(t *testing.T) {
	w := inForce(t, fitted)
	w.admit(1)
	w.do(Scan{Opaque: true, Digest: []byte{9}}) // a code does not matter
	w.face(36_500)
	w.wantReleased(0)
	if r := w.last(); r.Reason != ReasonEmergency || r.Code.Digest == nil {
		t.Errorf("got the record %+v", r)
	}
}

// TestNobodyIsLetInUnderTheNameOfWhoWasLetInBefore: a child is let in by
// temperature and shows the badge all the same.
func TestNobodyIsLetInUnderTheNameOfWhoWasLetInBefore(t *testing.T) {
	for name, cfg := range map[string]Config{"without presence": fitted, "with presence": watched} {
		t.Run(name, func(t *testing.T) {
			w := inForce(t, cfg)
			w.come(36_500)
			w.wantReleased(0)
			w.pass(time.Second)
			w.scan(1)
			w.leave()
			if r := w.last(); r.End != Incomplete || r.Subject.ID != 1 {
				t.Errorf("the badge left the record %+v", r)
			}
			w.come(36_400)
			w.wantReleased(0)
		})
	}
}

func TestEmergencyPassageIsRenewedByTheNewest(t *testing.T) {
	w := inForce(t, fitted)
	w.pass(14 * time.Minute)
	w.do(Emergency{Until: w.now + 15*time.Minute, By: []uint64{leader}})
	w.pass(10 * time.Minute)
	w.come(36_500)
	w.wantReleased(0)
	w.pass(6 * time.Minute)
	if w.m.View().Emergency {
		t.Error("it has not ended by itself")
	}
}

func TestALaneThatCannotMeasureSaysThatItDoesNotPass(t *testing.T) {
	w := inForce(t, fitted)
	if v := w.m.View(); !v.Emergency || !v.Passing {
		t.Errorf("got %+v", v)
	}
	w.do(DeviceLost{RoleThermometer})
	if v := w.m.View(); !v.Emergency || v.Passing {
		t.Errorf("got %+v", v)
	}
}
