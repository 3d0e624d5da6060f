package devicetest

import (
	"errors"
	"testing"

	"periph.io/x/conn/v3/i2c"
)

// ErrInjected is the fault of a FaultyBus.
var ErrInjected = errors.New("injected bus fault")

// FaultyBus passes transfers on to Bus and fails one of them. Like a bus, it
// is for one goroutine at a time.
type FaultyBus struct {
	i2c.Bus
	// At is the number of the transfer that fails, from 1; 0 fails none.
	At int
	// Done counts the transfers so far, the failed one included.
	Done int
}

// Tx fails with ErrInjected, without reaching the chip, at transfer At. The
// bytes to be read are left as noise, as an adapter may leave them.
func (f *FaultyBus) Tx(addr uint16, w, r []byte) error {
	f.Done++
	if f.Done != f.At {
		return f.Bus.Tx(addr, w, r)
	}
	for i := range r {
		r[i] = 0x3A
	}
	return ErrInjected
}

// FlippedBus passes transfers on to Bus and flips one bit of one answer, as a
// disturbed wire does. Like a bus, it is for one goroutine at a time.
type FlippedBus struct {
	i2c.Bus
	// At is the number of the transfer, from 1; 0 flips nothing.
	At int
	// Bit counts from the first bit on the wire; beyond the end of the answer
	// nothing is flipped.
	Bit int
	// Done counts the transfers so far.
	Done int
	// Asked is what was written in the transfer that was hit; nil if none was.
	Asked []byte
}

// Tx is Bus.Tx with the bit flipped.
func (f *FlippedBus) Tx(addr uint16, w, r []byte) error {
	f.Done++
	if err := f.Bus.Tx(addr, w, r); err != nil || f.Done != f.At || f.Bit >= 8*len(r) {
		return err
	}
	r[f.Bit/8] ^= 0x80 >> (f.Bit % 8)
	f.Asked = append([]byte{}, w...)
	return nil
}

// EachTransferFails runs use once on a sound bus and then once for each of
// its transfers with that transfer failing. Every such run has to return an
// error that wraps ErrInjected, the first fault and no later one.
//
// Open returns a fresh bus for each run; use opens the driver and does
// everything that it can do.
func EachTransferFails(t testing.TB, open func() i2c.Bus, use func(b i2c.Bus) error) {
	t.Helper()
	sound := &FaultyBus{Bus: open()}
	if err := use(sound); err != nil {
		t.Errorf("without a fault: %v", err)
		return
	}
	if sound.Done == 0 {
		t.Error("no transfer to fail")
	}
	for k := 1; k <= sound.Done; k++ {
		b := &FaultyBus{Bus: open(), At: k}
		if err := use(b); !errors.Is(err, ErrInjected) {
			t.Errorf("transfer %d of %d failed: got %v", k, sound.Done, err)
		}
	}
}
