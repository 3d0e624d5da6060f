package rig

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// Person is one row of a made-up roster.
type Person struct {
	Number, Name, Class, Role, Badge, Colour string
	// Parent and Phone are of a pupil's first guardian.
	Parent, Phone string
	// Duties are as gatectl takes them; empty for pupils.
	Duties string
}

// People makes up n pupils in classes of forty, and the staff beside them, in
// the order of their numbers: guards "G1" to "G4", "D1" of the desk, "N1" the
// nurse and "L1" the leader on duty. The same seed gives the same people. Names
// are composed of common characters and belong to nobody, and no phone has a
// number that begins with 10.
func People(seed uint64, n int) (pupils, staff []Person) {
	r := rand.New(rand.NewPCG(seed, 1))
	family, given := []rune("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"), []rune("一子梓浩宇涵欣怡雨轩辰诺思明嘉文博俊佳瑞")
	name := func() string {
		s := string(family[r.IntN(len(family))])
		for range 1 + r.IntN(2) {
			s += string(given[r.IntN(len(given))])
		}
		return s
	}
	for i := range n {
		class := i / 40
		pupils = append(pupils, Person{
			Number: fmt.Sprintf("2026%04d", i+1), Name: name(), Class: fmt.Sprintf("%d年级%d班", class/5+1, class%5+1), Role: "student",
			Badge: badge(r), Parent: "家长", Phone: fmt.Sprintf("1000000%04d", r.IntN(10_000)),
		})
	}
	for _, s := range [][2]string{
		{"G1", "guard"}, {"G2", "guard"}, {"G3", "guard"}, {"G4", "guard"}, {"D1", "desk"}, {"N1", "nurse"}, {"L1", "leader"},
	} {
		staff = append(staff, Person{Number: s[0], Name: name(), Role: "staff", Badge: badge(r), Colour: "green", Duties: s[1]})
	}
	return pupils, staff
}

func badge(r *rand.Rand) string { return fmt.Sprintf("%016d", r.Uint64N(1e16)) }

// listOf writes people as a school's list.
func listOf(people []Person) io.Reader {
	var list strings.Builder
	list.WriteString("学号,姓名,班级,角色,卡号,监护人1,电话1,码色,码色时间\n")
	for _, p := range people {
		at := ""
		if p.Colour != "" {
			at = time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)
		}
		fmt.Fprintf(&list, "%s,%s,%s,%s,%s,%s,%s,%s,%s\n", p.Number, p.Name, p.Class, p.Role, p.Badge, p.Parent, p.Phone, p.Colour, at)
	}
	return strings.NewReader(list.String())
}
