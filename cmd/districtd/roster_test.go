package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// listFile writes a list of n pupils.
func listFile(t *testing.T, n int) string {
	t.Helper()
	text := "number,name,class,role\n"
	for i := range n {
		text += fmt.Sprintf("S%d,学生%d,%d班,student\n", i+1, i+1, i/20+1)
	}
	name := filepath.Join(t.TempDir(), "list.csv")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestARosterIsImportedUndoneAndListed(t *testing.T) {
	name, data := configure(t, ownBroker)
	call := func(stdin string, args ...string) result {
		return districtd(t, stdin, append([]string{"-config", name}, args...)...)
	}
	call("", "admit", "-school", "育才小学", "east", newKey(t)).want(t, 0)
	call("", "roster", "list").want(t, 0, "育才小学", "east")
	whole, part := listFile(t, 60), listFile(t, 20)
	call("", "roster", "import", "-yes", "-school", "育英小学", whole).want(t, exitFailed, "there are: 育才小学")
	call("", "roster", "import", "-yes", "-school", "育才小学", data).want(t, exitFailed)
	call("no\n", "roster", "import", "-school", "育才小学", whole).want(t, exitFailed, "roster 1: 60 added", "nothing was changed")
	call("", "roster", "import", "-school", "育才小学", whole).want(t, exitFailed, "nothing was changed")
	call("yes\n", "roster", "import", "-school", "育才小学", whole).want(t, 0, "roster 1: 60 added", "goes to east")
	call("yes\n", "roster", "import", "-school", "育才小学", part).want(t, exitFailed, "40 left", "the whole class 3班 leaves", "-allow-left 40")
	call("", "roster", "import", "-yes", "-allow-left", "40", "-school", "育才小学", part).want(t, 0, "roster 2: 0 added, 0 changed, 40 left")
	call("", "roster", "list").want(t, 0, "育才小学", "2", "20")
	call("", "roster", "undo", "-school", "育才小学").want(t, 0, "roster 3: 40 added", "goes to east")
	call("", "roster", "undo", "-school", "育才小学").want(t, 0, "roster 4: 0 added, 0 changed, 40 left")
	call("", "admit", "-school", "育才小学", "west", newKey(t)).want(t, 0)
	for _, file := range []string{"rosters", "district.db"} {
		info, err := os.Stat(filepath.Join(data, file))
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v: others may read it", file, info.Mode(), err)
		}
	}
}

func TestUndoingTheFirstListSendsNothing(t *testing.T) {
	name, _ := configure(t, ownBroker)
	call := func(args ...string) result { return districtd(t, "", append([]string{"-config", name}, args...)...) }
	call("admit", "east", newKey(t)).want(t, 0)
	call("roster", "undo", "-school", "east").want(t, exitFailed, "nothing to undo")
	call("roster", "import", "-yes", "-school", "east", listFile(t, 3)).want(t, 0)
	call("roster", "undo", "-school", "east").want(t, exitFailed, "3 left", "nothing was sent")
}
