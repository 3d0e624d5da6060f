package district

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/wire"
)

const (
	// repeatAfter is how long a gate has to answer an order by its entry, at
	// first; twice as long each time, up to repeatSeldom, for one that refuses
	// it leaves an entry each time too.
	repeatAfter  = 30 * time.Second
	repeatSeldom = time.Hour
)

// nudges wake whoever sends down. Its zero value is not usable.
type nudges struct {
	wake    chan struct{}
	mu      sync.Mutex
	greeted map[string]bool // gates that said hello since they were taken
}

func newNudges() *nudges {
	return &nudges{wake: make(chan struct{}, 1), greeted: map[string]bool{}}
}

// nudge says that something may be due.
func (n *nudges) nudge() {
	select {
	case n.wake <- struct{}{}:
	default: // one is on its way, and will look at everything
	}
}

// greet says that a gate is there: what was sent while it was away is lost.
func (n *nudges) greet(gate string) {
	n.mu.Lock()
	n.greeted[gate] = true
	n.mu.Unlock()
	n.nudge()
}

// take returns who has said hello since it was last asked.
func (n *nudges) take() map[string]bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := n.greeted
	n.greeted = map[string]bool{}
	return taken
}

// publisher is a session with the broker, as far as sending goes.
type publisher interface {
	Publish(ctx context.Context, topic string, payload []byte, retain bool) error
}

var _ publisher = (*mqtt.Session)(nil)

// sender sends down, for as long as one session with the broker lasts, what is
// posted and what holds are due. It keeps no queue: what is due follows from
// the store each time, until the gates' own entries say that it is done.
type sender struct {
	d     *District
	to    publisher
	sent  map[string]trial // the newest post by topic
	tried map[order]trial
}

// trial is when something was last sent, and how often.
type trial struct {
	at    time.Time
	times int
	// number is of the post, and from what a gate's people had their numbers from
	// when it was sent an order: another makes another trial.
	number uint64
	from   place
}

// again notes that it is sent once more.
func (t trial) again(now time.Time) trial {
	t.at, t.times = now, t.times+1
	return t
}

// due says that it is time to send it.
func (t trial) due(now time.Time) bool { return t.times == 0 || now.Sub(t.at) >= t.wait() }

// wait is how long nothing is repeated.
func (t trial) wait() time.Duration {
	wait := repeatAfter
	for range t.times - 1 {
		wait = min(2*wait, repeatSeldom)
	}
	return wait
}

// send sends until the context ends. Its error is of the session; a fault of
// the store is logged, and looked at again.
func (d *District) send(ctx context.Context, to publisher) error {
	s := &sender{d: d, to: to, sent: map[string]trial{}, tried: map[order]trial{}}
	tick := time.NewTicker(d.lookEvery)
	defer tick.Stop()
	for {
		if err := s.sendPosts(ctx); err != nil {
			return err
		}
		if err := s.sendHolds(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-d.nudges.wake:
		}
	}
}

// fault logs a fault of the store, unless it is the end.
func (s *sender) fault(ctx context.Context, err error) {
	if ctx.Err() == nil {
		s.d.log.Error("nothing sent down", "err", err)
	}
}

// sendPosts publishes what this session has not published yet. It is retained:
// a gate that is away now gets the newest when it is back. Until the gate has
// answered it is repeated, ever more seldom: a broker may lose what is published
// while a gate subscribes.
func (s *sender) sendPosts(ctx context.Context) error {
	gates, err := s.d.admissions(ctx)
	if err != nil {
		s.fault(ctx, err)
		return nil
	}
	heads, err := s.d.store.Posts(ctx)
	if err != nil {
		s.fault(ctx, err)
		return nil
	}
	for _, head := range heads {
		for gate := range gates {
			if head.Scope != gate && head.Scope != wire.ScopeAll {
				continue
			}
			if err := s.sendPost(ctx, gate, head); err != nil {
				return err
			}
		}
	}
	return nil
}

// sendPost publishes one post to one gate, if that is due. What is posted to a
// gate and to all of them shares a topic, on which only the newest counts.
func (s *sender) sendPost(ctx context.Context, gate string, head store.Post) error {
	kind := wire.KindRoster
	if head.Kind == wire.KindPolicy.String() {
		kind = wire.KindPolicy
	}
	topic, now := wire.Topic(gate, kind), s.d.now()
	t := s.sent[topic]
	if t.number < head.Number {
		t = trial{number: head.Number}
	}
	if t.number > head.Number || !t.due(now) {
		return nil
	}
	if t.times > 0 {
		heard, err := s.heard(ctx, gate, head.Kind)
		if err != nil {
			s.fault(ctx, err)
			return nil
		}
		if !heard.Before(head.At) {
			s.sent[topic] = t.again(now)
			return nil
		}
	}
	post, err := s.d.store.Posted(ctx, head.Kind, head.Scope)
	if err != nil {
		s.fault(ctx, err)
		return nil
	}
	if err := s.publish(ctx, topic, post.Message, true); err != nil {
		return err
	}
	t.number = post.Number
	s.sent[topic] = t.again(now)
	return nil
}

// heard returns when a gate's newest word came of a document of a kind that it
// has taken or refused.
func (s *sender) heard(ctx context.Context, gate, kind string) (at time.Time, err error) {
	for _, topic := range []string{kind, topicRefused + "/" + kind} {
		all, err := s.d.store.Newest(ctx, topic)
		if err != nil {
			return time.Time{}, err
		}
		for _, n := range all {
			if n.Gate == gate && n.Received.After(at) {
				at = n.Received
			}
		}
	}
	return at, nil
}

// sendHolds orders what holds are due and were not just ordered. Orders are
// not retained, and each has a number of its own: after a crash in between it
// is due still.
func (s *sender) sendHolds(ctx context.Context) error {
	all, err := s.d.dueEverywhere(ctx)
	if err != nil {
		s.fault(ctx, err)
		return nil
	}
	now := s.d.now()
	orders := s.timely(all, now)
	if len(orders) == 0 {
		return nil
	}
	number, err := s.d.store.Numbers(wire.KindHold.String(), len(orders), now)
	if err != nil {
		s.fault(ctx, err)
		return nil
	}
	for i, o := range orders {
		message, err := s.d.sign(o, number+uint64(i))
		if err != nil {
			return fmt.Errorf("order of a hold: %w", err)
		}
		if err := s.publish(ctx, wire.Topic(o.gate, wire.KindHold), message, false); err != nil {
			return err
		}
	}
	return nil
}

// timely returns those orders that are to be sent now, and notes that they are.
// What is not due any more is forgotten; so is what was sent to a gate that has
// said hello, or has taken a list, since.
func (s *sender) timely(due []keyed, now time.Time) (orders []keyed) {
	greeted, before := s.d.nudges.take(), s.tried
	s.tried = make(map[order]trial, len(due))
	for _, o := range due {
		t, known := before[o.order]
		if !known || greeted[o.gate] || t.from != o.from {
			t = trial{from: o.from}
		}
		if t.due(now) {
			t = t.again(now)
			orders = append(orders, o)
		}
		s.tried[o.order] = t
	}
	return orders
}

func (s *sender) publish(ctx context.Context, topic string, message []byte, retain bool) error {
	ctx, cancel := context.WithTimeout(ctx, publishWithin)
	defer cancel()
	return s.to.Publish(ctx, topic, message, retain)
}
