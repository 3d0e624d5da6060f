package relay_test

import (
	"slices"
	"testing"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/devicetest"
	"github.com/menshen/menshen/device/relay"
	"github.com/menshen/menshen/device/sim"
)

func TestKeepsWhatEveryRelayBoardOwes(t *testing.T) {
	for name, c := range map[string]struct {
		add  func(*sim.World) devicetest.RelayBoard
		open func(device.Opener) (relay.Board, error)
	}{
		"lcus":  {addLCUS, openLCUS},
		"lines": {addLines, openLines},
	} {
		t.Run(name, func(t *testing.T) {
			devicetest.Relay(t, devicetest.RelayKind{Add: c.add, New: func(o device.Opener, lost func(error), back func()) devicetest.RelayOwner {
				return relay.New(relay.Config{
					Open:     func() (relay.Board, error) { return c.open(o) },
					Channels: map[int]relay.Role{1: relay.Barrier, 2: relay.Barrier, 3: relay.Signal},
					Lost:     lost,
					Back:     back,
				})
			}})
		})
	}
}

func addLCUS(w *sim.World) devicetest.RelayBoard {
	b := w.AddRelayBoard("board", 3)
	acts := func(channel int) []sim.Edge {
		return slices.DeleteFunc(b.Frames(), func(e sim.Edge) bool { return e.Channel != channel })
	}
	return devicetest.RelayBoard{Acts: acts, Unplug: b.Unplug, Plug: b.Plug}
}

func openLCUS(o device.Opener) (relay.Board, error) {
	port, err := o.Stream("board")
	if err != nil {
		return nil, err
	}
	return relay.NewLCUS(port, 3), nil
}

var lineNames = []string{"a", "b", "c"}

func addLines(w *sim.World) devicetest.RelayBoard {
	var ls []*sim.Line
	for _, name := range lineNames {
		ls = append(ls, w.AddLine(name))
	}
	each := func(f func(*sim.Line)) func() {
		return func() {
			for _, l := range ls {
				f(l)
			}
		}
	}
	acts := func(channel int) []sim.Edge { return ls[channel-1].Frames() }
	return devicetest.RelayBoard{Acts: acts, Unplug: each((*sim.Line).Unplug), Plug: each((*sim.Line).Plug)}
}

func openLines(o device.Opener) (relay.Board, error) {
	var ls []device.Line
	for _, name := range lineNames {
		l, err := o.Line(name, device.LineOpts{Output: true})
		if err != nil {
			return nil, err
		}
		ls = append(ls, l)
	}
	return relay.NewLines(ls), nil
}
