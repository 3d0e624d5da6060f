package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// GateName is the name of the gate on a bench.
const GateName = "e2e"

// Report introduces the gate on a bench to a collector: from its next start on
// it sends what it records. The gate must have run before, which made its key.
func (b *Bench) Report(d *District) {
	b.t.Helper()
	shown := strings.Fields(b.Gatectl("", "key", "show"))
	if len(shown) != 2 || shown[0] != GateName {
		b.t.Fatalf("gatectl key show printed %q", shown)
	}
	o := d.Admit(shown[0], shown[1])
	password := filepath.Join(b.Dir, "password-"+d.Name)
	text := fmt.Sprintf("[[collector]]\nname = %q\nurl = %q\nkey = %q\npassword_file = %q\n", d.Name, o.URL, d.Tool("key"), password)
	if d.mosquitto != nil {
		text += fmt.Sprintf("ca = %q\n", d.mosquitto.CA())
	}
	config, err := os.OpenFile(b.config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	_, err = config.WriteString(text)
	if err := errors.Join(err, config.Close(), os.WriteFile(password, []byte(o.Password), 0o600)); err != nil {
		b.t.Fatal(err)
	}
}

// Open reports whether the gate's page answers, which it does once the journal
// is open and the uplinks run.
func (g *Gate) Open() bool { return g.healthy() }

// Said returns everything that the gate has printed.
func (g *Gate) Said() string { return g.log.String() }
