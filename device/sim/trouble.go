package sim

import "time"

// Trouble is what is wrong with the cable of one part. The zero value is a
// sound cable. It repeats exactly: bytes are counted in each direction from
// the call of SetTrouble, nothing is drawn by chance.
type Trouble struct {
	// Delay is how long bytes take. Those from the chip become readable that
	// much later, in order; a write returns, and acts, that much later. On an
	// I2C bus each transfer takes it.
	Delay time.Duration
	// Corrupt flips one bit of each n-th byte; 0 flips none.
	Corrupt int
	// Drop loses each n-th byte; 0 loses none. On I2C, Corrupt and Drop count
	// what the chip answers, and a transfer that loses a byte is not
	// acknowledged.
	Drop int
	// Split is the most that one Read of a port returns, in bytes; 0 is no
	// limit.
	Split int
	// Timeout ends a Read that got nothing with (0, nil), as ports with a time
	// limit do; 0 waits for ever. Serial ports only.
	Timeout time.Duration
	// Stall blocks every write until the port is closed, unplugged, or given
	// another Trouble: a USB adapter that hangs. Serial ports only.
	Stall bool
}

// wire counts the bytes of one direction.
type wire struct{ n int }

func (w *wire) carry(t Trouble, b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		w.n++
		if t.Drop > 0 && w.n%t.Drop == 0 {
			continue
		}
		if t.Corrupt > 0 && w.n%t.Corrupt == 0 {
			c ^= 1 << (w.n / t.Corrupt % 8)
		}
		out = append(out, c)
	}
	return out
}
