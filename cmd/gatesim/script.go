package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/menshen/menshen/internal/rig"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// script is one morning. Speed shortens the pauses between people; the gate's
// own times, such as the eight seconds of an unfinished arrival, are real.
type script struct {
	seed   uint64
	speed  float64
	pupils int
	listen string
	// colleague is the roster number of whoever answers when nobody else does.
	colleague uint64
}

// patience is how long a stop waits for you before the colleague answers it.
const patience = 10 * time.Second

const demoPIN = "260713"

// play gives the gate its people, says what there is to try, and sends the
// pupils through.
func (s script) play(ctx context.Context, r *rig.Rig, out io.Writer) error {
	if err := r.WaitOpen(ctx); err != nil {
		return err
	}
	people := rig.People(s.seed, s.pupils)
	if err := r.Import(ctx, people); err != nil {
		return err
	}
	you, colleague := people[s.pupils], people[s.pupils+1]
	if err := r.SetPIN(ctx, you.Number, demoPIN); err != nil {
		return err
	}
	var err error
	if s.colleague, err = r.RosterNumber(ctx, colleague.Number); err != nil {
		return err
	}
	fmt.Fprintf(out, `
  门神 Menshen: a winter Monday at two lanes, seed %d, %g times as fast

  guard's page   %s
  sign on with   badge %s   PIN %s

  Try:
    sign on, and set a stopped pupil aside (移到一边): the lane is free at once
    type 36.9 with an ear thermometer for the one set aside: the badge opens any lane for ten minutes
    watch lane 2 when its scanner is pulled, and when it comes back
    switch the language at the top; stop this program and see the page go grey

  Ctrl-C ends it.

`, s.seed, s.speed, r.URL, you.Badge, demoPIN)
	waiting := make(chan rig.Person)
	go func() {
		defer close(waiting)
		for _, p := range people[:s.pupils] {
			select {
			case waiting <- p:
			case <-ctx.Done():
				return
			}
		}
	}()
	done := make(chan struct{}, len(r.Lanes))
	for i, l := range r.Lanes {
		go func() {
			s.queue(ctx, r, l, rand.New(rand.NewPCG(s.seed, uint64(i)+10)), waiting, out)
			done <- struct{}{}
		}()
	}
	for range r.Lanes {
		<-done
	}
	if ctx.Err() == nil {
		fmt.Fprintln(out, "the queue is empty; the page stays open until Ctrl-C")
		<-ctx.Done()
	}
	return nil
}

// queue sends people through one lane, one after the other.
func (s script) queue(ctx context.Context, r *rig.Rig, l *rig.Lane, random *rand.Rand, waiting <-chan rig.Person, out io.Writer) {
	n := 0
	for p := range waiting {
		n++
		if l.Number == 2 && n%60 == 30 {
			fmt.Fprintln(out, "lane 2: the scanner's plug is pulled for three seconds")
			l.Scanner.Unplug()
			s.pause(ctx, 3*time.Second*time.Duration(s.speed))
			l.Scanner.Plug()
			s.pause(ctx, 2*time.Second*time.Duration(s.speed))
		}
		v := visit{person: p, forehead: 36.4 + 0.25*random.NormFloat64()}
		v.forehead = min(max(v.forehead, 35.6), 37.1)
		switch x := random.Float64(); {
		case x < 0.02:
			v.person.Badge = "9999000011112222"
			v.what = "an unknown badge"
		case x < 0.05:
			v.runsOn = true
			v.what = "scans and runs on"
		case x < 0.06:
			v.forehead, v.what = 37.6, "37.6"
		case x < 0.16:
			v.cold = true
			v.what = "a cold forehead, then warm"
		}
		v.through(ctx, s, r, l, out)
		if ctx.Err() != nil {
			return
		}
	}
}

// visit is how one person behaves.
type visit struct {
	person   rig.Person
	forehead float64
	cold     bool
	runsOn   bool
	what     string
}

func (v visit) through(ctx context.Context, s script, r *rig.Rig, l *rig.Lane, out io.Writer) {
	if v.what != "" {
		fmt.Fprintf(out, "lane %d: %s\n", l.Number, v.what)
	}
	if !s.clear(ctx, r, l, out) {
		return
	}
	l.Empty(12)
	s.pause(ctx, 1200*time.Millisecond)
	l.Scanner.Scan(v.person.Badge)
	if v.runsOn {
		s.pause(ctx, 2*time.Second)
		return
	}
	s.pause(ctx, 400*time.Millisecond)
	if v.cold {
		l.See(33.2, 12)
		r.Await(ctx, l.Number, 4*time.Second, rig.TriedOnce)
		l.Empty(12)
		s.pause(ctx, time.Second)
	}
	l.See(v.forehead, 12)
	r.Await(ctx, l.Number, 4*time.Second, rig.Over)
	l.Empty(12)
	s.pause(ctx, 800*time.Millisecond)
}

// clear waits until the lane takes the next person. Whoever was stopped stands
// in it until somebody answers: you on the page, or after a while the colleague.
func (s script) clear(ctx context.Context, r *rig.Rig, l *rig.Lane, out io.Writer) bool {
	for ctx.Err() == nil {
		if r.Await(ctx, l.Number, patience, rig.Free) {
			return true
		}
		shown := r.Lane(l.Number)
		kind := guard.KindAside
		if !shown.CanAside {
			kind = guard.KindAcknowledge
		}
		err := r.Gate.Do(ctx, guard.Act{Arrival: shown.Arrival, Version: shown.Version, Kind: kind, By: web.Person{ID: s.colleague}})
		if err == nil {
			fmt.Fprintf(out, "lane %d: nobody answered in %v; a colleague takes the pupil out of the lane (%s)\n", l.Number, patience, strings.Join(shown.Reasons, ", "))
		}
	}
	return false
}

// pause waits for a time of the real morning at the script's speed.
func (s script) pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(time.Duration(float64(d) / s.speed))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
