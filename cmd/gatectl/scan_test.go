package main

import (
	"slices"
	"testing"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/doctor"
	"github.com/menshen/menshen/gate"
)

// What this machine has decides what else is printed.
func TestScanLooksForEveryKindOfThing(t *testing.T) {
	name := configuration(t, shortDir(t))
	gatectl(t, "", "-config", name, "scan").want(t, 0, "== I²C 总线 · I²C buses", "== 串口 · serial ports", "GPIO chips", "sound cards")
}

func TestPortsOfARunningGateAreInUse(t *testing.T) {
	b := start(t)
	running := &tool{config: b.config}
	cfg, err := running.load()
	if err != nil {
		t.Fatal(err)
	}
	got := running.inUse(t.Context())
	for name, p := range cfg.Board.Ports {
		if !slices.Contains(got, p.Path) {
			t.Errorf("port %s is not", name)
		}
	}
	stopped := &tool{config: configuration(t, shortDir(t))}
	if got := stopped.inUse(t.Context()); got != nil {
		t.Errorf("without a gate: %v", got)
	}
}

func TestDoctorAsksARunningGateAndOpensNothing(t *testing.T) {
	b := start(t)
	b.call("", "doctor").want(t, exitFailed, "gated 报告设备都在", "████ ✗ 名册 0 人 ████", "$ gatectl roster import list.csv", "✗ 无人值班", "✓ 现行规则", "checks failed")
}

func TestDoctorWithoutAGateTriesTheDevices(t *testing.T) {
	name := configuration(t, shortDir(t), "[ports]", `scanner-1 = "/dev/menshen-none"`)
	gatectl(t, "", "-config", name, "doctor").want(t, exitFailed, "通道 1 扫码器 没有应答(/dev/menshen-none)", "look again when gated runs")
}

func TestDoctorNamesEveryFaultOfTheConfiguration(t *testing.T) {
	name := configuration(t, shortDir(t), `langauge = "en"`)
	gatectl(t, "", "-config", name, "doctor").want(t, exitFailed, "gated.toml:5: langauge:", "✗ 配置有错", "$ gatectl check")
}

func TestWhatAGateSaysIsWhatTheDoctorHears(t *testing.T) {
	got := gate.Status{
		Roster: 800, OnDuty: 2,
		Policies:   []gate.PolicyStatus{{Number: 1, Name: "old"}, {Number: 2, Name: "new", InForce: true}},
		Lanes:      []gate.LaneStatus{{Number: 2, Faults: []gate.Problem{{Key: "scanner-lost", Text: "Scanner out"}}}},
		Collectors: []gate.CollectorStatus{{Name: "school"}, {Name: "district", Cause: "x", Advice: gate.Advice{Text: gate.Words{Chinese: "甲", English: "a"}, Commands: []string{"do"}}}},
	}.Wellbeing(remedy)
	if got.People != 800 || got.OnDuty != 2 || got.Policy != "new (2)" || got.Faults[0] != (doctor.Fault{Text: "lane 2: Scanner out", Remedy: remedy("scanner-lost")}) {
		t.Errorf("got %+v", got)
	}
	if c := got.Collectors; c[0].Cause != (doctor.Text{}) || c[1].Cause != (doctor.Text{Chinese: "甲", English: "a"}) || len(c[1].Commands) != 1 {
		t.Errorf("got %+v", c)
	}
}

// What this process has is what the kernel says.
func TestFreeIsOfADirectoryThatIsThere(t *testing.T) {
	if n, err := doctor.Free(t.TempDir()); err != nil || n == 0 {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := doctor.Free(config.DefaultData + "/none"); err == nil {
		t.Error("a directory that is not there has room")
	}
}
