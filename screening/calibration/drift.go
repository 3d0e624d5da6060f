package calibration

import (
	"slices"

	"github.com/menshen/menshen/screening"
)

// When a lane's median is believed to drift.
const (
	// DayLimit is how far a day's median may lie from that of the days before: the
	// largest error that the rules of metrology leave a forehead thermometer. The
	// medians of two crowds differ by less.
	DayLimit screening.MilliC = 300
	// PairLimit is how far two lanes may lie apart in one hour: twice that, for
	// beyond it they cannot both be right.
	PairLimit screening.MilliC = 600
	// BaselineDays is how many days with readings are looked back on, and
	// LeastDays how many of them must have been as warm as this one.
	BaselineDays, LeastDays = 10, 3
	// LikeAmbient is how near the ambient temperatures of two days are for their
	// foreheads to be alike: skin follows the air by about a tenth.
	LikeAmbient screening.MilliC = 3_000
	// DayReadings and HourReadings are the least readings behind a median that is
	// compared.
	DayReadings, HourReadings = 30, 20
)

// Readings are counted in steps of 0.05 K over what skin can have.
const (
	binWidth = 50
	bins     = int(screening.BodyAbove-screening.EmptyBelow)/binWidth + 1
)

// Histogram counts readings. The zero value is empty.
type Histogram struct {
	counts  [bins]uint16
	n       int
	ambient int64
}

// Add counts a reading; one that is no skin is left out.
func (h *Histogram) Add(value, ambient screening.MilliC) {
	if value < screening.EmptyBelow || value > screening.BodyAbove {
		return
	}
	i := int(value-screening.EmptyBelow) / binWidth
	if h.counts[i] == ^uint16(0) {
		return
	}
	h.counts[i]++
	h.n++
	h.ambient += int64(ambient)
}

// Merge counts what another histogram did.
func (h *Histogram) Merge(o *Histogram) {
	for i, c := range o.counts {
		h.counts[i] = uint16(min(uint32(h.counts[i])+uint32(c), 1<<16-1))
	}
	h.n += o.n
	h.ambient += o.ambient
}

// Median is the middle of readings, and the mean of the ambient temperature.
type Median struct {
	Value, Ambient screening.MilliC
	// N is how many readings there were.
	N int
}

// Median returns the middle, to 0.05 K; the zero Median of no reading.
func (h *Histogram) Median() Median {
	seen := 0
	for i, c := range h.counts {
		if seen += int(c); c > 0 && 2*seen >= h.n {
			value := screening.EmptyBelow + screening.MilliC(i*binWidth+binWidth/2)
			return Median{value, screening.MilliC(h.ambient / int64(h.n)), h.n}
		}
	}
	return Median{}
}

// Moved returns how far a day lies from the days before it that were as warm,
// and whether that is too far. It says nothing of too few readings or days.
func Moved(today Median, before []Median) (by screening.MilliC, drifts bool) {
	if today.N < DayReadings {
		return 0, false
	}
	var like []screening.MilliC
	for _, d := range before[max(0, len(before)-BaselineDays):] {
		if away := d.Ambient - today.Ambient; d.N >= DayReadings && away <= LikeAmbient && away >= -LikeAmbient {
			like = append(like, d.Value)
		}
	}
	if len(like) < LeastDays {
		return 0, false
	}
	slices.Sort(like)
	by = today.Value - like[len(like)/2]
	return by, by > DayLimit || by < -DayLimit
}

// Apart returns how far one lane lies above another in the same hour, and
// whether that is too far.
func Apart(a, b Median) (by screening.MilliC, drifts bool) {
	if a.N < HourReadings || b.N < HourReadings {
		return 0, false
	}
	by = a.Value - b.Value
	return by, by > PairLimit || by < -PairLimit
}
