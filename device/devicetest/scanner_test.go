package devicetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/scanner"
	"github.com/menshen/menshen/device/sim"
)

// badPort is a port with something wrong between it and a sound driver.
type badPort struct {
	io.ReadWriteCloser
	read  func(port io.Reader, p []byte) (int, error)
	write func(port io.Writer, p []byte) (int, error)
	// most is how many writes go out; 0 is no limit.
	most, sent int
}

func (b *badPort) Read(p []byte) (int, error) {
	if b.read == nil {
		return b.ReadWriteCloser.Read(p)
	}
	return b.read(b.ReadWriteCloser, p)
}

func (b *badPort) Write(p []byte) (int, error) {
	if b.sent++; b.most > 0 && b.sent > b.most {
		return len(p), nil
	}
	if b.write == nil {
		return b.ReadWriteCloser.Write(p)
	}
	return b.write(b.ReadWriteCloser, p)
}

// badReader is a driver with something wrong in front of it.
type badReader struct {
	CodeReader
	blind  bool // believes that it is configured
	deaf   bool // ignores its context
	leaky  bool // returns a value beside an error
	twice  bool // cannot be halted twice
	vague  bool // calls every fault absence, and nothing else
	halted bool
}

func (b *badReader) Read(ctx context.Context) ([]byte, error) {
	if b.deaf {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
	}
	code, err := b.CodeReader.Read(ctx)
	switch {
	case err != nil && b.leaky:
		return []byte{}, err
	case errors.Is(err, device.ErrAbsent) && b.vague:
		return nil, device.ErrAbsent
	}
	return code, err
}

func (b *badReader) Configured() error {
	if b.blind {
		return nil
	}
	return b.CodeReader.Configured()
}

func (b *badReader) Halt() error {
	if b.halted && b.twice {
		return errors.New("already halted")
	}
	b.halted = true
	return b.CodeReader.Halt()
}

// gm65 is an engine of the suite with what is wrong with its port and driver.
func gm65(port badPort, reader badReader) ScannerKind {
	return ScannerKind{
		Add: (*sim.World).AddGM65,
		New: func(rw io.ReadWriteCloser) (CodeReader, error) {
			p, r := port, reader // each scanner has its own
			p.ReadWriteCloser = rw
			d, err := scanner.New(&p, &scanner.Opts{Kind: scanner.GM65, Mode: scanner.Command})
			r.CodeReader = d
			return &r, err
		},
		Wire:    func(text string) []byte { return []byte(text + "\r") },
		Lost:    []byte{0},
		Step:    1,
		InForce: func(s *sim.Scanner) bool { return s.Zone(3)&3 == 0 && s.Zone(0)&3 == 1 },
	}
}

func TestASoundScannerPasses(t *testing.T) {
	Scanner(t, gm65(badPort{}, badReader{}))
}

func TestEveryPlantedViolationOfAScannerIsCaught(t *testing.T) {
	for _, c := range []struct {
		rule   string
		port   badPort
		reader badReader
		caught []string // at least by these
	}{
		{"the rest of a read is thrown away", badPort{read: func(port io.Reader, p []byte) (int, error) {
			n, err := port.Read(p)
			if i := bytes.IndexByte(p[:n], '\r'); i >= 0 {
				n = i + 1
			}
			return n, err
		}}, badReader{}, []string{"two codes in one read are two codes"}},
		{"every read ends a code", badPort{read: func(port io.Reader, p []byte) (int, error) {
			n, err := port.Read(p[:len(p)-1])
			if n > 0 && p[0] != 2 {
				p[n] = '\r'
				n++
			}
			return n, err
		}}, badReader{}, []string{
			"a code is whole wherever its bytes are cut",
			"an unplugged scanner is absent, and what it cut off is no code",
			"a read that fails ends the scanner with its fault and no half code",
			"the end of the context ends a waiting read, and loses no code",
		}},
		{"what was lost is passed over", badPort{read: func(port io.Reader, p []byte) (int, error) {
			n, err := port.Read(p)
			if p[0] == 2 { // an engine's reply
				return n, err
			}
			return len(slices.DeleteFunc(p[:n], func(b byte) bool { return b == 0 })), err
		}}, badReader{}, []string{"a code of which something was lost is refused, and the next is read"}},
		{"a fault of reading is replaced", badPort{read: func(port io.Reader, p []byte) (int, error) {
			n, err := port.Read(p)
			if err != nil {
				err = io.EOF
			}
			return n, err
		}}, badReader{}, []string{"a read that fails ends the scanner with its fault and no half code"}},
		{"a fault of reading is hidden", badPort{}, badReader{vague: true}, []string{
			"a read that fails ends the scanner with its fault and no half code",
		}},
		{"a fault of writing is swallowed", badPort{write: func(port io.Writer, p []byte) (int, error) {
			_, _ = port.Write(p)
			return len(p), nil
		}}, badReader{}, []string{"a write that fails is told, and codes are read all the same"}},
		{"the settings are believed", badPort{}, badReader{blind: true}, []string{
			"a read that fails ends the scanner with its fault and no half code",
			"a write that fails is told, and codes are read all the same",
		}},
		{"the settings are believed, and tried once", badPort{most: 6}, badReader{blind: true}, []string{
			"a flipped bit of a command leaves no setting taken for written",
		}},
		{"a check code is put right", badPort{read: func(port io.Reader, p []byte) (int, error) {
			n, err := port.Read(p)
			if n > 6 && string(p[:3]) == "\x02\x00\x00" && n == 6+int(p[3]) {
				copy(p[n-2:], crc16(p[2:n-2]))
			}
			return n, err
		}}, badReader{}, []string{"a flipped bit of an engine's answer is a fault"}},
		{"a value beside an error", badPort{}, badReader{leaky: true}, []string{
			"a code of which something was lost is refused, and the next is read",
			"an unplugged scanner is absent, and what it cut off is no code",
			"the end of the context ends a waiting read, and loses no code",
		}},
		{"the context is ignored", badPort{}, badReader{deaf: true}, []string{
			"the end of the context ends a waiting read, and loses no code",
		}},
		{"halt that fails the second time", badPort{}, badReader{twice: true}, []string{
			"halt is idempotent and ends a waiting read",
		}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			var caught []string
			for _, r := range scannerRules() {
				synctest.Test(t, func(*testing.T) {
					if r.check(gm65(c.port, c.reader)) != nil {
						caught = append(caught, r.name)
					}
				})
			}
			for _, want := range c.caught {
				if !slices.Contains(caught, want) {
					t.Errorf("not caught by %q", want)
				}
			}
		})
	}
}

// crc16 is CRC-16/XMODEM, the check code of an engine's reply.
func crc16(p []byte) []byte {
	var crc uint16
	for _, b := range p {
		crc ^= uint16(b) << 8
		for range 8 {
			crc = crc<<1 ^ crc>>15*0x1021
		}
	}
	return []byte{byte(crc >> 8), byte(crc)}
}
