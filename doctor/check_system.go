package doctor

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/menshen/menshen/config"
)

// freeLeast is how much must be free where the journal is: years of entries,
// and a system that can still write its log.
const freeLeast = 500 << 20

// checkClock says whether the time can be trusted, now and after a power cut.
func checkClock(f files, p Patient) []Finding {
	var all []Finding
	if _, ok := f.first("/dev/rtc0", "/dev/rtc", "/sys/class/rtc/rtc0"); ok {
		all = append(all, good("有时钟芯片", "there is a clock chip"))
	} else {
		rtc := Finding{
			What: Text{"没有时钟芯片", "there is no clock chip"},
			Why:  Text{"停电又断网时不知道几点,每次都要值班人确认", "without power and network it does not know the time, and somebody on duty confirms it each time"},
			Fix:  Text{"加一块 DS3231,接在 I²C 上", "add a DS3231 on the I²C bus"}, Commands: []string{"timedatectl"},
		}
		if file, ok := f.bootFile("config.txt"); ok {
			rtc.Commands = []string{"echo dtoverlay=i2c-rtc,ds3231 | sudo tee -a " + file, "sudo reboot"}
		}
		all = append(all, rtc)
	}
	if p.Synchronised() {
		return append(all, good("时间与网络同步", "the network holds the clock"))
	}
	return append(all, Finding{
		What:     Text{"时间没有与网络同步", "the clock is not synchronised"},
		Why:      Text{"有期限的证明在不可信的时间下都要人看", "evidence with a date goes to a person while the time cannot be trusted"},
		Fix:      Text{"打开对时;没有网就由值班人在页面上确认时间", "turn synchronisation on; without a network somebody on duty confirms the time on the page"},
		Commands: []string{"sudo timedatectl set-ntp true", "timedatectl"},
	})
}

// chinese reports whether a zone of the system is China's.
func chinese(zone string) bool {
	return slices.Contains([]string{"Asia/Shanghai", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin", "PRC"}, zone)
}

// checkZone says whether days and hours are those of China.
func checkZone(f files, _ Patient) []Finding {
	_, zone, _ := strings.Cut(f.follow("/etc/localtime"), "/zoneinfo/")
	if zone == "" {
		zone = f.text("/etc/timezone")
	}
	if chinese(zone) {
		return []Finding{good("时区 "+zone, "time zone "+zone)}
	}
	for _, dir := range []string{"/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"} {
		if strings.Contains(f.text(dir+"/gated.service"), "TZ=Asia/Shanghai") {
			return []Finding{good("gated 用北京时间(本机时区是 "+zone+")", "gated keeps the hours of China (the machine's zone is "+zone+")")}
		}
	}
	if zone == "" {
		zone = "UTC"
	}
	return []Finding{{
		What: Text{"时区是 " + zone, "the time zone is " + zone}, Why: Text{"早上七点会被当成前一天", "seven in the morning would be the day before"},
		Fix: Text{"改为北京时间", "set that of China"}, Commands: []string{"sudo timedatectl set-timezone Asia/Shanghai"},
	}}
}

// dataDir is where the journal is, or will be.
func (p Patient) dataDir() string {
	if p.Config == nil {
		return config.DefaultData
	}
	return p.Config.Data
}

// checkDisk says whether there is room for the journal.
func checkDisk(f files, p Patient) []Finding {
	dir := p.dataDir()
	for !f.has(dir) && dir != "/" {
		dir = path.Dir(dir)
	}
	free, err := p.Free(dir)
	if err == nil && free >= freeLeast {
		return []Finding{good(fmt.Sprintf("磁盘剩 %d MB", free>>20), fmt.Sprintf("%d MB free on the disk", free>>20))}
	}
	found := Finding{
		What:     Text{fmt.Sprintf("磁盘只剩 %d MB(%s)", free>>20, dir), fmt.Sprintf("only %d MB free on the disk (%s)", free>>20, dir)},
		Why:      Text{"磁盘满了就不能记录,不能记录就不放行", "a full disk takes no record, and without a record nobody passes"},
		Fix:      Text{"清出 500 MB 以上", "make room for 500 MB or more"},
		Commands: []string{"sudo journalctl --vacuum-size=50M", "sudo apt-get clean", "df -h " + dir},
	}
	if err != nil {
		found.What = Text{"看不到磁盘剩多少:" + err.Error(), "cannot see how much is free: " + err.Error()}
	}
	return []Finding{found}
}

// mount is one line of /proc/mounts.
type mount struct{ dir, kind, options string }

// mountOf returns the file system on which a directory lies.
func (f files) mountOf(dir string) (mount, bool) {
	var found mount
	for line := range strings.Lines(f.text("/proc/mounts")) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		at := strings.ReplaceAll(fields[1], `\040`, " ")
		if (dir == at || at == "/" || strings.HasPrefix(dir, at+"/")) && len(at) >= len(found.dir) {
			found = mount{at, fields[2], fields[3]}
		}
	}
	return found, found.dir != ""
}

// checkFileSystem says whether what is written there is still there after a
// power cut.
func checkFileSystem(f files, p Patient) []Finding {
	dir := p.dataDir()
	m, ok := f.mountOf(dir)
	if !ok {
		return nil
	}
	bad := ""
	switch {
	case slices.Contains(strings.Split(m.options, ","), "ro"):
		bad = "ro"
	case slices.Contains([]string{"nfs", "nfs4", "cifs", "smb3", "tmpfs", "ramfs", "overlay", "vfat", "exfat", "9p"}, m.kind) || strings.HasPrefix(m.kind, "fuse"):
		bad = m.kind
	default:
		return []Finding{good(fmt.Sprintf("记录在 %s(%s)上", m.dir, m.kind), fmt.Sprintf("the journal lies on %s (%s)", m.dir, m.kind))}
	}
	return []Finding{{
		What:     Text{fmt.Sprintf("记录目录 %s 在 %s(%s)上", dir, m.dir, bad), fmt.Sprintf("the data directory %s lies on %s (%s)", dir, m.dir, bad)},
		Why:      Text{"那里不能写,或者停电就没有了", "nothing can be written there, or it is gone after a power cut"},
		Fix:      Text{"把 gated.toml 的 data 放到本机 ext4 盘上;树莓派关掉「overlay 文件系统」", "put data of gated.toml on a local ext4 disk; on a Raspberry Pi turn the overlay file system off"},
		Commands: []string{"findmnt -T " + dir},
	}}
}

// checkJournal reads back how the journal's file was made: page size 4096 and
// write-ahead log (SQLite, "Database File Format", offsets 16 and 18).
func checkJournal(f files, p Patient) []Finding {
	name := path.Join(p.dataDir(), "journal.db")
	if !f.has(name) {
		return nil // the daemon makes it
	}
	const magic = "SQLite format 3\x00"
	head := f.head(name, 20)
	if strings.HasPrefix(head, magic) && len(head) == 20 && head[16:20] == "\x10\x00\x02\x02" {
		return []Finding{good("记录文件的设置正确", "the journal's file has its settings")}
	}
	if head == "" {
		return []Finding{{
			What: Text{"读不到 " + name, name + " cannot be read"}, Why: Text{"没有权限就看不到记录好不好", "without leave nobody sees how the journal is"},
			Fix: Text{"用 root 再来一次", "do it again as root"}, Commands: []string{"sudo gatectl doctor"},
		}}
	}
	return []Finding{{
		What: Text{name + " 的设置不对", name + " has other settings"}, Why: Text{"停电会丢记录", "a power cut would lose entries"},
		Fix: Text{"先拷贝一份,再查每一条", "copy it first, then prove every entry"}, Commands: []string{"sudo cp " + name + " " + name + ".copy", "sudo gatectl journal verify"},
	}}
}

// checkWatchdog says whether a board that hangs starts again by itself.
func checkWatchdog(f files, _ Patient) []Finding {
	if _, ok := f.first("/dev/watchdog", "/dev/watchdog0"); !ok {
		return []Finding{{
			What: Text{"没有硬件看门狗", "there is no hardware watchdog"}, Why: Text{"系统死机时没有人把它重启", "nobody restarts a system that hangs"},
			Fix: Text{"有的板要先加载模块", "some boards want a module for it"}, Commands: []string{"ls -l /dev/watchdog*", "sudo modprobe bcm2835_wdt"},
		}}
	}
	for _, dir := range []string{"/etc/systemd", "/run/systemd", "/usr/lib/systemd", "/lib/systemd"} {
		names := []string{dir + "/system.conf"}
		for _, name := range f.list(dir + "/system.conf.d") {
			names = append(names, path.Join(dir, "system.conf.d", name))
		}
		if slices.ContainsFunc(names, func(name string) bool { return watched(f.text(name)) }) {
			return []Finding{good("看门狗开着", "the watchdog is on")}
		}
	}
	return []Finding{{
		What: Text{"看门狗没有用上", "the watchdog is not used"}, Why: Text{"系统死机时没有人把它重启", "nobody restarts a system that hangs"},
		Fix: Text{"交给 systemd", "give it to systemd"},
		Commands: []string{"sudo mkdir -p /etc/systemd/system.conf.d",
			`printf '[Manager]\nRuntimeWatchdogSec=10s\n' | sudo tee /etc/systemd/system.conf.d/menshen.conf`, "sudo systemctl daemon-reexec"},
	}}
}

// watched reports whether a file of systemd sets the watchdog to a time.
func watched(text string) bool {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), "RuntimeWatchdogSec="); ok {
			n, err := strconv.Atoi(value)
			return value != "" && value != "off" && (err != nil || n > 0)
		}
	}
	return false
}
