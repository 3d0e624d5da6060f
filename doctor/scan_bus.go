package doctor

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"periph.io/x/conn/v3/i2c"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/mlx90614"
)

// Addresses on a bus: those below and above are reserved (I2C specification,
// UM10204, table 4).
const (
	firstAddress = 0x08
	lastAddress  = 0x77
)

// mostFaults is after how many addresses that fail, and not by silence, a bus
// is given up: each may have waited for a second.
const mostFaults = 3

// buses looks at every I2C adapter.
func (s search) buses(ctx context.Context) Section {
	sec := Section{Title: Text{"I²C 总线", "I²C buses"}}
	names := map[string]int{}
	var nodes []string
	for _, name := range s.list("/dev") {
		if strings.HasPrefix(name, "i2c-") {
			nodes = append(nodes, name)
			names[s.adapterName(name)]++
		}
	}
	for _, node := range nodes {
		declared := config.Bus{Adapter: s.adapterName(node)}
		if declared.Adapter == "" || names[declared.Adapter] > 1 {
			declared = config.Bus{Path: "/dev/" + node}
		}
		sec.Things = append(sec.Things, s.bus(ctx, node, declared)...)
	}
	if len(nodes) == 0 {
		f := i2cOff(s.files)
		sec.Missing = &f
	}
	return sec
}

func (s search) adapterName(node string) string {
	return s.label(path.Join("/sys/class/i2c-dev", node, "name"))
}

// bus looks at every address of one adapter.
func (s search) bus(ctx context.Context, node string, declared config.Bus) []Thing {
	at := "/dev/" + node
	adapter := Thing{Where: at, Facts: s.adapterName(node)}
	if adapter.Trouble = s.busy(at, declared.Adapter); adapter.Trouble != nil {
		return []Thing{adapter}
	}
	bus, err := s.Opener(config.Profile{Name: "scan", Buses: map[string]config.Bus{"scan": {Path: at}}}).I2C("scan")
	if err != nil {
		adapter.Trouble = err
		return []Thing{adapter}
	}
	defer bus.Close() // an adapter that was only read has nothing to flush
	var found []Thing
	faults := 0
	for addr := uint16(firstAddress); addr <= lastAddress && ctx.Err() == nil; addr++ {
		where := fmt.Sprintf("%s 0x%02X", at, addr)
		if by, taken := s.driverOf(node, addr); taken {
			found = append(found, Thing{Where: where, Facts: "kernel driver " + by, Guess: Text{"内核已在使用", "the kernel has it"}})
			continue
		}
		thing, err := s.identify(ctx, bus, addr, declared)
		switch {
		case err == nil:
			faults = 0
			thing.Where = where
			found = append(found, thing)
		case errors.Is(err, device.ErrAbsent):
			faults = 0
		default:
			if faults++; faults == mostFaults {
				adapter.Trouble = fmt.Errorf("总线不通:查 SDA、SCL 是否短路或没有上拉 / bus does not work: look for a short of SDA and SCL, or missing pull-ups: %w", err)
				return append([]Thing{adapter}, found...)
			}
		}
	}
	if len(found) == 0 {
		adapter.Guess = Text{"没有器件应答:查电源,SDA、SCL 是否接反;MLX90632 要用 gatectl scan -probe 才看得到",
			"nothing answers: see the supply, and whether SDA and SCL are swapped; an MLX90632 is seen by gatectl scan -probe only"}
	}
	return append([]Thing{adapter}, found...)
}

// driverOf names the kernel's own driver of an address.
func (s search) driverOf(node string, addr uint16) (string, bool) {
	dir := fmt.Sprintf("/sys/bus/i2c/devices/%s-%04x", strings.TrimPrefix(node, "i2c-"), addr)
	driver := s.follow(dir + "/driver")
	return path.Base(driver), driver != dir+"/driver"
}

// takesAnyByte reports whether outputs may hang on a part at this address that
// takes every byte for their levels: PCF8574 (0x20 to 0x27) and PCF8574A (0x38
// to 0x3F), data sheets, "Slave address".
func takesAnyByte(addr uint16) bool {
	return addr >= 0x20 && addr <= 0x27 || addr >= 0x38 && addr <= 0x3F
}

// identify finds out what answers at an address; nothing is device.ErrAbsent.
// Only at 0x5A a register's number is sent without leave: no usual part that has
// this address takes it for anything else. Everywhere else one byte is read.
func (s search) identify(ctx context.Context, bus i2c.Bus, addr uint16, declared config.Bus) (Thing, error) {
	if addr == 0x5A || s.Probe && !takesAnyByte(addr) {
		switch id, err := identityOf(ctx, bus, addr); {
		case err == nil:
			return Thing{Facts: fmt.Sprintf("ID %016x", id), Guess: Text{"MLX90614 红外测温", "MLX90614 thermometer"},
				Lines: onBus(declared, config.ThermometerMLX90614, addr)}, nil
		case errors.Is(err, device.ErrCorrupt):
			return Thing{Guess: usualAt(addr)}, nil
		}
	}
	if s.Probe && isMLX90632(addr) {
		if t, ok := askMLX90632(bus, addr, declared); ok {
			return t, nil
		}
	}
	var b [1]byte
	err := bus.Tx(addr, nil, b[:])
	return Thing{Guess: usualAt(addr)}, err
}

// isMLX90632 reports whether an address is one that an MLX90632 can have.
func isMLX90632(addr uint16) bool { return addr == 0x3A || addr == 0x3B }

func identityOf(ctx context.Context, bus i2c.Bus, addr uint16) (uint64, error) {
	dev, err := mlx90614.New(bus, &mlx90614.Opts{Address: addr})
	if err != nil {
		return 0, err
	}
	return dev.ID(ctx)
}

// askMLX90632 reads the product code of an MLX90632 (data sheet 3901090632,
// EE_VERSION at 0x240B): 5 in the low byte, 1 in the high one of medical parts.
func askMLX90632(bus i2c.Bus, addr uint16, declared config.Bus) (Thing, bool) {
	var b [2]byte
	if err := bus.Tx(addr, []byte{0x24, 0x0B}, b[:]); err != nil || b[1] != 5 {
		return Thing{}, false
	}
	t := Thing{
		Facts: fmt.Sprintf("product code 0x%02X%02X", b[0], b[1]),
		Guess: Text{"MLX90632 红外测温,非医用,±1 °C", "MLX90632 thermometer, not medical, ±1 °C"},
		Lines: onBus(declared, config.ThermometerMLX90632, addr),
	}
	if b[0]&0x7F == 1 {
		t.Guess = Text{"MLX90632 红外测温,医用", "MLX90632 thermometer, medical"}
	}
	return t, true
}

// onBus are the profile's lines for a thermometer on a bus.
func onBus(declared config.Bus, kind string, addr uint16) []string {
	at := fmt.Sprintf("adapter = %q", declared.Adapter)
	if declared.Adapter == "" {
		at = fmt.Sprintf("path = %q", declared.Path)
	}
	return []string{"[bus.thermometer-1]", at,
		"[lane.thermometer]", fmt.Sprintf("kind = %q", kind), `bus = "thermometer-1"`, fmt.Sprintf("address = 0x%02X", addr)}
}

// usualAt is what mostly has an address; several parts share each.
func usualAt(addr uint16) Text {
	switch {
	case addr == 0x68:
		return Text{"多半是时钟 DS3231", "probably a clock, DS3231"}
	case addr == 0x5A:
		return Text{"不是 MLX90614,或接线有干扰", "no MLX90614, or a disturbed wire"}
	case addr == 0x29:
		return Text{"多半是测距 VL53L0X", "probably a distance sensor, VL53L0X"}
	case addr == 0x33:
		return Text{"多半是热成像阵列,不作判断依据", "probably a thermal array, which no gate decides by"}
	case addr >= 0x50 && addr <= 0x57:
		return Text{"多半是存储芯片或显示器", "probably a memory or a display's data"}
	case isMLX90632(addr):
		return Text{"可能是 MLX90632,也可能是继电器扩展板;确认没有接继电器后用 gatectl scan -probe",
			"perhaps an MLX90632, perhaps an expander with relays; when no relay hangs on it: gatectl scan -probe"}
	case takesAnyByte(addr):
		return Text{"可能是扩展板,带继电器;不再询问", "perhaps an expander with relays; asked nothing more"}
	}
	return Text{"不认识", "unknown"}
}
