package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/doctor"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/tomlfile"
)

// doctor prints every check of the machine and its gate; it fails while one
// does.
func (t *tool) doctor(ctx context.Context) error {
	p := doctor.Patient{
		Root: machine(), ConfigFile: t.config, Synchronised: synchronised, Free: free,
	}
	if _, p.ConfigErr = config.Load(t.config, firmwareconfig.Profiles()); p.ConfigErr != nil {
		var faults tomlfile.Faults
		if errors.As(p.ConfigErr, &faults) {
			fmt.Fprintln(t.stdout, faults)
		}
	}
	if cfg, err := t.load(); err == nil {
		p.Config = cfg
		var s gate.Status
		switch err := t.ask(ctx, http.MethodGet, "/v1/status", nil, &s); {
		case err == nil:
			p.Gate = wellbeing(s)
		case !errors.Is(err, errNoGate):
			return err // beside a gate that runs and cannot be asked nothing is opened
		}
		hardware := quiet(cfg.Board)
		p.Opener = hardware
		p.Sense = func(ctx context.Context, c *config.Thermometer) error {
			dev, shut, err := gate.OpenThermometer(hardware, c, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			defer shut()
			_, err = dev.Sense(ctx)
			return errors.Join(err, dev.Halt())
		}
	}
	all := doctor.Examine(ctx, p)
	if err := doctor.Print(t.stdout, all); err != nil {
		return err
	}
	wrong := 0
	for _, f := range all {
		if f.Mark == doctor.Wrong {
			wrong++
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d 项不对 / %d checks failed", wrong, wrong)
	}
	return ctx.Err()
}

// wellbeing is what the checks want to know of a running gate.
func wellbeing(s gate.Status) *doctor.Gate {
	g := &doctor.Gate{People: s.Roster, OnDuty: s.OnDuty}
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
	for _, c := range s.Collectors {
		one := doctor.Collector{Name: c.Name}
		if c.Cause != "" {
			one.Cause, one.Remedy, one.Commands = doctor.Text(c.Text), doctor.Text(c.Remedy), c.Commands
		}
		g.Collectors = append(g.Collectors, one)
	}
	return g
}

// synchronised asks the kernel whether network time holds its clock
// (adjtimex(2), STA_UNSYNC).
func synchronised() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}

// free returns how many bytes anybody may still write where a directory lies.
func free(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}
