package journal_test

import (
	"bufio"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestKillingTheWriterLosesNothingAcknowledged(t *testing.T) {
	path := newPath(t)
	acked := make(map[uint64]uint32)
	for range 20 {
		p := start(t, writerEnv, path)
		p.await(t, 1+rand.IntN(100))
		p.kill()
		maps.Copy(acked, p.snapshot())
		checkAcked(t, path, acked)
		mustVerify(t, path)
	}
	t.Logf("%d entries acknowledged over 20 kills", len(acked))
}

// cut stops the process where it is for the rest of the test, and returns a
// mounted copy of what its disk has been sent, with what had been acknowledged.
func cut(t *testing.T, p *process, d disk) (copied disk, acked map[uint64]uint32) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	})
	acked = p.snapshot() // a receipt that is underway counts as not given
	return mountDisk(t, d.copyImage(t)), acked
}

// What it models: everything that was never sent to the device is gone, and
// the device has kept all that it was sent. Torn and reordered sectors are
// beyond it.
func TestAPowerCutLosesNothingAcknowledged(t *testing.T) {
	d := newDisk(t)
	p := start(t, writerEnv, filepath.Join(d.dir, "journal.db"))
	total := 0
	for range 20 {
		p.await(t, 1+rand.IntN(200))
		t.Run("cut", func(t *testing.T) {
			copied, acked := cut(t, p, d)
			path := filepath.Join(copied.dir, "journal.db")
			mustClose(t, mustOpen(t, path))
			checkAcked(t, path, acked)
			mustVerify(t, path)
			total = len(acked)
		})
	}
	t.Logf("%d entries acknowledged before the last of 20 cuts", total)
	p.kill() // before its disk is unmounted
}

// The rig of the test above must catch a writer that does not flush.
func TestAPowerCutTakesWhatWasNotFlushed(t *testing.T) {
	d := newDisk(t)
	p := start(t, carelessEnv, filepath.Join(d.dir, "lines"))
	p.await(t, 500)
	t.Run("cut", func(t *testing.T) {
		copied, acked := cut(t, p, d)
		lines := 0
		if f, err := os.Open(filepath.Join(copied.dir, "lines")); err == nil {
			defer f.Close()
			for s := bufio.NewScanner(f); s.Scan(); {
				lines++
			}
		}
		if lines >= len(acked) {
			t.Errorf("all %d lines are there", len(acked))
		}
	})
	p.kill()
}
