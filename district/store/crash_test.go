package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/district/store/storetest"
	"github.com/menshen/menshen/entry"
)

// writerEnv makes this binary commit to the store that it names until it is
// killed.
const writerEnv = "MENSHEN_TEST_STORE_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		fmt.Fprintln(os.Stderr, writeForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForEver commits for two gates at once and says "gate size" on standard
// output after each commit, in one write.
func writeForEver(path string) error {
	s, err := store.Open(context.Background(), store.Options{Path: path, Meaning: storetest.Meaning})
	if err != nil {
		return err
	}
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, gate := range []string{"east", "west"} {
		wg.Go(func() { errs[i] = commitForEver(s, gate) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func commitForEver(s *store.Store, gate string) error {
	ctx := context.Background()
	if err := begin(ctx, s, gate); err != nil {
		return err
	}
	st, err := s.Stream(ctx, gate, 1)
	if err != nil {
		return err
	}
	for tree := st.Tree; ; {
		a := batch(gate, tree, 1+rand.IntN(300))
		if _, err := s.Commit(ctx, a); err != nil {
			return err
		}
		tree = a.Tree
		fmt.Printf("%s %d\n", gate, tree.Size())
	}
}

// killed runs a writer, kills it after it has said some lines, and returns the
// last size that it said of each gate.
func killed(t *testing.T, path string, after int) map[string]uint64 {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(map[string]uint64)
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		var gate string
		var size uint64
		if _, err := fmt.Sscanf(lines.Text(), "%s %d", &gate, &size); err != nil {
			continue // the kill cut the last line
		}
		said[gate] = max(said[gate], size)
		if n == after {
			if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the writer ended by itself: %v", err)
	}
	return said
}

func TestKillingTheWriterLeavesWholeBatchesAndAllThatWereSaid(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	for range 20 {
		said := killed(t, path, rand.IntN(30))
		s := mustOpen(t, path)
		sizes := checkWhole(t, s)
		mustClose(t, s)
		for gate, size := range said {
			if sizes[gate] < size {
				t.Errorf("%s: %d entries are there, %d were said to be", gate, sizes[gate], size)
			}
		}
	}
}

// tmpfs mounts size bytes of memory until the end of the test.
func tmpfs(t *testing.T, size int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Skipf("cannot mount: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func TestAFullDiskTakesNothingHalfAndTheStoreGoesOnWhenThereIsSpace(t *testing.T) {
	dir := tmpfs(t, 3<<20)
	path, ballast := filepath.Join(dir, "store.db"), filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path)
	defer func() { mustClose(t, s) }()
	if err := begin(t.Context(), s, "east"); err != nil {
		t.Fatal(err)
	}
	var tree entry.Tree
	for {
		a := batch("east", tree, 500)
		if _, err := s.Commit(t.Context(), a); err != nil {
			if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnknown) {
				t.Fatalf("got %v, want a fault of the disk", err)
			}
			if !strings.Contains(err.Error(), "full") && !strings.Contains(err.Error(), "I/O") {
				t.Errorf("got %v", err)
			}
			break
		}
		tree = a.Tree
	}
	if got := checkWhole(t, s)["east"]; got != tree.Size() {
		t.Errorf("%d entries are there, %d were committed", got, tree.Size())
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), batch("east", tree, 500)); err != nil {
		t.Fatalf("with space: %v", err)
	}
	mustClose(t, s)
	s = mustOpen(t, path)
	if got := checkWhole(t, s)["east"]; got != tree.Size()+500 {
		t.Errorf("%d entries are there, want %d", got, tree.Size()+500)
	}
}
