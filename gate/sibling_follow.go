package gate

import (
	"context"
	"fmt"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/room/feed"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// start follows the school's other gates. No lane waits for any of them.
func (s *siblings) start(run func(name string, f func(context.Context) error)) {
	if len(s.list) == 0 || s.g.collectors.key == nil { // the collectors have said why there is no key
		return
	}
	s.mu.Lock()
	for _, one := range s.list {
		one.heard = time.Now()
	}
	s.mu.Unlock()
	for _, one := range s.list {
		run("sibling "+one.Gate, func(ctx context.Context) error { return s.follow(ctx, one) })
	}
	run("siblings", s.miss)
}

// follow listens to one gate until the context ends.
func (s *siblings) follow(ctx context.Context, one *sibling) error {
	client, err := feed.NewClient(s.g.collectors.key, one.Key, s.g.o.Siblings.Dial)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	feed.Follower{
		Client: client, Log: s.log.With("gate", one.Gate),
		URL:  func() string { return "https://" + one.Address + feed.Told },
		Take: func(in *feed.Reader) error { return s.take(one, in) },
	}.Run(ctx)
	return nil
}

// take takes one word of a gate, and lets the lanes and the watcher look at what
// is known now.
func (s *siblings) take(one *sibling, in *feed.Reader) error {
	w, err := in.NextWord()
	if err != nil {
		return err
	}
	if w.Gate != one.Gate {
		return fmt.Errorf("gate calls itself %s", w.Gate)
	}
	if s.hear(one, w, s.g.recorder.clock.look().Wall) {
		s.log.Info("gate is back", "gate", one.Gate)
		s.note(one, entry.DeviceBack)
	}
	if !w.More && (w.Begins || len(w.Ill) > 0) {
		s.g.watcher.tell()
		s.g.changed()
	}
	if len(w.Here)+len(w.Passed) > 0 {
		for _, l := range s.g.lanes {
			if l.shown.Load().view.Phase == lane.Gathering {
				l.send(siblingWord{})
			}
		}
	}
	return nil
}

// siblingWord reaches a lane's loop when another gate has told of somebody.
type siblingWord struct{}

// meanwhile looks whether the person who is being measured passes or stands at
// another gate.
func (l *laneLoop) meanwhile() {
	v := l.machine.View()
	if v.Phase != lane.Gathering || v.Subject.ID == 0 {
		return
	}
	a := screening.Arrival{Direction: directionOf(l.cfg), Lane: uint8(l.cfg.Number), Subject: v.Subject, Now: l.g.recorder.clock.look().Wall}
	l.g.complete(&a, l.people)
	if a.Again != screening.NotAgain {
		l.step(lane.SeenMeanwhile{Subject: a.Subject.ID, Again: a.Again})
	}
}

// miss marks the gates that are not heard any more.
func (s *siblings) miss(ctx context.Context) error {
	tick := time.NewTicker(feed.BeatEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, one := range s.missed(s.g.recorder.clock.look().Wall) {
			s.log.Warn("gate lost", "gate", one.Gate)
			s.note(one, entry.DeviceLost)
		}
	}
}

// missed returns the gates that are lost from now on.
func (s *siblings) missed(now time.Time) (list []*sibling) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.list {
		if silent := time.Since(one.heard); !one.lost && silent >= feed.LostAfter {
			one.lost, one.since = true, now.Add(-silent)
			list = append(list, one)
		}
	}
	return list
}
