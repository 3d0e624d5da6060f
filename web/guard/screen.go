package guard

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/menshen/menshen/web"
)

// screen is what the templates see.
type screen struct {
	web.Page
	View View
	// Said is the key of the answer to the last press, or empty.
	Said string
}

// part is one lane, one alarm or one person set aside, with the screen it
// stands on.
type part struct {
	Screen screen
	Item   any
}

// Of hands an item to a template of its own.
func (s screen) Of(item any) part { return part{s, item} }

// panel is a part that opens on a press of Key. Of the panels in one Group the
// browser keeps one open.
type panel struct {
	part
	Key, Group string
}

// Panel returns a panel that stands on the screen itself, Inner one inside it.
func (s screen) Panel(item any, key string) panel { return panel{s.Of(item), key, "panel"} }

// Inner returns a panel inside another.
func (s screen) Inner(item any, key string) panel { return panel{s.Of(item), key, "inner"} }

// keyed lanes have a column of a number pad each: lane 1 the keys 1, 4 and 7.
const keyed = 3

// Key returns the digit of one of a lane's three buttons, or nothing for a lane
// beyond the pad.
func (screen) Key(lane, row int) string {
	if lane < 1 || lane > keyed {
		return ""
	}
	return fmt.Sprint(lane + keyed*row)
}

// Pick returns the key of the i-th choice in an open panel. None is a digit:
// those are typed there, or are a lane's.
// There are four keys; a fifth choice has none.
func (screen) Pick(i int) string {
	keys := [...]string{"/", "*", "-", "+"}
	if i >= len(keys) {
		return ""
	}
	return keys[i]
}

// HasMore reports whether a lane has acts beside its first two buttons.
func (s screen) HasMore(l Lane) bool {
	return l.CanTurnAway || l.CanOverride || l.CanAside && l.CanAcknowledge || l.CanType && l.CanColour ||
		len(l.Looks) > 0 && (l.CanType || l.CanColour) || s.held(l) && (l.CanMask || l.CanSymptoms)
}

// AsksClock says that somebody is here who can say whether the clock is right.
func (s screen) AsksClock() bool { return s.SignedOn && !s.View.ClockTrusted }

// Minute is the gate's time as the page asks about it.
func (s screen) Minute() string { return minute(s.View.Now) }

// Problem returns the words of one line of the strip.
func (s screen) Problem(p Problem) string { return s.T("problem."+p.Key, p.Args...) }

// Change says one thing that is new in the rules. A row that this program has
// no words for is called what the rules call it.
func (s screen) Change(c Change) string {
	said := c.Say.Zh
	if s.Language == web.English {
		said = c.Say.En
	}
	row := "row." + c.Row
	switch {
	case c.Kind == "":
		return said
	case said != "":
		row = said
	case web.Known(row):
		row = s.T(row)
	default:
		row = c.Row
	}
	return s.T("rules."+c.Kind, c.From, c.To, row)
}

// changesWide is how wide the sentences about new rules may be together, in Latin
// letters, so that the lanes keep their place on the smallest screen.
const changesWide = 80

// Changes says what is new in the rules, as far as there is room; one is always
// said, if need be without its end.
func (s screen) Changes(q Question) (list []string) {
	room := changesWide
	for i, c := range q.Changes {
		said, left := within(s.Change(c), room)
		if left < 0 && i > 0 {
			break
		}
		list, room = append(list, said), left
	}
	return list
}

// Unsaid reports whether Changes had no room for all of it.
func (s screen) Unsaid(q Question) bool {
	list := s.Changes(q)
	return len(list) < len(q.Changes) || slices.ContainsFunc(list, func(said string) bool { return strings.HasSuffix(said, "…") })
}

// within cuts a text where it is wider than so many Latin letters, and returns
// how many are left, -1 for none. A Chinese character has two.
func within(s string, letters int) (cut string, left int) {
	for i, r := range s {
		if letters--; r >= 0x2E80 {
			letters--
		}
		if letters < 0 {
			return s[:i] + "…", -1
		}
	}
	return s, letters
}

// Begin says from when an order is.
func (s screen) Begin(q Question) string {
	if q.Date.IsZero() || !q.Date.After(s.View.Now) {
		return s.T("rules.at-once")
	}
	return s.T("rules.from", s.Language.Ahead(q.Date.In(s.View.Now.Location()), s.View.Now))
}

// More says how many problems stand behind the worst.
func (s screen) More() string {
	if n := len(s.View.Problems) - 1; n > 0 {
		return " · " + s.T("strip.more", n)
	}
	return ""
}

// Fault returns the words of one of a lane's faults.
func (s screen) Fault(key string, l Lane) string {
	if key == "scanner-lost" && l.UseLane > 0 {
		return s.T("fault.scanner-lost-use", l.UseLane)
	}
	return s.T("fault." + key)
}

// Word returns a lane's one large word. A lane that has nothing to say is
// ready; an empty picture could be a frozen one.
func (s screen) Word(l Lane) string {
	if l.Word == "" {
		return s.T("phase." + l.Phase)
	}
	return s.T("word." + l.Word)
}

// Reasons are the keys of what stands beside the number.
func (screen) Reasons(l Lane) []string {
	if l.Word == "already-in" && !slices.Contains(l.Reasons, "already-in") {
		return append(slices.Clone(l.Reasons), "already-in")
	}
	return l.Reasons
}

// High reports whether a temperature was at or above its limit, so that the
// two may stand beside each other: "36.6 ≥ 37.3" would be a lie.
func (screen) High(reasons []string) bool {
	return slices.ContainsFunc(reasons, func(r string) bool {
		return r == "high-once" || r == "high-twice" || r == "hard-fever"
	})
}

// Say is what a screen reader says of a lane when it changes.
func (s screen) Say(l Lane) string {
	said := []string{s.T("lane.number", l.Number), s.Word(l), l.Temperature}
	said = append(said, s.Why(l)...)
	return strings.Join(slices.DeleteFunc(said, func(t string) bool { return t == "" }), " ")
}

// Fit returns the classes by which the style sheet gives a lane's word the
// size that its lane can hold: its width in em, and whether it is broken into
// two lines.
func (s screen) Fit(l Lane) string {
	const longest = 70 // tenths of an em that one line may have
	word := s.Word(l)
	w := width(word)
	if w <= longest || !strings.Contains(word, " ") {
		return fmt.Sprintf("e%d", min(12, (w+9)/10))
	}
	best := w
	for i, r := range word {
		if r == ' ' {
			best = min(best, max(width(word[:i]), width(word[i+1:])))
		}
	}
	return fmt.Sprintf("e%d two", min(12, (best+9)/10))
}

// width estimates how wide a bold text is, in tenths of an em: Han characters
// are square, others a little wider than half of that.
func width(text string) int {
	w := 0
	for _, r := range text {
		switch {
		case r == ' ':
			w += 3
		case utf8.RuneLen(r) > 2:
			w += 10
		default:
			w += 6
		}
	}
	return w
}
