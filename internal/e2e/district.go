package e2e

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/sync/mqtt"
)

// buildDistrictd builds the collector as build does the gate.
var buildDistrictd = sync.OnceValues(func() (string, error) {
	program := filepath.Join(os.Getenv(programsEnv), "districtd")
	cmd := exec.Command("go", "build", "-o", program, "github.com/menshen/menshen/cmd/districtd")
	if os.Getenv("CGO_CFLAGS") == "" {
		cmd.Env = append(os.Environ(), "CGO_CFLAGS=-O2 -g -DHAVE_FDATASYNC=1")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build districtd: %w\n%s", err, out)
	}
	return program, nil
})

// District is a collector's configuration and data directory. It outlives the
// processes that are started on it.
type District struct {
	*process
	// Name is the collector's, and Data where it keeps its files.
	Name, Data string
	// Broker is the address at which gates meet it.
	Broker string

	t               testing.TB
	dir             string
	program, config string
	mosquitto       *Mosquitto // nil: it brings its own
	page            string     // address of page and pull
	record          *store.Store
}

// DistrictSetup is how a collector differs from one with a broker of its own.
type DistrictSetup struct {
	// Name is the collector's; empty is CollectorName, which a mosquitto wants.
	Name string
	// Mosquitto is the broker that it uses; nil is its own.
	Mosquitto *Mosquitto
	// Data is where it keeps its files; empty means a directory of the test's.
	Data string
}

// NewDistrict writes a configuration and starts a collector with it.
func NewDistrict(t testing.TB, s DistrictSetup) *District {
	t.Helper()
	program, err := buildDistrictd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	d := &District{Name: s.Name, Data: s.Data, Broker: "127.0.0.1:0", t: t, dir: dir, program: program,
		config: filepath.Join(dir, "districtd.toml"), mosquitto: s.Mosquitto}
	if d.Name == "" {
		d.Name = CollectorName
	}
	if d.Data == "" {
		d.Data = filepath.Join(dir, "data")
	}
	if s.Mosquitto != nil {
		d.Broker = s.Mosquitto.Addr
		d.write("password", s.Mosquitto.Password(d.Name))
	}
	d.configure()
	d.Restart()
	d.configure() // its broker is to be found where it was
	return d
}

func (d *District) configure() {
	d.t.Helper()
	broker := fmt.Sprintf("listen = %q\n", d.Broker)
	if d.mosquitto != nil {
		broker = fmt.Sprintf("url = %q\nca = %q\npassword_file = %q\n", "mqtts://"+d.Broker, d.mosquitto.CA(), filepath.Join(d.dir, "password"))
	}
	d.write("districtd.toml", fmt.Sprintf("name = %q\ndata = %q\nlanguage = \"en\"\n[web]\nlisten = \"127.0.0.1:0\"\n[broker]\n%s", d.Name, d.Data, broker))
}

func (d *District) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// Start starts the collector and returns at once.
func (d *District) Start() {
	d.t.Helper()
	d.process = launch(d.t, "districtd "+d.Name, d.program, "-config", d.config)
}

// Restart starts the collector and waits until it is open.
func (d *District) Restart() {
	d.t.Helper()
	d.Start()
	d.page = d.awaitSaid(`msg="page and pull served" \S*.*?address=(\S+)`)
	if at := d.awaitSaid(`msg="collector open".*? broker=(\S+)`); d.mosquitto == nil {
		d.Broker = at
	}
}

// Tool runs a command of districtd beside the collector or without it, which
// must succeed, and returns what it printed, without white space around it.
func (d *District) Tool(args ...string) string {
	d.t.Helper()
	out, err := exec.Command(d.program, slices.Concat([]string{"-config", d.config}, args)...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("districtd %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// Admit lets a gate in by its public key and returns how it connects.
func (d *District) Admit(gate, key string) mqtt.Options {
	d.t.Helper()
	made := d.Tool("admit", "-school", "实验小学", "-duty", "6123", gate, key)
	if d.mosquitto != nil {
		return d.mosquitto.Options(gate)
	}
	return mqtt.Options{URL: "mqtt://" + d.Broker, Name: gate, Password: made}
}

// Page signs in with a new token of that name and returns the page's text.
func (d *District) Page(token string) string {
	d.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		d.t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Timeout: Soon}
	resp, err := browser.PostForm("http://"+d.page+"/sign-on", url.Values{"token": {d.Tool("token", "add", token)}})
	if err != nil {
		d.t.Fatal(err)
	}
	text, err := read(resp)
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}
