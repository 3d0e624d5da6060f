package dossier_test

import (
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/dossier"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
)

func TestWhatARosterSaysIsWhatAPolicyAsksFor(t *testing.T) {
	list, err := roster.Parse(strings.NewReader("number,name,class,role\nS1,李一涵,五年级1班,student\nT1,王建国,,staff\nC1,李红,,service\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []screening.Role{screening.Student, screening.Staff, screening.Service}
	for i, p := range list {
		who, proofs := dossier.Of(p, time.UTC)
		if who.Role != want[i] || who.Grade != p.InGrade() || len(proofs) != 0 {
			t.Errorf("%s is %+v with %v", p.Number, who, proofs)
		}
	}
	if r := dossier.Role("wizard"); r != screening.RoleUnknown {
		t.Errorf("a role that nobody knows is %v", r)
	}
}
