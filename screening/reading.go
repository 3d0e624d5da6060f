package screening

import (
	"slices"
	"time"
)

// Limits of what a lens at a gate can be looking at.
const (
	// EmptyBelow: colder than this there is nobody in front of the lens.
	EmptyBelow MilliC = 30_000
	// BodyAbove: hotter than this it is not a living person's skin.
	BodyAbove MilliC = 43_000
	// SameBody is the largest step between two samples of one body.
	SameBody MilliC = 1_000
	// Scatter is the largest spread of the samples of one valid reading.
	Scatter MilliC = 500
	// SampleAge is the greatest age of the newest sample of a valid reading.
	SampleAge = 500 * time.Millisecond
	// SamplesPerReading is the least number of samples in a valid reading.
	SamplesPerReading = 3
)

// FormulaSkin1 is the identity: the skin's temperature is used as it was
// measured. Later formulas are monotone with slope ≥ 1 and never lower a value
// at or above its cut-off.
const FormulaSkin1 = "skin/1"

// Site is where on the body a temperature was taken.
type Site uint8

// The sites.
const (
	Forehead Site = 0
	Wrist    Site = 1
	Ear      Site = 2
	Axilla   Site = 3
)

// Quality says whether a reading may be used. Only Valid may; the zero value
// says that there is none.
type Quality uint8

// The qualities; their numbers stand in the journal and never change.
const (
	Missing   Quality = 0 // no samples, or too few
	Valid     Quality = 1
	Cold      Quality = 2 // below the policy's lowest skin temperature
	Scattered Quality = 3 // the samples disagree
	Stale     Quality = 4 // the newest sample is too old
	Ambient   Quality = 5 // the instrument is outside its ambient window
	Hot       Quality = 6 // no living skin
)

// Reading is one temperature. Value and Ambient mean something only when
// Quality is Valid or Cold, Peak when it is Valid, Cold or Scattered.
type Reading struct {
	// Value is the median of the samples.
	Value MilliC
	// Peak is the highest sample of this body. It is what is judged: the
	// lowest of several never wins.
	Peak       MilliC
	Ambient    MilliC
	Site       Site
	Instrument string
	Formula    string
	Quality    Quality
	Samples    uint8
}

// seen reports whether Peak is the temperature of somebody: a high one speaks
// even where the samples together make no valid reading.
func (r Reading) seen() bool {
	return r.Quality == Valid || r.Quality == Cold || r.Quality == Scattered
}

// Sample is one sound measurement, with the monotonic time at which it was
// taken.
type Sample struct {
	// Object is what the lens sees, corrected where the instrument has a
	// certificate; Raw is what the instrument showed, 0 where nothing was corrected.
	Object  MilliC
	Raw     MilliC
	Ambient MilliC
	At      time.Duration
}

// Instrument is what a reading needs to know about its thermometer.
type Instrument struct {
	Name string
	// Period is the part's refresh period: samples closer together than this
	// are the same measurement twice.
	Period time.Duration
	// AmbientLow and AmbientHigh bound the ambient temperatures at which the
	// instrument can be trusted.
	AmbientLow, AmbientHigh MilliC
}

// Take makes a reading of the newest samples of one body. Peak is the highest
// sample seen of that body, which may be older than the samples given. Low is
// the policy's lowest skin temperature and now the present monotonic time.
func Take(in Instrument, samples []Sample, peak, low MilliC, now time.Duration) Reading {
	r := Reading{Instrument: in.Name, Formula: FormulaSkin1, Samples: uint8(min(len(samples), 255))}
	if len(samples) < SamplesPerReading {
		return r
	}
	newest := samples[len(samples)-1]
	objects := make([]MilliC, len(samples))
	for i, s := range samples {
		objects[i] = s.Object
	}
	slices.Sort(objects)
	lowest, highest := objects[0], objects[len(objects)-1]
	switch {
	case now-newest.At > SampleAge || now < newest.At:
		r.Quality = Stale
	case newest.Ambient < in.AmbientLow || newest.Ambient > in.AmbientHigh:
		r.Quality = Ambient
	case highest > BodyAbove:
		r.Quality = Hot
	case highest-lowest > Scatter:
		r.Quality, r.Peak = Scattered, max(peak, highest)
	default:
		r.Quality = Valid
		r.Value, r.Peak, r.Ambient = objects[len(objects)/2], max(peak, highest), newest.Ambient
		if r.Value < low {
			r.Quality = Cold
		}
	}
	return r
}

// Typed makes a reading of a value that a person read off another instrument
// and typed in. Outside 30–43 °C, or below low, it is not valid.
func Typed(instrument string, site Site, value, low MilliC) Reading {
	r := Reading{Value: value, Peak: value, Site: site, Instrument: instrument, Formula: FormulaSkin1, Quality: Valid, Samples: 1}
	switch {
	case value > BodyAbove:
		r.Quality = Hot
	case value < EmptyBelow:
		r.Quality = Missing
	case value < low:
		r.Quality = Cold
	}
	return r
}
