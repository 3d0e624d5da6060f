package rig

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync/atomic"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/sync/mqtt"
)

// Gatehouse is where a gate stands: its hardware, its card, the address of its
// pages and its cables. All of that outlives a loss of power.
type Gatehouse struct {
	*Hardware
	// Name is the gate's, and URL where its pages are.
	Name, URL string
	// Cables lead to the collectors, by their names.
	Cables map[string]*Cable
	// Password is the gate's at every collector.
	Password string

	options Options
	outlet  *outlet
	rig     atomic.Pointer[Rig] // the gate that runs, or ran last
	life    *life               // of that gate; nil while there is no power
	failed  func(error)
}

// GatehouseOptions say which gate stands where.
type GatehouseOptions struct {
	// Gate is the gate's name and Profile its built-in board profile.
	Gate, Profile string
	// Dir is the gate's card, which need not exist.
	Dir string
	// Web is where the pages are served.
	Web net.Listener
	// Settings are further tables of gated.toml.
	Settings string
	// Collectors receive the journal.
	Collectors []*Collector
	Seed       uint64
	Log        *slog.Logger
	// Failed is told when the gate ends although nobody wants it to.
	Failed func(error)
}

// NewGatehouse makes what a gate needs, with every cable pulled out and no
// power. Close ends it.
func NewGatehouse(o GatehouseOptions) (*Gatehouse, error) {
	h := &Gatehouse{
		Name: o.Gate, URL: "http://" + o.Web.Addr().String() + "/", Cables: map[string]*Cable{}, Password: rand.Text(),
		outlet: newOutlet(o.Web), failed: o.Failed,
	}
	h.options = Options{Dir: o.Dir, Gate: o.Gate, Profile: o.Profile, Settings: o.Settings, Log: o.Log, Seed: o.Seed}
	for _, to := range o.Collectors {
		cable, err := NewCable(to.Broker)
		if err != nil {
			return nil, errors.Join(err, h.Close())
		}
		h.Cables[to.Name] = cable
		h.options.Collectors = append(h.options.Collectors, gate.Collector{Name: to.Name, Key: to.Key, Transport: mqtt.Transport{
			Options: mqtt.Options{URL: "mqtt://" + cable.Addr(), Name: o.Gate, Password: h.Password, Log: o.Log.With("collector", to.Name)},
		}})
	}
	cfg, err := configure(h.options)
	if err == nil {
		err = os.Mkdir(o.Dir, 0o750)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.Hardware = NewHardware(cfg.Board, o.Seed)
	h.options.Hardware = h.Hardware
	return h, nil
}

// Rig returns the gate that runs, or the one that ran before the power went.
func (h *Gatehouse) Rig() *Rig { return h.rig.Load() }

// Key returns the key by which the gate signs, which it makes when it is first
// run.
func (h *Gatehouse) Key() (ed25519.PublicKey, error) {
	key, err := gate.ReadIdentity(h.options.Dir)
	if err != nil {
		return nil, err
	}
	return key.Public().(ed25519.PublicKey), nil
}

// AdmitTo lets the gate in at its collectors, as a gate of the school.
func (h *Gatehouse) AdmitTo(ctx context.Context, collectors ...*Collector) error {
	key, err := h.Key()
	if err != nil {
		return err
	}
	for _, c := range collectors {
		if err := c.Admit(ctx, h.Name, School, key, h.Password); err != nil {
			return err
		}
	}
	return nil
}

// Plug puts every cable in.
func (h *Gatehouse) Plug() {
	for _, c := range h.Cables {
		c.Plug()
	}
}

// PowerOn runs the gate on what its card holds, and returns when it is open.
func (h *Gatehouse) PowerOn(ctx context.Context) error {
	for _, p := range h.parts {
		p.Plug()
	}
	o := h.options
	clock := &scriptClock{quality: entry.ClockSynced}
	clock.begin()
	o.Web, o.Now = h.outlet.plug(), clock.Now
	r, err := New(o)
	if err != nil {
		return fmt.Errorf("gate %s: %w", h.Name, err)
	}
	h.rig.Store(r)
	h.life = live(ctx, func(ctx context.Context) error {
		err := r.Run(ctx)
		if ctx.Err() == nil {
			h.failed(errors.Join(fmt.Errorf("gate %s ended", h.Name), err))
		}
		return err
	})
	limit, cancel := h.life.during(ctx)
	defer cancel()
	return r.WaitOpen(limit)
}

// PowerOff takes the power from the gate at one moment: what was durable is on
// the card, and nothing else ever was. Cables are out afterwards.
//
// First nothing leaves the machine any more, so that no collector and no browser
// has what the card has not. The program, which in this process cannot be
// killed, then ends on files that nobody opens again.
func (h *Gatehouse) PowerOff(ctx context.Context) error {
	h.outlet.unplug()
	for _, c := range h.Cables {
		c.Unplug()
	}
	card := h.options.Dir + ".card"
	frozen := freeze(ctx, h.options.Dir, card, func() {
		for _, p := range h.parts {
			p.Unplug()
		}
	})
	// That it ended badly on what was taken from under it is no news.
	ended := h.life.end()
	h.life = nil
	if frozen != nil {
		return errors.Join(fmt.Errorf("gate %s: power: %w", h.Name, frozen), ended)
	}
	if err := os.RemoveAll(h.options.Dir); err != nil {
		return err
	}
	return os.Rename(card, h.options.Dir)
}

// Close ends the gate in good order, and everything else here after it.
func (h *Gatehouse) Close() error {
	var errs []error
	if h.life != nil {
		errs = append(errs, h.life.end())
	}
	for _, c := range h.Cables {
		errs = append(errs, c.Close())
	}
	return errors.Join(append(errs, h.outlet.Close())...)
}
