package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/sim"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), Mode: 0o644} }

func link(to string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(to), Mode: 0o777 | fs.ModeSymlink}
}

func node(gid uint32, perm fs.FileMode) *fstest.MapFile {
	return &fstest.MapFile{Mode: perm | fs.ModeDevice | fs.ModeCharDevice, Sys: &syscall.Stat_t{Gid: gid}}
}

// aPi is a Raspberry Pi 4 on which nothing is wrong.
func aPi() fstest.MapFS {
	return fstest.MapFS{
		"proc/device-tree/model":       file("Raspberry Pi 4 Model B Rev 1.4\x00"),
		"boot/firmware/config.txt":     file("# For more options\ndtparam=i2c_arm=on,spi=on\nenable_uart=1\ndtoverlay=disable-bt\n"),
		"boot/firmware/cmdline.txt":    file("console=tty1 root=PARTUUID=1 rootfstype=ext4 rootwait\n"),
		"dev/i2c-1":                    node(44, 0o660),
		"dev/serial0":                  link("ttyAMA0"),
		"dev/ttyAMA0":                  node(20, 0o660),
		"dev/gpiochip0":                node(45, 0o660),
		"dev/rtc0":                     node(0, 0o600),
		"dev/watchdog":                 node(0, 0o600),
		"sys/class/tty/ttyAMA0":        link("../../devices/platform/soc/fe201000.serial/tty/ttyAMA0"),
		"sys/class/i2c-dev/i2c-1/name": file("bcm2835 (i2c@7e804000)\n"),
		"sys/devices/platform/soc/soc:firmware/get_throttled": file("0\n"),
		"etc/passwd":                             file("root:x:0:0::/root:/bin/sh\nmenshen:x:990:990::/var/lib/menshen:/usr/sbin/nologin\n"),
		"etc/group":                              file("menshen:x:990:\ndialout:x:20:\ni2c:x:44:\ngpio:x:45:\naudio:x:29:\ninput:x:104:\n"),
		"etc/localtime":                          link("/usr/share/zoneinfo/Asia/Shanghai"),
		"etc/systemd/system.conf.d/menshen.conf": file("[Manager]\nRuntimeWatchdogSec=10s\n"),
		"usr/lib/systemd/system/gated.service":   file("[Service]\nEnvironment=TZ=Asia/Shanghai\n"),
		"etc/systemd/system/multi-user.target.wants/gated.service": link("/usr/lib/systemd/system/gated.service"),
		"etc/menshen/gated.toml":                                   file("gate = \"east\"\n"),
		"proc/mounts":                                              file("/dev/mmcblk0p2 / ext4 rw,noatime 0 0\ntmpfs /run tmpfs rw 0 0\n"),
		"var/lib/menshen/journal.db":                               file("SQLite format 3\x00\x10\x00\x02\x02\x00"),
	}
}

// configured reads a gated.toml.
func configured(t *testing.T, text string) *config.Config {
	t.Helper()
	cfg, err := config.Parse(config.File{Name: "gated.toml", Source: []byte(text)}, func(profile string) (config.File, error) {
		src, err := fs.ReadFile(firmwareconfig.Profiles(), profile+".toml")
		return config.File{Name: profile + ".toml", Source: src}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// healthy is a gate on aPi that runs and says that all is well.
func healthy(t *testing.T) (fstest.MapFS, Patient) {
	root := aPi()
	return root, Patient{
		Root: root, ConfigFile: "/etc/menshen/gated.toml", Config: configured(t, "gate = \"east\"\nprofile = \"raspberry-pi\"\n"),
		Gate:         &Gate{People: 800, OnDuty: 1, Policy: "default", Collectors: []Collector{{Name: "district"}}},
		Synchronised: func() bool { return true }, Free: func(string) (uint64, error) { return 8 << 30, nil },
	}
}

// wrong are the findings that something is to be done about, as printed.
func wrong(t *testing.T, p Patient) []string {
	t.Helper()
	var all []string
	for _, f := range Examine(t.Context(), p) {
		var b strings.Builder
		if err := Print(&b, []Finding{f}); err != nil {
			t.Fatal(err)
		}
		switch {
		case f.What.Chinese == "" || f.What.English == "":
			t.Errorf("not in both languages: %+v", f)
		case f.Mark == Wrong && (f.Why == Text{} || f.Fix == Text{} || len(f.Commands)+len(f.Lines) == 0):
			t.Errorf("does not say why, how and what to type: %s", b.String())
		}
		if f.Mark == Wrong {
			all = append(all, b.String())
		}
	}
	return all
}

func TestNothingIsWrongWithAHealthyBoard(t *testing.T) {
	_, p := healthy(t)
	if got := wrong(t, p); len(got) > 0 {
		t.Errorf("got %s", strings.Join(got, "\n"))
	}
}

// Each fault is put alone on a healthy board, and is the one that is told.
func TestEachFirstFailureOfABareBoardIsToldWithItsCommand(t *testing.T) {
	type change func(m fstest.MapFS, p *Patient)
	without := func(names ...string) change {
		return func(m fstest.MapFS, _ *Patient) {
			for _, name := range names {
				delete(m, name)
			}
		}
	}
	with := func(name string, f *fstest.MapFile) change {
		return func(m fstest.MapFS, _ *Patient) { m[name] = f }
	}
	both := func(list ...change) change {
		return func(m fstest.MapFS, p *Patient) {
			for _, c := range list {
				c(m, p)
			}
		}
	}
	const enable = "boot/firmware/config.txt"
	for rule, c := range map[string]struct {
		change change
		want   []string
	}{
		"I2C off":                {both(with(enable, file("#dtparam=i2c_arm=on\n")), without("dev/i2c-1")), []string{"I²C 没有打开", "thermometer-1", "$ sudo raspi-config nonint do_i2c 0"}},
		"I2C module not loaded":  {without("dev/i2c-1", "sys/class/i2c-dev/i2c-1/name"), []string{"i2c-dev 没有加载", "$ sudo modprobe i2c-dev"}},
		"I2C on, not restarted":  {both(without("dev/i2c-1"), with("sys/module/i2c_dev/refcnt", file("0"))), []string{"wants a restart", "$ sudo reboot"}},
		"console on the UART":    {with("boot/firmware/cmdline.txt", file("console=serial0,115200 console=tty1 root=/dev/mmcblk0p2")), []string{"系统终端占着串口", "$ sudo sed -i 's/console=serial0,115200 *//' /boot/firmware/cmdline.txt"}},
		"UART off":               {without("dev/serial0"), []string{"串口 /dev/serial0 没有打开", "$ sudo raspi-config nonint do_serial_hw 0"}},
		"Bluetooth on the UART":  {both(with("dev/serial0", link("ttyS0")), with("dev/ttyS0", node(20, 0o660))), []string{"蓝牙", "$ echo dtoverlay=disable-bt | sudo tee -a /boot/firmware/config.txt"}},
		"port of another group":  {with("dev/ttyAMA0", node(5, 0o620)), []string{"/dev/serial0 的权限不对", "$ sudo ./menshen install"}},
		"bus for root only":      {with("dev/i2c-1", node(0, 0o600)), []string{"/dev/i2c-1 的权限不对", "$ sudo ./menshen install"}},
		"lines for root only":    {with("dev/gpiochip0", node(0, 0o600)), []string{"/dev/gpiochip0 的权限不对"}},
		"undervoltage now":       {with("sys/devices/platform/soc/soc:firmware/get_throttled", file("50005\n")), []string{"电压不足(0x50005)", "$ vcgencmd get_throttled"}},
		"undervoltage before":    {with("sys/devices/platform/soc/soc:firmware/get_throttled", file("0x10000\n")), []string{"电压不足(0x10000)"}},
		"no clock chip":          {without("dev/rtc0"), []string{"没有时钟芯片", "$ echo dtoverlay=i2c-rtc,ds3231 | sudo tee -a /boot/firmware/config.txt"}},
		"clock not synchronised": {func(_ fstest.MapFS, p *Patient) { p.Synchronised = func() bool { return false } }, []string{"没有与网络同步", "$ sudo timedatectl set-ntp true"}},
		"another time zone":      {both(with("etc/localtime", link("/usr/share/zoneinfo/Etc/UTC")), with("usr/lib/systemd/system/gated.service", file("[Service]\n"))), []string{"时区是 Etc/UTC", "$ sudo timedatectl set-timezone Asia/Shanghai"}},
		"disk nearly full":       {func(_ fstest.MapFS, p *Patient) { p.Free = func(string) (uint64, error) { return 20 << 20, nil } }, []string{"磁盘只剩 20 MB(/var/lib/menshen)", "$ df -h /var/lib/menshen"}},
		"disk that cannot be seen": {func(_ fstest.MapFS, p *Patient) {
			p.Free = func(string) (uint64, error) { return 0, errors.New("no leave") }
		}, []string{"no leave"}},
		"read-only root":          {with("proc/mounts", file("/dev/root / ext4 ro,noatime 0 0\n")), []string{"不能写", "$ findmnt -T /var/lib/menshen"}},
		"overlay that forgets":    {with("proc/mounts", file("overlay / overlay rw 0 0\n")), []string{"(overlay)", "overlay file system"}},
		"journal not write-ahead": {with("var/lib/menshen/journal.db", file("SQLite format 3\x00\x10\x00\x01\x01\x00")), []string{"journal.db 的设置不对", "$ sudo gatectl journal verify"}},
		"watchdog not used":       {with("etc/systemd/system.conf.d/menshen.conf", file("[Manager]\nRuntimeWatchdogSec=off\n")), []string{"看门狗没有用上", "RuntimeWatchdogSec=10s"}},
		"no watchdog":             {without("dev/watchdog"), []string{"没有硬件看门狗"}},
		"no user":                 {with("etc/passwd", file("root:x:0:0::/root:/bin/sh\n")), []string{"user menshen", "$ sudo ./menshen install"}},
		"no group audio":          {with("etc/group", file("menshen:x:990:\ndialout:x:20:\ngpio:x:45:\ni2c:x:44:\n")), []string{"group audio"}},
		"unit not installed":      {without("usr/lib/systemd/system/gated.service"), []string{"gated 没有安装", "$ sudo ./menshen install"}},
		"unit not enabled":        {without("etc/systemd/system/multi-user.target.wants/gated.service"), []string{"没有设为开机启动", "$ sudo systemctl enable --now gated"}},
		"no configuration":        {both(without("etc/menshen/gated.toml"), func(_ fstest.MapFS, p *Patient) { p.ConfigErr = fs.ErrNotExist }), []string{"没有配置 /etc/menshen/gated.toml", "$ gatectl check"}},
		"faulty configuration":    {func(_ fstest.MapFS, p *Patient) { p.ConfigErr = errors.New("gated.toml:5: langauge") }, []string{"配置有错", "gated.toml:5", "$ gatectl check"}},
		"nobody on the roster":    {func(_ fstest.MapFS, p *Patient) { p.Gate.People = 0 }, []string{"████ ✗ 名册 0 人 ████", "$ gatectl roster import list.csv"}},
		"nobody on duty":          {func(_ fstest.MapFS, p *Patient) { p.Gate.OnDuty = 0 }, []string{"无人值班", "$ gatectl roster pin NUMBER"}},
		"no policy":               {func(_ fstest.MapFS, p *Patient) { p.Gate.Policy = "" }, []string{"没有现行规则", "$ gatectl policy load FILE"}},
		"a device lost":           {func(_ fstest.MapFS, p *Patient) { p.Gate.Faults = []Fault{{"lane 1: Scanner out", "plug it in"}} }, []string{"Scanner out", "plug it in"}},
		"a collector not met": {func(_ fstest.MapFS, p *Patient) {
			p.Gate.Collectors[0] = Collector{Name: "district", Cause: Text{"没有应答", "does not answer"}, Remedy: Text{"查", "see"}, Commands: []string{"gatectl key show"}}
		}, []string{"汇集端 district:没有应答", "$ gatectl key show"}},
		"scanner in keyboard mode": {func(m fstest.MapFS, p *Patient) {
			p.Config = configured(t, "gate = \"east\"\nprofile = \"raspberry-pi\"\n[ports]\nscanner-1 = \"/dev/serial/by-id/usb-Newland-if00\"\n")
			plugKeyboard(m, "1eab", "8203", "Newland NLS-FM430")
		}, []string{"键盘式设备 1eab:8203 Newland NLS-FM430", `scanner-1 = "hid:1eab:8203"`, "USB virtual COM"}},
	} {
		t.Run(rule, func(t *testing.T) {
			root, p := healthy(t)
			c.change(root, &p)
			got := wrong(t, p)
			if len(got) != 1 {
				t.Fatalf("%d findings, want one:\n%s", len(got), strings.Join(got, "\n"))
			}
			for _, part := range c.want {
				if !strings.Contains(got[0], part) {
					t.Errorf("does not say %q:\n%s", part, got[0])
				}
			}
		})
	}
}

// plugKeyboard plants what /sys shows of a USB device that types.
func plugKeyboard(m fstest.MapFS, vendor, product, name string) {
	const usb = "sys/devices/platform/usb1/1-1"
	const input = usb + "/1-1:1.0/0003/input/input5"
	maps.Copy(m, fstest.MapFS{
		usb + "/idVendor":           file(vendor + "\n"),
		usb + "/idProduct":          file(product + "\n"),
		input + "/name":             file(name + "\n"),
		input + "/capabilities/key": file("10000 7 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe\n"),
		input + "/event3/dev":       file("13:67\n"),
		"sys/class/input/event3":    link("../../devices/platform/usb1/1-1/1-1:1.0/0003/input/input5/event3"),
		"dev/input/event3":          node(20, 0o660),
	})
}

func TestAPi5OrAPCHasNoneOfAnOlderPisFaults(t *testing.T) {
	root, p := healthy(t)
	root["proc/device-tree/model"] = file("Raspberry Pi 5 Model B Rev 1.0\x00")
	root["dev/serial0"], root["dev/ttyS0"] = link("ttyS0"), node(20, 0o660)
	if got := wrong(t, p); len(got) > 0 {
		t.Errorf("Pi 5: %s", got)
	}
	for _, name := range []string{"proc/device-tree/model", "boot/firmware/config.txt", "boot/firmware/cmdline.txt", "sys/devices/platform/soc/soc:firmware/get_throttled"} {
		delete(root, name)
	}
	if got := wrong(t, p); len(got) > 0 {
		t.Errorf("PC: %s", got)
	}
}

func TestTheLastWordOfConfigTxtOnI2CCounts(t *testing.T) {
	for text, on := range map[string]bool{
		"": false, "dtparam=i2c_arm=on": true, "dtparam=i2c=on": true, "dtparam=spi=on,i2c_arm=on": true, " dtparam=i2c_arm": true,
		"#dtparam=i2c_arm=on": false, "dtparam=i2c_arm=off": false, "dtparam=i2c_arm=on\ndtparam=i2c_arm=off": false, "dtparam=i2c_vc=on": false,
	} {
		if i2cOn(text) != on {
			t.Errorf("%q: got %v", text, !on)
		}
	}
}

// While no gate runs every device is opened for a moment, and no output is.
func TestDevicesAreTriedWhileNoGateRuns(t *testing.T) {
	all := []string{"通道 1 扫码器", "通道 1 测温", "通道 1 人体感应", "通道 1 按钮"}
	for _, missing := range append([]string{""}, all...) {
		t.Run("without "+missing, func(t *testing.T) {
			_, p := healthy(t)
			p.Gate = nil
			world := sim.NewWorld()
			if missing != all[0] {
				world.AddScanner("scanner-1")
			}
			p.Sense = func(context.Context, *config.Thermometer) error {
				if missing == all[1] {
					return fmt.Errorf("read object: %w", device.ErrAbsent)
				}
				return nil
			}
			if missing != all[2] {
				world.AddLine("presence-1")
			}
			if missing != all[3] {
				world.AddLine("ack-1")
			}
			p.Opener = world
			got := wrong(t, p)
			if got = slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "gated 没有运行") }); missing == "" {
				if len(got) > 0 {
					t.Errorf("got %s", got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0], missing+" 没有应答") || !strings.Contains(got[0], "$ gatectl scan") {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestABareMachineIsToldWhatIsMissingAndWhatToType(t *testing.T) {
	got := strings.Join(wrong(t, Patient{
		Root: fstest.MapFS{}, ConfigFile: "/etc/menshen/gated.toml", ConfigErr: fs.ErrNotExist,
		Synchronised: func() bool { return false }, Free: func(string) (uint64, error) { return 8 << 30, nil },
	}), "")
	for _, part := range []string{
		"没有配置 /etc/menshen/gated.toml", "$ sudo ./menshen install\n    $ gatectl scan\n",
		"user menshen", "group input", "服务 gated 没有安装",
		"没有串口设备", "$ lsusb", "没有 I²C 总线", "$ sudo modprobe i2c-dev",
		"没有时钟芯片", "没有与网络同步", "时区是 UTC", "没有硬件看门狗",
	} {
		if !strings.Contains(got, part) {
			t.Errorf("does not say %q", part)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

// A board of an isolation room has no roster, and is not asked for one.
func TestABoardThatFollowsGatesNeedsNoRoster(t *testing.T) {
	_, p := healthy(t)
	p.Config = configured(t, `gate = "room"
profile = "isolation-room"
[[follow]]
gate = "east"
address = "192.168.1.20:8631"
key = "ed25519:gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q="
`)
	p.Gate = &Gate{}
	for _, f := range wrong(t, p) {
		if strings.Contains(f, "名册") || strings.Contains(f, "值班") {
			t.Errorf("got %s", f)
		}
	}
}
