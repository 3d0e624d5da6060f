package devicetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
)

const (
	// The codes of the suite. They hold no byte that begins an engine's reply.
	first, second = "Qx-0407", "b2-9"
	// spoilt stands for a code that was refused.
	spoilt = "(refused)"
	// opened is how long a scanner is left alone after it was started, so that
	// what it sends next is the beginning of a code.
	opened = time.Second
	// quiet is how long a read waits before there is nothing more to come.
	quiet = time.Second
	// pieces is how many bytes a read brings where every read fails in turn: no
	// divisor of the size of an event, so that events are cut everywhere.
	pieces = 5
)

// CodeReader is a driver of a scanner.
type CodeReader interface {
	Read(ctx context.Context) ([]byte, error)
	// Configured is nil if the settings are known to be in force, or if there
	// are none.
	Configured() error
	// Trigger asks for a scan, of a scanner that does not scan by itself.
	Trigger() error
	Halt() error
}

// ScannerKind says how the suite has one kind of scanner.
type ScannerKind struct {
	// Add puts one into a world, as bytes on a port.
	Add func(w *sim.World, name string) *sim.Scanner
	// New starts the driver on the port, which it need not close.
	New func(port io.ReadWriteCloser) (CodeReader, error)
	// Wire is what the port brings for a text of letters, digits and "-", up
	// to the last byte of its end.
	Wire func(text string) []byte
	// Lost is what the port brings where something of a code was lost. It may
	// stand at each multiple of Step bytes.
	Lost []byte
	Step int
	// InForce says whether the engine is set as New was asked to set it; nil
	// for a scanner that takes no settings.
	InForce func(chip *sim.Scanner) bool
}

// scannerRule is one thing that the driver of a scanner owes. It returns what
// the driver did instead.
type scannerRule struct {
	name  string
	check func(k ScannerKind) error
}

// Scanner runs the suite: one sub-test and bubble for each rule, and a chip for
// each fault.
func Scanner(t *testing.T, k ScannerKind) {
	t.Helper()
	for _, r := range scannerRules() {
		t.Run(r.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if err := r.check(k); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func scannerRules() []scannerRule {
	return []scannerRule{
		{"a code is whole wherever its bytes are cut", cutAnywhere},
		{"two codes in one read are two codes", twoInOne},
		{"a code of which something was lost is refused, and the next is read", lossIsTold},
		{"a read that fails ends the scanner with its fault and no half code", eachReadFails},
		{"a write that fails is told, and codes are read all the same", eachWriteFails},
		{"an unplugged scanner is absent, and what it cut off is no code", unpluggedScanner},
		{"halt is idempotent and ends a waiting read", haltEndsReading},
		{"the end of the context ends a waiting read, and loses no code", contextEndsReading},
		{"a flipped bit of an engine's answer is a fault", eachAnswerFlipped},
		{"a flipped bit of a command leaves no setting taken for written", eachCommandFlipped},
	}
}

// desk is one scanner with its driver.
type desk struct {
	kind ScannerKind
	chip *sim.Scanner
	tap  *tap
	d    CodeReader
	took time.Duration // to start the driver
}

// with runs f on a scanner of its own, past its opening.
func (k ScannerKind) with(h hands, f func(d *desk) error) error {
	w := sim.NewWorld()
	chip := k.Add(w, "scanner")
	chip.SetTrouble(sim.Trouble{Split: h.split})
	port, err := w.Stream("scanner")
	if err != nil {
		return err
	}
	d := &desk{kind: k, chip: chip, tap: &tap{ReadWriteCloser: port, hands: h}}
	start := time.Now()
	if d.d, err = k.New(d.tap); err != nil {
		return errors.Join(err, port.Close())
	}
	d.took = time.Since(start)
	time.Sleep(opened)
	err = errors.Join(f(d), d.d.Halt(), port.Close())
	synctest.Wait()
	return err
}

// send puts bytes on the wire and lets the driver take them.
func (d *desk) send(b []byte) {
	d.chip.Emit(b)
	synctest.Wait()
}

// drain reads codes, refused ones among them, to an error of another kind.
func (d *desk) drain() (codes []string, end error) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), quiet)
		code, err := d.d.Read(ctx)
		cancel()
		switch {
		case err == nil:
			codes = append(codes, string(code))
		case code != nil:
			return append(codes, fmt.Sprintf("%q beside an error", code)), err
		case errors.Is(err, device.ErrInvalid):
			codes = append(codes, spoilt)
		default:
			return codes, err
		}
	}
}

// reads says whether just these codes come, and then an error that is all of
// end; none of end, and the scanner has to be there still.
func (d *desk) reads(want []string, end ...error) error {
	if len(end) == 0 {
		end = []error{context.DeadlineExceeded}
	}
	for range 2 { // the end does not pass
		codes, err := d.drain()
		if !slices.Equal(codes, want) {
			return fmt.Errorf("codes %q, want %q; then %w", codes, want, err)
		}
		if err := is(err, end...); err != nil {
			return fmt.Errorf("after codes %q: %w", codes, err)
		}
		want = nil
	}
	return nil
}

// is says what err is not.
func is(err error, want ...error) error {
	for _, w := range want {
		if !errors.Is(err, w) {
			return fmt.Errorf("got %v, want %q", err, w)
		}
	}
	return nil
}

func cutAnywhere(k ScannerKind) error {
	return k.with(hands{}, func(d *desk) error {
		wire := k.Wire(first)
		for cut := range len(wire) {
			d.send(wire[:cut])
			d.send(wire[cut:])
			if err := d.reads([]string{first}); err != nil {
				return fmt.Errorf("cut at byte %d of %d: %w", cut, len(wire), err)
			}
		}
		for i := range wire {
			d.send(wire[i : i+1])
		}
		return d.reads([]string{first})
	})
}

func twoInOne(k ScannerKind) error {
	return k.with(hands{}, func(d *desk) error {
		d.send(append(k.Wire(first), k.Wire(second)...))
		return d.reads([]string{first, second})
	})
}

func lossIsTold(k ScannerKind) error {
	return k.with(hands{}, func(d *desk) error {
		wire := k.Wire(first)
		for at := 0; at < len(wire); at += k.Step {
			d.send(slices.Insert(slices.Clone(wire), at, k.Lost...))
			d.send(k.Wire(second))
			if err := d.reads([]string{spoilt, second}); err != nil {
				return fmt.Errorf("lost at byte %d of %d: %w", at, len(wire), err)
			}
		}
		return nil
	})
}

func eachReadFails(k ScannerKind) error {
	codes := []string{first, second}
	wire := append(k.Wire(first), k.Wire(second)...)
	var setup, all int
	if err := k.with(hands{split: pieces}, func(d *desk) error {
		setup = d.transfers().reads
		d.send(wire)
		all = d.transfers().reads
		return errors.Join(d.d.Configured(), d.reads(codes))
	}); err != nil {
		return fmt.Errorf("without a fault: %w", err)
	}
	for at := 1; at <= 2*all; at++ {
		h := hands{split: pieces, beside: at > all}
		nth := (at-1)%all + 1
		h.read = from(nth)
		if err := k.with(h, func(d *desk) error {
			if nth <= setup && !h.beside {
				if err := is(d.d.Configured(), ErrInjected, device.ErrAbsent); err != nil {
					return fmt.Errorf("configured: %w", err)
				}
			}
			d.send(wire)
			whole := slices.DeleteFunc(slices.Clone(codes), func(c string) bool { return !d.tap.brought(k.Wire(c)) })
			return errors.Join(d.honest(), d.reads(whole, ErrInjected, device.ErrAbsent))
		}); err != nil {
			return fmt.Errorf("read %d of %d failed, its bytes beside it: %t: %w", nth, all, h.beside, err)
		}
	}
	return nil
}

func eachWriteFails(k ScannerKind) error {
	var setup, all int
	if err := k.with(hands{}, func(d *desk) error {
		setup = d.transfers().writes
		err := d.d.Trigger()
		all = d.transfers().writes
		return errors.Join(d.d.Configured(), err)
	}); err != nil {
		return fmt.Errorf("without a fault: %w", err)
	}
	for at := 1; at <= 2*all; at++ {
		nth, lasting := (at-1)%all+1, at > all
		h := hands{write: only(nth)}
		if lasting {
			h.write = from(nth)
		}
		if err := k.with(h, func(d *desk) error {
			asked := d.d.Trigger()
			var told error
			if lasting && nth <= setup {
				told = is(d.d.Configured(), ErrInjected, device.ErrAbsent)
			}
			if nth > setup || lasting && all > setup {
				told = errors.Join(told, is(asked, ErrInjected, device.ErrAbsent))
			}
			d.send(k.Wire(first))
			return errors.Join(told, d.honest(), d.reads([]string{first}))
		}); err != nil {
			return fmt.Errorf("write %d of %d failed, and all behind it: %t: %w", nth, all, lasting, err)
		}
	}
	return nil
}

func unpluggedScanner(k ScannerKind) error {
	next := k.Wire(second)
	for cut := range len(next) {
		if err := k.with(hands{}, func(d *desk) error {
			d.send(append(k.Wire(first), next[:cut]...))
			d.chip.Unplug()
			return d.reads([]string{first}, device.ErrAbsent)
		}); err != nil {
			return fmt.Errorf("pulled after byte %d of %d: %w", cut, len(next), err)
		}
	}
	return nil
}

func haltEndsReading(k ScannerKind) error {
	return k.with(hands{}, func(d *desk) error {
		halted := make(chan error, 1)
		start := time.Now()
		time.AfterFunc(quiet/2, func() { halted <- d.d.Halt() })
		_, err := d.d.Read(context.Background())
		if took := time.Since(start); took != quiet/2 {
			return fmt.Errorf("the read ended after %s", took)
		}
		return errors.Join(is(err, device.ErrAbsent), <-halted, d.d.Halt(), d.d.Halt())
	})
}

func contextEndsReading(k ScannerKind) error {
	const wait = 20 * time.Millisecond // shorter than any silence that ends a code
	wire := k.Wire(first)
	return k.with(hands{}, func(d *desk) error {
		for _, half := range []int{0, len(wire) / 2} {
			d.send(wire[:half])
			for _, limit := range []time.Duration{0, wait} {
				ctx, cancel := context.WithTimeout(context.Background(), limit)
				start := time.Now()
				code, err := d.d.Read(ctx)
				cancel()
				if took := time.Since(start); took > limit || code != nil {
					return fmt.Errorf("code %q after %s, limit %s", code, took, limit)
				}
				if err := is(err, context.DeadlineExceeded); err != nil {
					return err
				}
			}
			d.send(wire[half:])
			if err := d.reads([]string{first}); err != nil {
				return fmt.Errorf("after %d bytes before the context ended: %w", half, err)
			}
		}
		return nil
	})
}
