package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/menshen/menshen/calendar"
)

func parseDistrict(src string) (*District, error) {
	return ParseDistrict(File{"districtd.toml", []byte(src)})
}

func TestEveryKeyOfADistrictArrivesInItsField(t *testing.T) {
	got, err := parseDistrict(`
name = "yucai"
title = "育才区"
data = "/srv/district"
language = "en"
[web]
listen = "0.0.0.0:443"
cert = "/etc/menshen/web.pem"
key = "/etc/menshen/web.key"
hosts = ["collector.example.cn"]
[broker]
listen = "10.0.0.5:1883"
insecure = true
[calendar]
school_days = ["mon", "sat"]
closed = ["2026-10-01..2026-10-07", "2026-12-31"]
make_up = ["2026-10-10"]
windows = ["07:00-08:00", "23:00-24:00"]
`)
	if err != nil {
		t.Fatal(err)
	}
	want := &District{Name: "yucai", Title: "育才区", Data: "/srv/district", Language: "en",
		Web: DistrictWeb{Server: Server{Listen: "0.0.0.0:443", Cert: "/etc/menshen/web.pem", Key: "/etc/menshen/web.key"},
			Hosts: []string{"collector.example.cn"}},
		Broker: Broker{Server: Server{Listen: "10.0.0.5:1883", Insecure: true}},
		Calendar: calendar.Calendar{Free: [7]bool{true, false, true, true, true, true, false}, Holidays: []calendar.Days{{Span: calendar.Span{First: "2026-10-01", Last: "2026-10-07"}}, {Span: calendar.Span{First: "2026-12-31", Last: "2026-12-31"}}},
			MakeUp: []calendar.Days{{Span: calendar.Span{First: "2026-10-10", Last: "2026-10-10"}}}, Windows: []calendar.Window{{From: 420, To: 480}, {From: 1380, To: 1440}}}}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestADistrictNeedsItsNameOnly(t *testing.T) {
	got, err := parseDistrict(`name = "yucai"`)
	if err != nil {
		t.Fatal(err)
	}
	if got.Data != DefaultDistrictData || got.Language != LanguageChinese || got.Web.Listen != "127.0.0.1:8640" ||
		got.Broker.Listen != "127.0.0.1:1883" || got.Broker.URL != "" {
		t.Errorf("got %+v", got)
	}
}

func TestADistrictMayUseAnotherBroker(t *testing.T) {
	got, err := parseDistrict("name = \"yucai\"\n[broker]\nurl = \"mqtts://broker.example\"\nca = \"/etc/ca.pem\"\npassword_file = \"/etc/password\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Broker{URL: "mqtts://broker.example", CA: "/etc/ca.pem", PasswordFile: "/etc/password"}); got.Broker != want {
		t.Errorf("got %+v, want %+v", got.Broker, want)
	}
}

func TestEveryFaultOfADistrictNamesLineKeyAndRemedy(t *testing.T) {
	for rule, c := range map[string]struct{ src, want string }{
		"no name": {"title = \"x\"", "districtd.toml:1: name: missing · use 1 to 32 of a-z, 0-9 and -"},
		"an unknown key": {"name = \"a\"\ngate = \"east\"",
			"districtd.toml:2: gate: unknown key · remove it; known here are broker, calendar, data, language, name, policy_signers, title, web"},
		"pages in the clear": {"name = \"a\"\n[web]\nlisten = \"0.0.0.0:80\"",
			`districtd.toml:3: web.listen: "0.0.0.0:80" can be reached by other machines without encryption · set cert and key, listen on 127.0.0.1, or set insecure = true`},
		"a certificate without its key": {"name = \"a\"\n[web]\ncert = \"/c\"",
			"districtd.toml:3: web.cert: certificate and key come together · set both cert and key, or neither"},
		"passwords in the clear": {"name = \"a\"\n[broker]\nlisten = \":1883\"",
			`districtd.toml:3: broker.listen: ":1883" can be reached by other machines without encryption · set cert and key, listen on 127.0.0.1, or set insecure = true`},
		"a broker that is both": {"name = \"a\"\n[broker]\nurl = \"mqtt://localhost\"\npassword_file = \"/p\"\nlisten = \"127.0.0.1:1\"",
			"districtd.toml:5: broker.listen: unknown key · remove it; known here are ca, insecure, password_file, url"},
		"another broker in the clear": {"name = \"a\"\n[broker]\nurl = \"mqtt://broker.example\"\npassword_file = \"/p\"",
			"districtd.toml:3: broker.url: passwords can be read on the way · write mqtts://, or set insecure = true in [broker]"},
		"a password in the address": {"name = \"a\"\n[broker]\nurl = \"mqtts://a:secret@broker.example\"\npassword_file = \"/p\"",
			`districtd.toml:3: broker.url: not the address of a broker · write it as "mqtts://broker.example:8883"`},
		"another broker without a password": {"name = \"a\"\n[broker]\nurl = \"mqtts://broker.example\"",
			"districtd.toml:2: broker.password_file: missing · name the file that holds the collector's password at the broker"},
		"a key of another broker": {"name = \"a\"\n[broker]\nca = \"/ca\"",
			"districtd.toml:3: broker.ca: unknown key · remove it; known here are cert, insecure, key, listen, url"},
	} {
		t.Run(rule, func(t *testing.T) {
			got, err := parseDistrict(c.src)
			if err == nil || err.Error() != c.want || got != nil {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAllFaultsOfADistrictAreToldAtOnce(t *testing.T) {
	_, err := LoadDistrict(filepath.Join(t.TempDir(), "districtd.toml"))
	var faults Faults
	if err == nil || errors.As(err, &faults) {
		t.Errorf("a file that is not there: got %v", err)
	}
	_, err = parseDistrict("data = \"here\"\nlanguage = \"fr\"\n[web]\nlisten = 5\n")
	if !errors.As(err, &faults) || len(faults) != 4 {
		t.Errorf("got %v, want four faults", err)
	}
}

// Whatever the file holds, the answer is a configuration that serves nothing
// to other machines in the clear without being told so, or faults of one line.
func FuzzParseDistrict(f *testing.F) {
	f.Add([]byte("name = \"a\"\n[web]\nlisten = \"127.0.0.1:0\"\n[broker]\nurl = \"mqtts://b:1\"\npassword_file = \"/p\""))
	f.Add([]byte("name = \"a\"\n[broker]\nlisten = \"0.0.0.0:1883\"\ninsecure = true"))
	f.Add([]byte("name = \"a\"\n[calendar]\nclosed = [\"2026-10-01..2026-10-07\"]\nwindows = [\"00:00-24:00\"]"))
	f.Fuzz(func(t *testing.T, src []byte) {
		d, err := parseDistrict(string(src))
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "districtd.toml:") {
					t.Errorf("not a fault: %q", line)
				}
			}
			return
		}
		for _, s := range []Server{d.Web.Server, d.Broker.Server} {
			host, _, _ := strings.Cut(s.Listen, ":")
			if s.Cert == "" && !s.Insecure && s.Listen != "" && host != "127.0.0.1" && host != "localhost" && !strings.HasPrefix(s.Listen, "[") && !strings.HasPrefix(host, "127.") {
				t.Errorf("served in the clear: %+v", s)
			}
		}
		for i, w := range d.Calendar.Windows {
			if w.From < 0 || w.To > 24*60 || w.To <= w.From || i > 0 && w.From < d.Calendar.Windows[i-1].To {
				t.Errorf("got windows %v", d.Calendar.Windows)
			}
		}
		if !names.MatchString(d.Name) || !filepath.IsAbs(d.Data) {
			t.Errorf("got %+v", d)
		}
	})
}
