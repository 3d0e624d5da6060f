package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen/menshen/config"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
)

func TestWrongCallsAreRefusedWithTheUsage(t *testing.T) {
	name := configuration(t, shortDir(t))
	for _, args := range []string{
		"", "open", "status now", "version now", "rest now", "check a b",
		"roster", "roster import", "roster import a b", "roster import a --allow-left", "roster import -allow-left few a",
		"roster undo now", "roster pin", "roster pin G1 481516", "roster badges", "roster export", "roster export a b", "roster frobnicate",
		"hold", "hold list now", "hold lift P001", "hold lift -by G1", "hold frobnicate",
		"journal", "journal frobnicate", "journal verify now", "journal export -n 3", "journal tail -n few",
		"journal rebase", "journal rebase -reason", "journal rebase -reason a b", "key", "key make", "key show now",
	} {
		t.Run(args, func(t *testing.T) {
			c := gatectl(t, "", append([]string{"-config", name}, strings.Fields(args)...)...)
			c.want(t, exitUsage, usage)
		})
	}
	gatectl(t, "", "-colour").want(t, exitUsage, usage)
	gatectl(t, "", "-h").want(t, 0, usage)
	gatectl(t, "", "version").want(t, 0, "gatectl "+version)
}

func TestCheckTellsWhatTheConfigurationMeans(t *testing.T) {
	name := configuration(t, shortDir(t))
	for _, args := range [][]string{{"-config", name, "check"}, {"check", name}} {
		gatectl(t, "", args...).want(t, 0, "gate east", "profile all-serial", "127.0.0.1:8630",
			"lane 1 (in): scanner thermometer barrier green red buzzer\n")
	}
}

func TestCheckWarnsOfWhatKeepsNoGateFromRunning(t *testing.T) {
	dir := shortDir(t)
	profile := write(t, filepath.Join(dir, "own.toml"), `name = "own"
[port.scanner]
path = "/dev/scanner"
[port.spare]
path = "/dev/spare"
[[lane]]
number = 1
direction = "in"
[lane.scanner]
kind = "line"
port = "scanner"
`)
	name := write(t, filepath.Join(dir, "gated.toml"), "gate = \"east\"\nprofile = \""+profile+"\"\n")
	gatectl(t, "", "check", name).want(t, 0, "warning: own.toml:4: port.spare")
}

func TestCheckPrintsEveryFaultWithLineAndRemedy(t *testing.T) {
	name := configuration(t, shortDir(t), `langauge = "en"`, "[web]", `listen = "0.0.0.0:8630"`)
	c := gatectl(t, "", "check", name)
	c.want(t, exitConfig, "gated.toml:5: langauge:", "gated.toml:7: web.listen:", "insecure = true")
	if c.out != "" {
		t.Errorf("standard output: %s", c.out)
	}
}

// While gated runs on its last good configuration, gatectl still finds it; only
// check judges the file.
func TestTheLastGoodConfigurationServesUntilTheFileIsMended(t *testing.T) {
	b := start(t)
	cfg, err := config.Load(b.config, firmwareconfig.Profiles())
	if err != nil {
		t.Fatal(err)
	}
	if err := config.KeepLastGood(cfg.Data, cfg); err != nil {
		t.Fatal(err)
	}
	configuration(t, cfg.Data, `langauge = "en"`)
	b.call("", "status").want(t, 0, "gate demo")
	b.call("", "check").want(t, exitConfig, "langauge")
}

func TestWithoutAGateEveryCommandThatNeedsOneSaysHowToStartIt(t *testing.T) {
	dir := shortDir(t)
	name := configuration(t, dir)
	list := write(t, filepath.Join(dir, "list.csv"), "学号,姓名,班级,角色\n")
	for _, args := range []string{
		"status", "roster import " + list, "roster undo", "roster pin G1", "roster duty G1 guard", "web paired", "web unpair 1", "roster badges " + dir, "roster export " + dir, "hold list", "hold lift -by G1 P001",
	} {
		c := gatectl(t, "481516\n", append([]string{"-config", name}, strings.Fields(args)...)...)
		c.want(t, exitFailed, "no gate answers at "+filepath.Join(dir, "gated.sock"), "systemctl start gated")
	}
}

func TestWithoutAConfigurationTheFileIsNamed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "gated.toml")
	gatectl(t, "", "-config", name, "status").want(t, exitFailed, name)
}
