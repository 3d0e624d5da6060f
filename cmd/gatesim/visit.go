package main

import (
	"math/rand/v2"

	"github.com/menshen/menshen/internal/rig"
)

// visit is how one person behaves in a lane.
type visit struct {
	person   rig.Person
	forehead float64 // degrees Celsius
	cold     bool    // cold at first, then warm
	runsOn   bool    // scans and does not stop to be measured
	pulled   bool    // the scanner's plug is pulled before
	what     string  // for the audience; empty where nothing is special
}

// visits makes up how people behave at one lane. The same seed gives the same
// visits in the same order.
func visits(seed uint64, lane int, people []rig.Person) []visit {
	random := rand.New(rand.NewPCG(seed, uint64(lane)+9))
	list := make([]visit, len(people))
	for i, p := range people {
		v := visit{person: p, pulled: lane == 2 && i%60 == 29}
		v.forehead = min(max(36.4+0.25*random.NormFloat64(), 35.6), 37.1)
		switch x := random.Float64(); {
		case x < 0.02:
			v.person.Badge = "9999000011112222"
			v.what = "an unknown badge"
		case x < 0.05:
			v.runsOn, v.what = true, "scans and runs on"
		case x < 0.06:
			v.forehead, v.what = 37.6, "37.6"
		case x < 0.16:
			v.cold, v.what = true, "a cold forehead, then warm"
		}
		list[i] = v
	}
	return list
}
