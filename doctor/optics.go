package doctor

import "math"

// spot is how wide a forehead of a child is that fills a thermometer's view, in
// millimetres.
const spot = 50

// Optic is one field of view of an MLX90614: the third letter behind its number,
// MLX90614xxA, which no register tells (data sheet 3901090614, "Ordering
// information").
type Optic struct {
	Letter  string
	Degrees int
}

// Optics are those that are sold, the widest first.
func Optics() []Optic { return []Optic{{"A", 90}, {"C", 35}, {"H", 12}, {"F", 10}, {"I", 5}} }

// Millimetres is how far from the part a forehead fills its view: half the spot
// over the tangent of half the angle.
func (o Optic) Millimetres() int {
	half := float64(o.Degrees) / 2 * math.Pi / 180
	return int(math.Round(spot / 2 / math.Tan(half)))
}
