package screening

import "fmt"

// Bounds of what a calibration may do to a reading, whoever signed it.
const (
	// Pivot is the temperature from which a correction stretches.
	Pivot MilliC = 37_000
	// LeastOffset and MostOffset bound what is added at the pivot. A part that
	// shows half a degree too much is outside its own data sheet (MLX90614,
	// ±0.5 °C); one that shows too little by a degree too. Down goes less than up,
	// for down hides a fever.
	LeastOffset, MostOffset MilliC = -500, 1_000
	// LeastSlope and MostSlope bound the stretch, in millionths. Below 1 a
	// correction would pull every reading towards the pivot, and no correction does.
	LeastSlope, MostSlope int32 = 1_000_000, 1_100_000
)

// Correction takes the error of one instrument out of what it shows. The zero
// value, and every one outside the bounds, takes out nothing.
type Correction struct {
	// Offset is added at the pivot.
	Offset MilliC
	// Slope stretches the distance from the pivot, in millionths.
	Slope int32
}

// Sound reports whether the correction lies within the bounds.
func (c Correction) Sound() bool {
	return c.Offset >= LeastOffset && c.Offset <= MostOffset && c.Slope >= LeastSlope && c.Slope <= MostSlope
}

// Of corrects what the instrument shows, rounded up: a value is never taken for
// a lower one. It is monotone.
func (c Correction) Of(t MilliC) MilliC {
	if !c.Sound() {
		return t
	}
	const million = 1_000_000
	d := (int64(t) - int64(Pivot)) * int64(c.Slope)
	whole := d / million
	if d%million > 0 {
		whole++
	}
	return MilliC(int64(Pivot) + int64(c.Offset) + whole)
}

// FormulaCalibrated names the identity after the correction of a certificate,
// which is an entry with that number, and keeps what the instrument itself
// showed for the value and for the peak, 0 where that is not known.
func FormulaCalibrated(certificate uint64, value, peak MilliC) string {
	return fmt.Sprintf("%s cal/%d raw/%d/%d", FormulaSkin1, certificate, value, peak)
}
