package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

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
		Root: machine(), ConfigFile: t.config, Synchronised: doctor.Synchronised, Free: doctor.Free,
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
			p.Gate = s.Wellbeing(remedy)
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
