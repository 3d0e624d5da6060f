package main

import (
	"math/rand/v2"

	"github.com/menshen/menshen/internal/rig"
)

// visit is how one person behaves in a lane.
type visit struct {
	person   rig.Person
	forehead float64 // degrees Celsius
	tries    int     // how often the forehead is too cold first
	runsOn   bool    // scans and does not stop to be measured
	carried  bool    // does not look into the lens: something else was measured
	named    bool    // has no badge: the desk says who it is
	zh, en   string  // for the audience; empty where nothing is special
}

// visits makes up how the crowd behaves at one lane. The same seed gives the
// same visits in the same order.
func visits(seed uint64, lane int, people []rig.Person) []visit {
	random := rand.New(rand.NewPCG(seed, uint64(lane)+9))
	list := make([]visit, len(people))
	for i, p := range people {
		v := visit{person: p}
		v.forehead = min(max(36.4+0.25*random.NormFloat64(), 35.6), 37.1)
		switch x := random.Float64(); {
		case x < 0.01:
			v.person.Badge = "9999000011112222"
			v.zh, v.en = "不认识的卡", "an unknown badge"
		case x < 0.03:
			v.runsOn, v.zh, v.en = true, "刷了卡就跑", "scans and runs on"
		case x < 0.09:
			v.tries = 1 // rode a bicycle
		}
		list[i] = v
	}
	return list
}
