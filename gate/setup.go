package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/doctor"
	"github.com/menshen/menshen/install"
	"github.com/menshen/menshen/web/setup"
)

// Setup is what the page that installs a gate looks at and writes.
type Setup struct {
	// ConfigFile is the name of gated.toml, and Profiles the built-in ones.
	ConfigFile string
	Profiles   fs.FS
	// Search looks for devices, and Patient is the machine; what the gate itself
	// knows is put in by the gate.
	Search  doctor.Search
	Patient doctor.Patient
	// Restart ends the process in good order so that it is started again; nil where
	// nobody would.
	Restart func()
}

// How long somebody with the right to change the board has for it, and how often
// it is looked for.
const (
	mendWithin = 5 * time.Second
	mendLook   = 100 * time.Millisecond
)

// liveLines is how many of the newest events of the devices a page shows.
const liveLines = 6

// installer is what was found for the page of an installation.
type installer struct {
	mu      sync.Mutex
	scanned time.Time
	found   []doctor.Thing
}

// setupPage is a gate as the page of an installation has it.
type setupPage struct{ *Gate }

// View implements setup.Machine.
func (p setupPage) View(ctx context.Context) setup.View {
	o := p.o.Setup
	v := setup.View{Gate: p.o.Config.Gate, CanRestart: o.Restart != nil}
	_, err := os.Stat(o.ConfigFile + config.Before)
	v.CanRestore = err == nil
	now, configErr := config.Load(o.ConfigFile, o.Profiles)
	v.Written = configErr == nil && !(bytes.Equal(now.Source, p.o.Config.Source) && reflect.DeepEqual(now.Board, p.o.Config.Board))
	patient := o.Patient
	patient.ConfigFile, patient.Config, patient.ConfigErr = o.ConfigFile, p.o.Config, configErr
	patient.Gate = p.now().Wellbeing(func(string) string { return "the line of that lane on the guard's page says what to do" })
	done := install.Done(patient.Root)
	for _, f := range doctor.Examine(ctx, patient) {
		v.Checks = append(v.Checks, setup.Check{
			Mark: f.Mark.String(), What: setup.Text(f.What), Why: setup.Text(f.Why), Fix: setup.Text(f.Fix), Lines: f.Lines, Commands: f.Commands, Mend: f.Mend,
		})
	}
	v.Mended = done
	for _, l := range p.o.Config.Board.Lanes {
		if l.Thermometer != nil && l.Thermometer.Kind == config.ThermometerMLX90614 && v.Optics == nil {
			v.Optics = optics()
		}
	}
	p.installer.mu.Lock()
	defer p.installer.mu.Unlock()
	v.Scanned = p.installer.scanned
	for i, t := range p.installer.found {
		v.Things = append(v.Things, p.thing(i+1, t))
	}
	return v
}

// thing is one device as the page shows it.
func (p setupPage) thing(number int, t doctor.Thing) setup.Thing {
	out := setup.Thing{Number: number, Where: t.Where, Facts: t.Facts, Guess: setup.Text(t.Guess)}
	if t.Trouble != nil {
		out.Trouble = t.Trouble.Error()
	}
	if writable(t.Lines) {
		out.Lines = t.Lines
		out.There = config.Holds(p.o.Setup.ConfigFile, p.o.Setup.Profiles, t.Lines)
	}
	return out
}

// writable reports whether lines say all that is needed: a name that somebody has
// to choose stands in them as NAME.
func writable(lines []string) bool {
	return len(lines) > 0 && !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "NAME") })
}

func optics() (all []setup.Optic) {
	for _, o := range doctor.Optics() {
		all = append(all, setup.Optic{Letter: o.Letter, Degrees: o.Degrees, Millimetres: o.Millimetres()})
	}
	return all
}

// Scan implements setup.Machine.
func (p setupPage) Scan(ctx context.Context) error {
	search := p.o.Setup.Search
	search.InUse = inUse(p.o.Config.Board)
	var found []doctor.Thing
	for _, s := range search.Scan(ctx) {
		found = append(found, s.Things...)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("scan: %w", err)
	}
	p.installer.mu.Lock()
	defer p.installer.mu.Unlock()
	p.installer.scanned, p.installer.found = p.recorder.clock.look().Wall, found
	return nil
}

// inUse lists the ports and buses that a gate has open.
func inUse(b config.Profile) (all []string) {
	for _, p := range b.Ports {
		all = append(all, p.Path)
	}
	for _, bus := range b.Buses {
		all = append(all, bus.Path+bus.Adapter) // one of them is empty
	}
	return all
}

// Write implements setup.Machine.
func (p setupPage) Write(_ context.Context, number int) error {
	p.installer.mu.Lock()
	defer p.installer.mu.Unlock()
	if number < 1 || number > len(p.installer.found) || !writable(p.installer.found[number-1].Lines) {
		return setup.ErrStale
	}
	return written(config.Write(p.o.Setup.ConfigFile, p.o.Setup.Profiles, p.installer.found[number-1].Lines))
}

// Restore implements setup.Machine.
func (p setupPage) Restore(context.Context) error {
	err := config.Restore(p.o.Setup.ConfigFile)
	if errors.Is(err, fs.ErrNotExist) {
		return setup.ErrStale
	}
	return written(err)
}

// written says for a person why a configuration was not written.
func written(err error) error {
	var faults config.Faults
	switch {
	case errors.As(err, &faults):
		return fmt.Errorf("%w: %w", setup.ErrFaulty, err)
	case errors.Is(err, fs.ErrPermission), err != nil && strings.Contains(err.Error(), "read-only"):
		return fmt.Errorf("%w: %w", setup.ErrReadOnly, err)
	}
	return err
}

// Mend implements setup.Machine. The daemon has no right to change the board: it
// writes down the name of the fix, and menshen-fix.path starts who has.
func (p setupPage) Mend(ctx context.Context, fix string, undo bool) (string, error) {
	if !install.KnownFix(fix) {
		return "", setup.ErrStale
	}
	asked, done := filepath.Join(p.o.Config.Data, install.AskedFile), filepath.Join(p.o.Config.Data, install.DoneFile)
	if err := os.Remove(done); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("ask for %s: %w", fix, err)
	}
	text := fix
	if undo {
		text += " undo"
	}
	if err := replaceFile(asked, []byte(text+"\n")); err != nil {
		return "", fmt.Errorf("ask for %s: %w", fix, err)
	}
	ctx, cancel := context.WithTimeout(ctx, mendWithin)
	defer cancel()
	look := time.NewTicker(mendLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			if err := os.Remove(asked); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return "", fmt.Errorf("ask for %s no more: %w", fix, err)
			}
			return "", setup.ErrNoHelper
		case <-look.C:
		}
		if b, err := os.ReadFile(done); err == nil {
			return strings.TrimSpace(string(b)), nil
		}
	}
}

// Restart implements setup.Machine.
func (p setupPage) Restart() bool {
	if p.o.Setup.Restart == nil {
		return false
	}
	p.o.Setup.Restart()
	return true
}

// Address implements setup.Machine: where a phone finds the page.
func (p setupPage) Address() string {
	if p.outside() == nil {
		return ""
	}
	_, port, err := net.SplitHostPort(p.o.Web.Addr().String())
	if err != nil {
		return ""
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return ""
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsPrivate() {
			return net.JoinHostPort(n.IP.String(), port)
		}
	}
	return ""
}

// Live implements setup.Machine. What the devices send is dropped while nobody
// looks.
func (p setupPage) Live(ctx context.Context) (ticks <-chan struct{}, newest func() []string) {
	watch, end, ok := p.live.watch()
	out, changed := make(chan struct{}, 1), p.Watch(ctx)
	var mu sync.Mutex
	var lines []string
	newest = func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(lines)
	}
	if !ok {
		return changed, newest // too many look already: the page says no more than that
	}
	go func() {
		defer p.restOnPanic("setup")
		defer end()
		for {
			select {
			case <-ctx.Done():
				return
			case e := <-watch.events:
				mu.Lock()
				lines = append([]string{e.String()}, lines[:min(len(lines), liveLines-1)]...)
				mu.Unlock()
			case <-changed:
			}
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out, newest
}

// Wellbeing is what the checks of the machine want to know of a gate; remedy says
// what to do about a fault by its key.
func (s Status) Wellbeing(remedy func(key string) string) *doctor.Gate {
	g := &doctor.Gate{People: s.Roster, OnDuty: s.OnDuty, Accepted: s.Accepted}
	for _, p := range s.Policies {
		if p.InForce {
			g.Policy = fmt.Sprintf("%s (%d)", p.Name, p.Number)
		}
	}
	for _, l := range s.Lanes {
		for _, f := range l.Faults {
			g.Faults = append(g.Faults, doctor.Fault{Text: fmt.Sprintf("lane %d: %s", l.Number, f.Text), Remedy: remedy(f.Key)})
		}
	}
	for _, c := range s.Calibrations {
		g.Calibrations = append(g.Calibrations, doctor.Calibration{Lane: c.Lane, State: c.State, Due: c.Due})
	}
	for _, d := range s.Drifts {
		g.Drifts = append(g.Drifts, doctor.Drift{Lane: d.Lane, Against: d.Against, By: fmt.Sprintf("%+.2f K", float64(d.By)/1000)})
	}
	for _, c := range s.Collectors {
		one := doctor.Collector{Name: c.Name}
		if c.Cause != "" {
			one.Cause, one.Remedy, one.Commands = doctor.Text(c.Text), doctor.Text(c.Remedy), c.Commands
		}
		g.Collectors = append(g.Collectors, one)
	}
	return g
}
