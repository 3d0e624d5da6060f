package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

// What the people of a winter morning bring, in shares of a simulated one.
type manner int

const (
	ordinary manner = iota
	cold            // a rider: too cold at first, then warmed
	lone            // scans and walks on: the next badge ends it
	unknown         // has a badge that nobody has
	high            // stopped, and set aside by the guard
)

// comer is one person of the morning. Its number is a pupil's, or for unknown
// one that no pupil has.
type comer struct {
	manner manner
	number int
}

// crowd returns n people in an order that the seed gives. The last of them are
// ordinary: whoever scans and walks on has somebody behind.
func crowd(n int, seed uint64) []comer {
	var all []comer
	for _, share := range []struct {
		manner   manner
		perMille int
	}{{unknown, 20}, {lone, 30}, {high, 4}, {cold, 100}} {
		for range n * share.perMille / 1000 {
			all = append(all, comer{manner: share.manner})
		}
	}
	r := rand.New(rand.NewPCG(seed, 1))
	all = append(all, make([]comer, n-len(all)-e2e.Lanes)...)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	all = append(all, make([]comer, e2e.Lanes)...)
	for i := range all {
		all[i].number = i + 1
		if all[i].manner == unknown {
			all[i].number += 10 * n
		}
	}
	return all
}

// usher leads people through one lane and has the guard set aside whom it
// stops.
type usher struct {
	e2e.Lane
	bench *e2e.Bench
	page  *e2e.Guard
	// freed says that the person before came in: the next badge waits in the
	// lane and is taken when the barrier rests. Only one can wait.
	freed bool
	// again is how often people came again, by their number.
	again map[int]int
}

// sentAway is how long after a badge nobody waits any more: the lane has ended
// the arrival by then.
const sentAway = 10 * time.Second

// shows waits until the page shows this lane as wanted.
func (u *usher) shows(what string, wanted func(e2e.ShownLane) bool) error {
	var last e2e.ShownLane
	if !e2e.Poll(sentAway, func() bool {
		s, err := u.page.Read()
		if err == nil {
			last = s.Lanes[u.Number-1]
		}
		return err == nil && wanted(last)
	}) {
		return fmt.Errorf("the page does not show %s but %s, %s", what, last.Verdict, last.Person)
	}
	return nil
}

// relay waits for a state of one channel.
func (u *usher) relay(channel int, on bool) error {
	if !e2e.Poll(e2e.Soon, func() bool { return u.bench.Relay.IsOn(channel) == on }) {
		return fmt.Errorf("channel %d: not %v", channel, on)
	}
	return nil
}

// scan shows a pupil's badge and waits until the lane waits for the pupil's
// forehead. No two pupils in a row are of one class.
func (u *usher) scan(pupil int, m manner) error {
	u.Thermometer.Show(e2e.Empty)
	if err := u.Scanner.Send([]byte("\r" + e2e.Badge(pupil) + "\r")); err != nil {
		return err
	}
	if err := u.relay(e2e.Barrier(u.Number), false); err != nil {
		return err
	}
	if u.freed && m != lone && u.Thermometer.Seen() > 1 {
		return nil
	}
	return u.shows("the pupil", func(l e2e.ShownLane) bool {
		return l.Verdict == "wait" && strings.HasPrefix(l.Person, e2e.Class(pupil)+" ") && u.Thermometer.Seen() > 1
	})
}

// measure puts somebody before the lens until the lane has judged, who steps
// back and comes again, as the lane asks, when it has not in a second.
func (u *usher) measure(c e2e.Centi, judged func() bool) error {
	for range 4 {
		u.Thermometer.Show(c)
		if e2e.Poll(time.Second, judged) {
			return nil
		}
		u.Thermometer.Show(e2e.Empty)
		e2e.Poll(time.Second, func() bool { return u.Thermometer.Seen() > 1 })
	}
	return fmt.Errorf("%d hundredths of a degree are not judged", c)
}

// aside has the guard set the stopped arrival aside.
func (u *usher) aside() error {
	return errors.Join(u.page.SetAside(u.Number), u.relay(e2e.Red(u.Number), false))
}

// comesAgain is how often one person does.
const comesAgain = 3

// lead brings one person to the end of what it came for. Whom the lane sends
// away because machine or disk stood still for longer than it waits, comes
// again; whom it stops because the thermometer did, the guard sets aside.
func (u *usher) lead(c comer) error {
	for before := u.Ons(); ; u.again[c.number]++ {
		err := u.attempt(c, before)
		u.freed = err == nil && (c.manner == ordinary || c.manner == cold)
		if err == nil || c.manner == unknown {
			return err
		}
		own, red := false, u.bench.Relay.IsOn(e2e.Red(u.Number))
		if red { // this person's, or of one who has walked on
			s, err := u.page.Read()
			if err := errors.Join(err, u.aside()); err != nil {
				return err
			}
			own = strings.HasPrefix(s.Lanes[u.Number-1].Person, e2e.Class(c.number)+" ")
		}
		switch {
		case own:
			return nil
		case c.manner == lone && !red, u.again[c.number] == comesAgain:
			return err
		}
	}
}

// attempt is one arrival of a person before which the barrier was freed so
// often.
func (u *usher) attempt(c comer, before int) error {
	stopped := func() bool { return u.bench.Relay.IsOn(e2e.Red(u.Number)) }
	cameIn := func() bool { return u.Ons() > before }
	if c.manner == unknown {
		u.Thermometer.Show(e2e.Empty)
		return errors.Join(u.Scanner.Send([]byte("\r"+e2e.Badge(c.number)+"\r")), u.relay(e2e.Red(u.Number), true), u.aside())
	}
	if cameIn() { // late
		return nil
	}
	if err := u.scan(c.number, c.manner); err != nil {
		return err
	}
	switch c.manner {
	case lone:
		return nil
	case high:
		return errors.Join(u.measure(e2e.Fever, stopped), u.aside())
	case cold:
		if err := u.measure(e2e.Cold, func() bool {
			s, err := u.page.Read()
			return err == nil && s.Lanes[u.Number-1].Verdict == "again"
		}); err != nil {
			return err
		}
	}
	return u.measure(e2e.Healthy, cameIn)
}

// TestThreeThousandArrivals is a winter morning at one gate that reports to the
// school's collector and to the district's while it goes on.
func TestThreeThousandArrivals(t *testing.T) {
	e2e.Long(t)
	t.Parallel()
	const people, promised = 3000, 5 * time.Minute
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	school := e2e.NewDistrict(t, e2e.DistrictSetup{Name: "school"})
	district := e2e.NewDistrict(t, e2e.DistrictSetup{Mosquitto: e2e.NewMosquitto(t, e2e.GateName)})
	b := prepared(t, e2e.Setup{Stream: 5 * time.Millisecond}, people, 0, school, district)
	g := b.Run()
	page, all := g.SignOn(), crowd(people, seed)
	began := time.Now()
	again := lead(t, b, page, all)
	took := time.Since(began)
	t.Logf("%d people took %v of %v, %v a person and lane; %d came again", people, took.Round(time.Second), promised,
		(took * e2e.Lanes / people).Round(time.Millisecond), len(again))
	b.AwaitEntry("the last one is recorded", people, func(e e2e.Entry) bool { return e.Arrival != nil })
	for _, d := range []*e2e.District{school, district} {
		ended := time.Now()
		stored := d.AwaitWhole(b, e2e.Soon)
		t.Logf("%s had everything %v later", d.Name, time.Since(ended).Round(time.Millisecond))
		pulled := d.Pulled("bureau", e2e.GateName)
		if pulled.Head != stored.Head {
			t.Errorf("%s has stored %+v, and hands on %+v", d.Name, stored.Head, pulled.Head)
		}
		asRecorded(t, b, pulled)
	}
	g.StopCleanly()
	b.MustAudit()
	b.MustVerify()
	checkCrowd(t, b, all, again)
}

// unmeasured reports whether somebody was stopped because no thermometer
// answered.
func unmeasured(list []e2e.Entry) bool {
	return slices.ContainsFunc(list, func(e e2e.Entry) bool {
		return e.Arrival.Outcome == e2e.Refer && slices.Contains(e.Arrival.Rows, "temperature:no-temperature") && e.Arrival.Subject != 0
	})
}

// checkCrowd demands of every person exactly the entries of its manner, and of
// the barriers as many ONs as there are admissions. A machine that stands still
// silences its thermometers; whoever came then is in nobody's count.
func checkCrowd(t *testing.T, b *e2e.Bench, all []comer, again map[int]int) {
	t.Helper()
	found, asides, withheld, admitted := map[string][]e2e.Entry{}, map[entry.ArrivalID]int{}, map[entry.ArrivalID]bool{}, 0
	for _, e := range b.Entries() {
		switch {
		case e.Answer != nil && e.Answer.Act == entry.ActAside:
			asides[e.ID]++
		case e.Answer != nil && e.Answer.Act == entry.ActReleaseWithheld:
			withheld[e.ID] = true
			admitted--
		case e.Answer != nil:
			t.Errorf("entry %d: nobody did that: %+v", e.Seq, *e.Answer)
		case e.Arrival != nil && e.Arrival.Outcome == e2e.Admit:
			admitted++
			fallthrough
		case e.Arrival != nil:
			key := e2e.Badge(e2e.Pupil(e.Arrival.Subject))
			if e.Arrival.Subject == 0 {
				key = string(e.Arrival.Badge)
			}
			found[key] = append(found[key], e)
		}
	}
	lost := len(b.Find(device("thermometer", entry.DeviceLost)))
	excused := 0
	want := map[manner]struct{ end, outcome uint8 }{
		ordinary: {entry.EndDecided, e2e.Admit}, cold: {entry.EndDecided, e2e.Admit},
		lone: {entry.EndIncomplete, e2e.Refer}, unknown: {entry.EndDecided, e2e.Refer}, high: {entry.EndDecided, e2e.Recheck},
	}
	for _, c := range all {
		key := e2e.Badge(c.number)
		if c.manner == unknown {
			digest := sha256.Sum256([]byte(key))
			key = string(bytes.Clone(digest[:16]))
		}
		list := found[key]
		delete(found, key)
		if lost > 0 && unmeasured(list) {
			excused++
			continue
		}
		if again[c.number] > 0 { // what it was sent away from let nobody in
			list = slices.DeleteFunc(list, func(e e2e.Entry) bool { return e.Arrival.End == entry.EndIncomplete || withheld[e.ID] })
		}
		if len(list) != 1 || withheld[list[0].ID] {
			t.Errorf("person %+v has %d arrivals", c, len(list))
			continue
		}
		a, stopped := list[0].Arrival, c.manner == unknown || c.manner == high
		if a.End != want[c.manner].end || a.Outcome != want[c.manner].outcome {
			t.Errorf("person %+v has the arrival %+v", c, *a)
		}
		if n := asides[list[0].ID]; stopped && n != 1 || !stopped && n != 0 {
			t.Errorf("person %+v was set aside %d times", c, n)
		}
	}
	if t.Logf("%d thermometers lost, %d people not measured", lost, excused); excused > len(all)/10 {
		t.Error("too many people were not measured")
	}
	if len(found) > 0 {
		t.Errorf("%d arrivals are nobody's", len(found))
	}
	if ons := b.Lane(1).Ons() + b.Lane(2).Ons(); ons != admitted {
		t.Errorf("%d times freed for %d admissions", ons, admitted)
	}
}
