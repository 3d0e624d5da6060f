package doctor

import "testing"

// The distances are those of the parts' data sheets for a spot of 5 cm.
func TestAFieldOfViewGivesTheDistance(t *testing.T) {
	want := map[string]int{"A": 25, "C": 79, "H": 238, "F": 286, "I": 573}
	for _, o := range Optics() {
		if got := o.Millimetres(); got != want[o.Letter] {
			t.Errorf("%s, %d degrees: got %d mm, want %d", o.Letter, o.Degrees, got, want[o.Letter])
		}
	}
}
