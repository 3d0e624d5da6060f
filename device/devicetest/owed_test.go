package devicetest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/relay"
	"github.com/menshen/menshen/device/sim"
)

// planted is a board in front of which something is wrong; set is given what
// the owner writes, and write is the board.
type planted struct {
	relay.Board
	set func(write func(int, bool) error, channel int, on bool) error
}

func (p planted) Set(channel int, on bool) error { return p.set(p.Board.Set, channel, on) }

// relays is a board of the suite whose owner stands behind what around puts
// between the two, each time that the board is opened.
func relays(around func(b relay.Board) relay.Board, change func(*relay.Config)) RelayKind {
	return RelayKind{
		Add: func(w *sim.World) RelayBoard {
			b := w.AddRelayBoard("board", 3)
			acts := func(channel int) []sim.Edge {
				return slices.DeleteFunc(b.Frames(), func(e sim.Edge) bool { return e.Channel != channel })
			}
			return RelayBoard{Acts: acts, Unplug: b.Unplug, Plug: b.Plug}
		},
		New: func(o device.Opener, lost func(error), back func()) RelayOwner {
			cfg := relay.Config{
				Open: func() (relay.Board, error) {
					port, err := o.Stream("board")
					if err != nil {
						return nil, err
					}
					return around(relay.NewLCUS(port, 3)), nil
				},
				Channels: map[int]relay.Role{1: relay.Barrier, 2: relay.Barrier, 3: relay.Signal},
				Lost:     lost,
				Back:     back,
			}
			if change != nil {
				change(&cfg)
			}
			return relay.New(cfg)
		},
	}
}

func same(b relay.Board) relay.Board { return b }

// with returns what puts the same set before every board.
func with(set func(write func(int, bool) error, channel int, on bool) error) func(relay.Board) relay.Board {
	return func(b relay.Board) relay.Board { return planted{b, set} }
}

func TestASoundOwnerPasses(t *testing.T) {
	Relay(t, relays(same, nil))
}

func TestEveryPlantedViolationOfAnOwnerIsCaught(t *testing.T) {
	for _, c := range []struct {
		rule    string
		planted func() RelayKind
		caught  []string // at least by these
	}{
		{"a fault is swallowed", func() RelayKind {
			return relays(with(func(write func(int, bool) error, channel int, on bool) error {
				_ = write(channel, on)
				return nil
			}), nil)
		}, []string{
			"a fault is told once, and that it is over", "an order is answered once, and done only if it was",
			"a barrier goes off in time, whatever fails", "at the end all is at rest, or the fault is told",
		}},
		{"a fault is replaced", func() RelayKind {
			return relays(with(func(write func(int, bool) error, channel int, on bool) error {
				if write(channel, on) != nil {
					return device.ErrInvalid
				}
				return nil
			}), nil)
		}, []string{"a fault is told once, and that it is over", "at the end all is at rest, or the fault is told"}},
		{"a write that failed is tried again", func() RelayKind {
			return relays(with(func(write func(int, bool) error, channel int, on bool) error {
				var err error
				for range 5 {
					if err = write(channel, on); err == nil {
						break
					}
					time.Sleep(10 * time.Millisecond)
				}
				return err
			}), nil)
		}, []string{"a barrier goes on by an order, once for each, and never after a fault"}},
		{"off is written once", func() RelayKind {
			state := map[int]bool{1: true, 2: true, 3: true}
			return relays(with(func(write func(int, bool) error, channel int, on bool) error {
				if !on && !state[channel] {
					return nil
				}
				state[channel] = on
				return write(channel, on)
			}), nil)
		}, []string{"off is written twice, after each pulse and each opening"}},
		{"a board that is back goes on where it was", func() RelayKind {
			var before [2]bool
			return relays(func(b relay.Board) relay.Board {
				if before[1] {
					_ = b.Set(1, true)
				}
				return planted{b, func(write func(int, bool) error, channel int, on bool) error {
					err := write(channel, on)
					if err == nil && channel == 1 {
						before[1] = on
					}
					return err
				}}
			}, nil)
		}, []string{"a barrier goes on by an order, once for each, and never after a fault"}},
		{"a signal stays dark", func() RelayKind {
			return relays(with(func(write func(int, bool) error, channel int, on bool) error {
				return write(channel, on && channel != signal)
			}), nil)
		}, []string{"a signal is shown as it is wanted once the board is back"}},
		{"a board that is back is not told", func() RelayKind {
			return relays(same, func(cfg *relay.Config) { cfg.Back = nil })
		}, []string{"a fault is told once, and that it is over"}},
		{"a board that is lost is not told", func() RelayKind {
			return relays(same, func(cfg *relay.Config) { cfg.Lost = nil })
		}, []string{"a fault is told once, and that it is over"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			var caught []string
			for _, r := range relayRules() {
				synctest.Test(t, func(*testing.T) {
					if c.planted().eachStory(r.check) != nil {
						caught = append(caught, r.name)
					}
				})
			}
			for _, want := range c.caught {
				if !slices.Contains(caught, want) {
					t.Errorf("not caught by %q", want)
				}
			}
		})
	}
}
