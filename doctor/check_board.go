package doctor

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/install"
)

// i2cOff says why there is no bus, or not the one that is meant, and how it is
// turned on.
func i2cOff(f files) Finding {
	found := Finding{What: Text{"没有 I²C 总线", "no I²C bus"}, Why: Text{"MLX90614 和 MLX90632 接在它上面", "an MLX90614 or MLX90632 hangs on it"}}
	file, raspberry := f.bootFile("config.txt")
	switch {
	case raspberry && !i2cOn(f.text(file)):
		found.What = Text{"I²C 没有打开(" + file + ")", "I²C is off (" + file + ")"}
		found.Fix, found.Mend = Text{"打开并重启", "turn it on and start again"}, install.FixI2C
		found.Commands = []string{"sudo raspi-config nonint do_i2c 0", "sudo reboot"}
	case !f.has("/sys/module/i2c_dev") && !f.has("/sys/class/i2c-dev"):
		found.What = Text{"没有 I²C 总线:模块 i2c-dev 没有加载", "no I²C bus: the module i2c-dev is not loaded"}
		found.Fix = Text{"加载;普通电脑没有 I²C,用串口测温模块(型号 all-serial)", "load it; a PC has no I²C and takes a serial thermometer (profile all-serial)"}
		found.Commands = []string{"sudo modprobe i2c-dev", "echo i2c-dev | sudo tee /etc/modules-load.d/i2c-dev.conf", "ls -l /dev/i2c-*"}
	case raspberry:
		found.Fix = Text{"已写在 " + file + ",重启后生效", "it stands in " + file + " and wants a restart"}
		found.Commands = []string{"sudo reboot"}
	default:
		found.Fix = Text{"本机没有 I²C:插 USB 转 I²C,或用串口测温模块(型号 all-serial)", "this machine has none: plug in a USB adapter, or take a serial thermometer (profile all-serial)"}
		found.Commands = []string{"ls -l /dev/i2c-*"}
	}
	return found
}

// i2cOn reports whether config.txt turns the header's bus on: the last word on
// it counts, several parameters may stand in one line, and i2c is short for
// i2c_arm (Raspberry Pi documentation, "config.txt", dtparam).
func i2cOn(text string) bool {
	on := false
	for line := range strings.Lines(text) {
		params, ok := strings.CutPrefix(strings.TrimSpace(line), "dtparam=")
		if !ok {
			continue
		}
		for param := range strings.SplitSeq(params, ",") {
			switch name, value, _ := strings.Cut(strings.TrimSpace(param), "="); name {
			case "i2c", "i2c_arm":
				on = value == "on" || value == "" || value == "1" || value == "yes" || value == "true"
			}
		}
	}
	return on
}

// noPort says that there is no serial port, and what brings one.
func noPort(f files) Finding {
	found := Finding{What: Text{"没有串口设备", "no serial device"}, Why: Text{"扫码器、串口测温模块、继电器板接在串口上", "scanners, serial thermometers and relay boards hang on one"},
		Fix:      Text{"插上 USB 设备,过两秒再看;还是没有就换一根能传数据的线", "plug in the USB device and look again after two seconds; if there is still none, take a cable that carries data"},
		Commands: []string{"lsusb", "sudo dmesg | tail", "gatectl scan"}}
	if f.raspberry() {
		found.Commands = append([]string{"sudo raspi-config nonint do_serial_hw 0"}, found.Commands...)
	}
	return found
}

// nothing reports whether no thermometer and no scanner can be attached.
func (f files) nothing() bool {
	return !slices.ContainsFunc(f.list("/dev"), func(name string) bool { return strings.HasPrefix(name, "i2c-") }) &&
		!slices.ContainsFunc(f.list("/sys/class/tty"), f.carries) && len(f.keyboards()) == 0
}

// checkI2C says whether the buses of the profile are there. Without a
// configuration a Raspberry Pi is expected to use its own, and any other machine
// to have something.
func checkI2C(f files, p Patient) []Finding {
	if p.Config == nil {
		var all []Finding
		if f.nothing() {
			all = append(all, noPort(f))
		}
		if f.nothing() || f.raspberry() && !f.has("/dev/i2c-1") {
			all = append(all, i2cOff(f))
		}
		return all
	}
	for _, name := range slices.Sorted(maps.Keys(p.Config.Board.Buses)) {
		bus := p.Config.Board.Buses[name]
		there := f.has(bus.Path)
		if bus.Adapter != "" {
			there = slices.ContainsFunc(f.list("/sys/class/i2c-dev"), func(node string) bool {
				return f.text(path.Join("/sys/class/i2c-dev", node, "name")) == bus.Adapter
			})
		}
		if !there {
			missing := i2cOff(f)
			missing.What.Chinese += ",配置里的 " + name + " 要用它"
			missing.What.English += ", which " + name + " of the profile uses"
			return []Finding{missing}
		}
	}
	if len(p.Config.Board.Buses) == 0 {
		return nil
	}
	return []Finding{good("I²C 总线在", "the I²C bus is there")}
}

// uarts are the names of a Raspberry Pi's own ports.
func uarts() []string { return []string{"/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0"} }

// usesUART reports whether the profile has a port of the board itself, and its
// path. Without a configuration a Raspberry Pi is expected to use it.
func usesUART(f files, p Patient) (string, bool) {
	if !f.raspberry() {
		return "", false
	}
	if p.Config == nil {
		return "/dev/serial0", true
	}
	for _, port := range p.Config.Board.Ports {
		if slices.Contains(uarts(), port.Path) {
			return port.Path, true
		}
	}
	return "", false
}

// consoleArgument finds the system's own use of the port in cmdline.txt.
var consoleArgument = regexp.MustCompile(`\bconsole=(serial0|ttyAMA0|ttyS0)(,[0-9a-z]*)?`)

// checkUART says whether the board's own port is on, and nobody else's.
func checkUART(f files, p Patient) []Finding {
	port, uses := usesUART(f, p)
	if !uses {
		return nil
	}
	if file, ok := f.bootFile("cmdline.txt"); ok {
		if found := consoleArgument.FindString(f.text(file)); found != "" {
			return []Finding{{
				What:     Text{"系统终端占着串口(" + file + " 里的 " + found + ")", "the system's console is on the port (" + found + " in " + file + ")"},
				Why:      Text{"它往扫码模块发字,也把扫到的码当命令", "it writes to the scan engine, and takes codes for a log-in"},
				Fix:      Text{"去掉并重启", "take it off and start again"},
				Commands: []string{"sudo sed -i 's/" + found + " *//' " + file, "sudo systemctl disable --now serial-getty@ttyS0 serial-getty@ttyAMA0", "sudo reboot"},
				Mend:     install.FixConsole,
			}}
		}
	}
	if !f.has(port) {
		return []Finding{{
			What: Text{"串口 " + port + " 没有打开", "the port " + port + " is off"}, Why: Text{"扫码模块接在它上面", "the scan engine hangs on it"},
			Fix: Text{"打开并重启", "turn it on and start again"}, Commands: []string{"sudo raspi-config nonint do_serial_hw 0", "sudo reboot"},
			Mend: install.FixUART,
		}}
	}
	return []Finding{good("串口 "+port+" 空着,没有终端", "the port "+port+" is on, and no console has it")}
}

// checkBluetooth says whether the port is the one that keeps its rate.
func checkBluetooth(f files, p Patient) []Finding {
	port, uses := usesUART(f, p)
	file, ok := f.bootFile("config.txt")
	if !uses || !ok || path.Base(f.follow(port)) != "ttyS0" || strings.Contains(f.model(), "Pi 5") {
		return nil
	}
	return []Finding{{
		What:     Text{"蓝牙占着好的串口,给扫码模块的是 ttyS0", "Bluetooth has the good port, and the scan engine gets ttyS0"},
		Why:      Text{"ttyS0 的速率跟着处理器变,会丢字", "the rate of ttyS0 follows the processor's clock, and characters are lost"},
		Fix:      Text{"关掉蓝牙并重启", "turn Bluetooth off and start again"},
		Commands: []string{"echo dtoverlay=disable-bt | sudo tee -a " + file, "sudo reboot"},
		Mend:     install.FixBluetooth,
	}}
}

// checkKeyboard says whether a scanner types that the profile wants on a port.
func checkKeyboard(f files, p Patient) []Finding {
	keyboards := f.keyboards()
	if p.Config == nil || len(keyboards) == 0 {
		return nil
	}
	for _, lane := range p.Config.Board.Lanes {
		if lane.Scanner == nil {
			continue
		}
		port := p.Config.Board.Ports[lane.Scanner.Port]
		if port.Keyboard() || f.has(port.Path) {
			continue
		}
		k := keyboards[0]
		id := k.vendor + ":" + k.product
		return []Finding{{
			What: Text{fmt.Sprintf("扫码器 %s 不在,但有键盘式设备 %s %s", port.Path, id, k.name), fmt.Sprintf("the scanner %s is not there, but %s %s types", port.Path, id, k.name)},
			Why:  Text{"扫码器出厂多是键盘方式,码会打到别的窗口里", "most scanners leave the factory typing, into whatever window is open"},
			Fix: Text{"扫说明书上的「USB 虚拟串口」设置码;或在 [lane.scanner] 写 kind = \"line\",在 gated.toml 写下面两行",
				"scan the code \"USB virtual COM\" of its manual; or set kind = \"line\" in [lane.scanner], and in gated.toml these two lines"},
			Lines: []string{"[ports]", fmt.Sprintf("%s = \"hid:%s\"", lane.Scanner.Port, id)},
		}}
	}
	return nil
}

// nodes are the device nodes that the profile names, and the chips of its lines.
func (f files) nodes(b config.Profile) []string {
	var all []string
	for _, port := range b.Ports {
		if !strings.HasPrefix(port.Path, config.HIDPrefix) {
			all = append(all, port.Path)
		}
	}
	for _, bus := range b.Buses {
		if bus.Path != "" {
			all = append(all, bus.Path)
		}
	}
	for _, name := range f.list("/dev") {
		if strings.HasPrefix(name, "gpiochip") && len(b.Pins) > 0 {
			all = append(all, "/dev/"+name)
		}
	}
	slices.Sort(all)
	return all
}

// checkPermissions says whether the daemon may open what the profile names.
func checkPermissions(f files, p Patient) []Finding {
	if p.Config == nil {
		return nil
	}
	var all []Finding
	for _, node := range f.nodes(p.Config.Board) {
		info, err := fs.Stat(f.root, inside(node))
		if err != nil || f.groupMayOpen(info) {
			continue // what is not there is told elsewhere
		}
		all = append(all, Finding{
			What: Text{fmt.Sprintf("%s 的权限不对(%v)", node, info.Mode().Perm()), fmt.Sprintf("%s has the wrong permissions (%v)", node, info.Mode().Perm())},
			Why:  Text{"守护进程打不开它", "the daemon cannot open it"}, Fix: Text{"装上 udev 规则", "install the udev rules"},
			Commands: []string{"sudo ./menshen install", "ls -l " + node},
		})
	}
	return all
}

// groupMayOpen reports whether a device's group may read and write it and is
// one of the daemon's.
func (f files) groupMayOpen(info fs.FileInfo) bool {
	if info.Mode().Perm()&0o006 == 0o006 {
		return true
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode().Perm()&0o060 != 0o060 {
		return false
	}
	for _, group := range groups() {
		if fields := f.named("/etc/group", group); fields != nil && fields[2] == strconv.Itoa(int(stat.Gid)) {
			return true
		}
	}
	return false
}

// checkPower says whether the supply holds.
func checkPower(f files, _ Patient) []Finding {
	names, _ := fs.Glob(f.root, "sys/devices/platform/soc*/*firmware/get_throttled")
	if len(names) == 0 {
		return nil
	}
	bits, err := strconv.ParseUint(strings.TrimPrefix(f.text("/"+names[0]), "0x"), 16, 32)
	if err != nil {
		return nil
	}
	// vcgencmd get_throttled: bit 0 now, bit 16 since the start.
	const now, before = 1 << 0, 1 << 16
	if bits&(now|before) == 0 {
		return []Finding{good("供电正常", "the supply holds")}
	}
	return []Finding{{
		What:     Text{fmt.Sprintf("电压不足(%#x)", bits), fmt.Sprintf("undervoltage (%#x)", bits)},
		Why:      Text{"会丢扫码、坏卡、突然重启", "scans are lost, the card is damaged, the board restarts"},
		Fix:      Text{"换原装电源和短线,继电器另外供电,然后重启再看", "take the maker's supply and a short cable, feed relays by another, then restart and look again"},
		Commands: []string{"vcgencmd get_throttled"},
	}}
}
