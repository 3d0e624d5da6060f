package scanner

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
)

// attached runs f on a simulated engine in virtual time, past the opening.
func attached(t *testing.T, o Opts, prepare func(s *sim.Scanner), f func(t *testing.T, s *sim.Scanner, d *Dev)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := sim.NewWorld()
		add := map[Kind]func(string) *sim.Scanner{Line: w.AddScanner, GM65: w.AddGM65, GM67: w.AddGM67}[o.Kind]
		s := add("scanner")
		if prepare != nil {
			prepare(s)
		}
		rw, err := w.Stream("scanner")
		if err != nil {
			t.Fatal(err)
		}
		d, err := New(rw, &o)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(openSilence)
		f(t, s, d)
		if err := errors.Join(d.Halt(), rw.Close()); err != nil {
			t.Error(err)
		}
	})
}

func TestEnginesAreSetAndReadBack(t *testing.T) {
	for _, c := range []struct {
		kind  Kind
		setup uint16
		mode  uint16
		want  map[Mode]byte // of the mode's setting
	}{
		{GM65, zoneSetup, zoneMode, map[Mode]byte{AsSet: 0, Command: 1, Continuous: 2, Sensor: 3}},
		{GM67, paramSetup, paramMode, map[Mode]byte{AsSet: 4, Command: 8, Continuous: 4, Sensor: 9}},
	} {
		for mode, want := range c.want {
			attached(t, Opts{Kind: c.kind, Mode: mode}, nil, func(t *testing.T, s *sim.Scanner, d *Dev) {
				if err := d.Configured(); err != nil {
					t.Errorf("%v, mode %d: %v", c.kind, mode, err)
				}
				if s.Zone(c.setup) != 0 {
					t.Errorf("%v, mode %d: setup codes are obeyed", c.kind, mode)
				}
				if got := s.Zone(c.mode); got != want {
					t.Errorf("%v, mode %d: set to %#02x, want %#02x", c.kind, mode, got, want)
				}
				s.Scan("A1")
				wantCode(t, d, "A1")
			})
		}
	}
}

func TestASettingThatIsRightIsNotWritten(t *testing.T) {
	for kind, set := range map[Kind][]byte{
		GM65: append(command(typeWrite, zoneSetup, 0), command(typeWrite, zoneMode, 0xC3)...),
		GM67: append(append([]byte{0}, frame(opSet, keep, 0, paramSetup, 0)...), frame(opSet, keep, 0, paramMode, 0x09)...),
	} {
		synctest.Test(t, func(t *testing.T) {
			w := sim.NewWorld()
			if kind == GM65 {
				w.AddGM65("scanner")
			} else {
				w.AddGM67("scanner")
			}
			rw, err := w.Stream("scanner")
			if err != nil {
				t.Fatal(err)
			}
			if kind == GM67 {
				_, _ = rw.Write(set[:1]) // wakes it
				time.Sleep(wakeWait)
				set = set[1:]
			}
			if _, err := rw.Write(set); err != nil {
				t.Fatal(err)
			}
			tap := &tap{ReadWriteCloser: rw}
			d, err := New(tap, &Opts{Kind: kind, Mode: Sensor})
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Configured(); err != nil {
				t.Error(err)
			}
			for _, write := range []string{"\x7E\x00\x08", "\x07\xC6"} {
				if bytes.Contains(tap.sent, []byte(write)) {
					t.Errorf("%v: written % x", kind, tap.sent)
				}
			}
			_ = d.Halt()
			_ = rw.Close()
		})
	}
}

func TestTheOtherBitsOfAZoneAreKept(t *testing.T) {
	z := &zones{stuck: -1}
	z.mem[zoneMode] = 0xD4
	engine := func() *port { p := newPort(); p.engine = z.answer; return p }
	bubble(t, engine, Opts{Kind: GM65, Mode: Sensor}, func(t *testing.T, _ *port, d *Dev) {
		if err := d.Configured(); err != nil || z.mem[zoneMode] != 0xD7 {
			t.Errorf("zone %#02x, %v", z.mem[zoneMode], err)
		}
	})
}

func TestAnEngineThatRefusesIsNotConfigured(t *testing.T) {
	for rule, answers := range map[string]map[byte][]byte{
		"refuses to tell":      {opGet: gm67Nak},
		"refuses to be set":    {opGet: {0x07, 0xD6, 0, 0, 0, 0xEC, 0x01, 0xFE, 0x36}, opSet: gm67Nak},
		"acknowledges in vain": {opGet: {0x07, 0xD6, 0, 0, 0, 0xEC, 0x01, 0xFE, 0x36}, opSet: gm67Ack},
	} {
		t.Run(rule, func(t *testing.T) {
			engine := func() *port {
				p := newPort()
				p.engine = func(cmd []byte) []byte {
					if len(cmd) < 2 {
						return nil
					}
					return answers[cmd[1]]
				}
				return p
			}
			bubble(t, engine, Opts{Kind: GM67}, func(t *testing.T, p *port, d *Dev) {
				if err := d.Configured(); !errors.Is(err, device.ErrInvalid) {
					t.Errorf("got %v", err)
				}
				time.Sleep(openSilence)
				p.in <- []byte("A1\r")
				wantCode(t, d, "A1")
			})
		})
	}
}

func TestAMuteEngineOfEitherFamilyIsReadInTime(t *testing.T) {
	for _, kind := range []Kind{GM65, GM67} {
		began := time.Time{}
		mute := func() *port { began = time.Now(); return newPort() }
		bubble(t, mute, Opts{Kind: kind, Mode: Command}, func(t *testing.T, p *port, d *Dev) {
			if err := d.Configured(); !errors.Is(err, device.ErrAbsent) {
				t.Errorf("%v: got %v", kind, err)
			}
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("%v: New took %v", kind, took)
			}
			p.in <- []byte("A1\r")
			wantCode(t, d, "A1")
		})
	}
}

func TestATriggerAsksForOneScan(t *testing.T) {
	for _, kind := range []Kind{GM65, GM67} {
		attached(t, Opts{Kind: kind, Mode: Command}, nil, func(t *testing.T, s *sim.Scanner, d *Dev) {
			for range 2 {
				time.Sleep(time.Minute) // the engine sleeps
				if err := d.Trigger(); err != nil {
					t.Error(err)
				}
				s.Scan("A1") // behind the acknowledgement, on the same line
				wantCode(t, d, "A1")
			}
			if s.Triggers() != 2 {
				t.Errorf("%v: %d scans", kind, s.Triggers())
			}
		})
		attached(t, Opts{Kind: kind}, nil, func(t *testing.T, s *sim.Scanner, d *Dev) {
			if err := d.Trigger(); err != nil || s.Triggers() != 0 {
				t.Errorf("%v: %d scans, %v", kind, s.Triggers(), err)
			}
		})
	}
}

func TestALineScannerIsTriggeredByItsBytes(t *testing.T) {
	bytesOf := []byte{0x16, 0x54, 0x0D}
	bubble(t, newPort, Opts{Trigger: bytesOf}, func(t *testing.T, p *port, d *Dev) {
		if err := d.Trigger(); err != nil || len(p.written) != 1 || !bytes.Equal(p.written[0], bytesOf) {
			t.Errorf("sent % x, %v", p.written, err)
		}
		p.mu.Lock()
		p.err = errors.New("broken")
		p.mu.Unlock()
		if err := d.Trigger(); !errors.Is(err, device.ErrAbsent) || !errors.Is(err, p.err) {
			t.Errorf("got %v", err)
		}
	})
	bubble(t, newPort, Opts{}, func(t *testing.T, p *port, d *Dev) {
		if err := d.Trigger(); err != nil || len(p.written) != 0 {
			t.Errorf("sent % x, %v", p.written, err)
		}
	})
}

func TestAnEngineSendsBinaryCodesOnceItIsConfigured(t *testing.T) {
	for _, kind := range []Kind{GM65, GM67} {
		attached(t, Opts{Kind: kind, Binary: true}, nil, func(t *testing.T, s *sim.Scanner, d *Dev) {
			if err := d.Configured(); err != nil {
				t.Error(err)
			}
			for _, code := range []string{string(ack), string(gm67Ack) + "\r\n\x00", "\x00\x01\x02"} {
				s.Scan(code)
				wantCode(t, d, code)
			}
		})
	}
}

// tap keeps what is written.
type tap struct {
	io.ReadWriteCloser
	sent []byte
}

func (t *tap) Write(b []byte) (int, error) {
	t.sent = append(t.sent, b...)
	return t.ReadWriteCloser.Write(b)
}
