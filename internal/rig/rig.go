// Package rig is a whole gate in one process: the product's own gate, drivers,
// journal, roster and pages over chips made of software. Scenarios, the
// simulator and the demonstration are driven through it.
//
// It knows how people behave in a lane. It knows nothing of how a gate decides:
// what it wants to know it reads from relays, from the journal, or from the
// page, as anybody else would.
package rig

import (
	"bytes"
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
	"strings"
	"time"

	"github.com/menshen/menshen/config"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/gate"
)

// Options say which gate is built.
type Options struct {
	// Dir holds the gate's data and its socket; it must exist and its path be
	// short enough for a socket.
	Dir string
	// Listen is the address of the pages; port 0 takes any.
	Listen string
	// Profile names a built-in profile, such as "all-serial-2", or a file of
	// Profiles without its ".toml".
	Profile string
	// Profiles holds further profiles; nil for none.
	Profiles fs.FS
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
	r := &Rig{Hardware: NewHardware(cfg.Board, o.Seed), Config: cfg}
	if r.web, err = net.Listen("tcp", cfg.Web.Listen); err != nil {
		return nil, fmt.Errorf("rig pages: %w", err)
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
	r.Gate, err = gate.New(gate.Options{
		Config: cfg, Opener: r.World, Now: gate.NewClock().Now, Log: o.Log, Version: "rig", Web: r.web, Control: r.control, Collectors: o.Collectors,
	})
	if err != nil {
		return nil, errors.Join(err, r.web.Close(), r.control.Close())
	}
	return r, nil
}

// configure reads the same files that a gate reads.
func configure(o Options) (*config.Config, error) {
	text := fmt.Sprintf("gate = \"demo\"\nschool = \"门神示范小学\"\ndata = %q\nsocket = %q\nprofile = %q\n[web]\nlisten = %q\n",
		o.Dir, filepath.Join(o.Dir, "gated.sock"), o.Profile, o.Listen)
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

// RosterNumber returns the number that entries know somebody by.
func (r *Rig) RosterNumber(ctx context.Context, number string) (uint64, error) {
	var people []struct {
		ID     uint64
		Number string
	}
	if err := r.ask(ctx, http.MethodGet, "/v1/roster/people", nil, &people); err != nil {
		return 0, err
	}
	for _, p := range people {
		if p.Number == number {
			return p.ID, nil
		}
	}
	return 0, fmt.Errorf("nobody has the number %s", number)
}

// Import gives the gate a roster.
func (r *Rig) Import(ctx context.Context, people []Person) error {
	var list strings.Builder
	list.WriteString("学号,姓名,班级,角色,卡号,码色,码色时间\n")
	for _, p := range people {
		at := ""
		if p.Colour != "" {
			at = time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)
		}
		fmt.Fprintf(&list, "%s,%s,%s,%s,%s,%s,%s\n", p.Number, p.Name, p.Class, p.Role, p.Badge, p.Colour, at)
	}
	return r.ask(ctx, http.MethodPost, "/v1/roster/import", strings.NewReader(list.String()), &gate.RosterChange{})
}

// SetPIN gives a member of staff a PIN.
func (r *Rig) SetPIN(ctx context.Context, number, pin string) error {
	b, err := json.Marshal(struct{ Number, PIN string }{number, pin})
	if err != nil {
		return err
	}
	return r.ask(ctx, http.MethodPost, "/v1/roster/pin", bytes.NewReader(b), &struct{}{})
}
