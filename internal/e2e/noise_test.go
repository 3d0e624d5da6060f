package e2e_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/e2e"
)

func TestRandomBytesOnEveryPortFreeNothing(t *testing.T) {
	e2e.Long(t)
	t.Parallel()
	const noisy = 60 * time.Second
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	b, g := quick(t, 2)
	page := g.SignOn()
	for n := 1; n <= e2e.Lanes; n++ {
		b.Thermometers[n].Show(e2e.Healthy) // between the noise there are sound frames
	}
	ctx, quiet := context.WithTimeout(t.Context(), noisy)
	defer quiet()
	var noise sync.WaitGroup
	for i, p := range b.Ports() {
		noise.Go(func() { babble(ctx, p, rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	// Meanwhile the guard frees the lanes of whatever the noise is taken for.
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, l := range page.Look().Lanes {
			if l.Arrival != "" {
				_ = page.Act(l.Target, "aside") // mostly there is nobody to set aside
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	noise.Wait()
	if ons := b.Lane(1).Ons() + b.Lane(2).Ons(); ons != 0 {
		t.Errorf("noise freed barriers %d times", ons)
	}
	for n := 1; n <= e2e.Lanes; n++ {
		l := b.Lane(n)
		l.Thermometer.Show(e2e.Empty)
		e2e.Await(t, e2e.Soon, "the lane is free again", func() bool {
			shown := page.Lane(n)
			if shown.Arrival != "" {
				_ = page.Act(shown.Target, "aside")
			}
			return shown.Verdict == "none"
		})
		l.Admit(n)
	}
	noOns(t, b, g, 1, 1)
}

// babble sends what a broken line at 9,600 baud might carry.
func babble(ctx context.Context, p *e2e.Port, r *rand.Rand) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		b := make([]byte, 1+r.IntN(32))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		_ = p.Send(b) // nobody reads what a relay board says
	}
}
