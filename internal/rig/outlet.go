package rig

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// outlet is the address of a gate's pages. It outlives the gate that is served
// there, so that a browser finds the next one where the last one was; while
// there is none, nobody answers.
type outlet struct {
	net.Listener
	in      atomic.Pointer[plug]
	serving sync.WaitGroup
}

func newOutlet(l net.Listener) *outlet {
	o := &outlet{Listener: l}
	o.serving.Go(o.accept)
	return o
}

// plug returns the listener of the gate that is served from now on.
func (o *outlet) plug() net.Listener {
	p := &plug{pipes: newPipes(), addr: o.Addr(), open: map[net.Conn]struct{}{}}
	o.in.Store(p)
	return p
}

// unplug ends at once what browsers have open, and lets in no more.
func (o *outlet) unplug() {
	if p := o.in.Swap(nil); p != nil {
		p.cut()
	}
}

func (o *outlet) accept() {
	for {
		conn, err := o.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		if p := o.in.Load(); p == nil || !p.take(conn) {
			conn.Close()
		}
	}
}

// Close closes the address. The gate there has ended.
func (o *outlet) Close() error {
	err := o.Listener.Close()
	o.serving.Wait()
	return err
}

// plug is the listener of one gate at an outlet.
type plug struct {
	*pipes
	addr net.Addr

	mu   sync.Mutex
	open map[net.Conn]struct{} // nil once it was cut
}

// take hands a connection over, unless the gate is gone.
func (p *plug) take(conn net.Conn) bool {
	p.mu.Lock()
	if p.open == nil {
		p.mu.Unlock()
		return false
	}
	p.open[conn] = struct{}{}
	p.mu.Unlock()
	select {
	case p.conns <- served{conn, p}:
		return true
	case <-p.closed:
		p.forget(conn)
		return false
	}
}

func (p *plug) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		conn.Close()
	}
	p.open = nil
}

func (p *plug) forget(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

// Addr implements net.Listener.
func (p *plug) Addr() net.Addr { return p.addr }

// served is a connection that its outlet can end.
type served struct {
	net.Conn
	by *plug
}

// Close implements net.Conn.
func (s served) Close() error {
	s.by.forget(s.Conn)
	return s.Conn.Close()
}
