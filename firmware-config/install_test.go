package firmwareconfig_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/install"
)

// keysOf reads a unit of the directory systemd.
func keysOf(t *testing.T, name string) map[string][]string {
	t.Helper()
	keys, err := unit(read(t, "systemd/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestWhatTheGateAsksForIsWhatTheFixWatches(t *testing.T) {
	if got := keysOf(t, "menshen-fix.path")["Path.PathExists"]; !slices.Equal(got, []string{config.DefaultData + "/" + install.AskedFile}) {
		t.Errorf("watches %q", got)
	}
	if got := keysOf(t, "menshen-fix.service")["Service.ExecStart"]; !slices.Equal(got, []string{"/usr/bin/menshen fix -asked"}) {
		t.Errorf("starts %q", got)
	}
}

// A service does not start in a group that is not there.
func TestEveryGroupOfTheUnitIsMadeAndReachesKeyboards(t *testing.T) {
	made := read(t, "systemd/sysusers.conf")
	groups := strings.Fields(strings.Join(keysOf(t, "gated.service")["Service.SupplementaryGroups"], " "))
	if !slices.Contains(groups, "input") {
		t.Error("a scanner that types cannot be opened")
	}
	for _, group := range groups {
		if !strings.Contains(made, "\ng "+group+" -\n") {
			t.Errorf("nobody makes group %s", group)
		}
	}
}

func TestTheGateMayWriteItsConfigurationAndNothingElseOfTheSystem(t *testing.T) {
	if got := keysOf(t, "gated.service")["Service.ReadWritePaths"]; !slices.Equal(got, []string{"-/etc/menshen"}) {
		t.Errorf("may write %q", got)
	}
	for line := range strings.Lines(read(t, "systemd/tmpfiles.conf")) {
		if line[0] != '#' && !strings.Contains(line, " /etc/menshen") {
			t.Errorf("gives away %q", line)
		}
	}
}
