// Package systemd tells the service manager how a program is: that it opens
// still, that it is ready, alive, and about to stop. It does not know what the
// program is; without a service manager it speaks to nobody.
package systemd

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// A program whose disk is full or whose record is long opens late and is not to
// be killed for it: every openStep systemd is asked for openMore in addition.
const (
	openStep = 5 * time.Second
	openMore = "EXTEND_TIMEOUT_USEC=20000000"
)

// Tell starts to tell systemd how the program is, which alive says within the
// context that it is given. The function that it returns says that the program
// stops, unless that was said when the context ended.
func Tell(ctx context.Context, alive func(context.Context) error, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() { speak(ctx, alive, log) })
	return func() {
		cancel()
		telling.Wait()
	}
}

// speak says that the program is ready once it is alive, feeds the watchdog for
// as long as it is alive, and says when the context has ended.
func speak(ctx context.Context, alive func(context.Context) error, log *slog.Logger) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("watchdog not fed", "err", err)
	}
	defer say(daemon.SdNotifyStopping, log)
	for within(ctx, openStep, alive) != nil {
		if ctx.Err() != nil {
			return
		}
		say(openMore, log)
	}
	say(daemon.SdNotifyReady, log)
	if interval <= 0 {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(interval / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch err := within(ctx, interval/4, alive); {
		case err == nil:
			say(daemon.SdNotifyWatchdog, log)
		case ctx.Err() == nil:
			log.Error("watchdog not fed", "err", err)
		}
	}
}

// within asks whether the program is alive, and takes the whole time d for a
// no.
func within(ctx context.Context, d time.Duration, alive func(context.Context) error) error {
	limit, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err := alive(limit)
	if err != nil {
		<-limit.Done()
	}
	return err
}

// say sends one message to systemd.
func say(state string, log *slog.Logger) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd not told", "state", state, "err", err)
	}
}
