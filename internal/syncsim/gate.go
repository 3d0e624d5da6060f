package syncsim

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/uplink"
)

// announced is an entry that isolates, and when this process told its uplinks.
type announced struct {
	epoch uint32
	seq   uint64
	leaf  []byte
	at    time.Duration
}

// gate is a gate: what it keeps over a restart, and the process that runs.
type gate struct {
	w     *world
	id    int
	name  string
	key   ed25519.PrivateKey
	card  *card
	links []*link
	slots *slots
	// forks are all journals that this gate ever wrote. More than one of an
	// epoch is a replaced card's doing.
	forks []*history

	clock time.Duration // guarded by the world's lock

	mu    sync.Mutex // guards what follows, and the process
	lives int
	alive bool
	began time.Duration
	boot  uint64
	door  *doorway
	queue []item
	flies int // how many of them are being committed
	nth   int // commits so far
	rings []announced
	jobs  sync.WaitGroup
	end   context.CancelFunc
}

func newGate(w *world, id int) *gate {
	g := &gate{w: w, id: id, name: fmt.Sprintf("gate-%d", id), slots: newSlots(40 + id)}
	g.key = privateKey(g.name)
	g.begin(newHistory(1, ""))
	for _, c := range w.cols {
		l := newLink(w, g, c)
		g.links, w.links = append(g.links, l), append(w.links, l)
	}
	return g
}

// begin puts another journal in place.
func (g *gate) begin(h *history) {
	g.card = &card{disk: h}
	g.forks = append(g.forks, h)
}

// start begins a process: it recovers the journal, stores its boot entry,
// rings for what its journal isolates, and connects.
func (g *gate) start() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lives++
	g.alive, g.began, g.queue, g.flies, g.rings = true, g.w.now(), nil, 0, nil
	g.card.open()
	g.boot = g.card.Head().Size
	random := g.w.dice("boot", g.id, g.lives).Uint64()
	g.card.store([]item{{leaf: g.leaf(entry.Boot{Version: "sim", Random: [16]byte{byte(random), byte(random >> 8), byte(random >> 16), byte(g.lives)}})}}, true)
	ctx, cancel := context.WithCancel(context.Background())
	g.end = cancel
	for _, l := range g.links {
		l.up = g.uplink(l)
		l.rough()
		g.jobs.Go(func() { l.up.Run(ctx) })
	}
	g.ringAgain()
	g.door = newDoorway(g)
}

func (g *gate) uplink(l *link) *uplink.Uplink {
	chance := g.w.dice("jitter", l.id, g.lives)
	g.card.mu.Lock()
	reason := g.card.disk.reason
	g.card.mu.Unlock()
	up, err := uplink.New(uplink.Options{
		Gate: g.name, Key: g.key, Collector: uplink.Collector{Name: l.col.name, Key: publicKey(l.col.name)},
		Source: g.card, Transport: l, Now: g.stamp, Boot: g.boot, Program: "sim", Reason: reason,
		Changed: l.heard, Random: chance.Float64, KeepEvidence: l.keep,
	})
	if err != nil {
		panic(err) // names and keys are the simulation's own
	}
	return up
}

// stamp is the gate's clock. Its wall time jumps, the other never does.
func (g *gate) stamp() entry.Stamp {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	return entry.Stamp{Mono: g.w.now(), Wall: time.Now().Add(g.clock), Clock: entry.ClockRTC}
}

// jump moves the wall clock.
func (g *gate) jump(d time.Duration) {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	g.clock = d
}

// stop ends the process. Without order, nobody is told and what is being
// committed may be stored or not.
func (g *gate) stop(orderly bool) {
	g.mu.Lock()
	alive := g.alive
	g.alive = false
	if alive && g.w.dice("torn", g.id, g.nth).IntN(2) == 0 {
		g.card.store(g.queue[:g.flies], false)
	}
	g.mu.Unlock()
	if !alive {
		return
	}
	for _, l := range g.links {
		l.rough()
		if !orderly {
			l.sever()
		}
	}
	g.end()
	g.jobs.Wait()
}

// after runs f in this process, if it still runs then.
func (g *gate) after(d time.Duration, f func()) {
	life := g.lives
	time.AfterFunc(g.slots.in(d), func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.alive && g.lives == life {
			f()
		}
	})
}

// leaf is an entry of this process, at this moment.
func (g *gate) leaf(body any) []byte {
	encoded, err := entry.Encode(body)
	if err == nil {
		kind, _ := entry.KindOf(body)
		s := g.stamp()
		var b []byte
		b, err = entry.Entry{Kind: kind, Boot: g.boot, Mono: (s.Mono - g.began).Milliseconds(), Wall: s.Wall.UnixMilli(),
			Clock: s.Clock, Body: encoded}.Marshal()
		if err == nil {
			return b
		}
	}
	panic(err) // the simulation's own entries are sound
}

// work records that the gate is there, n times.
func (g *gate) work(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.alive {
		return
	}
	for i := range n {
		g.submit(item{leaf: g.leaf(entry.Heartbeat{Size: g.card.Head().Size + uint64(i)}), done: func(uint64, error) {}})
	}
}

// submit hands an entry to the committer. One flush serves all that wait.
func (g *gate) submit(it item) {
	g.queue = append(g.queue, it)
	if g.flies == 0 {
		g.flush()
	}
}

// flush begins a commit of what waits. It belongs to the process: a crash in
// between is stop's.
func (g *gate) flush() {
	g.flies = len(g.queue)
	g.nth++
	d := between(g.w.dice("flush", g.id, g.nth), 2*time.Millisecond, 4*time.Second)
	g.after(d, func() { g.commit(slices.Clone(g.queue[:g.flies])) })
}

// commit ends a flush: stored and answered, not stored, or stored and not
// answered.
func (g *gate) commit(batch []item) {
	fate := g.w.dice("commit", g.id, g.nth).IntN(60)
	full := false
	g.card.set(func(c *card) { full = c.full })
	stored, answered := fate > 0, fate > 1
	if full {
		stored, answered = fate > 40, false
	}
	first := uint64(0)
	if stored {
		first = g.card.store(batch, answered)
	}
	g.queue, g.flies = slices.Clone(g.queue[len(batch):]), 0
	for i, it := range batch {
		if answered {
			it.done(first+uint64(i), nil)
		} else {
			it.done(0, errNotStored)
		}
	}
	if answered {
		g.w.count(func(r *Report) { r.Entries += len(batch) })
		for _, l := range g.links {
			l.up.Grew()
		}
	}
	if len(g.queue) > 0 && g.flies == 0 {
		g.flush()
	}
}

// ring tells the collectors of an entry that isolates, ahead of its turn.
func (g *gate) ring(seq uint64, leaf []byte) {
	g.rings = append(g.rings, announced{epoch: g.card.Epoch(), seq: seq, leaf: leaf, at: g.w.now()})
	for _, l := range g.links {
		if err := l.up.Alarm(seq, leaf); err != nil {
			g.w.fail("alarm of a committed entry: %w", err)
		}
	}
}

// ringAgain announces what the journal isolates, as after every restart.
func (g *gate) ringAgain() {
	leaves := g.card.disk.leaves
	for seq := max(0, len(leaves)-20); seq < len(leaves); seq++ {
		if isolates(leaves[seq]) {
			g.ring(uint64(seq), leaves[seq])
		}
	}
}

// rebase is what a person does about a contradiction: the next journal begins,
// above all that collectors have named to this card.
func (g *gate) rebase() {
	g.stop(true)
	g.begin(newHistory(max(g.card.disk.epoch, g.card.named)+1, "card replaced"))
	g.w.count(func(r *Report) { r.Rebases++ })
	g.start()
}

// replace puts an old copy of one of the gate's journals in place.
func (g *gate) replace(h *history, size int) {
	g.stop(false)
	g.begin(h.copied(size))
	g.w.count(func(r *Report) { r.Restores++ })
	g.start()
}

// restored says whether two of the gate's journals can contradict each other.
func (g *gate) restored() bool { return g.w.restore && len(g.forks) > 1 }
