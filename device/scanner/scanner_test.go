package scanner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
)

// port is a serial port made of channels; engine, if set, answers each write.
type port struct {
	in     chan []byte
	closed chan struct{}
	engine func(cmd []byte) []byte

	mu      sync.Mutex
	written [][]byte
	err     error // of every write
}

func newPort() *port {
	return &port{in: make(chan []byte, 64), closed: make(chan struct{})}
}

func (p *port) Read(b []byte) (int, error) {
	select {
	case q := <-p.in:
		return copy(b, q), nil
	default:
	}
	select {
	case q := <-p.in:
		return copy(b, q), nil
	case <-time.After(50 * time.Millisecond):
		return 0, nil // as a port with a time limit does
	case <-p.closed:
		select {
		case q := <-p.in: // sent before the end
			return copy(b, q), nil
		default:
			return 0, io.EOF
		}
	}
}

func (p *port) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return 0, p.err
	}
	p.written = append(p.written, bytes.Clone(b))
	if p.engine != nil {
		if r := p.engine(b); r != nil {
			p.in <- r
		}
	}
	return len(b), nil
}

// zones is an engine whose memory is one page; a write of zone stuck is
// acknowledged and forgotten.
type zones struct {
	mem   [256]byte
	stuck int
}

func (z *zones) answer(cmd []byte) []byte {
	body, at := cmd[2:len(cmd)-2], int(cmd[5])
	if crc16(body) != uint16(cmd[len(cmd)-2])<<8|uint16(cmd[len(cmd)-1]) {
		return nil
	}
	data := []byte{0}
	switch body[0] {
	case typeRead:
		data = z.mem[at : at+int(body[4])]
	case typeWrite:
		if at != z.stuck {
			copy(z.mem[at:], body[4:])
		}
	}
	return replyFrame(data)
}

func replyFrame(data []byte) []byte {
	p := append([]byte(replyHead), byte(len(data)))
	p = append(p, data...)
	sum := crc16(p[2:])
	return append(p, byte(sum>>8), byte(sum))
}

// bubble runs f on a new device in virtual time and ends it afterwards.
func bubble(t *testing.T, p func() *port, o Opts, f func(t *testing.T, p *port, d *Dev)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := p()
		d, err := New(p, &o)
		if err != nil {
			t.Fatal(err)
		}
		f(t, p, d)
		if err := errors.Join(d.Halt(), d.Halt()); err != nil {
			t.Error(err)
		}
		close(p.closed)
	})
}

func wantCode(t *testing.T, d *Dev, want string) {
	t.Helper()
	if got, err := d.Read(t.Context()); err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func wantErr(t *testing.T, d *Dev, want error) {
	t.Helper()
	if got, err := d.Read(t.Context()); !errors.Is(err, want) || got != nil {
		t.Errorf("got %q, %v; want only %v", got, err, want)
	}
}

func TestReadReturnsOneCodeAtATime(t *testing.T) {
	bubble(t, newPort, Opts{}, func(t *testing.T, p *port, d *Dev) {
		time.Sleep(openSilence)
		p.in <- []byte("A1\r\nB")
		p.in <- []byte("2\r\n")
		wantCode(t, d, "A1")
		wantCode(t, d, "B2")
	})
}

func TestACodeEndsAfterSilence(t *testing.T) {
	for _, c := range []struct{ set, want time.Duration }{{0, 80 * time.Millisecond}, {50 * time.Millisecond, 50 * time.Millisecond}} {
		bubble(t, newPort, Opts{Silence: c.set}, func(t *testing.T, p *port, d *Dev) {
			time.Sleep(time.Second)
			start := time.Now()
			p.in <- []byte("A1")
			wantCode(t, d, "A1")
			if got := time.Since(start); got != c.want {
				t.Errorf("after %v, want %v", got, c.want)
			}
		})
	}
}

func TestAPartialFirstLineIsNoCode(t *testing.T) {
	bubble(t, newPort, Opts{}, func(t *testing.T, p *port, d *Dev) {
		p.in <- []byte("LO 12345\r")
		p.in <- []byte("A1\r")
		wantCode(t, d, "A1")
	})
}

func TestAFaultyCodeIsInvalidAndTheNextIsRead(t *testing.T) {
	bubble(t, newPort, Opts{MaxLen: 4}, func(t *testing.T, p *port, d *Dev) {
		time.Sleep(openSilence)
		p.in <- []byte("12345\rA\x01B\rA1\r")
		wantErr(t, d, device.ErrInvalid)
		wantErr(t, d, device.ErrInvalid)
		wantCode(t, d, "A1")
	})
}

func TestUnreadCodesAreBoundedAndTheNewestKept(t *testing.T) {
	bubble(t, newPort, Opts{}, func(t *testing.T, p *port, d *Dev) {
		time.Sleep(openSilence)
		for i := range queueLen + 3 {
			p.in <- fmt.Appendf(nil, "C%d\r", i)
		}
		synctest.Wait()
		for i := range queueLen {
			wantCode(t, d, fmt.Sprintf("C%d", i+3))
		}
	})
}

func TestGM65SetupCodesAreSwitchedOffAndReadBack(t *testing.T) {
	z := &zones{stuck: -1}
	z.mem[zoneSetup] = 0x03
	engine := func() *port { p := newPort(); p.engine = z.answer; return p }
	bubble(t, engine, Opts{Kind: GM65}, func(t *testing.T, p *port, d *Dev) {
		if err := d.Configured(); err != nil {
			t.Error(err)
		}
		if z.mem[zoneSetup] != 0 || len(p.written) != 3 {
			t.Errorf("zone %#02x after %x", z.mem[zoneSetup], p.written)
		}
		time.Sleep(openSilence)
		p.in <- append(bytes.Clone(ack), "A1\r"...)
		wantCode(t, d, "A1")
	})
}

func TestMuteEngineIsReadAsALineScanner(t *testing.T) {
	start := time.Time{}
	mute := func() *port { start = time.Now(); return newPort() }
	bubble(t, mute, Opts{Kind: GM65}, func(t *testing.T, p *port, d *Dev) {
		if err := d.Configured(); !errors.Is(err, device.ErrAbsent) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("New took %v", took)
		}
		p.in <- []byte("A1\r")
		wantCode(t, d, "A1")
	})
}

func TestEngineThatForgetsIsNotConfigured(t *testing.T) {
	z := &zones{stuck: zoneSetup}
	z.mem[zoneSetup] = 0x01
	engine := func() *port { p := newPort(); p.engine = z.answer; return p }
	bubble(t, engine, Opts{Kind: GM65}, func(t *testing.T, _ *port, d *Dev) {
		if err := d.Configured(); !errors.Is(err, device.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

// The first write is acknowledged so late that the second attempt takes it for
// its own; the second acknowledgement then comes where a read-back is due.
func TestLateAcknowledgementIsNotAReadBack(t *testing.T) {
	z := &zones{stuck: zoneSetup}
	z.mem[zoneSetup] = 0x01
	late := func() *port {
		p := newPort()
		delay := replyWait + time.Millisecond
		p.engine = func(cmd []byte) []byte {
			if cmd[2] != typeWrite {
				time.AfterFunc(10*time.Millisecond, func() { p.in <- z.answer(cmd) })
				return nil
			}
			time.AfterFunc(delay, func() { p.in <- ack })
			delay = 5 * time.Millisecond
			return nil
		}
		return p
	}
	bubble(t, late, Opts{Kind: GM65}, func(t *testing.T, _ *port, d *Dev) {
		if err := d.Configured(); !errors.Is(err, device.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	})
}

func TestOptsOutsideTheirRangeAreRefused(t *testing.T) {
	for _, o := range []Opts{
		{Kind: GM67 + 1}, {Silence: -1}, {MaxLen: -1}, {Kind: GM65, Mode: Command + 1}, {Mode: -1},
		{Mode: Sensor}, {Kind: GM65, Trigger: []byte{1}}, {Kind: GM67, Mode: Command, Binary: true},
	} {
		if _, err := New(newPort(), &o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
}
