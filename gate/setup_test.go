package gate

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/board"
	"github.com/menshen/menshen/doctor"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/install"
	"github.com/menshen/menshen/web/setup"
)

// onMachine is a gate whose page of installation looks at a made-up machine, and
// the name of its configuration.
func onMachine(t *testing.T, profile string, root fstest.MapFS) (p setupPage, name string) {
	t.Helper()
	dir := t.TempDir()
	name = filepath.Join(dir, "gated.toml")
	text := "gate = \"test\"\ndata = \"" + dir + "\"\nprofile = \"" + profile + "\"\n[ports]\n"
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	crewed(t, dir)
	g, _ := build(t, dir, stillClock)
	cfg, err := config.Load(name, firmwareconfig.Profiles())
	if err != nil {
		t.Fatal(err)
	}
	g.o.Config = cfg
	g.o.Setup = &Setup{
		ConfigFile: name, Profiles: firmwareconfig.Profiles(),
		Search: doctor.Search{
			Root: root, Chips: func() ([]board.Chip, error) { return nil, nil }, Opener: func(config.Profile) device.Opener { return g.o.Opener },
		},
		Patient: doctor.Patient{Root: root, Synchronised: func() bool { return true }, Free: func(string) (uint64, error) { return 1 << 40, nil }},
	}
	open(t, g)
	t.Cleanup(func() { shut(t, g) })
	return setupPage{g}, name
}

// typing is a machine with a scanner that types.
func typing() fstest.MapFS {
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	const input = "sys/devices/usb1/1-1/input/input3"
	return fstest.MapFS{
		"sys/devices/usb1/1-1/idVendor": text("0c2e"), "sys/devices/usb1/1-1/idProduct": text("0b61"),
		input + "/name": text("Honeywell"), input + "/capabilities/key": text("10000 7 fe"), input + "/event3/dev": text("13:67"),
		"sys/class/input/event3": {Data: []byte("../../devices/usb1/1-1/input/input3/event3"), Mode: os.ModeSymlink},
	}
}

func TestWhatIsFoundIsWrittenByOnePressAndTakenBackByAnother(t *testing.T) {
	p, name := onMachine(t, "all-serial", typing())
	if err := p.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := p.View(t.Context())
	i := slices.IndexFunc(v.Things, func(x setup.Thing) bool { return x.Where == "/dev/input/event3" })
	if i < 0 || v.Things[i].There || v.Written || v.Scanned.IsZero() {
		t.Fatalf("got %+v", v)
	}
	if err := p.Write(t.Context(), v.Things[i].Number); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(name, firmwareconfig.Profiles())
	if err != nil || cfg.Board.Ports["scanner-1"].Path != "hid:0c2e:0b61" {
		t.Errorf("%+v, %v", cfg, err)
	}
	if v := p.View(t.Context()); !v.Written || !v.CanRestore || !v.Things[i].There || v.CanRestart {
		t.Errorf("got %+v", v)
	}
	if err := p.Restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v := p.View(t.Context()); v.Written || v.CanRestore {
		t.Errorf("got %+v", v)
	}
	if err := p.Restore(t.Context()); !errors.Is(err, setup.ErrStale) {
		t.Errorf("taken back twice: %v", err)
	}
}

func TestOnlyWhatWasFoundIsWritten(t *testing.T) {
	p, name := onMachine(t, "all-serial", typing())
	for _, number := range []int{-1, 0, 1, 99} {
		if err := p.Write(t.Context(), number); !errors.Is(err, setup.ErrStale) {
			t.Errorf("%d: %v", number, err)
		}
	}
	p.installer.found = []doctor.Thing{{Lines: []string{"[ports]", `NAME = "/dev/ttyUSB0"`}}, {Lines: []string{"[ports]", `scanner-9 = "/dev/x"`}}}
	if err := p.Write(t.Context(), 1); !errors.Is(err, setup.ErrStale) {
		t.Errorf("a name that a person has to choose: %v", err)
	}
	if err := p.Write(t.Context(), 2); !errors.Is(err, setup.ErrFaulty) {
		t.Errorf("a port that the profile lacks: %v", err)
	}
	if text, err := os.ReadFile(name); err != nil || strings.Contains(string(text), "scanner-9") {
		t.Errorf("%v: %s", err, text)
	}
}

func TestAConfigurationThatTheGateMayNotWriteIsSaid(t *testing.T) {
	for rule, err := range map[string]error{"no right": os.ErrPermission, "a disk to read": errors.New("rename: read-only file system")} {
		if got := written(err); !errors.Is(got, setup.ErrReadOnly) {
			t.Errorf("%s: %v", rule, got)
		}
	}
	if written(nil) != nil {
		t.Error("no fault is one")
	}
}

// helped answers what the gate asks for as menshen-fix does.
func helped(ctx context.Context, t *testing.T, p setupPage, root string) {
	t.Helper()
	for ctx.Err() == nil {
		if _, err := os.Stat(filepath.Join(p.o.Config.Data, install.AskedFile)); err == nil {
			if err := install.Asked(ctx, install.Options{Root: root}, strings.TrimPrefix(p.o.Config.Data, root)); err != nil {
				t.Error(err)
			}
		}
		select {
		case <-time.After(mendLook):
		case <-ctx.Done():
		}
	}
}

func TestAFixIsAskedForByNameAndAnswered(t *testing.T) {
	p, _ := onMachine(t, "raspberry-pi", fstest.MapFS{})
	root := filepath.Dir(p.o.Config.Data)
	file := filepath.Join(root, "boot", "config.txt")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("dtparam=audio=on\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		go helped(ctx, t, p, root)
		defer stop()
		for _, undo := range []bool{false, true} {
			done, err := p.Mend(ctx, install.FixI2C, undo)
			text, readErr := os.ReadFile(file)
			if err != nil || readErr != nil || !strings.Contains(done, "dtparam=i2c_arm=on") || strings.Contains(string(text), "i2c") == undo {
				t.Errorf("undo %v: %q, %v: %s", undo, done, err, text)
			}
		}
	})
}

func TestWhereNobodyHelpsItIsSaidAndNothingIsLeftToBeDoneLater(t *testing.T) {
	p, _ := onMachine(t, "raspberry-pi", fstest.MapFS{})
	synctest.Test(t, func(t *testing.T) {
		if _, err := p.Mend(t.Context(), install.FixI2C, false); !errors.Is(err, setup.ErrNoHelper) {
			t.Errorf("got %v", err)
		}
	})
	if _, err := os.Stat(filepath.Join(p.o.Config.Data, install.AskedFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still asked: %v", err)
	}
	if _, err := p.Mend(t.Context(), "format", false); !errors.Is(err, setup.ErrStale) {
		t.Errorf("a word that is no fix: %v", err)
	}
}

func TestOnlyAnMLX90614AsksForItsLetter(t *testing.T) {
	for profile, want := range map[string]int{"raspberry-pi": 5, "all-serial": 0} {
		p, _ := onMachine(t, profile, fstest.MapFS{})
		if got := p.View(t.Context()).Optics; len(got) != want {
			t.Errorf("%s: got %+v", profile, got)
		}
	}
}

func TestTheGuardsPageSaysThatTheGateWasNotAccepted(t *testing.T) {
	p, _ := onMachine(t, "all-serial", fstest.MapFS{})
	if v := p.Gate.View(); !v.NotAccepted || !v.CanSetUp {
		t.Errorf("got %+v", v)
	}
	p.acceptance.last.Store(&setup.Accepted{At: time.Now(), Passed: true})
	if v := p.Gate.View(); v.NotAccepted {
		t.Error("it was accepted")
	}
}

func TestAGateRestartsItselfOnlyWhereSomebodyStartsItAgain(t *testing.T) {
	p, _ := onMachine(t, "all-serial", fstest.MapFS{})
	if p.Restart() {
		t.Error("nobody starts it again")
	}
	ended := 0
	p.o.Setup.Restart = func() { ended++ }
	if !p.Restart() || ended != 1 || !p.View(t.Context()).CanRestart {
		t.Errorf("ended %d times", ended)
	}
}

func TestWhatTheDevicesSendIsShownTheNewestFirst(t *testing.T) {
	p, _ := onMachine(t, "all-serial", fstest.MapFS{})
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		ticks, newest := p.Live(ctx)
		for i := range liveLines + 2 {
			p.live.saw(i+1, scanned{text: []byte("A0001")}, stillClock)
			<-ticks
		}
		lines := newest()
		if len(lines) != liveLines || !strings.Contains(lines[0], "lane 8") || !strings.Contains(lines[liveLines-1], "lane 3") {
			t.Errorf("got %q", lines)
		}
		stop()
		synctest.Wait()
		if _, end, ok := p.live.watch(); !ok || len(p.live.list) != 1 {
			t.Error("who left still watches")
		} else {
			end()
		}
	})
}
