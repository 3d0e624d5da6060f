package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/menshen/menshen/internal/rig"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// script says which Monday it is. Speed shortens the pauses between people; the
// gate's own times, such as the eight seconds of an unfinished arrival, are real.
type script struct {
	seed   uint64
	speed  float64
	pupils int
}

const demoPIN = "260713"

// day is the Monday while it is played.
type day struct {
	script
	school       *rig.Schoolyard
	cast         cast
	ids          map[string]uint64 // roster numbers, by badge
	cards        map[int]string    // digits of the east gate's visitors' cards
	east, west   *crew
	east1, east2 *queue
	west1        *queue
	crowd        sync.WaitGroup

	telling sync.Mutex
	out     io.Writer
}

// crew are the script's people at one gate: one guard at a time.
type crew struct {
	at      *rig.Gatehouse
	browser *rig.Browser
	person  atomic.Uint64 // roster number of the guard
}

func (c *crew) id() uint64 { return c.person.Load() }

// play brings the people in, says what there is to try, and plays the scenes in
// their order. It ends with the context.
func (s script) play(ctx context.Context, school *rig.Schoolyard, web pages, out io.Writer) error {
	pupils, staff := rig.People(s.seed, s.pupils)
	d := &day{script: s, school: school, cast: assign(pupils, staff), ids: map[string]uint64{}, out: out}
	if err := d.enrol(ctx, append(pupils, staff...)); err != nil {
		return err
	}
	var err error
	if d.east, err = newCrew(school.East); err != nil {
		return err
	}
	if d.west, err = newCrew(school.West); err != nil {
		return err
	}
	defer d.east.browser.Close()
	defer d.west.browser.Close()
	d.east1 = &queue{day: d, crew: d.east, lane: school.East.Lane(1), zh: "东门1号", en: "east 1"}
	d.east2 = &queue{day: d, crew: d.east, lane: school.East.Lane(2), zh: "东门2号", en: "east 2"}
	d.west1 = &queue{day: d, crew: d.west, lane: school.West.Lane(1), zh: "西门1号", en: "west 1"}
	if err := d.guide(ctx, web); err != nil {
		return err
	}
	ctx, leave := context.WithCancel(ctx)
	defer d.crowd.Wait()
	defer leave() // first of all, or a scene that failed waits for the crowd
	return d.run(ctx)
}

func newCrew(at *rig.Gatehouse) (*crew, error) {
	b, err := rig.NewBrowser(at.URL)
	return &crew{at: at, browser: b}, err
}

// run plays the scenes. One that is late begins at once.
func (d *day) run(ctx context.Context) error {
	began, list := time.Now(), scenes()
	for _, s := range list {
		wait(ctx, time.Until(began.Add(d.lasts(s.at-list[0].at))))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.tell("%02d:%02d  %s\n       %s", int(s.at.Hours()), int(s.at.Minutes())%60, s.zh, s.en)
		if err := s.play(d, ctx); err != nil {
			return fmt.Errorf("%s: %w", s.en, err)
		}
	}
	d.crowd.Wait()
	if ctx.Err() == nil {
		d.tell("\n门口空了;页面开着,按 Ctrl-C 结束。\nThe gates are empty; the pages stay open until Ctrl-C.")
		<-ctx.Done()
	}
	return nil
}

// enrol sends the roster down from the school's collector to both gates, and
// gives the staff their duties and those that are for you their PIN.
func (d *day) enrol(ctx context.Context, people []rig.Person) error {
	if err := d.school.School.ImportRoster(ctx, rig.School, people); err != nil {
		return err
	}
	for _, h := range d.school.Gates() {
		r := h.Rig()
		if !r.Until(ctx, limit, func(v guard.View) bool { return v.RosterSize == len(people) }) {
			return fmt.Errorf("gate %s has not taken the roster", h.Name)
		}
		for _, p := range people {
			if p.Duties == "" {
				continue
			}
			if err := r.SetDuty(ctx, p.Number, p.Duties); err != nil {
				return err
			}
		}
		for _, p := range d.cast.yours() {
			if err := r.SetPIN(ctx, p.Number, demoPIN); err != nil {
				return err
			}
		}
	}
	east := d.school.East.Rig()
	numbers, err := east.RosterNumbers(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		d.ids[p.Badge] = numbers[p.Number]
	}
	d.cards, err = east.MakeCards(ctx, 20)
	return err
}

// relieve lets a guard scan the own badge in a lane and sign on by one press, in
// place of whoever is on duty. Before, it waits for you to press.
func (d *day) relieve(ctx context.Context, q *queue, p rig.Person, patience time.Duration) error {
	id, c := d.ids[p.Badge], q.crew
	q.send(ctx, visit{person: p, forehead: 36.5})
	offer := func(v guard.View) bool { return v.Offer != nil && v.Offer.Person == id }
	taken := func(v guard.View) bool { return slices.Contains(v.OnDuty, p.Name) } // you were quick
	r := c.at.Rig()
	if !r.Until(ctx, limit, func(v guard.View) bool { return offer(v) || taken(v) }) {
		return fmt.Errorf("%s: the page offers nothing", q.en)
	}
	r.Until(ctx, patience, func(v guard.View) bool { return !offer(v) })
	if v := r.Gate.View(); offer(v) {
		if _, _, err := c.browser.Send(ctx, "/guard/sign-on", "offer", fmt.Sprint(v.Offer.ID), "how", "take-over"); err != nil {
			return err
		}
	}
	c.person.Store(id)
	return nil
}

// finish waits for you to finish somebody who was set aside, and else lets the
// colleague do it. It returns the number under which they waited.
func (d *day) finish(ctx context.Context, c *crew, arrival string, act guard.Act) (ticket int) {
	r := c.at.Rig()
	waiting := func(v guard.View) (guard.Aside, bool) {
		for _, a := range v.Asides {
			if a.Arrival == arrival {
				return a, true
			}
		}
		return guard.Aside{}, false
	}
	first, _ := waiting(r.Gate.View())
	r.Until(ctx, d.patience(), func(v guard.View) bool {
		_, waits := waiting(v)
		return !waits
	})
	for range 3 { // somebody may press at the same time
		a, waits := waiting(r.Gate.View())
		if !waits || ctx.Err() != nil {
			break
		}
		act.Arrival, act.Version, act.By = a.Arrival, a.Version, web.Person{ID: c.id()}
		if r.Gate.Do(ctx, act) == nil {
			break
		}
	}
	return first.Ticket
}

// patience is how long a stop waits for you before the colleague answers it:
// eight seconds, less only where nobody could follow anyway.
func (s script) patience() time.Duration {
	return min(8*time.Second, time.Duration(float64(200*time.Second)/s.speed))
}

// lasts is how long a time of the morning takes.
func (s script) lasts(d time.Duration) time.Duration { return time.Duration(float64(d) / s.speed) }

// pause waits for a time of the morning.
func (s script) pause(ctx context.Context, d time.Duration) { wait(ctx, s.lasts(d)) }

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// eventually waits until a condition holds, and says what never did.
func eventually(ctx context.Context, what string, holds func() (bool, error)) error {
	for end := time.Now().Add(limit); ; {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: not within %v", what, limit)
		}
		wait(ctx, 100*time.Millisecond)
	}
}

func (d *day) tell(format string, args ...any) {
	d.telling.Lock()
	defer d.telling.Unlock()
	fmt.Fprintf(d.out, format+"\n", args...)
}
