package gymcu90614

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"periph.io/x/conn/v3/physic"

	"github.com/menshen/menshen/device"
)

// port is a serial port made of channels: what the test sends is read, and
// every write is kept and may be answered.
type port struct {
	in     chan []byte
	closed chan struct{}
	answer func(written []byte) // may be nil

	mu       sync.Mutex
	writeErr error
	written  []string
}

func newPort() *port {
	return &port{in: make(chan []byte, 16), closed: make(chan struct{})}
}

func (p *port) Read(b []byte) (int, error) {
	select {
	case q := <-p.in:
		return copy(b, q), nil
	case <-time.After(50 * time.Millisecond):
		return 0, nil // as a port with a time limit does
	case <-p.closed:
		return 0, io.EOF
	}
}

func (p *port) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writeErr != nil {
		return 0, p.writeErr
	}
	p.written = append(p.written, string(b))
	if p.answer != nil {
		p.answer(b)
	}
	return len(b), nil
}

// bubble runs f on a new device in virtual time and ends the device after it.
func bubble(t *testing.T, o Opts, f func(t *testing.T, p *port, d *Dev)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPort()
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

// answering makes every query be answered with q.
func (p *port) answering(q ...[]byte) {
	p.answer = func(w []byte) {
		if string(w) == "\xA5\x15\xBA" {
			for _, b := range q {
				p.in <- b
			}
		}
	}
}

func celsius100(c int64) physic.Temperature {
	return physic.ZeroCelsius + physic.Temperature(c)*10*physic.MilliKelvin
}

func wantErr(t *testing.T, d *Dev, want error) {
	t.Helper()
	if s, err := d.Sense(t.Context()); !errors.Is(err, want) || s != (device.Sample{}) {
		t.Errorf("got %+v, %v; want only %v", s, err, want)
	}
}

func wantObject(t *testing.T, d *Dev, c int64) {
	t.Helper()
	s, err := d.Sense(t.Context())
	if err != nil || s.Object != celsius100(c) {
		t.Errorf("got %v, %v; want %v", s.Object, err, celsius100(c))
	}
}

func TestQuerySwitchesOutputOffOnceThenAsksPerSense(t *testing.T) {
	bubble(t, Opts{}, func(t *testing.T, p *port, d *Dev) {
		p.answering(vector)
		for range 2 {
			s, err := d.Sense(t.Context())
			want := device.Sample{Object: celsius100(3660), Ambient: celsius100(2531), Raw: 0x0E4C}
			if err != nil || s != want {
				t.Errorf("got %+v, %v; want %+v", s, err, want)
			}
		}
		if want := []string{"\xA5\x52\xF7", "\xA5\x15\xBA", "\xA5\x15\xBA"}; !slices.Equal(p.written, want) {
			t.Errorf("wrote %x, want %x", p.written, want)
		}
	})
}

func TestAnswerMaySplitAnywhereAndFollowNoise(t *testing.T) {
	for cut := 1; cut < len(vector); cut++ {
		bubble(t, Opts{}, func(t *testing.T, p *port, d *Dev) {
			p.answering([]byte{0x00, 0x5A}, vector[:cut], vector[cut:])
			wantObject(t, d, 3660)
		})
	}
}

func TestFaultsAreTold(t *testing.T) {
	bad := bytes.Clone(vector)
	bad[5] ^= 0x01
	for _, c := range []struct {
		name   string
		answer []byte
		want   error
	}{
		{"a wrong sum is corrupt", bad, device.ErrCorrupt},
		{"bytes that are no frame are corrupt", []byte("hello"), device.ErrCorrupt},
		{"half a frame is corrupt", vector[:6], device.ErrCorrupt},
		{"silence is absence", nil, device.ErrAbsent},
		{"an object below the range is invalid", encode(-7001, 2531), device.ErrInvalid},
		{"an ambient below the range is invalid", encode(3660, -7001), device.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, Opts{}, func(t *testing.T, p *port, d *Dev) {
				if c.answer != nil {
					p.answering(c.answer)
				}
				wantErr(t, d, c.want)
			})
		})
	}
}

func TestRangeIsInclusiveAndSigned(t *testing.T) {
	for _, c := range []int16{-7000, -1, 0, 32767} {
		bubble(t, Opts{}, func(t *testing.T, p *port, d *Dev) {
			p.answering(encode(c, 2531))
			wantObject(t, d, int64(c))
		})
	}
}

func TestSilenceEndsAfterTheTimeout(t *testing.T) {
	for _, c := range []struct{ set, want time.Duration }{{0, 300 * time.Millisecond}, {time.Second, time.Second}} {
		bubble(t, Opts{Timeout: c.set}, func(t *testing.T, _ *port, d *Dev) {
			start := time.Now()
			wantErr(t, d, device.ErrAbsent)
			if got := time.Since(start); got != c.want {
				t.Errorf("gave up after %v, want %v", got, c.want)
			}
		})
	}
}

func TestLateAnswerIsNotTheNextOne(t *testing.T) {
	bubble(t, Opts{}, func(t *testing.T, p *port, d *Dev) {
		wantErr(t, d, device.ErrAbsent)
		p.in <- encode(9999, 2531)
		time.Sleep(time.Second)
		p.answering(vector)
		wantObject(t, d, 3660)
	})
}

func TestStreamUsesOnlyWhatArrivesAfterTheCall(t *testing.T) {
	bubble(t, Opts{Mode: Stream}, func(t *testing.T, p *port, d *Dev) {
		time.Sleep(time.Second)
		p.in <- encode(3900, 2531)
		time.Sleep(100 * time.Millisecond)
		go func() {
			time.Sleep(100 * time.Millisecond)
			p.in <- vector
		}()
		wantObject(t, d, 3660)
		wantErr(t, d, device.ErrAbsent) // the same frame is never used twice
		if len(p.written) != 0 {
			t.Errorf("wrote %x", p.written)
		}
	})
}

func TestStreamTakesTheNewestFrameOfARead(t *testing.T) {
	bubble(t, Opts{Mode: Stream}, func(t *testing.T, p *port, d *Dev) {
		time.Sleep(time.Second)
		go func() {
			time.Sleep(time.Millisecond)
			p.in <- append(encode(3900, 2531), append(bytes.Clone(vector), vector[:4]...)...)
		}()
		wantObject(t, d, 3660)
	})
}

func TestStreamDropsWhatThePortKeptFromBefore(t *testing.T) {
	bubble(t, Opts{Mode: Stream}, func(t *testing.T, p *port, d *Dev) {
		p.in <- encode(3900, 2531)
		wantErr(t, d, device.ErrAbsent)
	})
}

func TestEndedStreamIsAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPort()
		d, err := New(p, DefaultOpts())
		if err != nil {
			t.Fatal(err)
		}
		close(p.closed)
		wantErr(t, d, device.ErrAbsent)
		wantErr(t, d, io.EOF)
	})
}

func TestHaltedDeviceIsAbsent(t *testing.T) {
	bubble(t, Opts{}, func(t *testing.T, _ *port, d *Dev) {
		if err := d.Halt(); err != nil {
			t.Error(err)
		}
		wantErr(t, d, device.ErrAbsent)
	})
}

func TestFailedWriteIsAbsence(t *testing.T) {
	broken := errors.New("broken")
	bubble(t, Opts{}, func(t *testing.T, p *port, d *Dev) {
		p.writeErr = broken
		wantErr(t, d, device.ErrAbsent)
		wantErr(t, d, broken)
	})
	p := newPort()
	p.writeErr = broken
	if _, err := New(p, DefaultOpts()); !errors.Is(err, broken) {
		t.Errorf("New: got %v", err)
	}
}

func TestContextEndsSense(t *testing.T) {
	bubble(t, Opts{}, func(t *testing.T, _ *port, d *Dev) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := d.Sense(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestEndedContextAsksNothing(t *testing.T) {
	bubble(t, Opts{}, func(t *testing.T, p *port, d *Dev) {
		p.answering(vector)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.Sense(ctx); !errors.Is(err, context.Canceled) || len(p.written) != 1 {
			t.Errorf("got %v, wrote %x", err, p.written)
		}
	})
}

func TestOptsOutsideTheirRangeAreRefused(t *testing.T) {
	for _, o := range []Opts{{Mode: Stream + 1}, {Timeout: -1}, {Module: CJMCU90614 + 1}, {Module: -1}} {
		if _, err := New(newPort(), &o); err == nil {
			t.Errorf("%+v accepted", o)
		}
	}
}

func TestTheBodyThatAModuleClaimsIsInNoSample(t *testing.T) {
	bubble(t, Opts{Module: GY614V3}, func(t *testing.T, p *port, d *Dev) {
		p.answer = func(w []byte) {
			if string(w) == "\xA4\x03\x07\x07\xB5" {
				p.in <- gy614
			}
		}
		if b, ok := d.Body(); ok {
			t.Errorf("claimed %v before the first sample", b)
		}
		s, err := d.Sense(t.Context())
		want := device.Sample{Object: celsius100(3660), Ambient: celsius100(2531), Raw: 0x0E4C}
		if err != nil || s != want {
			t.Errorf("got %+v, %v; want %+v", s, err, want)
		}
		if b, ok := d.Body(); !ok || b != celsius100(3692) {
			t.Errorf("claimed %v, %v", b, ok)
		}
		if want := []string{"\xA4\x03\x07\x07\xB5"}; !slices.Equal(p.written, want) {
			t.Errorf("wrote %x, want %x", p.written, want)
		}
	})
	bubble(t, Opts{}, func(t *testing.T, p *port, d *Dev) {
		p.answering(vector)
		wantObject(t, d, 3660)
		if b, ok := d.Body(); ok {
			t.Errorf("claimed %v", b)
		}
	})
}

func TestEveryModuleIsNamed(t *testing.T) {
	for m, want := range map[Module]string{GYMCU90614: "GY-MCU90614{query}", GY614V3: "GY-614V3{query}", CJMCU90614: "CJMCU-90614{query}"} {
		bubble(t, Opts{Module: m}, func(t *testing.T, _ *port, d *Dev) {
			if d.String() != want {
				t.Errorf("got %s, want %s", d, want)
			}
		})
	}
	if Module(7).String() != "Module(7)" {
		t.Error(Module(7))
	}
}
