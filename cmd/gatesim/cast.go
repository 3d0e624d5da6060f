package main

import "github.com/menshen/menshen/internal/rig"

// cast is who plays what.
type cast struct {
	// Pupils with a part of their own.
	rider, colder, warm, feverish, held, offline, late, after rig.Person
	forgetful                                                 [2]rig.Person
	// crowd are all other pupils.
	crowd []rig.Person
	// you, desk, nurse and leader are for whoever watches; the others act.
	you, desk, nurse, leader rig.Person
	east, west, relief       rig.Person // guards of the script
}

// assign gives out the parts, spread over all classes.
func assign(pupils, staff []rig.Person) cast {
	var c cast
	parts := []*rig.Person{&c.rider, &c.colder, &c.warm, &c.feverish, &c.held, &c.offline, &c.late, &c.after, &c.forgetful[0], &c.forgetful[1]}
	every := len(pupils) / len(parts)
	for i, p := range pupils {
		if i%every == 0 && i/every < len(parts) {
			*parts[i/every] = p
		} else {
			c.crowd = append(c.crowd, p)
		}
	}
	for _, s := range staff {
		switch s.Number {
		case "G1":
			c.you = s
		case "G2":
			c.east = s
		case "G3":
			c.west = s
		case "G4":
			c.relief = s
		case "D1":
			c.desk = s
		case "N1":
			c.nurse = s
		case "L1":
			c.leader = s
		}
	}
	return c
}
