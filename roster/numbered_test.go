package roster

import (
	"encoding/hex"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// sent is the list as it arrives at another roster.
func sent(t *testing.T, r *Roster) []Person {
	t.Helper()
	var b strings.Builder
	if err := r.Snapshot().WriteList(&b); err != nil {
		t.Fatal(err)
	}
	list, err := Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func numbered(id uint64, p Person) Person {
	p.ID = id
	return p
}

func TestAListWrittenReadsAsTheSamePeople(t *testing.T) {
	r := empty(t)
	list := append(chinesePeople(), student(5, `1班 "甲", 乙`), student(6, `\.`))
	list[0].ColourTime = list[0].ColourTime.Add(7 * time.Millisecond)
	load(t, r, list, 0)
	if got := sent(t, r); !reflect.DeepEqual(got, present(r)) {
		t.Error("the people differ")
	}
}

type deaf struct{}

func (deaf) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestAListThatCannotBeWrittenSaysSo(t *testing.T) {
	r := empty(t)
	load(t, r, school(100), 0)
	if err := r.Snapshot().WriteList(deaf{}); err == nil || !strings.Contains(err.Error(), "write roster list: disk full") {
		t.Errorf("got %v", err)
	}
}

// A gate takes every list of its collector, and never numbers anybody itself.
func TestARosterFilledByNumberedListsIsTheSame(t *testing.T) {
	collector, gate := empty(t), empty(t)
	for _, list := range [][]Person{
		school(50), school(50)[1:], append(school(50)[1:], student(3000, "1班")), school(50),
	} {
		load(t, collector, list, 9)
		c := load(t, gate, sent(t, collector), 9)
		if got, want := gate.Snapshot(), collector.Snapshot(); got.Hash != want.Hash {
			t.Fatalf("after %v the rosters differ", c)
		}
		if again := load(t, gate, sent(t, collector), 0); again.Version != c.Version {
			t.Errorf("the same list once more makes %v", again)
		}
	}
}

func TestNumbersGoOnAboveTheHighestTaken(t *testing.T) {
	r := empty(t)
	load(t, r, []Person{numbered(900, student(1, "1班")), numbered(30, student(2, "1班"))}, 0)
	load(t, r, []Person{student(1, "1班"), student(2, "1班"), student(3, "1班")}, 0)
	if p := find(t, r, "3"); p.ID != 901 {
		t.Errorf("the next is %v", p)
	}
	if a, b := find(t, r, "1"), find(t, r, "2"); a.ID != 900 || b.ID != 30 {
		t.Errorf("got %v and %v", a, b)
	}
}

func TestOtherRosterNumbersAreRefused(t *testing.T) {
	one, two, three, gone := student(1, "1班"), student(2, "1班"), student(3, "1班"), student(9, "1班")
	for _, tt := range []struct {
		rule string
		list []Person
		row  string // empty where the list is taken
	}{
		{"the same numbers are taken", []Person{numbered(1, one), numbered(2, two)}, ""},
		{"the order is free", []Person{numbered(2, two), numbered(1, one)}, ""},
		{"somebody new may have any free number", []Person{numbered(1, one), numbered(2, two), numbered(77, three)}, ""},
		{"who comes back has the old number", []Person{numbered(1, one), numbered(2, two), numbered(3, gone)}, ""},
		{"who is known keeps the number", []Person{numbered(1, one), numbered(77, two)}, "row 3"},
		{"who left keeps the number", []Person{numbered(1, one), numbered(2, two), numbered(4, gone)}, "row 4"},
		{"two may not swap", []Person{numbered(2, one), numbered(1, two)}, "row 2"},
		{"somebody new may not have another's", []Person{numbered(1, three), numbered(2, two)}, "row 2"},
		{"nor the number of somebody who left", []Person{numbered(1, one), numbered(2, two), numbered(3, three)}, "row 4"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			r := empty(t)
			load(t, r, []Person{one, two, gone}, 0)
			load(t, r, []Person{one, two}, 1)
			before := r.Snapshot()
			_, previewErr := r.Preview(t.Context(), tt.list)
			_, err := r.Import(t.Context(), tt.list, ImportOpts{AllowLeft: 9})
			if tt.row == "" {
				if err != nil || previewErr != nil {
					t.Errorf("got %v, preview %v", err, previewErr)
				}
				return
			}
			if !errors.Is(err, ErrNumbering) || !errors.Is(previewErr, ErrNumbering) || r.Snapshot() != before {
				t.Fatalf("got %v, preview %v", err, previewErr)
			}
			if !strings.Contains(err.Error(), "first in "+tt.row+":") || strings.Contains(err.Error(), "学生") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Otherwise the collector would give the number of who left to the next who
// comes, and the gate would refuse its lists for ever.
func TestARosterBegunWithEverybodyGivesNoNumberASecondTime(t *testing.T) {
	gate, collector := empty(t), empty(t)
	load(t, gate, school(3), 0)
	load(t, gate, school(2), 1)
	var b strings.Builder
	if err := gate.Snapshot().WriteEverybody(&b); err != nil {
		t.Fatal(err)
	}
	if gone := find(t, gate, "1002"); strings.Contains(b.String(), gone.Badge) {
		t.Error("the badge of who left stands in the list")
	}
	list, err := Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, collector, list, 0)
	if len(c.Added) != 2 || collector.Snapshot().Hash != gate.Snapshot().Hash || !find(t, collector, "1002").Left {
		t.Errorf("begun with %v", c)
	}
	load(t, collector, append(school(2), student(5000, "1班")), 0)
	if p := find(t, collector, "5000"); p.ID != 4 {
		t.Errorf("the next is %v", p)
	}
	load(t, gate, sent(t, collector), 0)
	if collector.Snapshot().Hash != gate.Snapshot().Hash {
		t.Error("the gate's roster differs")
	}
}

func TestWhoIsSaidToHaveLeftLeaves(t *testing.T) {
	r := empty(t)
	load(t, r, school(40), 0)
	list := sent(t, r)
	list[0].Left = true
	if c := load(t, r, list, 0); !slices.Equal(c.Left, []string{"1000"}) {
		t.Errorf("got %v", c)
	}
	if p := find(t, r, "1000"); !p.Left || p.Name != list[0].Name {
		t.Error("who left is not kept")
	}
}

func TestABadgeWithdrawnHereStaysDeadInANumberedList(t *testing.T) {
	const lost, bound, next = "1111111111111111", "2222222222222222", "3333333333333333"
	r := empty(t)
	list := school(2)
	list[0].Badge = lost
	load(t, r, list, 0)
	old := sent(t, r)
	if _, err := r.BindBadge(t.Context(), 1, bound, "guard"); err != nil {
		t.Fatal(err)
	}
	badges := func() [2]string { return [2]string{find(t, r, "1000").Badge, find(t, r, "1001").Badge} }
	want := [2]string{bound, old[1].Badge}
	if c := load(t, r, old, 0); c.Version != 2 || badges() != want {
		t.Errorf("the old list: %v", c)
	}
	if old[0].Badge != lost {
		t.Error("the caller's list was changed")
	}
	// Nor does it come back to life for somebody else.
	old[0].Badge, old[1].Badge = bound, lost
	if load(t, r, old, 0); badges() != want {
		t.Error("somebody else got the lost badge")
	}
	stranger := numbered(50, student(50, "1班"))
	stranger.Badge = lost
	if load(t, r, append(old, stranger), 0); !isBadge(find(t, r, "50").Badge) || find(t, r, "50").Badge == lost {
		t.Error("somebody new got the lost badge, or none")
	}
	// A new one from the collector takes effect.
	old[0].Badge = next
	if load(t, r, old, 1); badges() != [2]string{next, want[1]} {
		t.Error("the new badge was not taken")
	}
}

// Numbers may come in below those that are known.
func TestUndoOfANumberedListRestoresEverybody(t *testing.T) {
	r := empty(t)
	load(t, r, []Person{numbered(10, student(1, "1班")), numbered(20, student(2, "1班"))}, 0)
	before := r.Snapshot()
	load(t, r, []Person{numbered(5, student(3, "1班")), numbered(10, student(1, "2班")), numbered(20, student(2, "1班"))}, 0)
	if _, err := r.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.Snapshot().Hash != before.Hash || !find(t, r, "3").Left {
		t.Error("undo did not restore")
	}
}

func TestAKeyTellsAPersonAndNothingElse(t *testing.T) {
	p := Person{ID: 7, Number: "2021001", Name: "甲", Class: "1班", Role: Student, Badge: "1111111111111111", Colour: Red}
	// printf 'menshen subject 1\n\0\0\0\0\0\0\0\7\0\0\0\0072021001' | sha256sum
	const want = "661b1c87cf9003a4e7845ff6bccdf957fd6c069edff5de37daa13c2b5677cc7d"
	key := p.Key()
	if got := hex.EncodeToString(key[:]); got != want {
		t.Errorf("key is %s", got)
	}
	other := Person{ID: 7, Number: "2021001", Name: "乙", Badge: "2222222222222222", Left: true}
	if other.Key() != key {
		t.Error("a key is of more than the two numbers")
	}
	for _, other := range []Person{{ID: 8, Number: "2021001"}, {ID: 7, Number: "2021002"}, {ID: 7}} {
		if other.Key() == key {
			t.Errorf("%v has the same key", other)
		}
	}
}
