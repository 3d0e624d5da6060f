package gate

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"periph.io/x/conn/v3/physic"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/gymcu90614"
	"github.com/menshen/menshen/device/mlx90614"
	"github.com/menshen/menshen/device/mlx90632"
	"github.com/menshen/menshen/device/scanner"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// How devices are opened and given up.
const (
	reopenFirst = 250 * time.Millisecond
	reopenMost  = 5 * time.Second
	// triggerAgain is how long a scanner that scans when it is asked may take
	// before it is asked again: it gives up by itself after some seconds.
	triggerAgain = 3 * time.Second
	// probeSensor is how often an idle thermometer is asked whether it is there.
	probeSensor = 30 * time.Second
	// faultAgain is how soon an idle one is asked again that did not answer.
	faultAgain = time.Second
	// faultsMost is how many faults in a row make a thermometer lost.
	faultsMost = 5
	// Skin and a part's own ambient flicker by more than one step of the part.
	// A bit-identical sample after sameTwice others is no evidence, so that no
	// reading consists of them alone; after sameMost the thermometer is frozen.
	sameTwice = 2
	sameMost  = 8
)

// attachment says whose a device is: it tells lane, journal and pages when the
// device vanishes and when it returns, each once.
type attachment struct {
	g      *Gate
	l      *laneLoop
	lane   uint8
	role   string
	events lane.Role
	lost   bool
}

func (l *laneLoop) attach(r lane.Role) attachment {
	return attachment{g: l.g, l: l, lane: uint8(l.cfg.Number), role: r.String(), events: r}
}

func (a *attachment) report(err error) {
	if (err != nil) == a.lost {
		return
	}
	a.lost = err != nil
	if a.l != nil && !a.l.compared.hears(a.events, a.lost) {
		if a.lost {
			a.l.send(lane.DeviceLost{Role: a.events})
		} else {
			a.l.send(lane.DeviceBack{Role: a.events})
		}
	}
	a.g.deviceEntry(a.lane, a.role, err)
}

// keep runs use again and again: a device that fails is given up, reported,
// and opened anew with growing pauses. Use reports that it is back.
func keep(ctx context.Context, a *attachment, use func(back func()) error) error {
	pause := reopenFirst
	for {
		err := use(func() {
			a.report(nil)
			pause = reopenFirst
		})
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = device.ErrAbsent
		}
		a.report(err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(pause*2, reopenMost)
	}
}

// scan reads the lane's scanner.
func (l *laneLoop) scan(ctx context.Context) error {
	a := l.attach(lane.RoleScanner)
	c := l.cfg.Scanner
	opts := scannerOpts(c)
	return keep(ctx, &a, func(back func()) error {
		stream, err := l.g.o.Opener.Stream(c.Port)
		if err != nil {
			return err
		}
		defer stream.Close()
		unblock := context.AfterFunc(ctx, func() { stream.Close() })
		defer unblock()
		dev, err := scanner.New(stream, opts)
		if err != nil {
			return err
		}
		if err := dev.Configured(); err != nil {
			l.log.Warn("scanner takes no settings; setup codes may re-configure it", "err", err)
		}
		back()
		for {
			if err := dev.Trigger(); err != nil {
				return err
			}
			text, err := readFor(ctx, dev, triggerAgain)
			switch {
			case err == nil:
				l.offer(ctx, scanned{badgeOfCard(c.Card, text)})
			case errors.Is(err, context.DeadlineExceeded):
			case errors.Is(err, device.ErrInvalid), errors.Is(err, device.ErrCorrupt):
				l.log.Warn("scan refused", "err", err)
			default:
				return err
			}
		}
	})
}

// scannerOpts says how a scanner of the profile is read.
func scannerOpts(c *config.Scanner) *scanner.Opts {
	return &scanner.Opts{
		Kind: map[string]scanner.Kind{
			config.ScannerLine: scanner.Line, config.ScannerGM65: scanner.GM65, config.ScannerGM67: scanner.GM67,
		}[c.Kind],
		Mode: map[string]scanner.Mode{
			config.ScannerContinuous: scanner.Continuous, config.ScannerSensor: scanner.Sensor, config.ScannerCommand: scanner.Command,
		}[c.Mode],
		Silence: c.Silence, Binary: c.Binary, Trigger: c.Trigger,
	}
}

// readFor reads one code, waiting at most d for it.
func readFor(ctx context.Context, dev *scanner.Dev, d time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	return dev.Read(ctx)
}

// Thermometer is what a lane asks of one.
type Thermometer interface {
	// Sense takes one sample, waiting for it as long as the part takes.
	Sense(ctx context.Context) (device.Sample, error)
	// Halt ends the use of the part; it is idempotent.
	Halt() error
}

// claimer is a thermometer that makes a body temperature up by itself.
type claimer interface {
	Body() (physic.Temperature, bool)
}

// openThermometer opens the lane's thermometer.
func (l *laneLoop) openThermometer() (Thermometer, func(), error) {
	return OpenThermometer(l.g.o.Opener, l.cfg.Thermometer, l.log)
}

// OpenThermometer opens a thermometer of a profile; the function closes what
// lies below it.
func OpenThermometer(o device.Opener, c *config.Thermometer, log *slog.Logger) (Thermometer, func(), error) {
	if c.Bus != "" {
		return openOnBus(o, c, log)
	}
	stream, err := o.Stream(c.Port)
	if err != nil {
		return nil, nil, err
	}
	opts := &gymcu90614.Opts{Module: map[string]gymcu90614.Module{
		config.ThermometerGYMCU90614: gymcu90614.GYMCU90614, config.ThermometerGY614V3: gymcu90614.GY614V3, config.ThermometerCJMCU90614: gymcu90614.CJMCU90614,
	}[c.Kind]}
	if c.Mode == config.ModeStream {
		opts.Mode = gymcu90614.Stream
	}
	dev, err := gymcu90614.New(stream, opts)
	if err != nil {
		return nil, nil, errors.Join(err, stream.Close())
	}
	return dev, func() { stream.Close() }, nil
}

// openOnBus opens a thermometer on I2C.
func openOnBus(o device.Opener, c *config.Thermometer, log *slog.Logger) (Thermometer, func(), error) {
	bus, err := o.I2C(c.Bus)
	if err != nil {
		return nil, nil, err
	}
	shut := func() { bus.Close() }
	if c.Kind == config.ThermometerMLX90632 {
		dev, err := mlx90632.New(bus, &mlx90632.Opts{Address: c.Address, Emissivity: c.Emissivity})
		if err != nil {
			return nil, nil, errors.Join(err, bus.Close())
		}
		if !dev.Medical() {
			log.Warn("thermometer is no medical part: accurate to 1 °C only")
		}
		return dev, shut, nil
	}
	pec := map[string]mlx90614.PEC{config.PECStrict: mlx90614.PECStrict, config.PECLog: mlx90614.PECLog, config.PECOff: mlx90614.PECOff}[c.PEC]
	dev, err := mlx90614.New(bus, &mlx90614.Opts{Address: c.Address, PEC: pec, Dual: c.Dual})
	if err != nil {
		return nil, nil, errors.Join(err, bus.Close())
	}
	return dev, shut, nil
}

// measure samples the lane's thermometer while the lane wants it, and asks
// every half minute whether it is there otherwise. A module that sends by
// itself is always listened to.
func (l *laneLoop) measure(ctx context.Context) error {
	a := l.attach(lane.RoleThermometer)
	c := l.cfg.Thermometer
	always := c.Mode == config.ModeStream
	return keep(ctx, &a, func(back func()) error {
		dev, shut, err := l.openThermometer()
		if err != nil {
			return err
		}
		defer shut()
		defer dev.Halt()
		first, err := dev.Sense(ctx)
		if err != nil {
			return err
		}
		l.unveil(milliC(first.Object), l.g.o.Now().Mono)
		l.g.calibrations.fit(l, deviceName(ctx, l.cfg, dev))
		back()
		s := sampler{lane: l, dev: dev}
		for ctx.Err() == nil {
			if !always && !l.gauge.wait(ctx, s.next()) {
				if err := s.probe(ctx); err != nil {
					return err
				}
				continue
			}
			began := time.Now()
			if err := s.sample(ctx); err != nil {
				return err
			}
			if !always {
				pause(ctx, c.Period-time.Since(began))
			}
		}
		return nil
	})
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// sampler takes samples and knows when a thermometer is no longer one.
type sampler struct {
	lane   *laneLoop
	dev    Thermometer
	faults int
	same   int
	last   device.Sample
}

// sample delivers one measurement or one fault; an error gives the device up.
func (s *sampler) sample(ctx context.Context) error {
	m, err := s.dev.Sense(ctx)
	if ctx.Err() != nil {
		return nil
	}
	at := s.lane.g.o.Now().Mono
	if err != nil {
		s.lane.offer(ctx, lane.Sample{Sample: screening.Sample{At: at}, Fault: true})
		if s.fault(err) {
			return err
		}
		return nil
	}
	s.faults = 0
	if c, ok := s.dev.(claimer); ok {
		if body, claims := c.Body(); claims {
			s.lane.log.Debug("thermometer claims a body temperature, which decides nothing", "celsius", body.Celsius())
		}
	}
	if s.lane.compared.running() {
		s.lane.offer(ctx, lane.Sample{Sample: screening.Sample{Object: milliC(m.Object), Ambient: milliC(m.Ambient), At: at}})
		return nil // a reference may well be still
	}
	if m == s.last {
		s.same++
	} else {
		s.same = 0
	}
	s.last = m
	object := milliC(m.Object)
	s.lane.backdrop(object, at)
	skin := object >= screening.EmptyBelow // an empty view may well be still
	if skin && s.same >= sameTwice && s.same < sameMost {
		return nil
	}
	frozen := skin && s.same >= sameMost
	if s.same == sameMost && frozen {
		s.lane.g.recorder.note(entry.Device{
			Lane: uint8(s.lane.cfg.Number), Role: lane.RoleThermometer.String(), Event: entry.DeviceFault,
			Detail: "sends the same value to the bit",
		}, uint8(s.lane.cfg.Number))
	}
	s.lane.offer(ctx, lane.Sample{Sample: screening.Sample{Object: object, Ambient: milliC(m.Ambient), At: at}, Fault: frozen})
	return nil
}

// probe asks an idle thermometer whether it is there, and what lies behind those
// who are not; an error gives the device up.
func (s *sampler) probe(ctx context.Context) error {
	m, err := s.dev.Sense(ctx)
	switch {
	case err != nil && s.fault(err):
		return err
	case err == nil:
		s.faults = 0
		s.lane.backdrop(milliC(m.Object), s.lane.g.o.Now().Mono)
	}
	return nil
}

// next is when an idle thermometer is asked again. One that did not answer is asked
// soon: until it is given up its bus stays open, and a bridge that was pulled
// cannot come back.
func (s *sampler) next() time.Duration {
	if s.faults > 0 {
		return faultAgain
	}
	return s.lane.probeAfter()
}

// fault counts a fault; true means that the device is to be given up.
func (s *sampler) fault(err error) bool {
	s.faults++
	return s.faults >= faultsMost || errors.Is(err, device.ErrAbsent) && s.faults >= 2
}

// milliC rounds up: a value is never taken for a lower one.
func milliC(t physic.Temperature) screening.MilliC {
	v := t - physic.ZeroCelsius
	m := v / physic.MilliKelvin
	if v%physic.MilliKelvin > 0 {
		m++
	}
	const most = 1 << 30
	return screening.MilliC(max(-most, min(most, m)))
}

// gauge says whether the thermometer is wanted, and wakes who waits for that.
type gauge struct {
	on   atomic.Bool
	held atomic.Bool // somebody compares the thermometer
	wake chan struct{}
}

func newGauge() *gauge { return &gauge{wake: make(chan struct{}, 1)} }

// set replaces what was said before. It never waits.
func (g *gauge) set(on bool) { g.say(&g.on, on) }

// hold wants samples beside whatever the lane wants.
func (g *gauge) hold(on bool) { g.say(&g.held, on) }

func (g *gauge) wanted() bool { return g.on.Load() || g.held.Load() }

func (g *gauge) say(what *atomic.Bool, on bool) {
	what.Store(on)
	if on {
		select {
		case g.wake <- struct{}{}:
		default:
		}
	}
}

// wait reports whether samples are wanted now, waiting at most d for that.
func (g *gauge) wait(ctx context.Context, d time.Duration) bool {
	if g.wanted() {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-g.wake:
			if g.wanted() {
				return true
			} // wanted and unwanted again
		case <-t.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// watchLine follows one input and reports its level at first and every change.
func (g *Gate) watchLine(ctx context.Context, pin string, a attachment, changed func(on bool)) error {
	return g.followLine(ctx, pin, a, func(on, _ bool) { changed(on) })
}

// watchButton follows a button, or anything else of which only a change from
// off to on counts. One that is on when it is opened was not pressed now: it may
// be stuck.
func (g *Gate) watchButton(ctx context.Context, pin string, a attachment, pressed func()) error {
	return g.followLine(ctx, pin, a, func(on, first bool) {
		if on && !first {
			pressed()
		}
	})
}

func (g *Gate) followLine(ctx context.Context, pin string, a attachment, changed func(on, first bool)) error {
	return keep(ctx, &a, func(back func()) error {
		line, err := g.o.Opener.Line(pin, device.LineOpts{})
		if err != nil {
			return err
		}
		defer line.Close()
		on, err := line.Get()
		if err != nil {
			return err
		}
		back()
		for first := true; ; first = false {
			changed(on, first)
			if on, err = line.Wait(ctx); err != nil {
				return err
			}
		}
	})
}
