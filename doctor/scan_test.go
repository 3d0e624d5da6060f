package doctor

import (
	"errors"
	"io"
	"maps"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"

	"periph.io/x/conn/v3/i2c"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/board"
	"github.com/menshen/menshen/device/sim"
)

// hardware opens the parts of a simulated world by their paths, and counts what
// is opened and how many bytes are sent to a port.
type hardware struct {
	*sim.World
	opened, sent atomic.Int64
}

// of opens for one profile.
func (h *hardware) of(p config.Profile) device.Opener { return &opener{h, p} }

type opener struct {
	h *hardware
	p config.Profile
}

func (o *opener) I2C(name string) (i2c.BusCloser, error) {
	o.h.opened.Add(1)
	return o.h.World.I2C(o.p.Buses[name].Path)
}

func (o *opener) Stream(name string) (io.ReadWriteCloser, error) {
	o.h.opened.Add(1)
	s, err := o.h.World.Stream(o.p.Ports[name].Path)
	return &counted{s, o.h}, err
}

func (o *opener) Line(string, device.LineOpts) (device.Line, error) {
	return nil, errors.New("a scan opens no line")
}

type counted struct {
	io.ReadWriteCloser
	h *hardware
}

func (c *counted) Write(p []byte) (int, error) {
	c.h.sent.Add(int64(len(p)))
	return c.ReadWriteCloser.Write(p)
}

// scanned is the print of one scan in the time of a bubble.
func scanned(t *testing.T, s Search) string {
	t.Helper()
	s.Listen = ListenUsually
	if s.Chips == nil {
		s.Chips = func() ([]board.Chip, error) { return nil, nil }
	}
	var b strings.Builder
	if err := PrintSections(&b, s.Scan(t.Context())); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func wantAll(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("does not say %q", part)
		}
	}
	if t.Failed() {
		t.Logf("%s", got)
	}
}

func TestAScanOfABareMachineSaysWhatIsMissingAndWhatToType(t *testing.T) {
	h := &hardware{World: sim.NewWorld()}
	got := scanned(t, Search{Root: fstest.MapFS{}, Opener: h.of})
	wantAll(t, got,
		"== I²C 总线 · I²C buses\n✗ 没有 I²C 总线", "$ sudo modprobe i2c-dev", "no I²C and takes a serial thermometer",
		"== 串口 · serial ports\n✗ 没有串口设备 · no serial device", "take a cable that carries data", "$ lsusb",
		"✗ 没有键盘式设备 · nothing that types", "✗ 没有 GPIO 线 · no GPIO lines", "use a USB relay board", "✗ 没有声卡", "$ aplay -L")
	if h.opened.Load() != 0 {
		t.Error("something was opened")
	}
}

func TestAScanOfABarePiSaysHowToTurnI2COn(t *testing.T) {
	root := fstest.MapFS{"boot/config.txt": file("dtparam=audio=on\n")}
	wantAll(t, scanned(t, Search{Root: root}), "I²C 没有打开(/boot/config.txt)", "$ sudo raspi-config nonint do_i2c 0")
}

// onUSB plants a serial port of a USB device.
func onUSB(m fstest.MapFS, tty, vendor, product, name string) {
	usb := "sys/devices/usb1/" + tty
	maps.Copy(m, fstest.MapFS{
		usb + "/idVendor": file(vendor), usb + "/idProduct": file(product), usb + "/product": file(name),
		usb + "/if/" + tty + "/tty/" + tty + "/dev": file("188:0"),
		"sys/class/tty/" + tty:                      link("../../devices/usb1/" + tty + "/if/" + tty + "/tty/" + tty),
		"dev/" + tty:                                node(20, 0o660),
	})
}

func TestEachThingIsGuessedAndHasItsLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		root := aPi()
		h := &hardware{World: sim.NewWorld()}
		h.AddI2CThermometer("/dev/i2c-1", 0x5A)
		h.AddSerialThermometer("/dev/serial/by-id/usb-CP2102-if00")
		onUSB(root, "ttyUSB0", "10C4", "ea60", "CP2102")
		root["dev/serial/by-id/usb-CP2102-if00"] = link("../../ttyUSB0")
		h.AddScanner("/dev/ttyACM0")
		onUSB(root, "ttyACM0", "1eab", "8203", "NLS-FM430")
		h.AddScanner("/dev/serial0")
		root["sys/class/tty/ttyS7"], root["sys/class/tty/tty1"] = link("../../devices/x/ttyS7"), link("../../devices/x/tty1")
		root["sys/bus/i2c/devices/1-0068/driver"] = link("../../../../bus/i2c/drivers/rtc-ds1307")
		root["proc/asound/cards"] = file(" 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones\n                      bcm2835 Headphones\n")
		plugKeyboard(root, "0c2e", "0b61", "Honey\x1b[2Jwell 1450g")
		got := scanned(t, Search{Root: root, Opener: h.of, Chips: func() ([]board.Chip, error) {
			return []board.Chip{{Node: "/dev/gpiochip0", Label: "pinctrl-bcm2711", Lines: 58, Used: []board.UsedLine{{Number: 17, By: "menshen barrier-1"}}}}, nil
		}})
		wantAll(t, got,
			"/dev/i2c-1 0x5A\n", "MLX90614", `adapter = "bcm2835 (i2c@7e804000)"`, `kind = "mlx90614"`, "address = 0x5A",
			"/dev/i2c-1 0x68\n    kernel driver rtc-ds1307",
			"/dev/serial/by-id/usb-CP2102-if00 (/dev/ttyUSB0)\n    10c4:ea60 CP2102", "GY-MCU90614 thermometer", `kind = "gy-mcu90614"`, `path = "/dev/serial/by-id/usb-CP2102-if00"`, "baud = 9600",
			"Newland scanner", `scanner-1 = "/dev/ttyACM0"`, "/dev/serial0 (/dev/ttyAMA0)",
			"/dev/input/event3\n    0c2e:0b61 Honey[2Jwell 1450g", `scanner-1 = "hid:0c2e:0b61"`,
			"pinctrl-bcm2711, 58 lines\n    17: menshen barrier-1", `chip = "pinctrl-bcm2711"`,
			`device = "plughw:CARD=Headphones"`)
		for _, never := range []string{"ttyS7", "tty1)", "✗"} {
			if strings.Contains(got, never) {
				t.Errorf("says %q:\n%s", never, got)
			}
		}
		if n := h.sent.Load(); n != 0 {
			t.Errorf("%d bytes sent to a port", n)
		}
	})
}

func TestOnlyAProbeAsksWhatIsNotKnown(t *testing.T) {
	for probe, says := range map[bool]string{false: "MLX90632 要用 gatectl scan -probe", true: "MLX90632 thermometer, medical"} {
		synctest.Test(t, func(t *testing.T) {
			root := fstest.MapFS{"dev/i2c-1": node(44, 0o660)}
			h := &hardware{World: sim.NewWorld()}
			h.AddMLX90632("/dev/i2c-1", 0x3A)
			h.AddGM65("/dev/ttyACM0")
			onUSB(root, "ttyACM0", "ffff", "0001", "?")
			got := scanned(t, Search{Root: root, Opener: h.of, Probe: probe})
			wantAll(t, got, says)
			if found := strings.Contains(got, `kind = "gm65"`) && strings.Contains(got, `kind = "mlx90632"`); found != probe || (h.sent.Load() > 0) != probe {
				t.Errorf("probe %v: found %v, %d bytes sent:\n%s", probe, found, h.sent.Load(), got)
			}
		})
	}
}

// strict is a bus on which every transfer is noted.
type strict struct {
	i2c.BusCloser
	written map[uint16]int
	err     error
}

func (b *strict) Tx(addr uint16, w, _ []byte) error {
	b.written[addr] += len(w)
	return b.err
}

func (b *strict) Close() error { return nil }

type onlyBus struct {
	device.Opener
	bus *strict
}

func (o onlyBus) I2C(string) (i2c.BusCloser, error) { return o.bus, nil }

// A PCF8574 takes any byte for the levels of its outputs.
func TestNoByteIsWrittenWhereItCouldClickARelay(t *testing.T) {
	root := fstest.MapFS{"dev/i2c-1": node(44, 0o660)}
	for _, probe := range []bool{false, true} {
		bus := &strict{written: map[uint16]int{}}
		scanned(t, Search{Root: root, Probe: probe, Opener: func(config.Profile) device.Opener { return onlyBus{bus: bus} }})
		for addr, n := range bus.written {
			switch {
			case n == 0, addr == 0x5A, probe && (!takesAnyByte(addr) || isMLX90632(addr)):
			default:
				t.Errorf("probe %v: %d bytes written to %#x", probe, n, addr)
			}
		}
		if len(bus.written) != lastAddress-firstAddress+1 {
			t.Errorf("probe %v: %d addresses looked at", probe, len(bus.written))
		}
	}
}

func TestABusThatDoesNotWorkIsGivenUpAndSaysWhy(t *testing.T) {
	bus := &strict{written: map[uint16]int{}, err: syscall.ETIMEDOUT}
	got := scanned(t, Search{Root: fstest.MapFS{"dev/i2c-1": node(44, 0o660)}, Opener: func(config.Profile) device.Opener { return onlyBus{bus: bus} }})
	wantAll(t, got, "总线不通", "missing pull-ups")
	if len(bus.written) != mostFaults {
		t.Errorf("%d addresses looked at", len(bus.written))
	}
}

func TestWhatSomebodyHasOpenIsSaidAndNotOpened(t *testing.T) {
	root := fstest.MapFS{
		"dev/i2c-1":                    node(44, 0o660),
		"proc/812/fd/3":                link("/dev/ttyUSB0"),
		"proc/812/comm":                file("ModemManager\n"),
		"proc/self/fd/3":               link("/dev/ttyACM0"),
		"dev/menshen-scanner":          link("ttyACM0"),
		"sys/class/i2c-dev/i2c-1/name": file("bcm2835\n"),
	}
	onUSB(root, "ttyUSB0", "10c4", "ea60", "CP2102")
	onUSB(root, "ttyACM0", "1eab", "8203", "NLS-FM430")
	h := &hardware{World: sim.NewWorld()}
	got := scanned(t, Search{Root: root, Opener: h.of, InUse: []string{"/dev/menshen-scanner", "bcm2835"}})
	wantAll(t, got, "/dev/ttyUSB0\n", "ModemManager 正在使用", "/dev/ttyACM0\n", "gated has it open", "/dev/i2c-1\n    bcm2835\n    ! gated")
	if n := h.opened.Load(); n != 0 {
		t.Errorf("%d opened", n)
	}
}

func FuzzWhatTheSystemWritesNeverEndsAScan(f *testing.F) {
	f.Add(" 0 [Headphones     ]: bcm2835 - x\n", "10000 7 fe", "dtparam=i2c_arm=on", "console=serial0,115200")
	f.Add("0 [a b]: c", "", "dtparam=,=", "console=")
	f.Fuzz(func(t *testing.T, cards, keys, boot, mounts string) {
		for _, c := range soundCards(cards) {
			if c.id == "" || strings.ContainsAny(c.id, "\" \n") {
				t.Errorf("card %q cannot stand in a profile", c.id)
			}
		}
		types(keys)
		i2cOn(boot)
		watched(boot)
		root := fstest.MapFS{"proc/mounts": file(mounts), "proc/asound/cards": file(cards), "boot/config.txt": file(boot)}
		if m, ok := (files{root}).mountOf("/var/lib/menshen"); ok && m.dir != "/" && !strings.HasPrefix("/var/lib/menshen", m.dir) {
			t.Errorf("mounted at %q", m.dir)
		}
	})
}
