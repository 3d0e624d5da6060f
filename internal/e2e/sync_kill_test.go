package e2e_test

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/wire"
)

// witness hears every have on its way to the gate, as often as the broker comes
// back: what was acknowledged, nobody may take back.
type witness struct {
	mu    sync.Mutex
	roots map[uint64][32]byte
	most  uint64
	twice []string // sizes that were acknowledged with two roots
}

// watch listens until the test ends.
func watch(t *testing.T, o mqtt.Options, key ed25519.PublicKey) *witness {
	t.Helper()
	w, ctx := &witness{roots: map[uint64][32]byte{}}, t.Context()
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			if s, err := mqtt.Dial(ctx, o); err == nil {
				w.listen(ctx.Done(), s, key)
				s.Close()
			}
			select {
			case <-ctx.Done():
			case <-tick.C:
			}
		}
	}()
	t.Cleanup(func() { <-done })
	return w
}

func (w *witness) listen(stop <-chan struct{}, s *mqtt.Session, key ed25519.PublicKey) {
	for {
		select {
		case <-stop:
			return
		case <-s.Done():
			return
		case m := <-s.Messages():
			if u, err := wire.ParseHave(m.Payload); err == nil {
				if h, err := u.Verify(key, e2e.GateName); err == nil {
					w.hear(h)
				}
			}
		}
	}
}

func (w *witness) hear(h wire.Have) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if root, known := w.roots[h.Size]; known && root != h.Root {
		w.twice = append(w.twice, fmt.Sprint(h.Size))
	}
	w.roots[h.Size], w.most = h.Root, max(w.most, h.Size)
}

// acknowledged is how much the collector has ever said that it has.
func (w *witness) acknowledged() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.most
}

// check holds everything that was acknowledged against what is stored.
func (w *witness) check(t *testing.T, c e2e.Collected) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	var tree entry.Tree
	heard := 0
	for n := 0; ; n++ {
		if root, ok := w.roots[tree.Size()]; ok {
			heard++
			if root != tree.Head().Root {
				t.Errorf("acknowledged at size %d was another journal", n)
			}
		}
		if n == len(c.Leaves) {
			break
		}
		tree.Append(c.Leaves[n])
	}
	if heard != len(w.roots) || heard == 0 || len(w.twice) > 0 {
		t.Errorf("of %d acknowledged sizes %d are stored, with two roots: %v", len(w.roots), heard, w.twice)
	}
}

// parts is a gate, a broker and a collector, each of which is killed in its
// turn.
type parts struct {
	t *testing.T
	m *e2e.Mosquitto
	d *e2e.District
	b *e2e.Bench
	g *e2e.Gate
	w *witness
	r *rand.Rand
	// written is how many arrivals the gate has recorded.
	written int
}

const (
	// ahead is how many entries there are at least to be sent when a gate starts.
	ahead = 12_000
	// onTheWay is how many entries at most a gate has sent and no have answered:
	// they may still be stored when gate or broker are gone.
	onTheWay = 4 * 500
)

func newParts(t *testing.T, seed uint64) *parts {
	t.Helper()
	p := &parts{t: t, m: e2e.NewMosquitto(t, e2e.GateName), r: rand.New(rand.NewPCG(seed, 3)), written: ahead}
	p.d = e2e.NewDistrict(t, e2e.DistrictSetup{Mosquitto: p.m})
	p.b = prepared(t, e2e.Setup{}, 1, ahead, p.d)
	key, err := wire.ParsePublicKey(p.d.Tool("key"))
	if err != nil {
		t.Fatal(err)
	}
	p.w = watch(t, p.m.Options(e2e.WitnessName, "menshen/v1/+/down/have"), key)
	p.g = p.b.Start(e2e.Launch{})
	return p
}

func (p *parts) recorded() uint64 {
	p.t.Helper()
	size, err := e2e.JournalSize(p.t.Context(), p.b.JournalPath())
	if err != nil {
		p.t.Fatal(err)
	}
	return size
}

// killed is what one kill has shown.
type killed struct {
	part     string
	inFlight bool
	// again is how long after the part was back something was stored that had
	// not been on its way before.
	again time.Duration
}

// kill lets a few batches pass, kills one part and starts it again.
func (p *parts) kill(turn int) killed {
	p.t.Helper()
	few := p.d.Size(e2e.GateName) + uint64(1+p.r.IntN(500))
	flows := e2e.Poll(time.Second, func() bool { return p.d.Size(e2e.GateName) >= few })
	recorded := p.recorded()
	acknowledged := p.w.acknowledged()
	k := killed{part: []string{"gate", "broker", "collector"}[turn%3]}
	switch k.part {
	case "gate":
		p.g.Kill()
	case "broker":
		p.m.Kill()
	case "collector":
		p.d.Kill()
	}
	size := p.d.Size(e2e.GateName)
	k.inFlight = flows && acknowledged < recorded
	switch k.part {
	case "gate":
		if left := p.recorded() - size; left < ahead {
			more := int(ahead - left)
			p.b.Backlog(more)
			p.written += more
		}
		p.g = p.b.Start(e2e.Launch{})
		e2e.Await(p.t, e2e.Soon, "the gate is open", p.g.Open)
	case "broker":
		p.m.Restart()
	case "collector":
		p.d.Restart()
	}
	back := time.Now()
	e2e.Await(p.t, e2e.Soon, "what was sent since then is stored", func() bool {
		now := p.d.Size(e2e.GateName)
		return now > size+onTheWay || now == recorded && k.part != "gate"
	})
	k.again = time.Since(back)
	if most, now := p.w.acknowledged(), p.d.Size(e2e.GateName); most > now {
		p.t.Errorf("%d entries were acknowledged, %d are stored", most, now)
	}
	if now := p.recorded(); now < recorded {
		p.t.Errorf("%d entries were recorded, %d are there", recorded, now)
	}
	return k
}

// TestKillingAnyPartLosesNothing: kill -9 of gate, broker and collector, in
// turn and with batches on their way, loses nothing that was acknowledged and
// stores nothing twice.
func TestKillingAnyPartLosesNothing(t *testing.T) {
	e2e.Long(t)
	const rigs, kills = 4, 26
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var all [rigs][]killed
	t.Run("rigs", func(t *testing.T) {
		for rig := range rigs {
			t.Run(fmt.Sprint(rig), func(t *testing.T) {
				t.Parallel()
				p := newParts(t, seed+uint64(rig))
				for turn := range kills {
					all[rig] = append(all[rig], p.kill(turn))
					if t.Failed() {
						t.Fatalf("kill %d, of the %s", turn, all[rig][turn].part)
					}
				}
				c := p.d.AwaitWhole(p.b, e2e.Soon)
				if arrivals := outcomes(t, c.Leaves); len(arrivals) != p.written {
					t.Errorf("%d arrivals were recorded, %d are stored", p.written, len(arrivals))
				}
				p.w.check(t, c)
			})
		}
	})
	report(t, slices.Concat(all[:]...))
}

// farTooLong is after how much time without anything flowing again somebody
// has to look; the promise is 2 s, on a machine that does nothing else.
const farTooLong = 30 * time.Second

// report logs how long it took until something flowed again, by part, and
// fails the test for what took far too long.
func report(t *testing.T, all []killed) {
	t.Helper()
	took, inFlight, late := map[string][]time.Duration{}, 0, 0
	for _, k := range all {
		took[k.part] = append(took[k.part], k.again)
		if k.inFlight {
			inFlight++
		}
		if k.again > 2*time.Second {
			late++
		}
		if k.again > farTooLong {
			t.Errorf("%v after the %s was back nothing had flowed", k.again, k.part)
		}
	}
	for part, list := range took {
		slices.Sort(list)
		at := func(percent int) time.Duration { return list[(len(list)-1)*percent/100].Round(time.Millisecond) }
		t.Logf("%s: killed %d times, flowing again after %v (median), %v (90 %%), %v (longest)", part, len(list), at(50), at(90), at(100))
	}
	t.Logf("%d kills, %d with batches on their way, %d of them flowing again within 2 s", len(all), inFlight, len(all)-late)
	if 2*inFlight < len(all) {
		t.Errorf("only %d of %d kills met batches on their way", inFlight, len(all))
	}
}
