package e2e_test

import (
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

// device selects the entries of a part that vanished, or returned.
func device(role string, event uint8) func(e2e.Entry) bool {
	return func(e e2e.Entry) bool {
		return e.Device != nil && strings.HasPrefix(e.Device.Role, role) && e.Device.Event == event
	}
}

func TestRelayBoardPulledWhileOn(t *testing.T) {
	b, g := slow(t, 2)
	page := g.SignOn()
	l := b.Lane(1)
	l.Come(1, e2e.Healthy)
	b.Relay.AwaitState(t, e2e.Green(1), true)
	if err := b.Relay.Unplug(); err != nil {
		t.Fatal(err)
	}
	l.Thermometer.Clear()
	page.AwaitVerdict(1, "attended")
	b.AwaitEntry("the board is lost", 1, device("relay", entry.DeviceLost))
	// Whoever comes meanwhile is not let in when the board is back.
	l.Come(2, e2e.Healthy)
	b.AwaitEntry("pupil 2 is referred", 1, e2e.Of(e2e.Subject(2), e2e.Refer))
	l.Thermometer.Clear()
	frames := len(b.Relay.Frames())
	if err := b.Relay.Plug(); err != nil {
		t.Fatal(err)
	}
	b.AwaitEntry("the board is back", 1, device("relay", entry.DeviceBack))
	if err := page.SetAside(1); err != nil {
		t.Fatal(err)
	}
	page.AwaitVerdict(1, "none")
	first := b.Relay.Frames()[frames:]
	for i, channel := range []int{e2e.Barrier(1), e2e.Barrier(2)} {
		if len(first) <= i || first[i].Channel != channel || first[i].On {
			t.Fatalf("the board was first told %+v", first)
		}
	}
	noOns(t, b, g, 1, 0)
}

func TestScannerPulledInTheMiddleOfAnArrival(t *testing.T) {
	b, g := quick(t, 2)
	l := b.Lane(1)
	l.Enter(1, e2e.Empty)
	l.Scanner.Replug(t)
	l.Thermometer.Show(e2e.Healthy) // whoever was scanned is measured all the same
	b.Relay.AwaitOn(t, e2e.Barrier(1), 1)
	l.Thermometer.Clear()
	b.AwaitEntry("the scanner is lost", 1, device("scanner", entry.DeviceLost))
	b.AwaitEntry("the scanner is back", 1, device("scanner", entry.DeviceBack))
	l.Admit(2)
	noOns(t, b, g, 2, 0)
}

func TestThermometerPulledInTheMiddleOfAnArrival(t *testing.T) {
	b, g := quick(t, 2)
	page := g.SignOn()
	l := b.Lane(1)
	l.Thermometer.SilentAfter(1) // and is pulled then
	l.Come(1, e2e.Healthy)
	l.Thermometer.AwaitSeen(t, 2)
	if err := l.Thermometer.Unplug(); err != nil {
		t.Fatal(err)
	}
	b.AwaitEntry("the thermometer is lost", 1, device("thermometer", entry.DeviceLost))
	// One sample is no reading: it is a person's turn.
	b.AwaitEntry("nobody is admitted without a reading", 1, e2e.Of(e2e.Subject(1), e2e.Refer))
	l.Thermometer.Show(e2e.Empty)
	l.Thermometer.Ail(e2e.Sound)
	if err := l.Thermometer.Plug(); err != nil {
		t.Fatal(err)
	}
	b.AwaitEntry("the thermometer is back", 1, device("thermometer", entry.DeviceBack))
	if err := page.SetAside(1); err != nil {
		t.Fatal(err)
	}
	l.Admit(2)
	noOns(t, b, g, 1, 0)
}

func TestAThermometerThatCannotBeTrustedAdmitsNobody(t *testing.T) {
	for _, c := range []struct {
		rule string
		view e2e.Centi
		ail  e2e.Ailment
	}{
		{"silent", e2e.Healthy, e2e.Silent},
		{"wrong check byte", e2e.Healthy, e2e.BadCheck},
		{"frozen to the bit", e2e.Healthy, e2e.Frozen},
		{"hotter than anything alive", 32_700, e2e.Sound},
	} {
		t.Run(c.rule, func(t *testing.T) {
			b, g := quick(t, 3)
			page := g.SignOn()
			l := b.Lane(1)
			l.Admit(1)
			l.Thermometer.Ail(c.ail)
			l.Come(2, c.view)
			ended := b.AwaitEntry("the arrival ends", 1, func(e e2e.Entry) bool {
				return e.Arrival != nil && e.Arrival.Subject == e2e.Subject(2)
			})
			if ended.Arrival.Outcome == e2e.Admit {
				t.Errorf("admitted by %+v", ended.Arrival.Reading)
			}
			l.Thermometer.Show(e2e.Empty)
			l.Thermometer.Ail(e2e.Sound)
			if ended.Arrival.End == entry.EndDecided {
				if err := page.SetAside(1); err != nil {
					t.Fatal(err)
				}
			}
			if c.ail == e2e.Silent || c.ail == e2e.BadCheck { // given up by now, or soon
				b.AwaitEntry("the thermometer is back", 1, device("thermometer", entry.DeviceBack))
			}
			l.Admit(3)
			noOns(t, b, g, 2, 0)
		})
	}
}
