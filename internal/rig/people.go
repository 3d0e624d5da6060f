package rig

import (
	"fmt"
	"math/rand/v2"
)

// Person is one row of a made-up roster.
type Person struct{ Number, Name, Class, Role, Badge, Colour string }

// People makes up n pupils in classes of forty, and two guards behind them,
// "G1" and "G2". The same seed gives the same people. Names are composed of common
// characters and belong to nobody.
func People(seed uint64, n int) []Person {
	r := rand.New(rand.NewPCG(seed, 1))
	family, given := []rune("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"), []rune("一子梓浩宇涵欣怡雨轩辰诺思明嘉文博俊佳瑞")
	name := func() string {
		s := string(family[r.IntN(len(family))])
		for range 1 + r.IntN(2) {
			s += string(given[r.IntN(len(given))])
		}
		return s
	}
	people := make([]Person, 0, n+2)
	for i := range n {
		class := i / 40
		people = append(people, Person{
			Number: fmt.Sprintf("2026%04d", i+1), Name: name(), Class: fmt.Sprintf("%d年级%d班", class/5+1, class%5+1), Role: "student",
			Badge: badge(r),
		})
	}
	for _, number := range []string{"G1", "G2"} {
		people = append(people, Person{Number: number, Name: name(), Class: "保卫", Role: "staff", Badge: badge(r), Colour: "green"})
	}
	return people
}

func badge(r *rand.Rand) string { return fmt.Sprintf("%016d", r.Uint64N(1e16)) }
