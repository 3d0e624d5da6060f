package screening_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// digits makes a case of bytes; when they are used up every choice is 0.
type digits []byte

func (d *digits) pick(n int) int {
	if len(*d) == 0 {
		return 0
	}
	v := int((*d)[0])
	*d = (*d)[1:]
	return v % n
}

func (d *digits) temperature() screening.MilliC {
	return screening.MilliC(29_000 + d.pick(160)*100 + d.pick(3) - 1)
}

// spec makes a policy near the bounds, on both sides of them.
func (d *digits) spec() screening.Spec {
	s := screening.Default()
	s.Threshold = 37_300 + screening.MilliC(d.pick(30)-15)*100
	s.WristThreshold = min(s.WristThreshold, s.Threshold)
	s.Boundary, s.Kind = screening.Boundary(d.pick(2)), screening.Kind(d.pick(2))
	s.CodeAge = time.Duration(d.pick(20)) * 24 * time.Hour
	for n := d.pick(6); n > 0; n-- {
		s.Requirements = append(s.Requirements, screening.Requirement{
			ID: string(rune('a' + n)), Who: screening.Who{Roles: screening.Roles(d.pick(32))}, When: screening.When{Direction: screening.Direction(d.pick(2))},
			Ask: screening.Ask{Evidence: screening.Evidence(d.pick(5))}, Fail: screening.Outcome(d.pick(6)), Warn: d.pick(2) == 1,
		})
	}
	return s
}

func (d *digits) arrival() screening.Arrival {
	a := screening.Arrival{
		Direction: screening.Direction(d.pick(2)), Held: d.pick(4) == 1, ClockTrusted: d.pick(2) == 1, Now: monday,
		Subject: screening.Subject{ID: uint64(d.pick(3)), Role: screening.Role(d.pick(7))},
		Code: screening.Code{
			Colour: screening.Colour(d.pick(4)), How: screening.How(d.pick(3)),
			AsOf: monday.Add(time.Duration(d.pick(40)-35) * 12 * time.Hour),
		},
	}
	for n := d.pick(4); n > 0; n-- {
		t := d.temperature()
		a.Readings = append(a.Readings, screening.Reading{
			Value: t, Peak: t + screening.MilliC(d.pick(8)*100), Quality: screening.Quality(d.pick(8)),
			Instrument: []string{"lens", "ear", ""}[d.pick(3)],
		})
	}
	return a
}

// evident says anew, and more loosely than Decide, whether an arrival may have
// satisfied a row: nothing that is not evident may be admitted.
func evident(p screening.Policy, row screening.Requirement, a screening.Arrival) bool {
	switch row.Evidence {
	case screening.Identity:
		return a.Subject.ID != 0
	case screening.Temperature:
		for _, r := range a.Readings {
			if r.Quality == screening.Valid && !p.High(r.Peak) {
				return true
			}
		}
		return false
	case screening.NotBarred:
		return a.Code.Colour != screening.Yellow && a.Code.Colour != screening.Red
	case screening.PositiveGreen:
		dated := a.ClockTrusted && !a.Code.AsOf.After(a.Now) && a.Now.Sub(a.Code.AsOf) <= p.Spec().CodeAge
		return a.Code.Colour == screening.Green && (a.Code.How == screening.SeenByName || dated)
	}
	return false
}

func FuzzDecide(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{15, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 36, 1, 75, 1, 0, 1, 0})
	f.Add([]byte{15, 1, 1, 3, 2, 31, 0, 2, 3, 1, 0, 0, 0, 0, 1, 1, 1, 3, 2, 1, 9, 3, 90, 2, 1, 3, 1, 75, 0, 0, 1, 2, 95, 1, 1, 1, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		d := digits(raw)
		p, err := screening.Compile(d.spec())
		a := d.arrival()
		got := p.Decide(a)
		if !reflect.DeepEqual(got, p.Decide(a)) {
			t.Fatal("the same arrival was decided twice in two ways")
		}
		if got.Outcome != screening.Admit {
			return
		}
		if err != nil {
			t.Fatalf("a refused policy admits: %v", err)
		}
		if a.Held || a.Code.Colour == screening.Red {
			t.Fatalf("held or red admitted: %+v", a)
		}
		for _, r := range a.Readings {
			seen := r.Quality == screening.Valid || r.Quality == screening.Cold || r.Quality == screening.Scattered
			if seen && r.Peak >= screening.HardFever {
				t.Fatalf("a fever admitted: %+v", r)
			}
		}
		for _, row := range p.Spec().Requirements {
			applies := row.Roles == 0 || a.Subject.Role == screening.RoleUnknown || a.Subject.Role > screening.Visitor ||
				row.Roles&screening.RolesOf(a.Subject.Role) != 0
			if !row.Warn && row.Direction == a.Direction && applies && !evident(p, row, a) {
				t.Fatalf("admitted without %q: %+v", row.ID, a)
			}
		}
	})
}
