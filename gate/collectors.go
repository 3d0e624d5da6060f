package gate

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/uplink"
)

// Collector is one to whom the gate's journal goes.
type Collector struct {
	// Name is unique at the gate, [a-z0-9-]{1,32}.
	Name string
	// Key is the collector's, as wire.ParsePublicKey returned it.
	Key ed25519.PublicKey
	// Transport reaches the broker at which the collector is met.
	Transport uplink.Transport
	// Insecure says that the way there is not encrypted.
	Insecure bool
}

// evidenceDir holds, below the data directory, what proves that a collector
// and the journal contradict each other.
const evidenceDir = "evidence"

// collectors are the gate's uplinks. Nothing in the gate waits for them: they
// are woken, and read the journal for themselves.
type collectors struct {
	g     *Gate
	log   *slog.Logger
	inbox inbox
	alarm chan struct{} // an alarm may have to be announced

	// Set once before the gate is open.
	key   ed25519.PrivateKey
	links []link
	// fault is why there is no link although there are collectors: no network
	// mends it, and no lane is to stand still for it.
	fault error
}

type link struct {
	Collector
	up *uplink.Uplink
}

func newCollectors(g *Gate) *collectors {
	log := g.log.With("component", "collectors")
	return &collectors{g: g, log: log, alarm: make(chan struct{}, 1), inbox: newInbox(g, log)}
}

// open makes the gate's key and one uplink for each collector, and connects
// none. The journal is open.
func (c *collectors) open() {
	data := c.g.o.Config.Data
	if c.key, c.fault = MakeIdentity(data); c.fault == nil {
		c.fault = c.inbox.open(filepath.Join(data, documentsFile))
	}
	for _, to := range c.g.o.Collectors {
		if c.fault != nil {
			break
		}
		var up *uplink.Uplink
		if up, c.fault = uplink.New(c.options(to)); c.fault == nil {
			c.links = append(c.links, link{to, up})
		}
	}
	if c.fault != nil {
		c.links = nil
		c.log.Error("nothing is sent to any collector", "err", c.fault)
	}
}

func (c *collectors) options(to Collector) uplink.Options {
	g := c.g
	return uplink.Options{
		Gate: g.o.Config.Gate, Key: c.key, Collector: uplink.Collector{Name: to.Name, Key: to.Key},
		Source: g.journal, Transport: to.Transport, Now: g.recorder.clock.look,
		Boot: g.journal.Boot(), Program: clip(g.o.Version, 200), Reason: g.journal.Reason(),
		CursorPath:   filepath.Join(g.o.Config.Data, "acked-"+to.Name),
		Down:         c.inbox.from(to.Name),
		KeepEvidence: c.keep, Changed: g.changed, Log: g.o.Log,
	}
}

// start runs the uplinks and what serves them. The alarms that are open are told
// before: of one whose entry had its turn first, an uplink says nothing.
func (c *collectors) start(ctx context.Context, run func(name string, f func(context.Context) error)) {
	if len(c.links) == 0 {
		return
	}
	told := c.tell(ctx, nil)
	run("alarm notices", func(ctx context.Context) error { return c.announce(ctx, told) })
	run("documents", c.inbox.run)
	run("uplinks", func(ctx context.Context) error {
		var all errgroup.Group
		for _, l := range c.links {
			all.Go(c.g.guard("uplink "+l.Name, func() error {
				l.up.Run(ctx)
				return nil
			}))
		}
		return all.Wait()
	})
}

// grew says that an entry was stored. It is called on the committer's
// goroutine and only leaves a mark.
func (c *collectors) grew() {
	for _, l := range c.links {
		l.up.Grew()
	}
}

// alarmed says that the entry of an alarm was stored. It only leaves a mark.
func (c *collectors) alarmed() {
	select {
	case c.alarm <- struct{}{}:
	default: // one is there, and all alarms will be looked at
	}
}

// announce hands every alarm that is stored and not yet answered by the room
// to the uplinks, once. After a restart those that are open are announced
// again: no collector says that it has shown one.
func (c *collectors) announce(ctx context.Context, told map[entry.ArrivalID]bool) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.alarm:
		}
		told = c.tell(ctx, told)
	}
}

// tell hands over those that were not told yet, and returns which are told now.
func (c *collectors) tell(ctx context.Context, told map[entry.ArrivalID]bool) map[entry.ArrivalID]bool {
	now := map[entry.ArrivalID]bool{}
	for _, a := range c.g.alarms.list() {
		if !a.stored || a.drill {
			continue
		}
		if now[a.id] = true; !told[a.id] {
			c.notify(ctx, a.seq)
		}
	}
	return now
}

// notify reads one entry and has it sent ahead of its turn. What cannot be
// announced arrives all the same, in its turn.
func (c *collectors) notify(ctx context.Context, seq uint64) {
	for row, err := range c.g.journal.Rows(ctx, seq) {
		for _, l := range c.links {
			if err == nil {
				err = l.up.Alarm(seq, row.Bytes)
			}
		}
		if err != nil {
			c.log.Error("alarm not announced", "seq", seq, "err", err)
		}
		return
	}
}

// keep stores one half of a proof.
func (c *collectors) keep(name string, data []byte) error {
	dir := filepath.Join(c.g.o.Config.Data, evidenceDir)
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("keep evidence: %w", err)
	}
	if err := replaceFile(filepath.Join(dir, name), data); err != nil {
		return fmt.Errorf("keep evidence: %w", err)
	}
	return nil
}
