// Package rig is gates and their collectors in one process: the product's own
// gate, drivers, journal, roster and pages over chips made of software, brokers
// on loopback, and cables and power that can be cut. Scenarios, the simulator
// and the demonstration are driven through it.
//
// It knows how people behave in a lane. It knows nothing of how a gate decides:
// what it wants to know it reads from relays, from the journal, or from the
// page, as anybody else would.
package rig

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/gate"
)

// School is the name of the school whose gates these are.
const School = "门神示范小学"

// Options say which gate is built.
type Options struct {
	// Dir holds the gate's data and its socket; it must exist and its path be
	// short enough for a socket.
	Dir string
	// Gate is the gate's name; empty is "demo".
	Gate string
	// Listen is the address of the pages; port 0 takes any. It is not used where
	// Web is, which the gate closes.
	Listen string
	Web    net.Listener
	// Hardware is what the gate is run on; nil makes what the profile names.
	Hardware *Hardware
	// Profile names a built-in profile, such as "all-serial-2", or a file of
	// Profiles without its ".toml".
	Profile string
	// Profiles holds further profiles; nil for none.
	Profiles fs.FS
	// Settings are further tables of gated.toml.
	Settings string
	// Now stamps entries; nil is the machine's own clock, trusted as far as the
	// machine does.
	Now func() entry.Stamp
	// Collectors receive the journal; nil for none.
	Collectors []gate.Collector
	Log        *slog.Logger
	// Seed drives the flicker of what the thermometers see.
	Seed uint64
}

// Rig is one gate with its made-up hardware.
type Rig struct {
	*Hardware
	Config *config.Config
	Gate   *gate.Gate
	// URL is where the pages are.
	URL string

	client  *http.Client
	web     net.Listener
	control net.Listener
}

// New builds a gate. Run runs it.
func New(o Options) (*Rig, error) {
	cfg, err := configure(o)
	if err != nil {
		return nil, err
	}
	r := &Rig{Hardware: o.Hardware, Config: cfg, web: o.Web}
	if r.Hardware == nil {
		r.Hardware = NewHardware(cfg.Board, o.Seed)
	}
	if r.web == nil {
		if r.web, err = net.Listen("tcp", cfg.Web.Listen); err != nil {
			return nil, fmt.Errorf("rig pages: %w", err)
		}
	}
	r.URL = "http://" + r.web.Addr().String() + "/"
	if err := os.Remove(cfg.Socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("rig socket: %w", err)
	}
	if r.control, err = net.Listen("unix", cfg.Socket); err != nil {
		return nil, errors.Join(fmt.Errorf("rig socket: %w", err), r.web.Close())
	}
	r.client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", cfg.Socket)
	}}}
	if o.Now == nil {
		o.Now = gate.NewClock().Now
	}
	rules := gate.Rules{Presets: firmwareconfig.Policies()}
	for _, c := range o.Collectors {
		rules.Signers = append(rules.Signers, c.Key)
	}
	r.Gate, err = gate.New(gate.Options{
		Config: cfg, Opener: r.World, Now: o.Now, Log: o.Log, Version: "rig", Web: r.web, Control: r.control, Collectors: o.Collectors, Rules: rules,
	})
	if err != nil {
		return nil, errors.Join(err, r.web.Close(), r.control.Close())
	}
	return r, nil
}

// configure reads the same files that a gate reads.
func configure(o Options) (*config.Config, error) {
	text := fmt.Sprintf("gate = %q\nschool = %q\ndata = %q\nsocket = %q\nprofile = %q\n[web]\nlisten = %q\n%s",
		cmp.Or(o.Gate, "demo"), School, o.Dir, filepath.Join(o.Dir, "gated.sock"), o.Profile, cmp.Or(o.Listen, "127.0.0.1:0"), o.Settings)
	cfg, err := config.Parse(config.File{Name: "gated.toml", Source: []byte(text)}, func(profile string) (config.File, error) {
		source, err := fs.ReadFile(firmwareconfig.Profiles(), profile+".toml")
		if err != nil && o.Profiles != nil {
			source, err = fs.ReadFile(o.Profiles, profile+".toml")
		}
		return config.File{Name: profile + ".toml", Source: source}, err
	})
	if err != nil {
		return nil, fmt.Errorf("rig configuration: %w", err)
	}
	return cfg, nil
}

// Run runs the gate until the context ends.
func (r *Rig) Run(ctx context.Context) error {
	defer r.client.CloseIdleConnections()
	return r.Gate.Run(ctx)
}

// ask asks the gate over its socket, as gatectl does.
func (r *Rig) ask(ctx context.Context, method, path string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://gate"+path, body)
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, bytes.TrimSpace(text))
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// RosterNumbers returns the numbers that entries know people by, by the school's
// own numbers.
func (r *Rig) RosterNumbers(ctx context.Context) (map[string]uint64, error) {
	var people []struct {
		ID     uint64
		Number string
	}
	if err := r.ask(ctx, http.MethodGet, "/v1/roster/people", nil, &people); err != nil {
		return nil, err
	}
	ids := make(map[string]uint64, len(people))
	for _, p := range people {
		ids[p.Number] = p.ID
	}
	return ids, nil
}

// Import gives the gate a roster.
func (r *Rig) Import(ctx context.Context, people []Person) error {
	return r.ask(ctx, http.MethodPost, "/v1/roster/import", listOf(people), &gate.RosterChange{})
}

// SetPIN gives a member of staff a PIN.
func (r *Rig) SetPIN(ctx context.Context, number, pin string) error {
	return r.tell(ctx, "/v1/roster/pin", struct{ Number, PIN string }{number, pin})
}

// SetDuty gives a member of staff duties, as gatectl takes them.
func (r *Rig) SetDuty(ctx context.Context, number, duties string) error {
	return r.tell(ctx, "/v1/roster/duty", struct{ Number, Duties string }{number, duties})
}

// tell asks the gate to do something that has no answer.
func (r *Rig) tell(ctx context.Context, path string, what any) error {
	b, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return r.ask(ctx, http.MethodPost, path, bytes.NewReader(b), &struct{}{})
}

// MakeCards makes visitors' cards up to a number, and returns the digits of all
// that there are.
func (r *Rig) MakeCards(ctx context.Context, highest int) (badges map[int]string, err error) {
	var made gate.CardsMade
	err = r.ask(ctx, http.MethodPost, fmt.Sprintf("/v1/roster/cards?highest=%d", highest), nil, &made)
	badges = map[int]string{}
	for _, c := range made.Cards {
		badges[c.Number] = c.Badge
	}
	return badges, err
}

// Holds lists the holds at the gate.
func (r *Rig) Holds(ctx context.Context) (list []gate.Hold, err error) {
	err = r.ask(ctx, http.MethodGet, "/v1/holds", nil, &list)
	return list, err
}
