package devicetest

import (
	"errors"
	"fmt"
	"time"
)

// counts is how many transfers there were.
type counts struct{ reads, writes int }

func (d *desk) transfers() counts {
	reads, writes := d.tap.passed()
	return counts{len(reads), len(writes)}
}

// honest says whether the driver takes its settings for written though they are
// not in force.
func (d *desk) honest() error {
	if d.kind.InForce != nil && d.d.Configured() == nil && !d.kind.InForce(d.chip) {
		return errors.New("settings are taken for written that are not in force")
	}
	return nil
}

// readsOn says whether a code is read after whatever the wire did to the
// settings. What it made of an answer may be a code that was refused, and never
// one that is read.
func (d *desk) readsOn() error {
	d.send(d.kind.Wire(first))
	codes, err := d.drain()
	for len(codes) > 1 && codes[0] == spoilt {
		codes = codes[1:]
	}
	if len(codes) != 1 || codes[0] != first {
		return fmt.Errorf("codes %q, want only %q; then %w", codes, first, err)
	}
	return nil
}

// setting is what it takes to set a scanner.
type setting struct {
	reads, writes []int // their lengths
	took          time.Duration
}

// setting starts the scanner once without a fault.
func (k ScannerKind) setting() (s setting, err error) {
	err = k.with(hands{}, func(d *desk) error {
		s.took = d.took
		s.reads, s.writes = d.tap.passed()
		return errors.Join(d.d.Configured(), d.honest())
	})
	if err == nil && k.InForce != nil && (len(s.reads) == 0 || len(s.writes) == 0) {
		err = errors.New("nothing was set")
	}
	if err != nil {
		return s, fmt.Errorf("without a fault: %w", err)
	}
	return s, nil
}

func eachAnswerFlipped(k ScannerKind) error {
	sound, err := k.setting()
	if err != nil {
		return err
	}
	return eachBit(sound.reads, func(nth, bit int) error {
		return k.with(hands{read: flip(nth, bit)}, func(d *desk) error {
			if d.d.Configured() == nil && d.took <= sound.took && d.transfers().writes <= len(sound.writes) {
				return errors.New("the answer was taken, neither waited for nor asked for again")
			}
			return errors.Join(d.honest(), d.readsOn())
		})
	})
}

func eachCommandFlipped(k ScannerKind) error {
	sound, err := k.setting()
	if err != nil {
		return err
	}
	return eachBit(sound.writes, func(nth, bit int) error {
		return k.with(hands{write: flip(nth, bit)}, func(d *desk) error {
			return errors.Join(d.honest(), d.readsOn())
		})
	})
}

// eachBit tries every bit of transfers of these lengths.
func eachBit(lengths []int, try func(nth, bit int) error) error {
	for i, n := range lengths {
		for bit := range 8 * n {
			if err := try(i+1, bit); err != nil {
				return fmt.Errorf("bit %d of transfer %d of %d: %w", bit, i+1, len(lengths), err)
			}
		}
	}
	return nil
}
