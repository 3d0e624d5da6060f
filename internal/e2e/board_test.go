package e2e_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
	"github.com/menshen/menshen/internal/rig"
)

// TestABoardOfAnotherProcessRingsIsCutOffAndCatchesUp is one morning of an
// isolation room away from the gate: a fever, an answer by the nurse's name, the
// network out, a fever meanwhile, the network back.
func TestABoardOfAnotherProcessRingsIsCutOffAndCatchesUp(t *testing.T) {
	t.Parallel()
	b := e2e.NewBench(t, e2e.Setup{})
	g := b.Run()
	b.EnrolCrew(3)
	board := b.NewBoard()
	g.StopCleanly()
	g = b.Run()
	var cable *rig.Cable
	board.Follow(g, func(far string) string {
		var err error
		if cable, err = rig.NewCable(far); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := cable.Close(); err != nil {
				t.Error(err)
			}
		})
		cable.Plug()
		return cable.Addr()
	})
	board.AwaitSays("e2e is heard")
	board.Post("sign-on", url.Values{"badge": {e2e.Badge(e2e.Nurse)}, "pin": {e2e.PIN}})

	first := b.Lane(1).Stop(1, 3860, e2e.Isolate)
	board.Relay.AwaitState(t, e2e.BoardBeacon, true)
	board.Relay.AwaitState(t, e2e.BoardBuzzer, true)
	board.AwaitSays("学生1")
	if n := board.Answer(); n != 1 {
		t.Fatalf("%d alarms to answer", n)
	}
	board.Relay.AwaitState(t, e2e.BoardBuzzer, false)
	b.Relay.AwaitState(t, e2e.Beacon, false) // the gate has the answer

	cable.Unplug()
	board.Relay.AwaitState(t, e2e.BoardBeacon, true) // it blinks
	board.AwaitSays("Lost “e2e” since")
	board.AwaitSays("Call 6123")
	board.Post("board/lost", url.Values{"gate": {"e2e"}})
	board.Relay.AwaitState(t, e2e.BoardBeacon, false)
	second := b.Lane(2).Stop(2, 3860, e2e.Isolate)
	if strings.Contains(board.Read(), "学生2") {
		t.Error("the board hears through a cable that is out")
	}
	cable.Plug()
	board.AwaitSays("学生2")
	board.Relay.AwaitState(t, e2e.BoardBeacon, true)
	if page := board.Read(); strings.Count(page, "学生2") != 1 || strings.Contains(page, "学生1") {
		t.Errorf("the missed alarm is not shown once:\n%s", page)
	}
	board.Answer()
	board.Relay.AwaitState(t, e2e.BoardBeacon, false)
	b.Relay.AwaitState(t, e2e.Beacon, false)
	for _, stopped := range []e2e.Entry{first, second} {
		b.AwaitEntry("the nurse's answer", 1, func(e e2e.Entry) bool {
			a := e.Answer
			return a != nil && a.Act == entry.ActAcknowledge && a.Arrival == stopped.ID && slices.Equal(a.By, []uint64{e2e.Subject(5)})
		})
	}
	g.StopCleanly()
}
