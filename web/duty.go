package web

import "strings"

// Duty is a set of what somebody does at a gate. The bits are those of whoever
// implements Staff, and are never given another meaning.
type Duty uint8

// The duties.
const (
	DutyGuard   Duty = 1 << iota // stands at the lanes
	DutyDesk                     // finishes who was set aside
	DutyNurse                    // has the isolation room
	DutyLeader                   // all of them
	DutyTeacher                  // checks a class, dormitory or bus
)

// Any reports whether one of these duties is among d. A leader has them all.
func (d Duty) Any(of Duty) bool { return d&(of|DutyLeader) != 0 && of != 0 }

// String returns the duties' words with commas between, "none" if there is none.
func (d Duty) String() string {
	return setString(uint8(d), "guard", "desk", "nurse", "leader", "teacher")
}

// Place is a set of where browsers stand, which says what they may show.
type Place uint8

// The places. A browser that runs on the gate itself is at every one of them.
const (
	PlaceGuard Place = 1 << iota // at the lanes, as the gate's own screen
	PlaceDesk                    // where who was set aside is finished
	PlaceRoom                    // in the isolation room
	PlaceAny                     // anywhere, paired or not
	PlaceClass                   // in a teacher's hand
	PlaceSetup                   // in the hand of who installs the gate
)

// placePaired is every kind that a browser of another machine can be paired as.
const placePaired = PlaceGuard | PlaceDesk | PlaceRoom | PlaceClass | PlaceSetup

// String returns the places' words with commas between, "none" if there is none.
func (s Place) String() string {
	return setString(uint8(s), "guard", "desk", "room", "any", "class", "setup")
}

// ParsePlace reads the one word of a kind that a browser can be paired as.
func ParsePlace(word string) (Place, bool) {
	for _, s := range append(Places(), PlaceSetup) {
		if s.String() == word {
			return s, true
		}
	}
	return 0, false
}

// Places are the kinds that a browser can be paired as by the guard's page, in the
// order of their buttons. PlaceSetup is paired by the page of that name.
func Places() []Place { return []Place{PlaceDesk, PlaceRoom, PlaceClass, PlaceGuard} }

func setString(set uint8, names ...string) string {
	var words []string
	for i, name := range names {
		if set&(1<<i) != 0 {
			words = append(words, name)
		}
	}
	if words == nil {
		return "none"
	}
	return strings.Join(words, ",")
}
