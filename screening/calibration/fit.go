// Package calibration knows when an infrared thermometer may be believed: it
// computes its error from readings of known temperatures, refuses a part that
// cannot be corrected, above all one that pulls what it sees towards a normal
// temperature, spells the certificate that says so, and notices when a lane's
// daily median drifts.
//
// It knows no device, no journal and no clock. Who measured and whether they
// may sign is not its business.
package calibration

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/menshen/menshen/screening"
)

// What a calibration needs, and what no instrument may exceed.
const (
	// LeastPoints, a line and one point to contradict it, and MostPoints.
	LeastPoints, MostPoints = 3, 12
	// LeastSamples at each point: the median of twenty is steady to a fifth of
	// the scatter of one.
	LeastSamples, MostSamples = 20, 1_000
	// LeastSpan between the lowest and the highest reference: over less, 0.1 K of
	// noise is an error of the slope of more than 3 %.
	LeastSpan screening.MilliC = 3_000
	// LeastReference and MostReference bound what skin can have, and what an
	// instrument for it is made for.
	LeastReference, MostReference screening.MilliC = 33_000, 42_000
	// MostSpread between the lowest and the highest sample of one point: a part
	// that scatters by more than the largest error that the rules of metrology
	// leave a forehead thermometer, 0.3 K, has no error that can be named.
	MostSpread screening.MilliC = 300
	// MostResidual is what the correction may leave at a point: those 0.3 K less
	// 0.1 K for the reference itself.
	MostResidual screening.MilliC = 200

	// LeastGain and MostGain bound, in thousandths, how much more a part shows for
	// each kelvin more. A part that shows less than 0.9 K of it normalises: it
	// draws what it sees towards a middle, as parts with a body-temperature curve
	// do, and nobody can draw a fever back out. One that shows more than 1.1 K is
	// out of order.
	LeastGain, MostGain = 900, 1_100
	// LeastStep and MostStep bound the same between two neighbouring points, where
	// 0.05 K of noise at each counts more. A curve that is straight but for a
	// flat piece about the normal is found here.
	LeastStep, MostStep = 850, 1_150
	// stepSpan is how far two points must be apart to be judged so.
	stepSpan screening.MilliC = 1_000
)

// Point is what an instrument showed of one known temperature.
type Point struct {
	// Reference is the known temperature, and Shown the median of the samples
	// before any correction.
	Reference, Shown screening.MilliC
	// Spread lies between the lowest and the highest sample.
	Spread screening.MilliC
	// Samples is how many there were.
	Samples int
}

// Sum makes a point of samples; the zero Point of none.
func Sum(reference screening.MilliC, samples []screening.MilliC) Point {
	if len(samples) == 0 {
		return Point{}
	}
	s := slices.Sorted(slices.Values(samples))
	return Point{Reference: reference, Shown: s[len(s)/2], Spread: s[len(s)-1] - s[0], Samples: len(s)}
}

// Check says why a point cannot be used: too few samples, noise, a reference
// out of range.
func (p Point) Check() error {
	switch {
	case p.Reference < LeastReference || p.Reference > MostReference:
		return fmt.Errorf("the reference %s °C is not within %s and %s", p.Reference, LeastReference, MostReference)
	case p.Samples < LeastSamples || p.Samples > MostSamples:
		return fmt.Errorf("%d samples at %s °C, want %d to %d", p.Samples, p.Reference, LeastSamples, MostSamples)
	case p.Spread < 0 || p.Spread > MostSpread:
		return fmt.Errorf("noisy: the samples at %s °C differ by %s K, at most %s are allowed: keep the reference still and out of the draught", p.Reference, p.Spread, MostSpread)
	case p.Shown < 0 || p.Shown > 100_000:
		return fmt.Errorf("the instrument shows %s °C at %s °C", p.Shown, p.Reference)
	}
	return nil
}

// Fit returns what takes the error out of an instrument that showed these
// points, and what it leaves at each, in the order of the references: corrected
// less reference. An instrument
// that it refuses is not to be used: the error says by which criterion.
//
// The line is that of least squares. Where it would draw readings together it is
// laid flat: a part that exaggerates is moved, and goes on exaggerating.
func Fit(points []Point) (screening.Correction, []screening.MilliC, error) {
	sorted := inOrder(points)
	if err := usable(sorted); err != nil {
		return screening.Correction{}, nil, err
	}
	c := line(sorted)
	left, err := judge(sorted, c)
	return c, left, err
}

// judge says whether a correction of points, in order, may be used, and what it
// leaves at each.
func judge(points []Point, c screening.Correction) ([]screening.MilliC, error) {
	if err := honest(points); err != nil {
		return nil, err
	}
	if !c.Sound() {
		return nil, fmt.Errorf("out of bounds: it would need %+d thousandths of a kelvin at %s °C, allowed are %+d to %+d: replace the part",
			c.Offset, screening.Pivot, screening.LeastOffset, screening.MostOffset)
	}
	left := make([]screening.MilliC, len(points))
	for i, p := range points {
		left[i] = c.Of(p.Shown) - p.Reference
		if left[i] > MostResidual || left[i] < -MostResidual {
			return nil, fmt.Errorf("bent: %+d thousandths of a kelvin are left at %s °C, at most %d are allowed", left[i], p.Reference, MostResidual)
		}
	}
	return left, nil
}

func inOrder(points []Point) []Point {
	return slices.SortedFunc(slices.Values(points), func(a, b Point) int { return cmp.Compare(a.Reference, b.Reference) })
}

// usable says whether the points, in order, are enough to judge by.
func usable(points []Point) error {
	if len(points) < LeastPoints || len(points) > MostPoints {
		return fmt.Errorf("%d points, want %d to %d", len(points), LeastPoints, MostPoints)
	}
	for _, p := range points {
		if err := p.Check(); err != nil {
			return err
		}
	}
	if span := points[len(points)-1].Reference - points[0].Reference; span < LeastSpan {
		return fmt.Errorf("the references span %s K, want %s or more: such as 35, 37 and 39 °C", span, LeastSpan)
	}
	return nil
}

// honest says whether the part shows what it sees, over all and piece by piece.
func honest(points []Point) error {
	if g := gain(points); g < LeastGain || g > MostGain {
		return refusal(g, points[0].Reference, points[len(points)-1].Reference, LeastGain, MostGain)
	}
	for from := 0; from < len(points); {
		to := from + 1
		for to < len(points) && points[to].Reference-points[from].Reference < stepSpan {
			to++
		}
		if to == len(points) {
			break
		}
		if g := gain([]Point{points[from], points[to]}); g < LeastStep || g > MostStep {
			return refusal(g, points[from].Reference, points[to].Reference, LeastStep, MostStep)
		}
		from = to
	}
	return nil
}

func refusal(gain int64, from, to screening.MilliC, least, most int64) error {
	if gain < least {
		return fmt.Errorf("normalises: between %s and %s °C it shows %d thousandths of each kelvin, at least %d are wanted: switch its body-temperature mode off, or replace it", from, to, gain, least)
	}
	return fmt.Errorf("exaggerates: between %s and %s °C it shows %d thousandths of each kelvin, at most %d are allowed: replace it", from, to, gain, most)
}

// means are of references and of what was shown, in floating point.
func means(points []Point) (reference, shown float64) {
	for _, p := range points {
		reference += float64(p.Reference)
		shown += float64(p.Shown)
	}
	n := float64(len(points))
	return reference / n, shown / n
}

// gain is how much more is shown for each kelvin more, in thousandths, by least
// squares over the references.
func gain(points []Point) int64 {
	r, s := means(points)
	var rs, rr float64
	for _, p := range points {
		rs += (float64(p.Reference) - r) * (float64(p.Shown) - s)
		rr += (float64(p.Reference) - r) * (float64(p.Reference) - r)
	}
	return int64(1000*rs/rr + 0.5)
}

// line is the line from what is shown to the reference.
func line(points []Point) screening.Correction {
	r, s := means(points)
	var rs, ss float64
	for _, p := range points {
		rs += (float64(p.Reference) - r) * (float64(p.Shown) - s)
		ss += (float64(p.Shown) - s) * (float64(p.Shown) - s)
	}
	slope := max(rs/ss, 1)
	offset := r + slope*(float64(screening.Pivot)-s) - float64(screening.Pivot)
	return screening.Correction{Offset: up(offset), Slope: int32(up(slope * 1e6))}
}

// up rounds up: a value is never taken for a lower one.
func up(x float64) screening.MilliC {
	n := screening.MilliC(x)
	if float64(n) < x-1e-6 {
		n++
	}
	return n
}
