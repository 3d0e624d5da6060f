package district

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/wire"
)

const (
	// shortestPause and longestPause lie between two sessions at the broker.
	shortestPause = 250 * time.Millisecond
	longestPause  = 5 * time.Second
	// publishWithin bounds one answer. A gate that misses one asks again.
	publishWithin = 10 * time.Second
)

// useBroker makes ready to dial a broker that somebody else runs.
func (d *District) useBroker(c config.Broker) error {
	password, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return fmt.Errorf("broker.password_file: %w", err)
	}
	o := mqtt.Options{
		URL: c.URL, Name: d.o.Config.Name, Password: strings.TrimRight(string(password), "\r\n"), Insecure: c.Insecure,
		Subscribe: []string{wire.FilterUp}, Log: d.o.Log.With("component", "mqtt"),
	}
	if c.CA != "" {
		if o.TLS, err = mqtt.LoadTLS(c.CA, "", ""); err != nil {
			return fmt.Errorf("broker: %w", err)
		}
	}
	d.dial = func(ctx context.Context) (*mqtt.Session, error) { return mqtt.Dial(ctx, o) }
	return nil
}

// collect holds sessions at the broker, one after the other, until the context
// ends. No fault of a broker ends it.
func (d *District) collect(ctx context.Context) error {
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		connected, err := d.visit(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if connected {
			pause = shortestPause
		}
		d.log.Warn("no session with the broker", "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
	}
}

// visit holds one session until it ends, and says whether it began.
func (d *District) visit(ctx context.Context) (connected bool, err error) {
	session, err := d.dial(ctx)
	if err != nil {
		return false, err
	}
	defer session.Close()
	d.live.connect(true)
	defer d.live.connect(false)
	announce, err := d.collector.Announce()
	if err != nil {
		return true, err
	}
	if err := answer(ctx, session, []collect.Out{announce}); err != nil {
		return true, err
	}
	running, run := errgroup.WithContext(ctx)
	running.Go(func() error { return d.receive(run, session) })
	running.Go(func() error { return d.send(run, session) })
	return true, running.Wait()
}

// receive takes and answers what gates send until the session or the context
// ends.
func (d *District) receive(ctx context.Context, session *mqtt.Session) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-session.Done():
			return session.Err()
		case m := <-session.Messages():
			// What has begun to be stored is stored, and acknowledged if that is
			// still possible: a stop waits for one batch.
			out := d.collector.Handle(context.WithoutCancel(ctx), collect.Message{Topic: m.Topic, Payload: m.Payload})
			if err := answer(ctx, session, out); err != nil {
				return err
			}
		}
	}
}

func answer(ctx context.Context, session *mqtt.Session, out []collect.Out) error {
	ctx, cancel := context.WithTimeout(ctx, publishWithin)
	defer cancel()
	for _, o := range out {
		if err := session.Publish(ctx, o.Topic, o.Payload, false); err != nil {
			return err
		}
	}
	return nil
}
