package rig

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// Cable carries TCP connections to one address for as long as it is plugged in.
// Out of its socket it ends what it carries and what is tried: whoever dials
// finds nobody, as behind a switch that has no other port. It is made unplugged.
type Cable struct {
	near net.Listener
	far  string

	mu      sync.Mutex
	plugged bool
	open    map[net.Conn]struct{} // both ends of everything that it carries
	carried sync.WaitGroup
}

// NewCable returns a cable to host:port.
func NewCable(far string) (*Cable, error) {
	near, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cable: %w", err)
	}
	c := &Cable{near: near, far: far, open: map[net.Conn]struct{}{}}
	c.carried.Go(c.accept)
	return c, nil
}

// Addr is the near end's host:port.
func (c *Cable) Addr() string { return c.near.Addr().String() }

// Plug puts the cable in.
func (c *Cable) Plug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plugged = true
}

// Unplug pulls it out. No byte arrives afterwards.
func (c *Cable) Unplug() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plugged = false
	for conn := range c.open {
		conn.Close() // whoever reads or writes learns of it
	}
	clear(c.open)
}

// Close pulls the cable out for good.
func (c *Cable) Close() error {
	err := c.near.Close()
	c.Unplug()
	c.carried.Wait()
	return err
}

func (c *Cable) accept() {
	for {
		near, err := c.near.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			c.carried.Go(func() { c.carry(near) })
		}
	}
}

// carry passes bytes both ways until either end is closed.
func (c *Cable) carry(near net.Conn) {
	defer near.Close()
	if !c.join(near) {
		return
	}
	defer c.part(near)
	far, err := net.Dial("tcp", c.far)
	if err != nil {
		return
	}
	defer far.Close()
	if !c.join(far) {
		return
	}
	defer c.part(far)
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(near, far) // its end is all that there is to know
		near.Close()
	})
	_, _ = io.Copy(far, near)
	far.Close()
	back.Wait()
}

// join lets Unplug end a connection, unless the cable is out already.
func (c *Cable) join(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.plugged {
		c.open[conn] = struct{}{}
	}
	return c.plugged
}

func (c *Cable) part(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}
