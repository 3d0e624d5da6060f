package calibration

import (
	"fmt"
	"strings"

	"github.com/menshen/menshen/screening"
)

// What a check by people needs: three are few enough to find at any gate, and
// 0.5 K is what the national institute of metrology allows between an armpit and
// an instrument in the field.
const (
	// People who are measured twice, and FieldLimit between the two.
	People                      = 3
	FieldLimit screening.MilliC = 500
)

// Field says whether an instrument agrees, person by person, with a clinical
// thermometer. It computes no correction: people have no known temperature.
// Each point is one person; the reference is the clinical thermometer's.
func Field(points []Point, c screening.Correction) error {
	if len(points) != People {
		return fmt.Errorf("%d people, want %d", len(points), People)
	}
	for i, p := range points {
		if err := p.Check(); err != nil {
			return err
		}
		if d := c.Of(p.Shown) - p.Reference; d > FieldLimit || d < -FieldLimit {
			return fmt.Errorf("person %d: the gate shows %s °C and the clinical thermometer %s °C, at most %s K are allowed between them", i+1, c.Of(p.Shown), p.Reference, FieldLimit)
		}
	}
	return nil
}

// What a check of heights needs: a first-year pupil, one in the fourth year and
// an adult, whom one lens has to see alike.
const (
	// HeightLimit lies between the lowest and the highest of three readings.
	HeightLimit screening.MilliC = 300
	// heightAbout is how far a height may be from the one that is asked for, in
	// millimetres.
	heightAbout = 100
)

// Heights are the three heights of a lens's check, in millimetres.
func Heights() []int { return []int{1_000, 1_300, 1_700} }

// Height is what was shown of somebody of that height.
type Height struct {
	// MM is the height in millimetres.
	MM int
	// Shown is the median reading.
	Shown screening.MilliC
}

// CheckHeights says whether each height was seen, and all alike.
func CheckHeights(list []Height) error {
	want := Heights()
	if len(list) != len(want) {
		return fmt.Errorf("%d heights, want %d", len(list), len(want))
	}
	lowest, highest := list[0].Shown, list[0].Shown
	for i, h := range list {
		switch {
		case h.MM < want[i]-heightAbout || h.MM > want[i]+heightAbout:
			return fmt.Errorf("height %d mm, want about %d", h.MM, want[i])
		case h.Shown < screening.EmptyBelow || h.Shown > screening.BodyAbove:
			return fmt.Errorf("nobody is seen at %d mm: %s °C; tilt the lens, or lower it", h.MM, h.Shown)
		}
		lowest, highest = min(lowest, h.Shown), max(highest, h.Shown)
	}
	if highest-lowest > HeightLimit {
		return fmt.Errorf("the heights differ by %s K, at most %s are allowed: mark where to stand, and tilt the lens", highest-lowest, HeightLimit)
	}
	return nil
}

// HeightsText spells the readings at three heights in one line.
func HeightsText(list []Height) string {
	var parts []string
	for _, h := range list {
		parts = append(parts, fmt.Sprintf("%d:%d", h.MM, h.Shown))
	}
	return strings.Join(parts, " ")
}
