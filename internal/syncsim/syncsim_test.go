package syncsim

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

// The flags to look at one run, or at more of them.
var (
	oneSeed = flag.Uint64("seed", 0, "run this seed alone; 0 runs them all")
	seeds   = flag.Uint64("seeds", usualSeeds, "how many seeds to run")
)

// TestMain packs and unpacks something before any bubble exists: the packer
// makes its channels on first use, and they must belong to no test.
func TestMain(m *testing.M) {
	flag.Parse()
	leaf, err := entry.Entry{Kind: entry.KindHeartbeat, Body: []byte{0x80}}.Marshal()
	if err == nil {
		err = warm(leaf)
	}
	if err != nil {
		panic(err)
	}
	m.Run()
}

func warm(leaf []byte) error {
	checkpoint := wire.Checkpoint{Origin: "gate-0", Epoch: 1, Head: entry.Head{Size: 1}}
	b, err := wire.SignBatch(privateKey("gate-0"), checkpoint, [][]byte{leaf})
	if err != nil {
		return err
	}
	u, err := wire.ParseBatch(b)
	if err != nil {
		return err
	}
	_, err = u.Verify(publicKey("gate-0"), "gate-0")
	return err
}

// run runs one seed in a bubble of its own.
func run(t *testing.T, seed uint64, plant Plant) (report Report, err error) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { report, err = Run(seed, plant) })
	return report, err
}

// eachSeed runs f for seeds 1 to n, on every processor.
func eachSeed(t *testing.T, n uint64, f func(t *testing.T, seed uint64)) {
	workers := uint64(runtime.GOMAXPROCS(0))
	for first := range workers {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for seed := first + 1; seed <= n && !t.Failed(); seed += workers {
				f(t, seed)
			}
		})
	}
}

func TestWhateverHappensNothingAcknowledgedIsLostAndInTheEndEverythingArrives(t *testing.T) {
	if *oneSeed != 0 {
		report, err := run(t, *oneSeed, Sound)
		t.Logf("%+v", report)
		if err != nil {
			t.Errorf("-seed %d: %v", *oneSeed, err)
		}
		return
	}
	var mu sync.Mutex
	reached := map[string]int{}
	t.Run("seeds", func(t *testing.T) {
		eachSeed(t, *seeds, func(t *testing.T, seed uint64) {
			report, err := run(t, seed, Sound)
			if err != nil {
				t.Errorf("-seed %d: %v", seed, err)
			}
			mu.Lock()
			defer mu.Unlock()
			report.addTo(reached)
		})
	})
	t.Log(reached)
	for what, n := range reached {
		if n == 0 && !t.Failed() {
			t.Errorf("%d runs, and no %s", *seeds, what)
		}
	}
}

// addTo counts what came about, so that a run which brings nothing about is
// no proof.
func (r Report) addTo(all map[string]int) {
	for what, n := range map[string]int{"messages": r.Messages, "entries": r.Entries, "releases": r.Releases, "alarms": r.Alarms,
		"restarts": r.Restarts, "restores": r.Restores, "rebases": r.Rebases, "divergences": r.Divergences, "refusals": r.Refusals} {
		all[what] += n
	}
}

// What the simulation decides is the same for a seed. Go itself chooses at
// random between two things of the uplink that are ready in the same
// nanosecond, so that now and then a message more or less is sent; the verdict
// must be the same all the same.
func TestASeedIsTheSameRunEveryTime(t *testing.T) {
	const seeds, mayDiffer = 60, 3
	var differ atomic.Int32
	t.Cleanup(func() {
		if n := differ.Load(); n > mayDiffer {
			t.Errorf("%d of %d seeds are another run the second time, at most %d", n, seeds, mayDiffer)
		}
	})
	eachSeed(t, seeds, func(t *testing.T, seed uint64) {
		first, err := run(t, seed, Sound)
		again, errAgain := run(t, seed, Sound)
		if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Errorf("-seed %d: %v and then %v", seed, err, errAgain)
		}
		if first != again {
			differ.Add(1)
			t.Logf("-seed %d: %+v and then %+v", seed, first, again)
		}
	})
}

func TestEveryPlantedFaultIsFoundWithin200Seeds(t *testing.T) {
	for _, plant := range []Plant{AckBeforeCommit, CursorOnPuback, ReleaseBeforeRecord} {
		t.Run(plant.String(), func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= 200; seed++ {
				if _, err := run(t, seed, plant); err != nil {
					t.Logf("found by seed %d: %v", seed, err)
					return
				}
			}
			t.Error("not found")
		})
	}
}
