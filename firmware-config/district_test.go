package firmwareconfig_test

import (
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/menshen/menshen/config"
)

// parseDistrict reads the example with some of its lines changed.
func parseDistrict(t *testing.T, pattern, to string) *config.District {
	t.Helper()
	text := regexp.MustCompile(pattern).ReplaceAllString(read(t, "districtd.toml"), to)
	d, err := config.ParseDistrict(config.File{Name: "districtd.toml", Source: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Every line that is commented out must be right when it is taken in, and be
// the default where there is one.
func TestExampleOfACollectorLoadsAndShowsTheDefaults(t *testing.T) {
	want := parseDistrict(t, "^$", "")
	got := parseDistrict(t, `(?m)^# ([a-z_-]+ = )`, "$1")
	if len(got.Web.Hosts) == 0 || len(got.PolicySigners) == 0 || got.Web.Cert == "" || got.Broker.Cert == "" || len(got.Calendar.Holidays) == 0 || len(got.Calendar.MakeUp) == 0 {
		t.Errorf("the examples replace nothing: %+v", got)
	}
	for _, s := range []*config.Server{&got.Web.Server, &got.Broker.Server} {
		s.Cert, s.Key = "", ""
	}
	got.Web.Hosts, got.PolicySigners, got.Calendar.Holidays, got.Calendar.MakeUp = nil, nil, nil, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestExampleOfACollectorWithAnotherBrokerLoads(t *testing.T) {
	d := parseDistrict(t, `(?m)^#- `, "")
	if d.Broker.URL == "" || d.Broker.CA == "" || d.Broker.PasswordFile == "" {
		t.Errorf("got %+v", d.Broker)
	}
}

func TestUnitKeepsTheCollectorAlive(t *testing.T) {
	keys, err := unit(read(t, "systemd/districtd.service"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"Service.Type":                     "notify",
		"Service.WatchdogSec":              "60s",
		"Service.Restart":                  "always",
		"Service.RestartPreventExitStatus": "78",
		"Service.StateDirectory":           filepath.Base(config.DefaultDistrictData),
		"Service.NoNewPrivileges":          "yes",
		"Service.CapabilityBoundingSet":    "",
		"Service.ProtectSystem":            "strict",
		"Unit.StartLimitIntervalSec":       "0",
	} {
		if got := keys[key]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s: got %q, want %q", key, got, want)
		}
	}
}
