package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// tell starts to tell systemd how the program is: ready once it is alive, then
// alive for as long as it is, then stopping. The function that it returns says
// the last, unless that was said when the context ended. Without systemd it
// speaks to nobody.
func tell(ctx context.Context, alive func(context.Context) error, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() {
		defer say(daemon.SdNotifyStopping, log)
		if alive(ctx) == nil {
			say(daemon.SdNotifyReady, log)
			feed(ctx, alive, log)
		}
	})
	return func() {
		cancel()
		telling.Wait()
	}
}

// feed feeds the watchdog, if the unit has one.
func feed(ctx context.Context, alive func(context.Context) error, log *slog.Logger) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("watchdog not fed", "err", err)
	}
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
		limit, cancel := context.WithTimeout(ctx, interval/4)
		err := alive(limit)
		cancel()
		switch {
		case err == nil:
			say(daemon.SdNotifyWatchdog, log)
		case ctx.Err() == nil:
			log.Error("watchdog not fed", "err", err)
		}
	}
}

// say sends one message to systemd.
func say(state string, log *slog.Logger) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd not told", "state", state, "err", err)
	}
}
