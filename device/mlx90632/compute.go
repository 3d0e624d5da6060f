package mlx90632

import "math"

// calibration holds the constants of one part, each already divided by the
// power of two with which it is stored (data sheet, "Temperature calculation";
// Melexis' mlx90632-library, src/mlx90632.c).
type calibration struct {
	pR, pG, pT, pO float64 // ambient: reference, gain, quadratic term, offset
	ea, eb         float64 // ambient as the object's formula needs it
	fa, fb, ga     float64 // sensitivity and its two temperature terms
	gb, ka         float64 // reference ratio of ambient and of object
	ha, hb         float64 // the user's gain and offset
}

// raw is one measurement as the part took it. The values are means of 16-bit
// words and keep their halves and quarters: rounding them first, as integer
// arithmetic does, costs up to 6 mK.
type raw struct {
	object                 float64
	ambientNew, ambientOld float64
}

// optics says how the object shines.
type optics struct {
	// emissivity is 0.1..1.
	emissivity float64
	// reflected is the temperature, in degrees Celsius, of what the object
	// reflects; NaN stands for the part's own.
	reflected float64
}

const (
	kelvin    = 273.15
	reference = 12      // the weight of one count of every channel
	scale     = 1 << 19 // of both ratios
	// rounds is how often the sensitivity, which depends on the result, is
	// computed anew; after five the result stands still.
	rounds = 5
)

// ratio returns a reading against the internal reference; k is gb for the
// ambient and ka for the object.
func (r raw) ratio(x, k float64) float64 {
	return x / reference / (r.ambientOld + k*r.ambientNew/reference) * scale
}

// ambient returns the temperature of the part in degrees Celsius.
func (c *calibration) ambient(r raw) float64 {
	d := r.ratio(r.ambientNew, c.gb) - c.pR
	return c.pO + d/c.pG + c.pT*d*d
}

// object returns the temperature of the object in degrees Celsius; it is NaN or
// infinite if the words are no measurement.
func (c *calibration) object(r raw, o optics) float64 {
	return c.solve(r.ratio(r.object, c.ka), r.ratio(r.ambientNew, c.gb), o)
}

// solve computes the object from both ratios.
func (c *calibration) solve(signal, ambient float64, o optics) float64 {
	part := c.part(ambient)
	background := fourth(part)
	if !math.IsNaN(o.reflected) {
		around := fourth(o.reflected)
		background = around - (around-background)/o.emissivity
	}
	t := 25.0
	for range rounds {
		alpha := c.fa * c.ha * (1 + c.ga*(t-25) + c.fb*(part-25))
		t = math.Sqrt(math.Sqrt(signal/(o.emissivity*alpha)+background)) - kelvin - c.hb
	}
	return t
}

// part returns the temperature of the part as the object's formula needs it, in
// degrees Celsius; it is close to ambient and has its own calibration.
func (c *calibration) part(ambient float64) float64 {
	return (ambient-c.eb)/c.ea + 25
}

// fourth returns the fourth power of the absolute temperature.
func fourth(celsius float64) float64 {
	square := (celsius + kelvin) * (celsius + kelvin)
	return square * square
}
