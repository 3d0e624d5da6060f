// Package dossier turns what a roster says of somebody into what a policy asks for:
// who it is, and proofs.
//
// It knows the words of both. It does not know whether a gate or a collector asks,
// nor what anybody shows at a lane.
package dossier

import (
	"time"

	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
)

// Of returns who somebody is to a policy, and the proofs that the roster holds.
// The days of a list begin at midnight in loc.
func Of(p roster.Person, loc *time.Location) (screening.Subject, []screening.Proof) {
	return screening.Subject{ID: p.ID, Role: Role(p.Role), Grade: p.InGrade(), Boarding: boarding(p)}, proofs(p, loc)
}

// Role returns a roster's role as a policy knows it.
func Role(r roster.Role) screening.Role {
	switch r {
	case roster.Student:
		return screening.Student
	case roster.Staff:
		return screening.Staff
	case roster.Service:
		return screening.Service
	}
	return screening.RoleUnknown
}

func boarding(p roster.Person) screening.Boarding {
	return map[roster.Boarding]screening.Boarding{roster.DayPupil: screening.DayPupil, roster.Boarder: screening.Boarder}[p.Evidence.Boarding]
}

func proofs(p roster.Person, loc *time.Location) (all []screening.Proof) {
	e := p.Evidence
	for _, w := range []struct {
		word roster.Word
		of   screening.Evidence
	}{{e.Household, screening.Household}, {e.Star, screening.TripCard}, {e.History, screening.History}} {
		if bad, since, known := w.word.Read(loc); known {
			all = append(all, screening.Proof{Of: w.of, Bad: bad, At: since})
		}
	}
	for _, t := range e.Tests.All() {
		all = append(all, screening.Proof{Of: screening.Tests, Bad: t.Positive, At: t.At})
	}
	for _, d := range e.Documents.All(loc) {
		all = append(all, screening.Proof{Of: screening.Document, Name: d.Name, At: d.At})
	}
	return all
}
