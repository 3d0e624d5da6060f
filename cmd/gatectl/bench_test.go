package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/internal/rig"
)

// call is one run of gatectl to its end.
type call struct {
	code        int
	out, errors string
}

// gatectl calls the program with a text as standard input.
func gatectl(t *testing.T, stdin string, args ...string) call {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr)
	return call{code, stdout.String(), stderr.String()}
}

// want fails the test unless a call ended with a code and printed these.
func (c call) want(t *testing.T, code int, parts ...string) {
	t.Helper()
	if c.code != code {
		t.Errorf("exit %d, want %d", c.code, code)
	}
	for _, part := range parts {
		if !strings.Contains(c.out+c.errors, part) {
			t.Errorf("does not print %q", part)
		}
	}
	if t.Failed() {
		t.Fatalf("stdout:\n%s\nstderr:\n%s", c.out, c.errors)
	}
}

// shortDir is a directory whose path leaves room for a socket's name.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ctl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// configuration writes a gated.toml for a gate in dir, with further lines, and
// returns its name.
func configuration(t *testing.T, dir string, more ...string) string {
	t.Helper()
	return write(t, filepath.Join(dir, "gated.toml"), fmt.Sprintf("gate = \"east\"\ndata = %q\nsocket = %q\nprofile = \"all-serial\"\n%s\n",
		dir, filepath.Join(dir, "gated.sock"), strings.Join(more, "\n")))
}

// bench is a gate that runs in this process.
type bench struct {
	*rig.Rig
	t      *testing.T
	config string
	green  string // since when the guards' codes are green: the same in every list
}

// start runs a gate with the made-up hardware of the profile all-serial.
func start(t *testing.T, collectors ...gate.Collector) *bench {
	t.Helper()
	dir := shortDir(t)
	r, err := rig.New(rig.Options{Dir: dir, Listen: "127.0.0.1:0", Profile: "all-serial", Collectors: collectors, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if err := r.WaitOpen(ctx); err != nil {
		t.Fatal(err)
	}
	return &bench{r, t, configuration(t, dir), time.Now().UTC().Add(-time.Hour).Format(time.RFC3339)}
}

// call asks the gate by gatectl.
func (b *bench) call(stdin string, args ...string) call {
	b.t.Helper()
	return gatectl(b.t, stdin, append([]string{"-config", b.config}, args...)...)
}

// list writes a roster of pupils and returns the file's name. Pupil n has the
// number P00n and the badge 2026000000000000 + n.
func (b *bench) list(pupils int) string {
	b.t.Helper()
	var text strings.Builder
	text.WriteString("学号,姓名,班级,角色,卡号,码色,码色时间\n")
	for n := 1; n <= pupils; n++ {
		fmt.Fprintf(&text, "P%03d,学生%d,%d班,student,%d,,\n", n, n, n%2+1, badge+n)
	}
	fmt.Fprintf(&text, "G1,门卫,保卫,staff,%d,green,%s\nG2,保安,保卫,staff,%d,green,%s\n", badge+901, b.green, badge+902, b.green)
	return write(b.t, filepath.Join(b.Config.Data, fmt.Sprintf("list-%d.csv", pupils)), text.String())
}

// badge is the number before the first pupil's badge.
const badge = 2026_0000_0000_0000
