package gate

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/guard"
)

// This file follows push buttons, the turnstile's counter and the fire contact.

// Reasons of an ActFire.
const (
	fireReleased = "released"
	fireOver     = "over"
)

const (
	// passWithin is how long after its release a passage may be counted: as long as
	// the same badge is let in again.
	passWithin = lane.RepeatWithin
	// openedShown is how long the pages say that a lane was opened without an
	// admission.
	openedShown = 10 * time.Minute
)

// What the inputs of a lane tell its loop.
type (
	pressedNext struct{}
	pressedOpen struct{}
	counted     struct{}
)

// inputs returns the goroutines of the lane's buttons and of its counter.
func (l *laneLoop) inputs() map[string]func(context.Context) error {
	parts := map[string]func(context.Context) error{}
	for _, in := range []struct {
		role string
		pin  *config.Input
		says any
	}{
		{"button", l.cfg.Button, pressed{}}, {"next button", l.cfg.Next, pressedNext{}},
		{"open button", l.cfg.Open, pressedOpen{}}, {"counter", l.cfg.Counter, counted{}},
	} {
		if in.pin == nil {
			continue
		}
		parts[in.role] = func(ctx context.Context) error {
			return l.g.watchButton(ctx, in.pin.Pin, attachment{g: l.g, lane: uint8(l.cfg.Number), role: in.role}, func() { l.offer(ctx, in.says) })
		}
	}
	return parts
}

// input takes what an input told the loop.
func (l *laneLoop) input(ev any) {
	switch ev.(type) {
	case pressed:
		l.press()
	case pressedNext:
		if l.machine.Phase() == lane.Held {
			l.press() // the stop leaves the lane under a number
		} else {
			l.step(lane.Next{})
		}
	case pressedOpen:
		l.step(lane.OpenByHand{By: l.g.onDuty()})
	case counted:
		l.count()
	}
}

// passes are the releases of a lane that the counter has not seen used, as the
// times at which they lapse.
type passes []time.Duration

// allow takes a release.
func (p *passes) allow(now time.Duration) { *p = append(p.lapsed(now), now+passWithin) }

// use takes an opening; false when no release explains it.
func (p *passes) use(now time.Duration) bool {
	*p = p.lapsed(now)
	if len(*p) == 0 {
		return false
	}
	*p = (*p)[1:]
	return true
}

func (p *passes) lapsed(now time.Duration) passes {
	list := *p
	for len(list) > 0 && list[0] < now {
		list = list[1:]
	}
	return list
}

// count takes one opening that the turnstile has counted. What fire has
// released by wire, and what was released late, needs no explanation.
func (l *laneLoop) count() {
	if l.machine.View().Faults&lane.FireReleased != 0 {
		return
	}
	if !l.passes.use(l.g.o.Now().Mono) {
		l.g.lonely.alone(l.cfg.Number, l.g.recorder.clock.look().Wall)
		l.g.recorder.note(entry.Answer{Act: entry.ActOpenedAlone}, uint8(l.cfg.Number))
		l.g.changed()
		return
	}
	if len(l.passes) == 0 {
		l.step(lane.Passed{})
	}
}

// openings are those of the last minutes that no admission explains.
type openings struct {
	mu   sync.Mutex
	list []lonelyOpening
}

type lonelyOpening struct {
	lane int
	at   time.Time
}

func (o *openings) alone(laneNumber int, at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	const most = 64
	o.list = append(o.list, lonelyOpening{laneNumber, at})
	o.list = o.list[max(0, len(o.list)-most):]
}

// problems tells add of every lane that was opened so in the last minutes.
func (o *openings) problems(now time.Time, add func(key string, args ...any)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	times, last := map[int]int{}, map[int]time.Time{}
	var lanes []int
	for _, x := range o.list {
		if now.Sub(x.at) >= openedShown {
			continue
		}
		if times[x.lane]++; times[x.lane] == 1 {
			lanes = append(lanes, x.lane)
		}
		last[x.lane] = x.at
	}
	for _, n := range lanes {
		add("opened-alone", n, times[n], last[n].In(now.Location()).Format("15:04"))
	}
}

// watchFire follows the fire contact, where there is one.
func (g *Gate) watchFire(ctx context.Context) error {
	in := g.o.Config.Board.Fire
	if in == nil {
		return nil
	}
	return g.watchLine(ctx, in.Pin, attachment{g: g, role: "fire contact"}, g.fireTurned)
}

// fireTurned takes the level of the fire contact. Nothing here opens anything:
// that is done by wire, whether or not this program runs.
func (g *Gate) fireTurned(on bool) {
	if g.fire.Swap(on) == on {
		return
	}
	for _, l := range g.lanes {
		l.send(lane.Fire{On: on})
	}
	reason := fireOver
	if on {
		reason = fireReleased
	}
	g.recorder.note(entry.Answer{Act: entry.ActFire, Reason: reason}, 0)
	g.changed()
}

// lostPart is a part of a lane, or of the gate where the lane is 0.
type lostPart struct {
	lane uint8
	role string
}

// lostParts are those that are gone now.
type lostParts struct {
	mu   sync.Mutex
	gone map[lostPart]bool
	// times is how often a part was lost since the start.
	times map[lostPart]int
}

func (p *lostParts) note(laneNumber uint8, role string, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone == nil {
		p.gone, p.times = map[lostPart]bool{}, map[lostPart]int{}
	}
	if !lost {
		delete(p.gone, lostPart{laneNumber, role})
		return
	}
	p.gone[lostPart{laneNumber, role}] = true
	p.times[lostPart{laneNumber, role}]++
}

func (p *lostParts) has(laneNumber uint8, role string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone[lostPart{laneNumber, role}]
}

// outages lists the parts that were lost, by lane and name.
func (p *lostParts) outages() []Outage {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Outage
	for part, times := range p.times {
		all = append(all, Outage{Lane: int(part.lane), Part: part.role, Times: times, Lost: p.gone[part]})
	}
	slices.SortFunc(all, func(a, b Outage) int {
		return cmp.Or(cmp.Compare(a.Lane, b.Lane), cmp.Compare(a.Part, b.Part))
	})
	return all
}

// inputFaults are the words for inputs of a lane that are gone.
func (l *laneLoop) inputFaults() (keys []string) {
	for _, x := range [][2]string{{"button", "button-lost"}, {"next button", "button-lost"}, {"open button", "open-lost"}, {"counter", "counter-lost"}} {
		if l.g.lost.has(uint8(l.cfg.Number), x[0]) && (len(keys) == 0 || keys[len(keys)-1] != x[1]) {
			keys = append(keys, x[1])
		}
	}
	return keys
}

// lampFaults says that the lane's lamps are gone, where its barrier is not.
func (l *laneLoop) lampFaults() []string {
	for _, c := range []config.Channel{l.cfg.Lamps.Green, l.cfg.Lamps.Red, l.cfg.Lamps.Buzzer} {
		barrier := l.cfg.Barrier != nil && l.cfg.Barrier.Relay == c.Relay
		if c.Relay != "" && !barrier && l.g.lost.has(0, "relay "+c.Relay) {
			return []string{"beacon-lost"}
		}
	}
	return nil
}

// inputProblems tells add of everything above that is about no single lane, but
// for a fire.
func (g *Gate) inputProblems(v guard.View, add func(key string, args ...any)) {
	g.lonely.problems(v.Now, add)
	if g.lost.has(0, "fire contact") {
		add("fire-contact-lost")
	}
	iso := g.o.Config.Board.Isolation
	for _, c := range []config.Channel{iso.Beacon, iso.Buzzer} {
		if c.Relay != "" && g.lost.has(0, "relay "+c.Relay) {
			add("isolation-alarm-lost")
			break
		}
	}
	if g.lost.has(0, "isolation button") {
		add("isolation-button-lost")
	}
}
