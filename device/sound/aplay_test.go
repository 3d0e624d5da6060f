package sound

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// plant puts a program of the name aplay before all others, and returns the
// directory in which it runs and leaves its files.
func plant(t *testing.T, script string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "aplay"), []byte("#!/bin/sh\ncd "+dir+"\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAplayGetsTheDeviceAndTheWholeSound(t *testing.T) {
	dir := plant(t, `echo "$*" >args; cat >wav`)
	if err := Aplay("plughw:1,0")(t.Context(), stopTones()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, dir, "args"); got != "-q -D plughw:1,0 -\n" {
		t.Errorf("arguments %q", got)
	}
	if got := read(t, dir, "wav"); !bytes.Equal([]byte(got), stopTones()) {
		t.Errorf("%d bytes arrived of %d", len(got), len(stopTones()))
	}
}

func TestAFaultOfAplayIsItsLastLine(t *testing.T) {
	plant(t, `cat >/dev/null; for i in 1 2 3 4 5 6 7 8 9; do echo "ALSA lib line $i of what nobody reads" >&2; done
echo "aplay: main:831: audio open error: No such file or directory" >&2; exit 1`)
	err := Aplay("default")(t.Context(), beep(880))
	const want = `aplay on "default": exit status 1: aplay: main:831: audio open error: No such file or directory`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestAplayThatIsNotInstalledIsAnError(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := Aplay("default")(t.Context(), beep(880)); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// TestASentenceThatGivesWayEndsItsProcess: the next beep finds the card free.
func TestASentenceThatGivesWayEndsItsProcess(t *testing.T) {
	dir := plant(t, "echo $$ >pid.new; mv pid.new pid; exec sleep 1000")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Aplay("default")(ctx, sounds(Chinese).sayAside) }()
	limit := time.After(30 * time.Second)
	for runs := false; !runs; {
		select {
		case <-limit:
			t.Fatal("aplay did not start")
		case err := <-ended:
			t.Fatalf("aplay ended: %v", err)
		case <-time.After(time.Millisecond):
			_, err := os.Stat(filepath.Join(dir, "pid"))
			runs = err == nil
		}
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("a sound that was cut off is no whole sound")
	}
	pid, err := strconv.Atoi(strings.TrimSpace(read(t, dir, "pid")))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d: %v", pid, err)
	}
}

// TestTheRealAplayTakesEverySound plays into ALSA's null device, which needs
// no card.
func TestTheRealAplayTakesEverySound(t *testing.T) {
	if _, err := exec.LookPath("aplay"); err != nil {
		t.Skip("aplay is not installed: apt-get install alsa-utils")
	}
	all, zh, en := tones(), sounds(Chinese), sounds(English)
	all["silence"], all["请到旁边"], all["请量手腕"] = zh.silence, zh.sayAside, zh.sayWrist
	all["step aside"], all["your wrist, please"] = en.sayAside, en.sayWrist
	for name, wav := range all {
		if err := Aplay("null")(t.Context(), wav); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Aplay("no-such-device")(t.Context(), beep(440)); err == nil || !strings.Contains(err.Error(), "no-such-device") {
		t.Errorf("a device that is not there: %v", err)
	}
}

func TestATailKeepsTheEndInLittleMemory(t *testing.T) {
	var kept tail
	for range 1000 {
		n, err := kept.Write(bytes.Repeat([]byte("x"), 77))
		if n != 77 || err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := kept.Write([]byte("\nthe end\n")); err != nil {
		t.Fatal(err)
	}
	if got := string(kept.lastLine()); got != "the end" || len(kept.kept) > tailMost {
		t.Errorf("%d bytes kept, last line %q", len(kept.kept), got)
	}
}
