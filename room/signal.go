package room

import (
	"context"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
)

// refreshEvery is how long a relay board may be gone unnoticed while nothing has
// changed.
const refreshEvery = 10 * time.Second

// signal brings beacon and buzzer to the present state, and keeps time for what
// changes by itself.
func (b *Board) signal(ctx context.Context) error {
	ticks, alarm, refresh := b.ward.watch(ctx), time.NewTimer(0), time.NewTicker(refreshEvery)
	defer alarm.Stop()
	defer refresh.Stop()
	iso := b.o.Config.Board.Isolation
	for {
		on, until := b.ward.turn()
		for _, c := range []config.Channel{iso.Beacon, iso.Buzzer} {
			if c.Relay != "" {
				b.owners[c.Relay].Signal(c.Number, on)
			}
		}
		alarm.Reset(until)
		select {
		case <-ctx.Done():
			return nil
		case <-ticks:
		case <-alarm.C:
		case <-refresh.C:
			for _, o := range b.owners {
				o.Refresh()
			}
		case b.turned <- struct{}{}:
		}
	}
}

// How a button that is not there is opened again.
const (
	buttonFirst = 250 * time.Millisecond
	buttonMost  = 5 * time.Second
)

// button follows the room's button: one press answers all that rings.
func (b *Board) button(ctx context.Context) error {
	in := b.o.Config.Board.Isolation.Button
	if in == nil {
		return nil
	}
	pause, lost := buttonFirst, false
	for {
		err := b.presses(ctx, in.Pin, func() { pause, lost = buttonFirst, false })
		if ctx.Err() != nil {
			return nil
		}
		if !lost {
			lost = true
			b.log.Error("button lost", "pin", in.Pin, "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, buttonMost)
	}
}

// presses answers with every press until the line fails.
func (b *Board) presses(ctx context.Context, pin string, opened func()) error {
	line, err := b.o.Opener.Line(pin, device.LineOpts{})
	if err != nil {
		return err
	}
	defer line.Close()
	opened()
	for {
		on, err := line.Wait(ctx)
		if err != nil {
			return err
		}
		if on {
			b.ward.answer("", "", "")
		}
	}
}
