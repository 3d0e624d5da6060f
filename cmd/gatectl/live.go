package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/scanner"
	"github.com/menshen/menshen/gate"
)

// live prints what the devices send as it comes: by the running gate, or by
// opening them itself. It ends with the context, or after n lines.
func (t *tool) live(ctx context.Context, args []string) error {
	var n int
	_, err := t.flagsOf("live", args, 0, func(f *flag.FlagSet) { f.IntVar(&n, "n", 0, "") })
	if err != nil || n < 0 {
		return errUsage
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	next, err := t.source(ctx)
	if err != nil {
		return err
	}
	for i := 0; n == 0 || i < n; i++ {
		e, err := next()
		if ctx.Err() != nil {
			return nil // Ctrl-C is how it ends
		}
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(t.stdout, e); err != nil {
			return err
		}
	}
	return nil
}

// source returns where the next event comes from.
func (t *tool) source(ctx context.Context) (next func() (gate.Live, error), err error) {
	stream, err := t.send(ctx, http.MethodGet, "/v1/live", nil)
	switch {
	case err == nil:
		context.AfterFunc(ctx, func() { stream.Close() })
		fmt.Fprintln(t.stderr, "gated 正在运行:显示它收到的,只在有人到校时测温 · gated runs: this is what it receives; it measures while somebody arrives")
		events := json.NewDecoder(stream)
		return func() (e gate.Live, err error) {
			if err = events.Decode(&e); err != nil {
				err = fmt.Errorf("read the gate's events: %w", err)
			}
			return e, err
		}, nil
	case !errors.Is(err, errNoGate):
		return nil, err
	}
	cfg, err := t.load()
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(t.stderr, "gated 没有运行:直接打开配置里的设备 · gated does not run: the devices of the configuration are opened")
	events := devices(ctx, cfg.Board.Lanes, quiet(cfg.Board))
	return func() (gate.Live, error) {
		select {
		case e, ok := <-events:
			if !ok {
				return e, errors.New("no device is left: see 'gatectl doctor'")
			}
			return e, nil
		case <-ctx.Done():
			return gate.Live{}, ctx.Err()
		}
	}, nil
}

// devices reads scanners and thermometers until the context ends; outputs are
// left alone. The channel is closed when none of them is left.
func devices(ctx context.Context, lanes []config.Lane, o device.Opener) <-chan gate.Live {
	events := make(chan gate.Live)
	var reading sync.WaitGroup
	for _, l := range lanes {
		say := func(e gate.Live) {
			e.At, e.Lane = time.Now(), l.Number
			select {
			case events <- e:
			case <-ctx.Done():
			}
		}
		if l.Scanner != nil {
			reading.Go(func() { say(gate.Live{Fault: fmt.Sprint("scanner: ", readScans(ctx, o, l.Scanner, say))}) })
		}
		if l.Thermometer != nil {
			reading.Go(func() { say(gate.Live{Fault: fmt.Sprint("thermometer: ", readSamples(ctx, o, l.Thermometer, say))}) })
		}
	}
	go func() {
		reading.Wait()
		close(events)
	}()
	return events
}

// readScans says every scan until the scanner fails. Whatever its kind, it is
// only listened to: an engine keeps its settings.
func readScans(ctx context.Context, o device.Opener, c *config.Scanner, say func(gate.Live)) error {
	if c.Mode == config.ScannerCommand {
		return errors.New("scans only when gated asks it; start gated and look again")
	}
	stream, err := o.Stream(c.Port)
	if err != nil {
		return err
	}
	defer stream.Close()
	defer context.AfterFunc(ctx, func() { stream.Close() })()
	dev, err := scanner.New(stream, &scanner.Opts{Kind: scanner.Line, Silence: c.Silence, Binary: c.Binary})
	if err != nil {
		return err
	}
	for {
		switch code, err := dev.Read(ctx); {
		case err == nil:
			say(gate.Live{Scan: gate.ScanShown(code)})
		case errors.Is(err, device.ErrInvalid), errors.Is(err, device.ErrCorrupt):
			say(gate.Live{Fault: fmt.Sprint("scanner: ", err)})
		default:
			return err
		}
	}
}

// readSamples says every sample until the thermometer is gone.
func readSamples(ctx context.Context, o device.Opener, c *config.Thermometer, say func(gate.Live)) error {
	dev, shut, err := gate.OpenThermometer(o, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer shut()
	defer dev.Halt()
	tick := time.NewTicker(c.Period)
	defer tick.Stop()
	for {
		switch m, err := dev.Sense(ctx); {
		case err == nil:
			say(gate.Live{Sample: gate.SampleShown(m)})
		case errors.Is(err, device.ErrAbsent), ctx.Err() != nil:
			return err
		default:
			say(gate.Live{Fault: fmt.Sprint("thermometer: ", err)})
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
