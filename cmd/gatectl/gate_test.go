package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/rig"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/web/guard"
)

func TestStatusSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	b := start(t)
	b.call("", "status").want(t, 0, "gate demo, gated rig", "lane 1    in, idle", "0 people",
		"! Roster is empty", "-> 'gatectl roster import FILE.csv'",
		"! Nobody on duty", "-> a member of staff signs on at the page")
	b.Lanes[0].Scanner.Unplug()
	lost := func(l guard.Lane) bool { return slices.Contains(l.Faults, "scanner-lost") }
	if !b.Await(t.Context(), 1, 20*time.Second, lost) {
		t.Fatal("the lane does not miss its scanner")
	}
	b.call("", "status").want(t, 0, "! Scanner out", "-> plug it in again")
}

func TestEveryProblemHasARemedyOfItsOwn(t *testing.T) {
	unknown := remedy("of the future")
	for _, key := range []string{
		"not-recorded", "last-good-configuration", "no-roster", "clock-untrusted", "nobody-on-duty", "insecure-web",
		"collector-diverged", "collector-refused", "collector-silent", "no-collector", "insecure-collector", "offline",
		"visitor-overstay", "visitors-later", "rules-ended", "calendar-fault", "journal-failed", "barrier-open", "barrier-lost", "scanner-lost", "thermometer-lost", "sound-lost", "calibration-missing", "calibration-due", "background-warm",
	} {
		if remedy(key) == unknown {
			t.Errorf("%s has none", key)
		}
	}
}

func TestImportPrintsWhoIsAddedChangedAndLeft(t *testing.T) {
	b := start(t)
	b.call("", "roster", "import", b.list(40)).want(t, 0, "roster 1: 42 added, 0 changed, 0 left\n")
	b.call("", "roster", "import", b.list(39)).want(t, 0, "roster 2: 0 added, 0 changed, 1 left\n")
	b.call("", "status").want(t, 0, "41 people")
}

func TestPreviewChangesNothing(t *testing.T) {
	b := start(t)
	b.call("", "roster", "import", b.list(40)).want(t, 0)
	b.call("", "roster", "import", "--preview", b.list(39)).want(t, 0, "0 added, 0 changed, 1 left", "nothing was changed")
	b.call("", "roster", "import", "-preview", b.list(20)).want(t, 0, "20 left", "would be refused", "--allow-left 20")
	c := b.call("", "roster", "import", "-preview", "-allow-left", "20", b.list(20))
	if c.want(t, 0, "20 left", "nothing was changed"); strings.Contains(c.out, "refused") {
		t.Errorf("refused although allowed:\n%s", c.out)
	}
	b.call("", "status").want(t, 0, "42 people")
}

func TestAListThatLetsTooManyLeaveIsRefusedUntilAllowed(t *testing.T) {
	b := start(t)
	b.call("", "roster", "import", b.list(40)).want(t, 0)
	b.call("", "roster", "import", b.list(20)).want(t, exitFailed, "20 of 42", "--allow-left 20")
	b.call("", "roster", "import", "-allow-left", "19", b.list(20)).want(t, exitFailed, "--allow-left 20")
	b.call("", "status").want(t, 0, "42 people")
	b.call("", "roster", "import", "--allow-left", "20", b.list(20)).want(t, 0, "20 left")
	b.call("", "roster", "import", b.list(40)).want(t, 0, "20 added")
	b.call("", "roster", "import", "-allow-left", "20", b.list(20)).want(t, 0, "20 left")
}

func TestUndoBringsBackTheRosterBefore(t *testing.T) {
	b := start(t)
	b.call("", "roster", "undo").want(t, exitFailed, "nothing to undo")
	b.call("", "roster", "import", b.list(40)).want(t, 0)
	b.call("", "roster", "import", b.list(39)).want(t, 0)
	b.call("", "roster", "undo").want(t, 0, "roster 3: 1 added, 0 changed, 0 left\n")
}

func TestFaultsOfAListAreNamedByRow(t *testing.T) {
	b := start(t)
	list := write(t, filepath.Join(b.Config.Data, "bad.csv"), "学号,姓名,班级,角色\nP001,甲,1班,student\nP001,乙,1班,wizard\n")
	b.call("", "roster", "import", list).want(t, exitFailed, "row 3: role", "row 3: number")
	b.call("", "roster", "import", "nowhere.csv").want(t, exitFailed, "nowhere.csv")
}

func TestAPINComesFromStandardInput(t *testing.T) {
	b := start(t)
	b.call("", "roster", "import", b.list(1)).want(t, 0)
	for _, c := range []struct {
		rule, stdin, number string
		code                int
		says                string
	}{
		{"a good one is taken", "481516\n", "G1", 0, "PIN (6 to 8 digits): "},
		{"the end of input ends it too", "481516", "G1", 0, ""},
		{"a weak one is refused", "123456\n", "G1", exitFailed, "PIN must be 6 to 8 digits"},
		{"none is refused", "", "G1", exitFailed, "PIN must be 6 to 8 digits"},
		{"pupils have none", "481516\n", "P001", exitFailed, "no such person"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			got := gatectl(t, c.stdin, "-config", b.config, "roster", "pin", c.number)
			if got.want(t, c.code, c.says); strings.Contains(got.out+got.errors, "481516") {
				t.Error("the PIN is printed")
			}
		})
	}
}

func TestBadgesAreForTheirOwnerOnly(t *testing.T) {
	b := start(t)
	dir := filepath.Join(b.Config.Data, "badges")
	b.call("", "roster", "badges", dir).want(t, exitFailed, "import a roster first")
	b.call("", "roster", "import", b.list(4)).want(t, 0)
	b.call("", "roster", "badges", "-class", "2班", dir).want(t, 0, "2 badges in "+dir)
	b.call("", "roster", "badges", dir).want(t, 0, "6 badges in "+dir)
	var names []string
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		names = append(names, f.Name())
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", f.Name(), info.Mode(), err)
		}
	}
	if want := []string{"G1.png", "G2.png", "P001.png", "P002.png", "P003.png", "P004.png", "badges.html"}; !slices.Equal(names, want) {
		t.Errorf("files %v", names)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("directory has mode %v, %v", info.Mode(), err)
	}
}

func TestVisitorsCardsAreMadeOnceAndPrinted(t *testing.T) {
	b := start(t)
	dir := filepath.Join(b.Config.Data, "cards")
	b.call("", "roster", "cards").want(t, exitUsage)
	b.call("", "roster", "cards", "many").want(t, exitFailed, "is no number")
	b.call("", "roster", "cards", "100").want(t, exitFailed, "100 is not 1 to 99")
	b.call("", "roster", "cards", "2").want(t, 0, "2 cards made, 2 there are\n")
	b.call("", "roster", "import", b.list(4)).want(t, 0)
	b.call("", "roster", "cards", "--out", dir, "3").want(t, 0, "1 cards made, 3 there are\n", "3 cards in "+dir)
	var names []string
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		names = append(names, f.Name())
	}
	if want := []string{"V01.png", "V02.png", "V03.png", "cards.html"}; !slices.Equal(names, want) {
		t.Errorf("files %v", names)
	}
	b.call("", "status").want(t, 0, "6 people")
}

func TestAnExportedRosterIsANumberedListForItsOwnerOnly(t *testing.T) {
	b := start(t)
	file := filepath.Join(b.Config.Data, "out.csv")
	b.call("", "roster", "export", file).want(t, exitFailed, "the roster is empty")
	b.call("", "roster", "import", b.list(40)).want(t, 0)
	b.call("", "roster", "import", b.list(39)).want(t, 0)
	b.call("", "roster", "export", file).want(t, 0, "roster 2: 41 people in "+file)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	list, err := roster.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if p := list[len(list)-3]; len(list) != 42 || p.ID != 40 || p.Number != "P040" || !p.Left {
		t.Errorf("%d people, %v has left: %t", len(list), p, p.Left)
	}
	b.call("", "roster", "import", file).want(t, 0, "roster 2: 0 added, 0 changed, 0 left")
	for _, c := range []struct {
		rule string
		args []string
		code int
		says string
	}{
		{"a file that is there stays", []string{file}, exitFailed, "-force"},
		{"unless it is to be replaced", []string{"-force", file}, 0, "41 people"},
		{"which needs no file", []string{"-force", file + "2"}, 0, "41 people"},
		{"a directory is no file", []string{"-force", b.Config.Data}, exitFailed, b.Config.Data},
	} {
		t.Run(c.rule, func(t *testing.T) {
			write(t, file, "mine")
			if err := os.Chmod(file, 0o644); err != nil {
				t.Fatal(err)
			}
			args := append([]string{"-config", b.config, "roster", "export"}, c.args...)
			gatectl(t, "", args...).want(t, c.code, c.says)
			got, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			replaced := c.code == 0 && c.args[len(c.args)-1] == file
			if info, err := os.Stat(file); err != nil || replaced != (info.Mode().Perm() == 0o600) || replaced == (string(got) == "mine") {
				t.Errorf("mode %v, %d bytes, %v", info.Mode(), len(got), err)
			}
		})
	}
}

// stop has pupil 1 held for a red code.
func (b *bench) stop(colour string) {
	b.t.Helper()
	people := []rig.Person{
		{Number: "P001", Name: "学生", Class: "1班", Role: "student", Badge: "2026000000000001", Colour: colour},
		{Number: "G1", Name: "门卫", Class: "保卫", Role: "staff", Badge: "2026000000000901", Colour: "green"},
		{Number: "G2", Name: "保安", Class: "保卫", Role: "staff", Badge: "2026000000000902", Colour: "green"},
	}
	if err := b.Import(b.t.Context(), people); err != nil {
		b.t.Fatal(err)
	}
	// What is scanned before the gate has opened its scanner is lost.
	l, read := b.Lanes[0], func(l guard.Lane) bool { return l.Phase != "idle" }
	for range 40 {
		l.Scanner.Scan("2026000000000001")
		if b.Await(b.t.Context(), 1, 500*time.Millisecond, read) {
			break
		}
	}
	l.See(36.5, 21)
	held := func(l guard.Lane) bool { return l.Phase == "held" }
	if !b.Await(b.t.Context(), 1, 20*time.Second, held) {
		b.t.Fatal("the pupil is not held")
	}
}

func TestAHoldIsListedUntilItIsLiftedByName(t *testing.T) {
	b := start(t)
	b.stop("yellow")
	for number, pin := range map[string]string{"G1": "481516", "G2": "234200"} {
		b.call(pin, "roster", "pin", number).want(t, 0)
	}
	b.call("", "hold", "list").want(t, 0, "P001 1班 since arrival ", ": only a lift ends it\n")
	for _, c := range []struct {
		rule, pin string
		args      []string
		says      string
	}{
		{"not without the PIN", "999000", []string{"-by", "G1", "P001"}, "do not match"},
		{"not by a pupil", "481516", []string{"-by", "P001", "G1"}, "do not match"},
		{"not by nobody", "481516", []string{"-by", "G3", "P001"}, "-by"},
		{"not where none stands", "481516", []string{"-by", "G1", "G2"}, "no hold stands"},
		{"not for nobody", "481516", []string{"-by", "G1", "P009"}, "number of the hold"},
		{"not against oneself", "481516", []string{"-by", "G1", "G1"}, "themselves"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			args := append([]string{"-config", b.config, "hold", "lift"}, c.args...)
			gatectl(t, c.pin, args...).want(t, exitFailed, c.says)
		})
	}
	b.call("481516\n", "hold", "lift", "-by", "G1", "P001").want(t, 0, "PIN of G1: ")
	if c := b.call("", "hold", "list"); c.code != 0 || c.out != "" {
		t.Errorf("still listed: %+v", c)
	}
	b.call("", "journal", "tail", "-n", "1").want(t, 0, `"Act":9`, `"Kind":"answer"`)
}

func TestTheHoldOfAnOpenCaseIsTheIsolationRoomsToEnd(t *testing.T) {
	b := start(t)
	b.stop("red")
	b.call("481516", "roster", "pin", "G1").want(t, 0)
	b.call("481516\n", "hold", "lift", "-by", "G1", "P001").want(t, exitFailed, "a case is open", "isolation room")
	b.call("", "hold", "list").want(t, 0, "P001 1班")
}
