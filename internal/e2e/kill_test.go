package e2e_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/e2e"
)

// moment is when a gate is killed.
type moment int

const (
	gathering moment = iota // with an arrival open, after so many samples
	freed                   // between ON and OFF
	stopped                 // with a child stopped whose entry was read
)

// killing is what a gate has acknowledged over all its lives: what a relay or
// an entry has shown to the outside can not be taken back.
type killing struct {
	t *testing.T
	b *e2e.Bench
	g *e2e.Gate
	r *rand.Rand

	next    int            // the next pupil
	seen    [e2e.Lanes]int // ONs of each lane
	stopped map[int]bool   // by pupil
	resting time.Duration  // the longest from a start to a barrier's OFF
}

// TestKillNine: kill -9 leaves nothing free, forgets nothing that was
// acknowledged, and repeats nothing.
func TestKillNine(t *testing.T) {
	var moments []moment
	for m, n := range map[moment]int{gathering: 10, freed: 5, stopped: 5} {
		for range n {
			moments = append(moments, m)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	k := &killing{t: t, r: rand.New(rand.NewPCG(seed, 9)), stopped: map[int]bool{}}
	k.r.Shuffle(len(moments), func(i, j int) { moments[i], moments[j] = moments[j], moments[i] })
	k.b, k.g = slow(t, 2*len(moments))
	for round, m := range moments {
		k.reach(m)
		k.g.Kill()
		k.b.Relay.Drain(t)
		k.restart()
		k.check()
		if t.Failed() {
			t.Fatalf("round %d, killed at moment %d", round, m)
		}
	}
	// Who was stopped is stopped still, twenty lives later, at any lane.
	page := k.g.SignOn()
	for pupil := range k.stopped {
		l := k.b.Lane(1 + pupil%e2e.Lanes)
		before := l.Ons()
		l.Stop(pupil, e2e.Healthy, e2e.Refer)
		if err := page.SetAside(l.Number); err != nil {
			t.Fatal(err)
		}
		if l.Ons() != before {
			t.Errorf("pupil %d was on hold and came in", pupil)
		}
	}
	t.Logf("barriers rested %v after a start at the latest, of 1 s", k.resting)
	k.g.StopCleanly()
	k.b.MustAudit()
	k.b.MustVerify()
}

// reach brings one lane to the moment, and notes what was acknowledged.
func (k *killing) reach(m moment) {
	k.t.Helper()
	k.next++
	pupil, l := k.next, k.b.Lane(1+k.r.IntN(e2e.Lanes))
	switch m {
	case gathering:
		k.come(l, pupil, e2e.Healthy)
		l.Thermometer.AwaitSeen(k.t, k.r.IntN(4))
	case freed:
		k.come(l, pupil, e2e.Healthy)
		k.b.Relay.AwaitOn(k.t, e2e.Barrier(l.Number), k.seen[l.Number-1]+1)
	case stopped:
		k.come(l, pupil, e2e.Fever)
		k.b.Relay.AwaitState(k.t, e2e.Red(l.Number), true)
		k.b.AwaitEntry("the pupil is stopped", 1, e2e.Of(e2e.Subject(pupil), e2e.Recheck))
		k.stopped[pupil] = true
	}
}

// come walks a pupil up to a gate that has just started. What is scanned
// between the opening of the port and its flush is lost, as on a real one; the
// pupil scans again.
func (k *killing) come(l e2e.Lane, pupil int, c e2e.Centi) {
	k.t.Helper()
	e2e.Await(k.t, e2e.Soon, "the pupil is measured", func() bool {
		l.Come(pupil, c)
		return e2e.Poll(2*time.Second, func() bool { return l.Thermometer.Seen() > 0 })
	})
}

// restart starts the next life on the same ports. It puts the barriers to rest,
// and frees nothing.
func (k *killing) restart() {
	k.t.Helper()
	for n := 1; n <= e2e.Lanes; n++ {
		k.b.Thermometers[n].Show(e2e.Empty)
		k.seen[n-1] = k.b.Lane(n).Ons()
	}
	began, frames := time.Now(), len(k.b.Relay.Frames())
	k.g = k.b.Start(e2e.Launch{})
	k.g.WaitReady()
	rested := map[int]bool{}
	for _, f := range k.b.Relay.Frames()[frames:] {
		switch {
		case f.Channel != e2e.Barrier(1) && f.Channel != e2e.Barrier(2):
		case f.On:
			k.t.Errorf("the start switched channel %d on", f.Channel)
		case !rested[f.Channel]:
			rested[f.Channel] = true
			k.resting = max(k.resting, f.At.Sub(began))
		}
	}
	if len(rested) != e2e.Lanes {
		k.t.Errorf("the start put the barriers %v to rest", rested)
	}
}

// check finds everything that was acknowledged in the journal.
func (k *killing) check() {
	k.t.Helper()
	k.b.MustVerify()
	list := k.b.Entries()
	if ons := k.seen[0] + k.seen[1]; e2e.Admits(list) < ons {
		k.t.Errorf("%d admissions in the journal for %d ONs", e2e.Admits(list), ons)
	}
	found := map[int]bool{}
	for _, e := range list {
		if e.Arrival != nil && e.Arrival.Outcome == e2e.Recheck {
			found[e2e.Pupil(e.Arrival.Subject)] = true
		}
	}
	for pupil := range k.stopped {
		if !found[pupil] {
			k.t.Errorf("the stop of pupil %d was seen and is lost", pupil)
		}
	}
}
