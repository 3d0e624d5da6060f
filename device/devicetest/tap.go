package devicetest

import (
	"bytes"
	"io"
	"sync"
)

// tap is a port with a hand on its wire: it counts what passes, and may change
// it or fail it.
type tap struct {
	io.ReadWriteCloser
	hands

	mu     sync.Mutex
	reads  []int  // lengths of the reads that brought something
	writes []int  // lengths of the writes
	got    []byte // what the driver was given
	dead   error  // a stream whose read failed stays failed
}

// hands is what a tap does to each transfer; the zero value does nothing. The
// number of a transfer counts from 1; read may change the bytes, and so may
// write: they are copies.
type hands struct {
	read, write func(nth int, p []byte) error
	// beside has the read that fails bring its bytes all the same.
	beside bool
	// split is the most that one read brings, in bytes; 0 is no limit.
	split int
}

// Read is the port's, in the driver's reading goroutine.
func (s *tap) Read(p []byte) (int, error) {
	if err := s.failed(); err != nil {
		return 0, err
	}
	n, err := s.ReadWriteCloser.Read(p)
	if err != nil || n == 0 {
		return n, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads = append(s.reads, n)
	if s.read != nil {
		s.dead = s.read(len(s.reads), p[:n])
	}
	if s.dead != nil && !s.beside {
		return 0, s.dead
	}
	s.got = append(s.got, p[:n]...)
	return n, s.dead
}

// Write is the port's; a write that fails does not reach it.
func (s *tap) Write(p []byte) (int, error) {
	p = bytes.Clone(p)
	if err := s.told(p); err != nil {
		return 0, err
	}
	return s.ReadWriteCloser.Write(p)
}

func (s *tap) told(p []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = append(s.writes, len(p))
	if s.write == nil {
		return nil
	}
	return s.write(len(s.writes), p)
}

func (s *tap) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

// passed returns how many reads and writes there were so far, by their lengths.
func (s *tap) passed() (reads, writes []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads[:len(s.reads):len(s.reads)], s.writes[:len(s.writes):len(s.writes)]
}

// brought says whether the driver was given these bytes in one piece.
func (s *tap) brought(p []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Contains(s.got, p)
}

// only fails transfer k and no other, from fails it and all that follow.
func only(k int) func(int, []byte) error { return failing(func(nth int) bool { return nth == k }) }
func from(k int) func(int, []byte) error { return failing(func(nth int) bool { return nth >= k }) }

func failing(hit func(nth int) bool) func(int, []byte) error {
	return func(nth int, _ []byte) error {
		if hit(nth) {
			return ErrInjected
		}
		return nil
	}
}

// flip turns one bit of transfer k round.
func flip(k, bit int) func(int, []byte) error {
	return func(nth int, p []byte) error {
		if nth == k && bit < 8*len(p) {
			p[bit/8] ^= 0x80 >> (bit % 8)
		}
		return nil
	}
}
