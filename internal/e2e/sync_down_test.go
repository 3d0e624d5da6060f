package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
	"github.com/menshen/menshen/journal"
)

const (
	// westName is the second gate of the school; the first has e2e.GateName.
	westName = "west"
	// schoolName is what District.Admit calls the school of every gate.
	schoolName = "实验小学"
)

// joined is a bench whose gate has no roster and will report to a collector.
func joined(t *testing.T, d *e2e.District, s e2e.DistrictSetup, name string) *e2e.Bench {
	t.Helper()
	b := e2e.NewBench(t, e2e.Setup{Pulse: 50 * time.Millisecond, Period: 50 * time.Millisecond})
	file := filepath.Join(b.Dir, "gated.toml")
	text, err := os.ReadFile(file)
	must(t, err)
	text = bytes.Replace(text, fmt.Appendf(nil, "gate = %q\n", e2e.GateName), fmt.Appendf(nil, "gate = %q\n", name), 1)
	must(t, os.WriteFile(file, text, 0o600))
	b.Run().StopCleanly() // which makes its key
	o := d.Admit(name, strings.Fields(b.Gatectl("", "key", "show"))[1])
	password := filepath.Join(b.Dir, "password")
	must(t, os.WriteFile(password, []byte(o.Password), 0o600))
	text = fmt.Appendf(text, "[[collector]]\nname = %q\nurl = %q\nkey = %q\npassword_file = %q\n", d.Name, o.URL, d.Tool("key"), password)
	if s.Mosquitto != nil {
		text = fmt.Appendf(text, "ca = %q\n", s.Mosquitto.CA())
	}
	must(t, os.WriteFile(file, text, 0o600))
	return b
}

// schoolList writes the list of a guard and n pupils with their badges.
func schoolList(t *testing.T, n int) string {
	t.Helper()
	text := "number,name,class,role,badge\nT0,门卫,,staff," + e2e.Badge(0) + "\n"
	for i := 1; i <= n; i++ {
		text += fmt.Sprintf("S%d,学生%d,%s,student,%s\n", i, i, e2e.Class(i), e2e.Badge(i))
	}
	name := filepath.Join(t.TempDir(), "list.csv")
	must(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

// lastRoster returns the roster that is in force at a gate, by its journal.
func lastRoster(t *testing.T, b *e2e.Bench) (last entry.Roster) {
	t.Helper()
	j, err := journal.OpenReadOnly(b.JournalPath())
	must(t, err)
	defer j.Close()
	for row, err := range j.Rows(t.Context(), 0) {
		must(t, err)
		if row.Entry.Kind == entry.KindRoster {
			must(t, row.Entry.Decode(&last))
		}
	}
	return last
}

func isRoster(e e2e.Entry) bool { return e.Kind == entry.KindRoster }

// ordered selects entries by which a collector's order was carried out.
func ordered(act uint8, pupil int, by *e2e.District) func(e2e.Entry) bool {
	return func(e e2e.Entry) bool {
		return e2e.Acted(act)(e) && e.Answer.Subject == e2e.Subject(pupil) && e.Answer.Reason == "collector:"+by.Name
	}
}

// turnAway ends a stop in a lane, however often the page changes meanwhile.
func turnAway(t *testing.T, p *e2e.Guard, lane int) {
	t.Helper()
	e2e.Await(t, e2e.Soon, "the stop is answered", func() bool { return p.Act(p.Lane(lane).Target, "turn-away") == nil })
}

// recovers types a normal temperature for the only pupil who was set aside.
func recovers(p *e2e.Guard) {
	p.MustAct(p.Look().Asides[0].Target, "type", "value", "366", "instrument", "ear")
}

// TestAListAndItsHoldsReachBothGatesOfASchool: a collector's list is in force at
// both gates, a pupil held at one is stopped at the other until the hold is over
// where it was placed, and neither a killed collector nor a gate that is off
// loses that.
func TestAListAndItsHoldsReachBothGatesOfASchool(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { schoolOfTwoGates(t, e2e.DistrictSetup{}) })
	t.Run("mosquitto", func(t *testing.T) {
		schoolOfTwoGates(t, e2e.DistrictSetup{Mosquitto: e2e.NewMosquitto(t, e2e.GateName, westName)})
	})
}

func schoolOfTwoGates(t *testing.T, s e2e.DistrictSetup) {
	t.Parallel()
	d := e2e.NewDistrict(t, s)
	east, west := joined(t, d, s, e2e.GateName), joined(t, d, s, westName)
	eastGate, westGate := east.Run(), west.Run()
	d.Tool("roster", "import", "-yes", "-school", schoolName, schoolList(t, 3))
	for _, b := range []*e2e.Bench{east, west} {
		b.AwaitEntry("the list is in force", 1, isRoster)
		b.Gatectl(e2e.PIN+"\n", "roster", "pin", "T0")
	}
	if one, other := lastRoster(t, east), lastRoster(t, west); one.Hash != other.Hash || one.By != "collector:"+d.Name || one.Added != 4 {
		t.Errorf("the gates have %+v and %+v", one, other)
	}
	e2e.Await(t, e2e.Soon, "the collector knows that both have the list", func() bool {
		return strings.Contains(d.Tool("roster", "list"), e2e.GateName+" "+westName)
	})

	eastPage, westPage := eastGate.SignOn(), westGate.SignOn()
	east.Lane(1).HoldAt(eastPage, 1, e2e.Fever, e2e.Recheck)
	west.AwaitEntry("the hold is passed on", 1, ordered(entry.ActHoldPlaced, 1, d))
	west.Lane(1).Stop(1, e2e.Healthy, e2e.Refer)
	turnAway(t, westPage, 1)
	west.Relay.AwaitState(t, e2e.Red(1), false)
	recovers(eastPage)
	west.AwaitEntry("the hold is lifted", 1, ordered(entry.ActHoldLifted, 1, d))
	west.Lane(1).Admit(1)

	d.Kill()
	westGate.Kill()
	east.Lane(1).HoldAt(eastPage, 2, e2e.Fever, e2e.Recheck)
	d.Restart()
	westGate = west.Run()
	west.AwaitEntry("the hold is passed on to the gate that was off", 1, ordered(entry.ActHoldPlaced, 2, d))
	west.Lane(2).Stop(2, e2e.Healthy, e2e.Refer)
	turnAway(t, westGate.SignOn(), 2)
	noOns(t, east, eastGate, 0, 0)
	noOns(t, west, westGate, 1, 0)
}
