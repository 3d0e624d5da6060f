package devicetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/menshen/menshen/device"
)

func faultIsTold(s *story) error {
	outages := 0
	_, hit := s.out.count()
	if s.pulled || !hit.IsZero() && hit.Before(s.end) {
		outages = 1
	}
	if len(s.lost) != outages {
		return fmt.Errorf("told %d times: %v", len(s.lost), s.lost)
	}
	// It is back once more than it was lost, unless it was lost at first.
	if backs := len(s.back); backs == 0 || backs > 1+outages || outages > 0 && s.back[backs-1].Before(s.told[0]) {
		return fmt.Errorf("lost at %v, back at %v", s.told, s.back)
	}
	if outages > 0 && !s.pulled && !errors.Is(s.lost[0], ErrInjected) {
		return fmt.Errorf("told %w", s.lost[0])
	}
	return nil
}

func ordersAreAnswered(s *story) error {
	for i, o := range s.orders {
		if err := s.answered(o); err != nil {
			return fmt.Errorf("order %d: %w", i+1, err)
		}
	}
	return nil
}

func (s *story) answered(o *order) error {
	struck := s.struck(o.at, o.off)
	faulty := struck || s.pulled && o == s.orders[0]
	switch {
	case len(o.answers) != 1 || o.early && len(o.shut) != 1:
		return fmt.Errorf("answers %v and %v, want one each", o.answers, o.shut)
	case o.open:
		return errors.New("done while the barrier was on")
	case (o.answers[0] != nil) != (faulty || o.early):
		return fmt.Errorf("answer %v, during a fault: %t", o.answers[0], faulty)
	case struck && !o.early && !errors.Is(o.answers[0], ErrInjected):
		return fmt.Errorf("answer %w, which is not the fault", o.answers[0])
	case o.early && (o.shut[0] != nil) != struck:
		return fmt.Errorf("shut: %v, during a fault: %t", o.shut[0], struck)
	case o.early && struck && !errors.Is(o.shut[0], ErrInjected) && !errors.Is(o.shut[0], device.ErrAbsent):
		return fmt.Errorf("shut: %w, which is not the fault", o.shut[0])
	}
	return nil
}

func onByOrderOnly(s *story) error {
	for _, channel := range []int{barrierA, barrierB} {
		given := map[time.Time]bool{}
		for _, o := range s.orders {
			given[o.at] = o.channel == channel
		}
		for _, e := range s.board.Acts(channel) {
			if e.On && !given[e.At] {
				return fmt.Errorf("channel %d on at %v without an order", channel, e.At)
			}
			if e.On {
				given[e.At] = false
			}
		}
	}
	return nil
}

func offInTime(s *story) error {
	for i, o := range s.orders {
		late := o.off
		if _, hit := s.out.count(); s.struck(o.at, o.off) {
			late = hit.Add(s.out.lasts + reopened)
			if s.out.lasts == 0 && hit.Equal(o.at) {
				late = hit // ON failed, so OFF is attempted at once
			}
		}
		if s.pulled && i == 0 {
			late = o.at.Add(outage + reopened)
		}
		if s.on(o.channel, late) {
			return fmt.Errorf("channel %d, ordered on at %v, is still on at %v", o.channel, o.at, late)
		}
	}
	return nil
}

func offTwice(s *story) error {
	for _, at := range s.back {
		for _, channel := range []int{barrierA, barrierB} {
			if s.struck(at.Add(1), at.Add(again)) {
				continue // the next opening owes it
			}
			if !s.wrote(channel, false, at) || !s.wrote(channel, false, at.Add(again)) {
				return fmt.Errorf("channel %d off less than twice after the opening at %v", channel, at)
			}
		}
	}
	for i, o := range s.orders {
		if s.struck(o.at, o.off.Add(again)) || s.pulled && i == 0 {
			continue // the opening owes it
		}
		if !s.wrote(o.channel, false, o.off) || !s.wrote(o.channel, false, o.off.Add(again)) {
			return fmt.Errorf("channel %d off less than twice after its pulse of %v", o.channel, o.at)
		}
	}
	return nil
}

func signalIsShown(s *story) error {
	for _, w := range s.wanted {
		// What was written at that moment belongs to the next order.
		if got := s.on(signal, w.at.Add(-1)); got != w.on {
			return fmt.Errorf("signal at %v is on: %t, want %t", w.at, got, w.on)
		}
	}
	return nil
}

func restAtTheEnd(s *story) error {
	if s.struck(s.end, s.end) {
		if !errors.Is(s.ended, ErrInjected) {
			return fmt.Errorf("ended with %v", s.ended)
		}
		return nil
	}
	if s.ended != nil {
		return fmt.Errorf("ended with %w", s.ended)
	}
	for _, channel := range []int{barrierA, barrierB, signal} {
		if s.on(channel, s.end) {
			return fmt.Errorf("channel %d is on at the end", channel)
		}
	}
	return nil
}
