package rig

import (
	"context"
	"errors"
	"fmt"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// On is one moment at which a barrier's relay went on.
type On struct {
	Lane int
	// Admits is how many admissions of the lane were on disk at that moment,
	// less those that were withheld; Err is why that could not be read.
	Admits int
	Err    error
}

// Audit says what is wrong with a run, whatever it was about: no barrier goes
// on more often than its lane had admissions on disk before, and every arrival
// has one entry of its own, before every answer, and nothing follows its end.
func Audit(ons []On, rows []entry.Entry) error {
	var faults []error
	count := map[int]int{}
	for _, on := range ons {
		count[on.Lane]++
		if on.Err != nil || count[on.Lane] > on.Admits {
			faults = append(faults, errors.Join(fmt.Errorf("lane %d: the barrier went on for the %dth time with %d admissions on disk", on.Lane, count[on.Lane], on.Admits), on.Err))
		}
	}
	ended := map[entry.ArrivalID]bool{}
	for _, e := range rows {
		if err := follow(ended, e); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

// follow takes one entry. Ended has every arrival that was seen, and whether
// its end was.
func follow(ended map[entry.ArrivalID]bool, e entry.Entry) error {
	switch e.Kind {
	case entry.KindArrival:
		var a entry.Arrival
		if err := e.Decode(&a); err != nil {
			return err
		}
		id := entry.ArrivalID{Boot: e.Boot, Counter: a.Counter}
		if _, twice := ended[id]; twice {
			return fmt.Errorf("arrival %v has two entries of its own", id)
		}
		ended[id] = a.End == entry.EndIncomplete || a.Outcome == uint8(screening.Admit)
	case entry.KindAnswer:
		var a entry.Answer
		if err := e.Decode(&a); err != nil {
			return err
		}
		over, known := ended[a.Arrival]
		switch {
		case a.Act == entry.ActReleaseWithheld:
			over = false // the admission did not happen
		case a.Act == entry.ActUndo && a.Ticket != 0 && known:
			ended[a.Arrival] = false // somebody set aside is answered again
			return nil
		case a.Act == entry.ActAcknowledge && a.Reason != "", !lane.Act(a.Act).AtLane():
			return nil // the room's answer, and acts about a hold, come when they come
		case !known && a.Act == entry.ActOverride && a.Reason == lane.ReasonEmergency: // its own entry
		case !known:
			return fmt.Errorf("answer to arrival %v, which has no entry of its own", a.Arrival)
		case over:
			return fmt.Errorf("answer to arrival %v after its end", a.Arrival)
		}
		ended[a.Arrival] = a.Outcome == uint8(screening.Admit) && a.Act != entry.ActReleaseWithheld ||
			a.Act == entry.ActTurnedAway || a.Act == entry.ActAcknowledge
	}
	return nil
}

// admissions counts what a lane may have released so far.
func admissions(path string, lane int) (int, error) {
	rows, err := read(path)
	n := 0
	for _, r := range rows {
		if int(r.Entry.Lane) == lane {
			n += releases(r.Entry)
		}
	}
	return n, err
}

// releases is 1 for an entry on which a lane may release and -1 for one that
// takes it back.
func releases(e entry.Entry) int {
	var arrival entry.Arrival
	var answer entry.Answer
	switch {
	case e.Kind == entry.KindArrival && e.Decode(&arrival) == nil && arrival.Outcome == uint8(screening.Admit) && arrival.End != entry.EndIncomplete:
		return 1
	case e.Kind != entry.KindAnswer || e.Decode(&answer) != nil || answer.Ticket != 0:
		return 0
	case answer.Act == entry.ActReleaseWithheld:
		return -1
	case answer.Outcome == uint8(screening.Admit):
		return 1
	}
	return 0
}

// check is what must hold at the end of every scenario, after the gate ended.
func (st *stage) check(ctx context.Context) error {
	rows, err := read(st.record.path)
	if err != nil {
		return err
	}
	var entries []entry.Entry
	for _, r := range rows {
		entries = append(entries, r.Entry)
	}
	faults := []error{Audit(st.ons, entries)}
	for _, l := range st.hw.Lanes {
		if b := l.Config.Barrier; b != nil && st.hw.On(b.Channel) {
			faults = append(faults, fmt.Errorf("lane %d: the barrier does not rest", l.Number))
		}
	}
	r, err := journal.OpenReadOnly(st.record.path)
	if err != nil {
		return errors.Join(append(faults, err)...)
	}
	defer r.Close()
	if _, err := r.Verify(ctx, nil); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
