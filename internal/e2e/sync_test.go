package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

// eachBroker runs a test with a collector that brings its own broker, and with
// one at a mosquitto that has the shipped configuration.
func eachBroker(t *testing.T, test func(t *testing.T, s e2e.DistrictSetup)) {
	t.Run("embedded", func(t *testing.T) { test(t, e2e.DistrictSetup{}) })
	t.Run("mosquitto", func(t *testing.T) {
		test(t, e2e.DistrictSetup{Mosquitto: e2e.NewMosquitto(t, e2e.GateName, rogueName, ghostName)})
	})
}

// prepared is a bench whose gate has enrolled a school, has a backlog, and will
// report to these collectors. It does not run.
func prepared(t *testing.T, s e2e.Setup, pupils, backlog int, to ...*e2e.District) *e2e.Bench {
	t.Helper()
	s.Pulse, s.Period = 50*time.Millisecond, 50*time.Millisecond
	b, g := open(t, pupils, s)
	for _, d := range to {
		b.Report(d)
	}
	g.StopCleanly()
	b.Backlog(backlog)
	return b
}

// lead brings a crowd through both lanes at the same time, and returns who came
// again, and how often.
func lead(t *testing.T, b *e2e.Bench, page *e2e.Guard, all []comer) (again map[int]int) {
	t.Helper()
	var walking errgroup.Group
	var ushers [e2e.Lanes]*usher
	for lane := range ushers {
		u := &usher{Lane: b.Lane(lane + 1), bench: b, page: page, again: map[int]int{}}
		ushers[lane] = u
		walking.Go(func() error {
			for i := lane; i < len(all); i += e2e.Lanes {
				if err := u.lead(all[i]); err != nil {
					return fmt.Errorf("lane %d, person %+v: %w", u.Number, all[i], err)
				}
			}
			return nil
		})
	}
	if err := walking.Wait(); err != nil {
		t.Fatal(err)
	}
	again = map[int]int{}
	for _, u := range ushers {
		maps.Copy(again, u.again)
	}
	return again
}

// outcomes returns the final outcome of each arrival among these leaves: what
// was decided, unless somebody has answered since.
func outcomes(t *testing.T, leaves [][]byte) map[entry.ArrivalID]uint8 {
	t.Helper()
	final := map[entry.ArrivalID]uint8{}
	for seq, leaf := range leaves {
		e, err := entry.Unmarshal(leaf)
		if err != nil {
			t.Fatalf("entry %d: %v", seq, err)
		}
		var arrival entry.Arrival
		var answer entry.Answer
		switch e.Kind {
		case entry.KindArrival:
			if err = e.Decode(&arrival); err != nil {
				break
			}
			id := entry.ArrivalID{Boot: e.Boot, Counter: arrival.Counter}
			if _, twice := final[id]; twice {
				t.Errorf("arrival %v is there twice", id)
			}
			final[id] = arrival.Outcome
		case entry.KindAnswer:
			if err = e.Decode(&answer); err == nil {
				final[answer.Arrival] = answer.Outcome
			}
		}
		if err != nil {
			t.Fatalf("entry %d: %v", seq, err)
		}
	}
	return final
}

// asRecorded fails the test unless the collector has every arrival of the
// gate once and in its final outcome.
func asRecorded(t *testing.T, b *e2e.Bench, c e2e.Collected) map[entry.ArrivalID]uint8 {
	t.Helper()
	want := map[entry.ArrivalID]uint8{}
	for _, e := range b.Entries()[:c.Head.Size] {
		switch {
		case e.Arrival != nil:
			want[e.ID] = e.Arrival.Outcome
		case e.Answer != nil:
			want[e.ID] = e.Answer.Outcome
		}
	}
	got := outcomes(t, c.Leaves)
	if len(got) != len(want) {
		t.Errorf("%d arrivals at the district, %d at the gate", len(got), len(want))
	}
	for id, outcome := range want {
		if had, there := got[id]; !there || had != outcome {
			t.Errorf("arrival %v: the district has outcome %d (%v), the gate %d", id, had, there, outcome)
		}
	}
	return got
}

func TestTheDistrictHasEveryArrival(t *testing.T) {
	const people, backlog = 200, 3000
	eachBroker(t, func(t *testing.T, s e2e.DistrictSetup) {
		t.Parallel()
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		d := e2e.NewDistrict(t, s)
		b := prepared(t, e2e.Setup{Stream: 5 * time.Millisecond}, people, backlog, d)
		g := b.Run()
		lead(t, b, g.SignOn(), crowd(people, seed))
		// Whoever walked on last waits in no lane any more.
		b.AwaitEntry("the last one is recorded", backlog+people, func(e e2e.Entry) bool { return e.Arrival != nil })
		arrivals := asRecorded(t, b, d.AwaitWhole(b, e2e.Soon))
		if len(arrivals) < backlog+people { // more if somebody came again
			t.Errorf("%d arrivals, want %d", len(arrivals), backlog+people)
		}
		g.StopCleanly()
		b.MustAudit()
	})
}

func TestACollectorThatWasAwayCatchesUp(t *testing.T) {
	school := e2e.NewDistrict(t, e2e.DistrictSetup{Name: "school"})
	district := e2e.NewDistrict(t, e2e.DistrictSetup{Name: "district"})
	b := prepared(t, e2e.Setup{}, 2, 2000, school, district)
	district.Kill()
	g := b.Run()
	b.Lane(1).Admit(1)
	school.AwaitWhole(b, e2e.Soon)
	if n := district.Size(e2e.GateName); n != 0 {
		t.Errorf("the district that is away has %d entries", n)
	}
	district.Restart()
	b.Lane(2).Admit(2)
	for _, d := range []*e2e.District{district, school} {
		asRecorded(t, b, d.AwaitWhole(b, e2e.Soon))
	}
	noOns(t, b, g, 1, 1)
}

func TestAnAlarmPassesABacklog(t *testing.T) {
	const backlog = 120_000
	d := e2e.NewDistrict(t, e2e.DistrictSetup{})
	b := prepared(t, e2e.Setup{}, 1, backlog, d)
	d.Kill()
	b.Run()
	d.Restart()
	e2e.Await(t, e2e.Soon, "the backlog flows", func() bool { return d.Size(e2e.GateName) > 0 })
	// However long it takes until the pupil is stopped, the backlog is as long.
	d.Pause()
	began := d.Size(e2e.GateName)
	b.Lane(1).Enter(1, dangerous)
	b.Relay.AwaitState(t, e2e.Red(1), true)
	d.Resume()
	resumed := time.Now()
	// What was announced and has come is in the list no more: an alarm that is
	// there has passed all that is not.
	e2e.Await(t, e2e.Soon, "the alarm is announced", func() bool {
		alarms, err := d.Record().Alarms(t.Context())
		return err == nil && len(alarms) == 1 && alarms[0].Seq >= backlog
	})
	t.Logf("the alarm was there after %v of 1 s, the backlog at %d of %d entries, at %d when the pupil came",
		time.Since(resumed), d.Size(e2e.GateName), backlog, began)
	d.AwaitWhole(b, 3*e2e.Soon)
	if alarms, err := d.Record().Alarms(t.Context()); err != nil || len(alarms) != 0 {
		t.Errorf("announced after their entries came: %v, %v", alarms, err)
	}
}
