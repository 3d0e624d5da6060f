package syncsim

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"sync"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/wire"
)

// place is an entry of a gate's journal. Where a card was replaced, two
// entries may have one number.
type place struct {
	gate  string
	epoch uint32
	seq   uint64
	leaf  string
}

// claim is size and root of a gate's journal.
type claim struct {
	gate  string
	epoch uint32
	head  entry.Head
}

// collector is a collector with the broker that stands beside it.
type collector struct {
	w     *world
	id    int
	name  string
	key   ed25519.PrivateKey
	store *store
	slots *slots

	mu        sync.Mutex
	clock     time.Duration
	lives     int // of the broker
	up        bool
	running   bool
	listening bool
	began     int // processes so far
	inbox     chan collect.Message
	said      map[claim]bool // what was signed
	alarms    map[place]bool
	end       context.CancelFunc
	ended     chan struct{}
}

func newCollector(w *world, id int) *collector {
	c := &collector{w: w, id: id, name: fmt.Sprintf("district-%d", id), slots: newSlots(50 + 2*id), up: true,
		said: map[claim]bool{}, alarms: map[place]bool{}}
	c.key = privateKey(c.name)
	c.store = &store{w: w, id: id, slots: newSlots(51 + 2*id), gates: map[string]*stored{}}
	return c
}

// start begins a process, which listens after d.
func (c *collector) start(d time.Duration) {
	proc := collect.New(collect.Options{Name: c.name, Key: c.key, Store: c.store, Now: c.now, Observe: c.observe})
	ctx, cancel := context.WithCancel(context.Background())
	inbox, ended := make(chan collect.Message, 256), make(chan struct{})
	c.mu.Lock()
	c.running, c.inbox, c.end, c.ended = true, inbox, cancel, ended
	c.began++
	c.mu.Unlock()
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case m := <-inbox:
				for _, out := range proc.Handle(ctx, m) {
					c.answer(out)
				}
			}
		}
	}()
	c.listen(proc, d)
}

// listen subscribes after d, and tells the gates.
func (c *collector) listen(proc *collect.Collector, d time.Duration) {
	hello, err := proc.Announce()
	if err != nil {
		panic(err) // the simulation's names are names
	}
	c.mu.Lock()
	process := c.began
	c.mu.Unlock()
	time.AfterFunc(c.slots.in(d), func() {
		c.mu.Lock()
		gone, up := !c.running || c.began != process, c.up
		c.listening = c.listening || !gone && up
		c.mu.Unlock()
		switch {
		case gone:
		case !up:
			c.listen(proc, time.Second)
		default:
			for _, l := range c.links() {
				l.rough()
				l.send(downward, message{hello.Topic, hello.Payload})
			}
		}
	})
}

// links are the ways that end here.
func (c *collector) links() (all []*link) {
	for _, g := range c.w.gates {
		all = append(all, g.links[c.id])
	}
	return all
}

// stop ends the process in the middle of whatever it does.
func (c *collector) stop() {
	c.mu.Lock()
	running := c.running
	c.running, c.listening = false, false
	c.mu.Unlock()
	if !running {
		return
	}
	c.end()
	<-c.ended
	c.store.crash()
	c.rough()
}

// restartBroker drops everything that the broker had, sessions too.
func (c *collector) restartBroker(d time.Duration) {
	c.mu.Lock()
	c.lives++
	c.up, c.listening = false, false
	c.mu.Unlock()
	for _, l := range c.links() {
		l.sever()
	}
	time.AfterFunc(c.slots.in(d), func() {
		c.mu.Lock()
		c.up = true
		running := c.running
		c.mu.Unlock()
		if running {
			c.listen(collect.New(collect.Options{Name: c.name, Key: c.key, Store: c.store}), time.Second)
		}
	})
}

func (c *collector) brokerUp() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up
}

func (c *collector) brokerLife() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lives
}

// receive takes what the broker forwards. What finds nobody is lost.
func (c *collector) receive(m collect.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.listening {
		return
	}
	select {
	case c.inbox <- m:
	default:
	}
}

// answer sends a have, and remembers that it was signed.
func (c *collector) answer(out collect.Out) {
	gate, _, err := wire.ParseTopic(out.Topic)
	u, parseErr := wire.ParseHave(out.Payload)
	h, verifyErr := u.Verify(publicKey(c.name), gate)
	if err != nil || parseErr != nil || verifyErr != nil {
		c.w.fail("%s answers what no gate can read", c.name)
		return
	}
	c.mu.Lock()
	c.said[claim{gate, h.Epoch, h.Head}] = true
	c.mu.Unlock()
	for _, l := range c.links() {
		if l.gate.name == gate {
			l.send(downward, message{out.Topic, out.Payload})
		}
	}
}

// observe remembers what people were shown.
func (c *collector) observe(e collect.Event) {
	switch e.Kind {
	case collect.EventAlarm:
		c.mu.Lock()
		c.alarms[place{e.Gate, e.Alarm.Epoch, e.Alarm.Seq, string(e.Alarm.Leaf)}] = true
		c.mu.Unlock()
		c.w.count(func(r *Report) { r.Alarms++ })
	case collect.EventRefused:
		c.w.count(func(r *Report) { r.Refusals++ })
	case collect.EventDiverged:
		c.w.count(func(r *Report) { r.Divergences++ })
		if !c.w.restore {
			c.w.fail("%s keeps %s apart, whose card was never replaced: %s", c.name, e.Gate, e.Reason)
		}
	}
}

func (c *collector) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.clock)
}

func (c *collector) jump(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock = d
}

// disk makes the store's disk full, or shaky, or neither.
func (c *collector) disk(full, shaky bool) {
	c.rough()
	c.store.set(func(s *store) { s.full, s.shaky = full, shaky })
}

// well says whether messages that arrive are dealt with.
func (c *collector) well() bool {
	full := false
	c.store.set(func(s *store) { full = s.full })
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.up && c.running && c.listening && !full
}

func (c *collector) rough() {
	for _, l := range c.links() {
		l.rough()
	}
}

// signed says whether the collector has signed that it has so much.
func (c *collector) signed(what claim) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said[what]
}

// rang says whether people were shown an alarm.
func (c *collector) rang(p place) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.alarms[p]
}
