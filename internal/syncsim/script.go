package syncsim

import (
	"bytes"
	"math/rand/v2"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

const (
	// steps is how many things befall a run.
	steps = 36
	// tenYears is how far a wall clock jumps.
	tenYears = 10 * 365 * 24 * time.Hour
	// arrivesWithin is how long everything may take once nothing is in the way:
	// twice the longest silence of an uplink, and time to connect and send.
	arrivesWithin = 4 * time.Minute
)

// live is the run until the weather clears up.
func (w *world) live() {
	for range steps {
		if w.broken() != nil {
			return
		}
		w.befall()
		w.pass(between(w.script, 50*time.Millisecond, 20*time.Second))
	}
}

// pass lets time go by and then checks the world.
func (w *world) pass(d time.Duration) {
	<-time.After(w.slots.in(d))
	synctest.Wait()
	w.check()
}

// befall is one thing that happens.
func (w *world) befall() {
	r := w.script
	g, l := w.gates[r.IntN(len(w.gates))], w.links[r.IntN(len(w.links))]
	switch r.IntN(20) {
	case 0, 1, 2, 16, 17, 18:
		g.visit(r)
	case 3, 4, 19:
		g.work(1 + r.IntN(20))
	case 5:
		if r.IntN(25) == 0 {
			g.work(1200) // more than a batch, and less than a window
		}
	case 6:
		l.setCut(r.IntN(2) == 0)
	case 7:
		l.setStorm(r.IntN(3) > 0)
	case 8:
		l.col.restartBroker(between(r, 100*time.Millisecond, 10*time.Second))
	case 9:
		w.restartCollector(l.col)
	case 10:
		w.count(func(r *Report) { r.Restarts++ })
		g.stop(r.IntN(3) == 0)
		w.pass(between(r, 10*time.Millisecond, 10*time.Second))
		g.start()
	case 11:
		l.col.disk(r.IntN(2) == 0, r.IntN(2) == 0)
	case 12:
		full := r.IntN(2) == 0
		g.card.set(func(c *card) { c.full = full })
	case 13:
		d := time.Duration(r.Int64N(2*int64(tenYears))) - tenYears
		g.jump(d)
		l.col.jump(-d)
	case 14, 15:
		w.lie(l)
	}
	if w.restore && r.IntN(10) == 0 {
		w.replace(g)
	}
	if r.IntN(3) == 0 {
		l.replay(r)
	}
}

func (w *world) restartCollector(c *collector) {
	w.count(func(r *Report) { r.Restarts++ })
	c.stop()
	w.pass(between(w.script, 10*time.Millisecond, 10*time.Second))
	c.start(between(w.script, 50*time.Millisecond, 4*time.Second))
}

// replace puts an old copy of a card in place, or begins a new journal as a
// person does who was told of a contradiction.
func (w *world) replace(g *gate) {
	if g.diverged() {
		g.rebase()
		return
	}
	old := g.forks[w.script.IntN(len(g.forks))]
	g.mu.Lock()
	n := len(old.leaves)
	g.mu.Unlock()
	if n > 1 {
		g.replace(old, 1+w.script.IntN(n-1))
	}
}

// lie sends both ends of a link what nobody who may has written.
func (w *world) lie(l *link) {
	r := w.script
	checkpoint := wire.Checkpoint{Origin: l.gate.name, Epoch: l.gate.card.Epoch(), Head: entry.Head{Size: 1 + r.Uint64N(1000)}}
	other := w.cols[1-l.col.id]
	if r.IntN(2) == 0 {
		checkpoint.Head = l.gate.card.Head()
	}
	have := wire.Have{Collector: l.col.name, Checkpoint: checkpoint, Wall: r.Int64N(1 << 50)}
	forged, err := have.Sign(other.key)
	if err != nil {
		panic(err) // it is well formed
	}
	spoilt := bytes.Clone(forged)
	spoilt[r.IntN(len(spoilt))] ^= 1 << r.IntN(8)
	have.Collector = other.name
	theirs, err := have.Sign(other.key)
	if err != nil {
		panic(err) // as above
	}
	for _, payload := range [][]byte{forged, spoilt, theirs, forged[:r.IntN(len(forged))]} {
		l.inject(downward, message{wire.Topic(l.gate.name, wire.KindHave), payload})
	}
	stranger, err := wire.SignBatch(other.key, wire.Checkpoint{Origin: l.gate.name, Epoch: 1, Head: entry.Head{Size: 1}}, [][]byte{{1}})
	if err != nil {
		panic(err) // as above
	}
	l.inject(upward, message{wire.Topic(l.gate.name, wire.KindBatch), stranger})
}

// replay brings old messages once more, and one of them with a bit changed.
func (l *link) replay(r *rand.Rand) {
	for direction := range l.past {
		l.mu.Lock()
		past := l.past[direction]
		l.mu.Unlock()
		for i := range 3 {
			if len(past) == 0 {
				break
			}
			m := past[r.IntN(len(past))]
			if i == 2 {
				m.payload = bytes.Clone(m.payload)
				m.payload[r.IntN(len(m.payload))] ^= 1 << r.IntN(8)
			}
			l.inject(direction, m)
		}
	}
}

// inject brings a message to an end of the link, whatever lies between.
func (l *link) inject(direction int, m message) {
	l.mu.Lock()
	s := l.session
	l.mu.Unlock()
	time.AfterFunc(l.slots[direction].in(time.Millisecond), func() {
		if direction == upward {
			l.col.receive(collect.Message{Topic: m.topic, Payload: m.payload})
		} else if s != nil {
			s.take(m)
		}
	})
}

// heal takes everything out of the way and waits for the record to arrive.
func (w *world) heal() {
	for _, l := range w.links {
		l.setCut(false)
		l.setStorm(false)
	}
	for _, c := range w.cols {
		c.disk(false, false)
	}
	for _, g := range w.gates {
		g.card.set(func(c *card) { c.full = false })
		g.work(3)
	}
	w.settle()
	for _, g := range w.gates {
		if g.diverged() {
			g.rebase()
		}
	}
	w.settle()
	for _, g := range w.gates {
		if g.diverged() {
			w.fail("%s is still diverged in its next journal", g.name)
		}
	}
}

// settle waits until every link has sent everything, or stands still with a
// contradiction that both ends know.
func (w *world) settle() {
	for end := w.now() + arrivesWithin; w.now() < end; {
		w.pass(5 * time.Second)
		waiting := false
		for _, l := range w.links {
			waiting = waiting || !l.done()
		}
		if w.broken() != nil || !waiting {
			return
		}
	}
	for _, l := range w.links {
		if !l.done() {
			w.fail("%s has not everything of %s after %v of calm: %+v", l.col.name, l.gate.name, arrivesWithin, l.up.State())
		}
	}
}

func (g *gate) diverged() bool {
	for _, l := range g.links {
		if l.up.State().Phase == uplink.Diverged {
			return true
		}
	}
	return false
}

// done says whether nothing more is to come over a link.
func (l *link) done() bool {
	s := l.up.State()
	if s.Phase == uplink.Diverged {
		return l.parting()
	}
	size := l.gate.card.Head().Size
	return s.Phase == uplink.Streaming && s.Acked == size && l.col.store.durable(l.gate.name, l.gate.card.Epoch()) == size
}
