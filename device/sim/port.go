package sim

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/menshen/menshen/device"
)

// portBuffer is how much a port holds for a host that does not read, in
// bytes; what comes on top is lost. The limit is that of the Linux tty layer.
const portBuffer = 64 << 10

// port is a serial port with a chip behind it. The chip lives on whether or
// not the host has the port open; what it says to a closed port is lost.
type port struct {
	name    string
	receive func(b []byte) // takes the host's bytes; called without the lock
	opened  func()         // if not nil, called without the lock after each open
	// wrap, if not nil, is what the board puts around the host's end.
	wrap func(io.ReadWriteCloser) (io.ReadWriteCloser, error)

	mu        sync.Mutex
	unplugged bool
	open      *stream // nil while the host has the port closed
	trouble   Trouble
	up, down  wire // chip to host, host to chip
}

// connect opens the host's end.
func (p *port) connect() (io.ReadWriteCloser, error) {
	s, err := p.claim()
	if err != nil {
		return nil, fmt.Errorf("open port %s: %w", p.name, err)
	}
	if p.opened != nil {
		p.opened()
	}
	if p.wrap != nil {
		return p.wrap(s)
	}
	return s, nil
}

func (p *port) claim() (*stream, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unplugged {
		return nil, device.ErrAbsent
	}
	if p.open != nil {
		return nil, syscall.EBUSY
	}
	p.open = &stream{port: p, change: sync.NewCond(&p.mu)}
	return p.open, nil
}

// Unplug pulls the cable: a pending Read returns io.EOF, a pending write
// fails with syscall.EIO, and opening fails with device.ErrAbsent until Plug.
// Bytes that the host had not read are lost.
func (p *port) Unplug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unplugged = true
	if p.open != nil {
		p.open.finish(io.EOF)
	}
}

// Plug puts the cable back. The host has to open the port again.
func (p *port) Plug() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unplugged = false
}

// SetTrouble replaces what is wrong with the cable and starts counting its
// bytes anew.
func (p *port) SetTrouble(t Trouble) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble, p.up, p.down = t, wire{}, wire{}
	if p.open != nil {
		p.open.change.Broadcast()
	}
}

// listening says whether the host has the port open.
func (p *port) listening() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open != nil
}

// send gives the chip's bytes to the host, if it listens.
func (p *port) send(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.open
	if s == nil {
		return
	}
	b = p.up.carry(p.trouble, b)
	b = b[:min(len(b), portBuffer-s.held)]
	if len(b) == 0 {
		return
	}
	s.queue = append(s.queue, chunk{due: time.Now().Add(p.trouble.Delay), bytes: b})
	s.held += len(b)
	if p.trouble.Delay > 0 {
		time.AfterFunc(p.trouble.Delay, s.wake)
		return
	}
	s.change.Broadcast()
}

// chunk is what one send put on the wire.
type chunk struct {
	due   time.Time // readable from then on
	bytes []byte    // never empty
}

// stream is the host's end of an open port. The port's lock guards it.
type stream struct {
	port   *port
	change *sync.Cond
	queue  []chunk // in the order sent, whatever their due times
	held   int     // bytes in queue
	end    error   // nil while open; io.EOF after an unplug, os.ErrClosed after Close
}

// Read returns what the chip sent, at least one byte, or (0, nil) after
// Trouble.Timeout.
func (s *stream) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	s.port.mu.Lock()
	defer s.port.mu.Unlock()
	start, limit := time.Now(), s.port.trouble.Timeout
	if limit > 0 {
		defer time.AfterFunc(limit, s.wake).Stop()
	}
	for {
		switch {
		case s.end == io.EOF:
			return 0, io.EOF
		case s.end != nil:
			return 0, &fs.PathError{Op: "read", Path: s.port.name, Err: s.end}
		case s.ready():
			return s.take(b), nil
		case limit > 0 && time.Since(start) >= limit:
			return 0, nil
		}
		s.change.Wait()
	}
}

func (s *stream) ready() bool {
	return len(s.queue) > 0 && !time.Now().Before(s.queue[0].due)
}

// take moves every chunk that is due, up to the room in b.
func (s *stream) take(b []byte) int {
	if n := s.port.trouble.Split; n > 0 {
		b = b[:min(n, len(b))]
	}
	done := 0
	for done < len(b) && s.ready() {
		n := copy(b[done:], s.queue[0].bytes)
		done += n
		if s.queue[0].bytes = s.queue[0].bytes[n:]; len(s.queue[0].bytes) == 0 {
			s.queue = s.queue[1:]
		}
	}
	s.held -= done
	return done
}

// Write returns after the chip has taken the bytes.
func (s *stream) Write(b []byte) (int, error) {
	got, err := s.pass(b)
	if err != nil {
		return 0, &fs.PathError{Op: "write", Path: s.port.name, Err: err}
	}
	s.port.receive(got)
	return len(b), nil
}

// pass waits as long as the cable makes it and returns what arrives.
func (s *stream) pass(b []byte) ([]byte, error) {
	s.port.mu.Lock()
	defer s.port.mu.Unlock()
	start, delay := time.Now(), s.port.trouble.Delay
	if delay > 0 {
		defer time.AfterFunc(delay, s.wake).Stop()
	}
	for s.end == nil && (s.port.trouble.Stall || time.Since(start) < delay) {
		s.change.Wait()
	}
	switch s.end {
	case nil:
		return s.port.down.carry(s.port.trouble, b), nil
	case io.EOF:
		return nil, syscall.EIO
	default:
		return nil, s.end
	}
}

// Close ends pending calls with os.ErrClosed. It is idempotent.
func (s *stream) Close() error {
	s.port.mu.Lock()
	defer s.port.mu.Unlock()
	s.finish(os.ErrClosed)
	return nil
}

// finish ends the stream unless it has ended. The caller holds the lock.
func (s *stream) finish(why error) {
	if s.end != nil {
		return
	}
	s.end, s.queue, s.held = why, nil, 0
	s.port.open = nil
	s.change.Broadcast()
}

func (s *stream) wake() {
	s.port.mu.Lock()
	defer s.port.mu.Unlock()
	s.change.Broadcast()
}
