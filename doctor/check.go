package doctor

import (
	"context"
	"io/fs"
	"strings"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
)

// Patient is the machine and the gate on it that are looked at.
type Patient struct {
	// Root holds the machine's files: /boot, /dev, /etc, /proc, /sys, /usr, /var.
	Root fs.FS
	// ConfigFile is the name of gated.toml. Config is what it says, nil where
	// nothing can be used, and ConfigErr why it was not taken, which may stand
	// beside the last good one.
	ConfigFile string
	Config     *config.Config
	ConfigErr  error
	// Gate is what a running gate says of itself; nil where none runs.
	Gate *Gate
	// Opener opens what the profile names, and Sense asks a thermometer of it for
	// one sample; neither is used while a gate runs.
	Opener device.Opener
	Sense  func(context.Context, *config.Thermometer) error
	// Synchronised reports whether the network holds the clock.
	Synchronised func() bool
	// Free returns how many bytes are free for the files in a directory.
	Free func(dir string) (uint64, error)
}

// Gate is what a running gate says of itself.
type Gate struct {
	// People is the size of the roster, OnDuty how many are signed on.
	People, OnDuty int
	// Accepted is when the gate was accepted where it stands; zero where it was not.
	Accepted time.Time
	// Policy is the name of the policy in force; empty where there is none.
	Policy string
	// Faults are the devices that are lost, and what to do about each.
	Faults []Fault
	// Collectors are in the order of the configuration.
	Collectors []Collector
	// Calibrations are of the lanes with a thermometer, and Drifts what their daily
	// medians say.
	Calibrations []Calibration
	Drifts       []Drift
}

// Fault is one thing that the gate says is wrong, and its remedy; both are in
// English.
type Fault struct{ Text, Remedy string }

// Collector is how one collector is met; Cause is empty where all is well.
type Collector struct {
	Name          string
	Cause, Remedy Text
	Commands      []string
}

// Examine runs every check that applies to the machine, in the order in which
// its faults are mended. It changes nothing.
func Examine(ctx context.Context, p Patient) []Finding {
	f := files{p.Root}
	var all []Finding
	for _, check := range []func(files, Patient) []Finding{
		checkConfig, checkUser, checkUnit, checkI2C, checkUART, checkBluetooth, checkKeyboard, checkPermissions,
	} {
		all = append(all, check(f, p)...)
	}
	all = append(all, checkDevices(ctx, p)...)
	for _, check := range []func(files, Patient) []Finding{
		checkPower, checkClock, checkZone, checkDisk, checkFileSystem, checkJournal, checkWatchdog, checkGate, checkCalibration, reminders,
	} {
		all = append(all, check(f, p)...)
	}
	return all
}

// checkConfig says whether the gate knows what it is.
func checkConfig(f files, p Patient) []Finding {
	switch {
	case p.ConfigErr == nil:
		return []Finding{good("配置可用", "the configuration can be used")}
	case !f.has(p.ConfigFile):
		return []Finding{{
			What:     Text{"没有配置 " + p.ConfigFile, "there is no configuration " + p.ConfigFile},
			Why:      Text{"没有它,本机不知道接了什么", "without it the gate does not know what is wired to it"},
			Fix:      Text{"用那一个文件 menshen 安装,它写好第一份;scan 会给出还要写的行", "install by the one file menshen, which writes the first one; scan prints the lines that it still wants"},
			Commands: []string{"sudo ./menshen install", "gatectl scan", "gatectl check"},
		}}
	}
	return []Finding{{
		What: Text{"配置有错", "the configuration is at fault: " + p.ConfigErr.Error()},
		Why:  Text{"错的配置不生效,本机用上一次好的,或者根本不启用", "a faulty one is not taken: the gate runs on its last good one, or not at all"},
		Fix:  Text{"照每行说的改,直到没有错", "mend each line as it says, until there is none"}, Commands: []string{"gatectl check"},
	}}
}

// groups are those of the daemon, as gated.service and sysusers.conf have them.
func groups() []string { return []string{"menshen", "dialout", "i2c", "gpio", "audio", "input"} }

// checkUser says whether the daemon has a user and the groups of its devices.
func checkUser(f files, _ Patient) []Finding {
	var missing []string
	if f.named("/etc/passwd", "menshen") == nil {
		missing = append(missing, "user menshen")
	}
	for _, group := range groups() {
		if f.named("/etc/group", group) == nil {
			missing = append(missing, "group "+group)
		}
	}
	if len(missing) == 0 {
		return []Finding{good("有用户 menshen 和设备组", "user menshen and the groups of devices are there")}
	}
	names := strings.Join(missing, ", ")
	return []Finding{{
		What: Text{"缺用户或组:" + names, "missing user or groups: " + names},
		Why:  Text{"守护进程不以 root 运行,靠这些组打开设备", "the daemon does not run as root and opens its devices by these groups"},
		Fix:  Text{"再安装一次,不碰配置和数据", "install again: configuration and data stay"}, Commands: []string{"sudo ./menshen install"},
	}}
}

// named returns the fields of an entry of /etc/passwd or /etc/group, nil where
// there is none.
func (f files) named(file, name string) []string {
	for line := range strings.Lines(f.text(file)) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) > 2 && fields[0] == name {
			return fields
		}
	}
	return nil
}

// checkUnit says whether the daemon is installed, starts by itself, and runs.
func checkUnit(f files, p Patient) []Finding {
	_, installed := f.first("/etc/systemd/system/gated.service", "/usr/lib/systemd/system/gated.service", "/lib/systemd/system/gated.service")
	enabled := f.isLink("/etc/systemd/system/multi-user.target.wants/gated.service")
	const why, reason = "没有它,停电后没有人再把校门开起来", "without it nobody starts the gate after a power cut"
	switch {
	case !installed:
		return []Finding{{
			What: Text{"服务 gated 没有安装", "the service gated is not installed"}, Why: Text{why, reason}, Fix: Text{"安装并启用", "install and enable it"},
			Commands: []string{"sudo ./menshen install"},
		}}
	case !enabled:
		return []Finding{{
			What: Text{"服务 gated 没有设为开机启动", "the service gated does not start by itself"}, Why: Text{why, reason}, Fix: Text{"启用", "enable it"},
			Commands: []string{"sudo systemctl enable --now gated"},
		}}
	case p.Gate == nil:
		return []Finding{{
			What: Text{"gated 没有运行", "gated does not run"}, Why: Text{"没有它就没有检查,没有记录", "without it nothing is checked and nothing recorded"},
			Fix:      Text{"启动;起不来就看日志最后几行", "start it; if it does not, read the last lines of its log"},
			Commands: []string{"sudo systemctl restart gated", "journalctl -u gated -n 30"},
		}}
	}
	return []Finding{good("gated 已安装、开机启动、正在运行", "gated is installed, starts by itself, and runs")}
}

// isLink reports whether a name is a link, wherever it leads.
func (f files) isLink(name string) bool { return f.follow(name) != name }
