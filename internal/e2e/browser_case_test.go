package e2e_test

import (
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

// TestACaseIsTakenToItsEndByClicks is one fever from the stop at the gate to the
// paper with which the child comes back, by touch alone: nothing is typed but a
// temperature and a PIN, on the page's own digits.
func TestACaseIsTakenToItsEndByClicks(t *testing.T) {
	b := e2e.NewBench(t, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond})
	g := b.Run()
	b.EnrolCrew(pupils)
	b.Gatectl("", "roster", "duty", "T2", "leader") // has the room, and may vouch
	s := &shift{t, g.Window().Hand(false), b, g}
	s.Visit("/sign-on")
	s.Into("#badge")
	s.Type(e2e.Badge(e2e.Nurse))
	s.Into("#pin")
	s.Type(e2e.PIN)
	s.Do(".enter button.main")
	s.MustAwait("location.pathname !== '/sign-on'")
	s.Took("signing on by digits", 25)

	s.Visit("/guard/")
	s.aside(1, 2, 3860, e2e.Isolate)
	s.Visit("/isolation/")
	s.Do("#alarms form[action='/isolation/answer'] button")
	s.Do("#cases button[value=arrived]")
	s.Do("#cases a.card")
	s.Type("385")
	s.Do("form.type .enter button")
	s.MustAwait("document.querySelector('.result.fever')")
	s.Do("form[action='/isolation/diagnosis'] button")
	s.Do("button[name=reason][value=fever-unexplained]")
	s.Do("button[name=kind][value=suspected]")
	for _, duty := range []string{"leader", "cdc", "bureau"} {
		s.Do("button[name=duty][value=" + duty + "]")
	}
	s.Do("form[action='/isolation/home'] button")
	s.Do("button[name=vouched]")
	s.Do("button[name=leader]")
	s.Type(e2e.PIN)
	s.Do("button[name=relation][value=mother]")
	s.MustAwait("document.querySelector('#returns li') && !document.querySelector('#cases li')")

	s.Visit("/guard/") // well again, and green, but nobody has shown anything
	s.bench.Lane(1).Stop(2, e2e.Healthy, e2e.Refer)
	s.MustAwait("/应返校查验|Return not checked/.test(document.querySelector('#lane-1').textContent)")
	s.Do("#lane-1 button[value=aside]")
	s.bench.Relay.AwaitState(s, e2e.Red(1), false)

	s.Visit("/isolation/")
	s.Do("#returns form[action='/isolation/return'] button")
	s.Do("button[name=reason][value=fever-unexplained]")
	s.Do(".acts[action='/isolation/return'] button.main")
	s.Do("button[name=proof][value=certificate]")
	s.Do("button[name=day][value=today]")
	s.MustAwait("document.querySelector('#returns .cleared')")
	s.bench.Lane(1).Admit(2)
	s.MustAwait("document.querySelector('#ended li') && !document.querySelector('#returns li')")

	for _, step := range []uint8{entry.CaseArrived, entry.CaseMeasured, entry.CaseSuspected, entry.CaseTold, entry.CaseHome, entry.CaseDiagnosed, entry.CaseCleared, entry.CaseReturned} {
		e := b.AwaitEntry("a step of the case", 1, func(e e2e.Entry) bool { return e.Case != nil && e.Case.Step == step })
		byNurse := slices.Contains(e.Case.By, uint64(nurseID))
		if e.Case.Subject != e2e.Subject(2) || byNurse == (step == entry.CaseReturned) {
			t.Errorf("step %d: %+v", step, *e.Case)
		}
	}
	g.StopCleanly()
	b.MustVerify()
}
