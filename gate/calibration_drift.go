package gate

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/calibration"
	"github.com/menshen/menshen/screening/lane"
)

// drift keeps what the thermometers' own medians say: of today by hour, of the
// days before one each. It is fed with every entry that is durable, at start by
// those of the journal, and keeps no reading.
type drift struct {
	g *Gate

	mu    sync.Mutex
	day   string
	lanes map[int]*medians
}

// medians are of one lane.
type medians struct {
	hours map[int]*calibration.Histogram // of today
	days  []dayMedian                    // the newest last
}

type dayMedian struct {
	day string
	calibration.Median
}

func newDrift(g *Gate) *drift { return &drift{g: g, lanes: map[int]*medians{}} }

// record takes a forehead that the lane's own thermometer has measured. A
// reading that stopped somebody counts as well: a median does not mind it.
func (d *drift) record(rec lane.Record, number int, wall time.Time) {
	r := rec.Reading
	if rec.Act != lane.NoAct || r == nil || r.Quality != screening.Valid || r.Site != screening.Forehead {
		return
	}
	if !slices.ContainsFunc(d.g.lanes, func(l *laneLoop) bool {
		return l.cfg.Number == number && l.cfg.Thermometer != nil && r.Instrument == fmt.Sprintf("%s@%d", l.cfg.Thermometer.Kind, number)
	}) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.newDay(wall)
	m := d.lanes[number]
	if m == nil {
		m = &medians{hours: map[int]*calibration.Histogram{}}
		d.lanes[number] = m
	}
	h := m.hours[wall.Hour()]
	if h == nil {
		h = &calibration.Histogram{}
		m.hours[wall.Hour()] = h
	}
	h.Add(r.Value, r.Ambient)
}

// newDay turns what was measured on the day before into one median a lane. The
// caller holds mu.
func (d *drift) newDay(wall time.Time) {
	day := wall.Format(time.DateOnly)
	if day == d.day {
		return
	}
	for _, m := range d.lanes {
		if today := m.today(); today.N > 0 {
			m.days = append(m.days, dayMedian{d.day, today})
			m.days = slices.Clone(m.days[max(0, len(m.days)-calibration.BaselineDays):])
		}
		clear(m.hours)
	}
	d.day = day
}

// today returns the median of what was measured today.
func (m *medians) today() calibration.Median {
	var all calibration.Histogram
	for _, h := range m.hours {
		all.Merge(h)
	}
	return all.Median()
}

// before returns the medians of the days before.
func (m *medians) before() (list []calibration.Median) {
	for _, d := range m.days {
		list = append(list, d.Median)
	}
	return list
}

// renewed forgets a lane's medians: with a new certificate the instrument shows
// something else.
func (d *drift) renewed(number int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.lanes, number)
}

// Drift says that a lane's median lies where it should not.
type Drift struct {
	Lane int
	// By is how far it lies from its own days before or, where Against is not 0,
	// above that lane in the hour Hour of today.
	By      screening.MilliC
	Against int
	Hour    int
}

// alarms returns the drifts of today, the largest first.
func (d *drift) alarms(now time.Time) (list []Drift) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.newDay(now)
	numbers := slices.Sorted(maps.Keys(d.lanes))
	for i, n := range numbers {
		m := d.lanes[n]
		if by, far := calibration.Moved(m.today(), m.before()); far {
			list = append(list, Drift{Lane: n, By: by})
		}
		for _, other := range numbers[i+1:] {
			if x, far := m.apart(d.lanes[other]); far {
				x.Lane, x.Against = n, other
				list = append(list, x)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Drift) int { return cmp.Compare(max(b.By, -b.By), max(a.By, -a.By)) })
	return list
}

// apart returns the newest hour in which two lanes lay too far apart.
func (m *medians) apart(o *medians) (x Drift, far bool) {
	for _, hour := range slices.Backward(slices.Sorted(maps.Keys(m.hours))) {
		if h := o.hours[hour]; h != nil {
			if x.By, far = calibration.Apart(m.hours[hour].Median(), h.Median()); far {
				x.Hour = hour
				return x, true
			}
		}
	}
	return x, false
}
