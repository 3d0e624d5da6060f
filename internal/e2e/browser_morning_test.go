package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

// pupils fill classes of which one is found by a letter: twenty of fourteen.
const pupils = 280

// warm is stopped, and is normal again a moment later.
const warm e2e.Centi = 3740

// shift is a gate in a browser that somebody works at.
type shift struct {
	*testing.T
	*e2e.Hand
	bench *e2e.Bench
	gate  *e2e.Gate
}

// shifts runs a morning by touch, and again by keys alone.
func shifts(t *testing.T, work func(*shift)) {
	e2e.Long(t)
	for name, keys := range map[string]bool{"by touch": false, "by keys alone": true} {
		t.Run(name, func(t *testing.T) {
			b := e2e.NewBench(t, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond})
			g := b.Run()
			b.EnrolCrew(pupils)
			s := &shift{t, g.Window().Hand(keys), b, g}
			work(s)
			g.StopCleanly()
			b.MustAudit()
			b.MustVerify()
		})
	}
}

// did waits for an answer with an act, in the names of these people.
func (s *shift) did(what string, act uint8, subject uint64, by ...uint64) {
	s.Helper()
	e := s.bench.AwaitEntry(what, 1, func(e e2e.Entry) bool { return e.Answer != nil && e.Answer.Act == act && e.Answer.Subject == subject })
	if !slices.Equal(e.Answer.By, by) {
		s.Errorf("%s: done by %v, want %v", what, e.Answer.By, by)
	}
}

// offered scans the badge of one of the crew until the page offers to sign on:
// what comes while a port is being opened is lost.
func (s *shift) offered(lane, person int) {
	s.Helper()
	e2e.Await(s, e2e.Soon, "the page offers to sign on", func() bool {
		s.bench.Scanners[lane].Scan(s, e2e.Badge(person))
		return e2e.Poll(2*time.Second, s.has(".offer button"))
	})
}

// has reports whether the page has an element.
func (s *shift) has(selector string) func() bool {
	return func() bool {
		there, err := s.Text(fmt.Sprintf("String(!!document.querySelector(%q))", selector))
		return err == nil && there == "true"
	}
}

// aside stops a pupil and sets it aside by one press.
func (s *shift) aside(lane, pupil int, c e2e.Centi, outcome uint8) {
	s.Helper()
	s.bench.Lane(lane).Stop(pupil, c, outcome)
	s.Do(fmt.Sprintf("#lane-%d button[value=aside]", lane))
	s.MustAwait(fmt.Sprintf("!document.querySelector('#lane-%d.stop') && document.querySelector('#asides li')", lane))
	s.bench.Relay.AwaitState(s, e2e.Red(lane), false)
	s.Took("setting aside", 1)
}

// Who is meant in an entry.
const (
	guardID  = 1
	reliefID = pupils + 2
	nurseID  = pupils + 3
)

// TestAGuardsMorningInTheBrowser is what a guard does between half past six and
// eight, with the presses that each of it may cost.
func TestAGuardsMorningInTheBrowser(t *testing.T) {
	shifts(t, func(s *shift) {
		s.Visit("/guard/")
		s.offered(2, 0) // no pupil comes by that lane while it waits for the guard
		s.Do(".offer button")
		s.MustAwait("document.querySelector('.duty').textContent.includes('门') && !document.querySelector('.offer')")
		s.Took("signing on beside the scan", 1)

		s.bench.Lane(1).Admit(1)
		s.aside(1, 2, warm, e2e.Recheck)
		s.did("set aside", entry.ActAside, e2e.Subject(2), guardID)

		s.Visit("/desk/")
		s.Do("#asides a.card")
		s.Type("369")
		s.Do("button[name=instrument][value=ear]")
		s.MustAwait("location.pathname === '/desk/' && document.querySelector('#strip') && !document.querySelector('#asides li')")
		s.Took("measuring again", 5)
		s.did("measured again", entry.ActTemperatureTyped, e2e.Subject(2), guardID)
		e2e.Await(s, e2e.Soon, "whom the ear cleared comes in by any lane, without the lens", func() bool {
			s.bench.Scanners[2].Scan(s, e2e.Badge(2))
			return e2e.Poll(10*time.Second, func() bool { return s.bench.Lane(2).Ons() > 0 })
		})

		s.hold(3)
		s.forgottenBadge(5)
		s.handOver()
		s.closedLane()
	})
}

// hold puts a pupil on hold, whom a lane then stops.
func (s *shift) hold(pupil int) {
	s.Helper()
	s.Do("form[action='/desk/hold'] button")
	s.Do(fmt.Sprintf("button[name=class][value='%s']", e2e.Class(pupil)))
	s.Do(fmt.Sprintf("button[name=subject][value='%d']", e2e.Subject(pupil)))
	s.Do("button[name=reason][value=vomiting]")
	s.Do("button[name=until]")
	s.MustAwait("location.pathname === '/desk/' && document.querySelector('#holds li')")
	s.Took("a hold", 5)
	s.did("held by name", entry.ActHoldPlaced, e2e.Subject(pupil), guardID)
	s.Visit("/guard/")
	s.aside(2, pupil, e2e.Healthy, e2e.Refer)
}

// forgottenBadge names a pupil at a lane, who is then measured there as any. A
// machine that stands still for longer than the lane waits has the pupil come
// again.
func (s *shift) forgottenBadge(pupil int) {
	s.Helper()
	l := s.bench.Lane(1)
	before := l.Ons()
	e2e.Await(s, 3*e2e.Soon, "who was named comes in", func() bool {
		l.Thermometer.Clear()
		s.Visit("/desk/")
		s.Do("form[action='/desk/named'] button[value='1']")
		s.Do(fmt.Sprintf("button[name=class][value='%s']", e2e.Class(pupil)))
		s.Do("button[name=letters][value=x]")
		l.Thermometer.Show(e2e.Empty)
		s.Do(fmt.Sprintf("button[name=subject][value='%d']", e2e.Subject(pupil)))
		s.Took("a forgotten badge", 4)
		l.Thermometer.AwaitSeen(s, 2)
		l.Thermometer.Show(e2e.Healthy)
		return e2e.Poll(10*time.Second, func() bool { return l.Ons() > before })
	})
	l.Thermometer.Clear()
	s.did("named", entry.ActNamed, e2e.Subject(pupil), guardID)
}

// handOver gives the gate to the relief: one scan and one press.
func (s *shift) handOver() {
	s.Helper()
	s.Visit("/guard/")
	s.offered(1, e2e.Relief)
	s.Do(".offer button[value=take-over]")
	s.MustAwait("!document.querySelector('.offer') && !document.querySelector('.duty').textContent.includes('门')")
	s.Took("the hand-over beside the scan", 1)
	s.aside(2, 4, warm, e2e.Recheck)
	s.did("set aside by the relief", entry.ActAside, e2e.Subject(4), reliefID)
}

// closedLane pulls the scanner of lane 2 and puts it back.
func (s *shift) closedLane() {
	s.Helper()
	if err := s.bench.Scanners[2].Unplug(); err != nil {
		s.Fatal(err)
	}
	s.MustAwait("document.querySelector('#lane-2.attended .fault') && !document.querySelector('#lane-1.attended')")
	if err := s.bench.Scanners[2].Plug(); err != nil {
		s.Fatal(err)
	}
	s.MustAwait("!document.querySelector('#lane-2.attended')")
	s.Took("a lane that is closed", 0)
}

// TestANursesMorningInTheBrowser is one fever from the alarm to the end of its
// case, which here is a false one.
func TestANursesMorningInTheBrowser(t *testing.T) {
	shifts(t, func(s *shift) {
		s.Visit("/sign-on")
		s.Into("#badge")
		s.Type(e2e.Badge(e2e.Nurse))
		s.Into("#pin")
		s.Type(e2e.PIN)
		s.Do(".enter button.main")
		s.MustAwait("location.pathname !== '/sign-on'")
		s.Took("signing on by digits", 25)

		guard := s.gate.SignOn()
		s.Visit("/isolation/")
		s.bench.Lane(1).HoldAt(guard, 2, 3860, e2e.Isolate)
		s.Do("#alarms form[action='/isolation/answer'] button")
		s.MustAwait("document.querySelector('#cases li') && !document.querySelector('#alarms')")
		s.Took("answering the alarm", 1)

		s.Do("#cases button[value=arrived]")
		s.MustAwait("document.querySelector('#cases li') && !document.querySelector('#cases .coming')")
		s.Took("receiving the child", 1)

		s.Do("#cases a.card")
		s.Type("365")
		s.Do("form.type .enter button")
		s.MustAwait("document.querySelector('.result')")
		s.Took("taking the temperature", 5)

		s.Do("button[value=back-to-class]")
		s.MustAwait("location.pathname === '/isolation/' && document.querySelector('#cases') && !document.querySelector('#cases li')")
		s.Took("sending back to class", 1)

		for _, step := range []uint8{entry.CaseArrived, entry.CaseMeasured, entry.CaseBackToClass} {
			e := s.bench.AwaitEntry(fmt.Sprintf("step %d of the case", step), 1, func(e e2e.Entry) bool { return e.Case != nil && e.Case.Step == step })
			if e.Case.Subject != e2e.Subject(2) || !slices.Contains(e.Case.By, uint64(nurseID)) {
				s.Errorf("step %d: %+v", step, *e.Case)
			}
		}
	})
}

// TestARestartIsSaidOnThePage pulls the gate's plug under an open page. Who is on
// duty and who was set aside are as before when it is back.
func TestARestartIsSaidOnThePage(t *testing.T) {
	e2e.Long(t)
	b := e2e.NewBench(t, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond})
	g := b.Run()
	b.EnrolCrew(pupils)
	w := g.Window()
	w.Visit("/guard/")
	e2e.Await(t, e2e.Soon, "the guard signs on", func() bool { // the page may be grey for a moment
		b.Scanners[2].Scan(t, e2e.Badge(0))
		if !e2e.Poll(2*time.Second, func() bool { return w.Tap(".offer button") == nil }) {
			return false
		}
		return e2e.Poll(5*time.Second, func() bool {
			who, err := w.Text("document.querySelector('.duty').textContent")
			return err == nil && strings.Contains(who, "门")
		})
	})
	b.Lane(1).Stop(2, warm, e2e.Recheck)
	w.MustAwait("document.querySelector('#lane-1.stop')")

	g.Kill()
	w.MustAwait("!document.getElementById('lost').hidden && document.getElementById('live').inert")
	w.MustAwait("[...document.querySelectorAll('#lost .late')].some((p) => !p.hidden)")

	again := b.Run()
	w = again.WindowOf(w)
	w.Visit("/guard/")
	w.MustAwait("document.querySelector('.duty').textContent.includes('门')")
	b.Lane(2).Admit(1)
	again.StopCleanly()
	b.MustVerify()
}
