package lane

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// The queue before a gate: 1,100 pupils and two lanes, from 06:50 on. It is
// played through the lanes themselves; what people and paper add is assumed,
// and stands here.
const (
	pupils     = 1100
	normalPass = 2400 * time.Millisecond // from one pupil's step forward to the next one's
	walksUp    = time.Second
	raisesHead = 300 * time.Millisecond
	stores     = 3 * time.Millisecond // one entry
)

// Of a thousand pupils so many bring trouble of each kind, beside the cold.
const (
	withoutBadge = 20
	walkOn       = 30 // scan, and are not measured
	high         = 4
)

// care is how exceptions are worked: how long each one keeps its lane.
type care struct {
	// aside sends whoever is stopped to a desk; otherwise the lane is kept until
	// the guard has measured and typed.
	aside bool
	// badge, fever and cold are what the guard takes for one who is stopped so.
	badge, fever, cold time.Duration
	// lone is when the next may step forward after one who walked on.
	lone time.Duration
	// retry is from one try before the lens to the next.
	retry time.Duration
	// stayCold is how many of a hundred too cold foreheads stay so.
	stayCold int
}

var (
	setAside = care{aside: true, badge: 2500 * time.Millisecond, fever: 2500 * time.Millisecond, cold: 2500 * time.Millisecond,
		lone: 1500 * time.Millisecond, retry: 3500 * time.Millisecond, stayCold: 15}
	inTheLane = care{badge: 25 * time.Second, fever: 45 * time.Second, cold: 15 * time.Second,
		lone: WindowEnds + 6*time.Second, retry: 2500 * time.Millisecond, stayCold: 75}
)

// colourSeen is one look at a phone and one press.
const colourSeen = 6 * time.Second

// day is one morning.
type day struct {
	care   care
	cold   int // of a hundred foreheads are too cold at first
	policy screening.Policy
	code   screening.Code // what the list says of everybody
	// windows has everybody come in three windows of ten minutes; otherwise three
	// quarters come in one half hour.
	windows bool
}

// friday is when the list was last made of which the Monday here has to make do.
var friday = morning.Add(-61*time.Hour - 30*time.Minute)

// greenOf is what a list says of everybody whom it does not name.
func greenOf(list time.Time) screening.Code {
	return screening.Code{Colour: screening.Green, How: screening.FromRoster, AsOf: list}
}

// pupil is one arrival at the end of a queue.
type pupil struct {
	id     uint64
	at     time.Duration
	manner int // of a thousand
	cold   bool
	stays  bool
}

// crowd returns the pupils of a morning in the order in which they come.
func (d day) crowd(seed uint64) []pupil {
	r := rand.New(rand.NewPCG(seed, 1))
	all := make([]pupil, pupils)
	for i := range all {
		p := pupil{id: uint64(i + 1), manner: r.IntN(1000), cold: r.IntN(100) < d.cold, stays: r.IntN(100) < d.care.stayCold}
		minute := func(from, to int) time.Duration {
			return time.Duration(from)*time.Minute + time.Duration(r.Int64N(int64(to-from)*int64(time.Minute)))
		}
		switch {
		case d.windows:
			from := 20 * r.IntN(3)
			p.at = minute(30+from, 40+from)
		case r.IntN(4) > 0:
			p.at = minute(30, 60)
		default:
			p.at = minute(0, 60)
			if p.at >= 30*time.Minute {
				p.at += 30 * time.Minute
			}
		}
		all[i] = p
	}
	slices.SortFunc(all, func(a, b pupil) int { return int(a.at - b.at) })
	return all
}

// gate is two lanes with their queues, and the one guard that both have.
type gate struct {
	day
	lanes  [2]*world
	queues [2][]pupil
	guard  time.Duration // when the guard's hands are free
	admits int           // that must be released
	wait   time.Duration // the longest
}

// longestWait plays a morning and returns how long the unluckiest pupil stood
// before it could step forward.
func (d day) longestWait(t *testing.T, seed uint64) time.Duration {
	t.Helper()
	g := gate{day: d}
	for i := range g.lanes {
		cfg := fitted
		cfg.Number = uint8(i + 1)
		g.lanes[i] = newWorldUnder(t, cfg, d.policy)
		g.lanes[i].slow = true
	}
	for _, p := range d.crowd(seed) {
		g.serveUntil(p.at)
		shortest := 0
		if g.length(1, p.at) < g.length(0, p.at) {
			shortest = 1
		}
		g.queues[shortest] = append(g.queues[shortest], p)
	}
	g.serveUntil(24 * time.Hour)
	released := 0
	for _, w := range g.lanes {
		released += len(w.freed)
	}
	if released != g.admits {
		t.Fatalf("seed %d: %d were let in, want %d", seed, released, g.admits)
	}
	return g.wait
}

// length is how many stand before a lane or in it.
func (g *gate) length(lane int, now time.Duration) int {
	n := len(g.queues[lane])
	if g.lanes[lane].now > now {
		n++
	}
	return n
}

// serveUntil has everybody step forward whose turn comes by then, in the order
// of time.
func (g *gate) serveUntil(end time.Duration) {
	for {
		next, turn := -1, end
		for i, q := range g.queues {
			if len(q) == 0 {
				continue
			}
			if at := max(q[0].at, g.lanes[i].now); at <= turn {
				next, turn = i, at
			}
		}
		if next < 0 {
			return
		}
		p, w := g.queues[next][0], g.lanes[next]
		g.queues[next] = g.queues[next][1:]
		g.wait = max(g.wait, turn-p.at)
		w.pass(turn - w.now)
		g.serve(w, p)
	}
}

// serve takes one pupil through a lane, until the next may step forward.
func (g *gate) serve(w *world, p pupil) {
	began := w.now
	w.pass(walksUp)
	scan := badge(p.id)
	scan.Code = g.code
	switch {
	case p.manner < withoutBadge:
		g.take(w, Scan{Digest: []byte{0}}) // a card of the bus
		g.answer(w, g.care.badge, Answer{Act: TurnedAway})
	case p.manner < withoutBadge+walkOn:
		g.take(w, scan)
		w.pass(began + g.care.lone - w.now)
		g.stored(w)
		return
	case p.manner < withoutBadge+walkOn+high:
		g.take(w, scan)
		g.face(w, 37_600)
		g.answer(w, g.care.fever, typed(36_500))
	default:
		g.take(w, scan)
		stopped := p.cold && g.tooCold(w, p.stays)
		if !p.cold {
			g.face(w, 36_500)
		}
		switch {
		case stopped:
			g.answer(w, g.care.cold, typed(36_500))
		case w.m.Phase() == Held:
			g.answer(w, colourSeen, Answer{Act: ColourSeen, Colour: screening.Green})
		default:
			g.admits++
		}
	}
	w.pass(max(0, began+normalPass-w.now-100*time.Millisecond))
	w.empty()
}

// tooCold is one who comes from a bicycle: the next try is of the wrist, which is
// warm under its sleeve, or is as cold as the third, and the lane stops.
func (g *gate) tooCold(w *world, stays bool) bool {
	g.face(w, 33_900)
	for try := 2; try <= Tries; try++ {
		w.empty() // a try is an approach to the lens
		w.pass(g.care.retry - raisesHead - 400*time.Millisecond)
		if !stays {
			g.face(w, 36_500)
			return false
		}
		g.face(w, 33_900)
	}
	return true
}

// answer has the guard come to a stopped lane and do what the morning's care
// is.
func (g *gate) answer(w *world, takes time.Duration, inLane Answer) {
	w.wantPhase(Held)
	g.guard = max(g.guard, w.now) + takes
	w.pass(g.guard - w.now)
	switch {
	case inLane.Act == ColourSeen || !g.care.aside:
		if w.press(inLane); inLane.Act != TurnedAway {
			g.admits++
		}
	default:
		w.press(Answer{Act: Aside, Ticket: 1})
	}
	g.stored(w)
	if err := w.replies[len(w.replies)-1]; err != nil {
		w.fail(err)
	}
}

func (g *gate) take(w *world, ev Event) {
	w.do(ev)
	g.stored(w)
}

func (g *gate) face(w *world, object screening.MilliC) {
	w.pass(raisesHead)
	w.face(object)
	g.stored(w)
}

// stored writes what is to be written.
func (g *gate) stored(w *world) {
	for len(w.appends) > 0 {
		w.pass(stores)
		w.recorded()
	}
}

// worst is the longest wait of several mornings.
func (d day) worst(t *testing.T) time.Duration {
	t.Helper()
	var worst time.Duration
	for seed := range uint64(3) {
		worst = max(worst, d.longestWait(t, seed))
	}
	t.Logf("the longest wait is %v", worst.Round(time.Second))
	return worst
}

func TestNobodyWaitsTwoMinutesWhenAQuarterOfTheForeheadsAreCold(t *testing.T) {
	for name, d := range map[string]day{
		"three quarters come in one half hour": {cold: 25},
		"three windows of ten minutes":         {cold: 25, windows: true},
		"nobody is cold":                       {},
		"two in five are cold":                 {cold: 40},
	} {
		t.Run(name, func(t *testing.T) {
			d.care, d.policy = setAside, policyOf(t, nil)
			if got := d.worst(t); got > 2*time.Minute {
				t.Errorf("somebody waits %v", got)
			}
		})
	}
}

func TestAListOfFridayDoesNotHoldUpMonday(t *testing.T) {
	d := day{care: setAside, cold: 10, policy: policyOf(t, nil), code: greenOf(friday)}
	if got := d.worst(t); got > time.Minute {
		t.Errorf("somebody waits %v", got)
	}
}

// TestTheQueueTellsAGoodLaneFromABadOne shows that the promises above can be
// broken, by the ways of working that they rule out.
func TestTheQueueTellsAGoodLaneFromABadOne(t *testing.T) {
	everybody := policyOf(t, func(s *screening.Spec) {
		for i := range s.Requirements {
			s.Requirements[i].Roles = 0
		}
	})
	for name, d := range map[string]day{
		"exceptions are worked in the lane":      {care: inTheLane, cold: 25, policy: policyOf(t, nil)},
		"the same, in three windows":             {care: inTheLane, cold: 25, policy: policyOf(t, nil), windows: true},
		"every pupil is asked for today's green": {care: setAside, policy: everybody, code: greenOf(friday)},
	} {
		t.Run(name, func(t *testing.T) {
			got := d.longestWait(t, 0)
			t.Logf("the longest wait is %v", got.Round(time.Second))
			if got < 10*time.Minute {
				t.Errorf("nobody waits longer than %v", got)
			}
		})
	}
}
