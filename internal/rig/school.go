package rig

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
)

// SchoolOptions say where a school and its district are.
type SchoolOptions struct {
	// Dir holds everything and must exist.
	Dir string
	// East, West, School and District are where the pages of the two gates and
	// the two collectors are served.
	East, West, School, District net.Listener
	Seed                         uint64
	Log                          *slog.Logger
}

// SchoolHost and DistrictHost are further names of the collectors' pages.
// Browsers keep cookies by name and not by port: pages of one machine that are
// open side by side need different ones.
const (
	SchoolHost   = "school.localhost"
	DistrictHost = "district.localhost"
)

// Schoolyard is a school with two gates and a collector, below the collector of
// its district.
type Schoolyard struct {
	// East has two lanes, West one.
	East, West *Gatehouse
	// School numbers the people of both gates and passes holds between them;
	// District only collects.
	School, District *Collector

	fault chan error // the first of a part that ended by itself
}

// OpenSchool runs all of it: the collectors first, then the gates, which are let
// in before their cables are plugged in. Close ends it.
func OpenSchool(ctx context.Context, o SchoolOptions) (_ *Schoolyard, err error) {
	s := &Schoolyard{fault: make(chan error, 1)}
	defer func() {
		if err == nil {
			return
		}
		err = errors.Join(err, s.Close())
		for _, l := range []net.Listener{o.East, o.West, o.School, o.District} {
			l.Close() // again, where somebody had taken it over
		}
	}()
	if s.School, err = s.collector(ctx, o, "school", School, SchoolHost, o.School); err != nil {
		return nil, err
	}
	if s.District, err = s.collector(ctx, o, "district", "门神示范区", DistrictHost, o.District); err != nil {
		return nil, err
	}
	if s.East, err = s.gatehouse(o, "east", "all-serial-2", o.East); err != nil {
		return nil, err
	}
	if s.West, err = s.gatehouse(o, "west", "all-serial", o.West); err != nil {
		return nil, err
	}
	return s, s.begin(ctx)
}

func (s *Schoolyard) collector(ctx context.Context, o SchoolOptions, name, title, host string, web net.Listener) (*Collector, error) {
	return StartCollector(ctx, CollectorOptions{
		Name: name, Title: title, Dir: filepath.Join(o.Dir, name), Web: web, Host: host, Log: o.Log.With("at", name),
	})
}

func (s *Schoolyard) gatehouse(o SchoolOptions, name, profile string, web net.Listener) (*Gatehouse, error) {
	return NewGatehouse(GatehouseOptions{
		Gate: name, Profile: profile, Dir: filepath.Join(o.Dir, name), Web: web, Collectors: []*Collector{s.School, s.District},
		Settings: "[isolation]\nphone = \"6123\"\nleader_phone = \"6100\"\n",
		Seed:     o.Seed, Log: o.Log.With("at", name), Failed: s.failed,
	})
}

// begin runs the gates, lets them in and plugs them in.
func (s *Schoolyard) begin(ctx context.Context) error {
	for _, h := range s.Gates() {
		if err := h.PowerOn(ctx); err != nil {
			return err
		}
		if err := h.AdmitTo(ctx, s.School, s.District); err != nil {
			return err
		}
		h.Plug()
	}
	return nil
}

// Gates are both of them.
func (s *Schoolyard) Gates() []*Gatehouse { return []*Gatehouse{s.East, s.West} }

// failed takes the first fault; those that follow are its consequences.
func (s *Schoolyard) failed(err error) {
	select {
	case s.fault <- err:
	default:
	}
}

// Wait returns when the context ends, or with the fault of a part that ended by
// itself.
func (s *Schoolyard) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.fault:
		return err
	case <-s.School.life.over:
		return errors.Join(errors.New("the school's collector ended"), s.School.life.err)
	case <-s.District.life.over:
		return errors.Join(errors.New("the district's collector ended"), s.District.life.err)
	}
}

// Close ends the gates, side by side, and then the collectors, so that what the
// gates say last is still heard.
func (s *Schoolyard) Close() error {
	var gates, collectors []func() error
	for _, h := range s.Gates() {
		if h != nil {
			gates = append(gates, h.Close)
		}
	}
	for _, c := range []*Collector{s.School, s.District} {
		if c != nil {
			collectors = append(collectors, c.Close)
		}
	}
	errs := together(gates)
	return errors.Join(append(errs, together(collectors)...)...)
}

// together calls all of them at the same time.
func together(all []func() error) []error {
	errs := make([]error, len(all))
	var running sync.WaitGroup
	for i, f := range all {
		running.Go(func() { errs[i] = f() })
	}
	running.Wait()
	return errs
}
