package room

import (
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/relay"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/room/feed"
)

// bench is the board of a room with beacon, buzzer and button, whose gate is
// away.
type bench struct {
	*Board
	relay  *sim.RelayBoard
	button *sim.Line
	stop   func() error
}

func runBench(t *testing.T, dir string) bench {
	t.Helper()
	w := sim.NewWorld()
	b := bench{relay: w.AddRelayBoard("relay", 2), button: w.AddLine("ack")}
	cfg := &config.Config{Gate: "room", Data: dir, Board: config.Profile{
		Relays: map[string]config.Relay{"board": {Kind: config.RelayLCUS, Port: "relay", Channels: 2}},
		Isolation: config.Isolation{
			Beacon: config.Channel{Relay: "board", Number: 1}, Buzzer: config.Channel{Relay: "board", Number: 2}, Button: &config.Input{Pin: "ack"},
		},
	}}
	var err error
	b.Board, err = New(Options{
		Config: cfg, Gates: []Gate{{Name: "east", Address: "192.0.2.1:8631", Key: testKey(2).Public().(ed25519.PublicKey)}}, Key: testKey(1), Opener: w, Log: slog.New(slog.DiscardHandler),
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route to host") },
		OpenRelay: func(r config.Relay) (relay.Board, error) {
			stream, err := w.Stream(r.Port)
			if err != nil {
				return nil, err
			}
			return relay.NewLCUS(stream, r.Channels), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	b.stop = func() error {
		cancel()
		return <-ended
	}
	return b
}

func TestTheButtonSilencesWhatRingsAndAPulledRelayBoardIsNoticed(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := runBench(t, dir)
		b.ward.hear(says("east", []string{"1-1"}, nil))
		synctest.Wait()
		if !b.relay.On(1) || !b.relay.On(2) {
			t.Error("an alarm is neither seen nor heard")
		}
		b.button.Drive(true)
		synctest.Wait()
		b.button.Drive(false)
		synctest.Wait()
		if b.relay.On(1) || b.relay.On(2) || len(b.ward.owed("east")) != 1 {
			t.Error("the button does not answer")
		}
		<-time.After(feed.LostAfter)
		synctest.Wait()
		if on := b.relay.On(1); on != b.relay.On(2) || b.View().Gates[0].Heard {
			t.Error("the loss of the gate is taken for known")
		}
		b.button.Drive(true)
		synctest.Wait()
		if b.relay.On(1) || !b.View().Gates[0].Heard {
			t.Error("the button does not say that the loss is known")
		}
		b.relay.Unplug()
		<-time.After(refreshEvery + time.Second)
		if !b.View().Dark {
			t.Error("nobody notices that beacon and buzzer are gone")
		}
		b.button.Unplug()
		<-time.After(time.Second)
		b.ward.hear(says("east", []string{"1-2"}, nil))
		b.relay.Plug()
		b.button.Plug()
		<-time.After(10 * time.Second)
		if b.View().Dark || !b.relay.On(1) {
			t.Error("what was put back does not ring")
		}
		b.button.Drive(false)
		b.button.Drive(true)
		synctest.Wait()
		if b.relay.On(1) {
			t.Error("the button that was put back does nothing")
		}
		if err := b.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestABoardIsAliveWhileItsSignalsTurn(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := runBench(t, dir)
		limit, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Alive(limit); err != nil {
			t.Error(err)
		}
		b.ward.hear(says("east", []string{"1-1"}, nil))
		synctest.Wait()
		if err := b.Rest(); err != nil || b.relay.On(1) {
			t.Errorf("it does not rest: %v", err)
		}
		if err := b.stop(); err != nil {
			t.Error(err)
		}
		if err := b.Alive(limit); err == nil {
			t.Error("a board that has ended is alive")
		}
	})
}
