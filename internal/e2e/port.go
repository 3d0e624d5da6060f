package e2e

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/pty"
)

// Port is one serial port of a gate: a link that leads to a pseudo-terminal
// while something is plugged in. The gate is given the link and re-opens it, as
// it does with names under /dev/serial.
type Port struct {
	// Link is the path that the gate opens.
	Link string

	serve func(io.ReadWriter) // what is plugged in; ends when its reader fails

	mu    sync.Mutex
	pair  *pty.Pair // nil while unplugged
	ended chan struct{}
}

// Plug connects the device by a new pseudo-terminal.
func (p *Port) Plug() error {
	pair, err := pty.Open()
	if err != nil {
		return fmt.Errorf("plug %s: %w", p.Link, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pair != nil {
		return errors.Join(fmt.Errorf("plug %s: is plugged in", p.Link), pair.Close())
	}
	if err := os.Symlink(pair.Path, p.Link); err != nil {
		return errors.Join(err, pair.Close())
	}
	ended := make(chan struct{})
	p.pair, p.ended = pair, ended
	go func() {
		defer close(ended)
		p.serve(pair.Master)
	}()
	return nil
}

// Unplug pulls the device. The link goes first: the number of a terminal that
// is gone may be given to another one at once. It is idempotent.
func (p *Port) Unplug() error {
	p.mu.Lock()
	pair, ended := p.pair, p.ended
	p.pair = nil
	p.mu.Unlock()
	if pair == nil {
		return nil
	}
	err := os.Remove(p.Link)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	err = errors.Join(err, pair.Close())
	<-ended
	return err
}

// Replug pulls the device and puts it back.
func (p *Port) Replug(t testing.TB) {
	t.Helper()
	if err := errors.Join(p.Unplug(), p.Plug()); err != nil {
		t.Fatal(err)
	}
}

// path returns the pseudo-terminal's own path, empty while unplugged.
func (p *Port) path() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pair == nil {
		return ""
	}
	return p.pair.Path
}

// sendWithin is how long a port waits for room where nobody reads.
const sendWithin = 5 * time.Second

// Send writes bytes to the gate, waiting a while for it to take them.
func (p *Port) Send(b []byte) error {
	p.mu.Lock()
	pair := p.pair
	p.mu.Unlock()
	if pair == nil {
		return fmt.Errorf("send to %s: unplugged", p.Link)
	}
	if err := pair.Master.SetWriteDeadline(time.Now().Add(sendWithin)); err != nil {
		return err
	}
	_, err := pair.Master.Write(b)
	return err
}
