package roster

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t *testing.T, path string) *Roster {
	t.Helper()
	r, err := Open(t.Context(), path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func empty(t *testing.T) *Roster {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "roster.db"))
}

// school is n students in classes of 25, numbered from 1000.
func school(n int) []Person {
	var list []Person
	for i := range n {
		list = append(list, student(1000+i, fmt.Sprintf("%d班", i/25+1)))
	}
	return list
}

func student(number int, class string) Person {
	return Person{Number: fmt.Sprint(number), Name: fmt.Sprintf("学生%d", number), Class: class, Role: Student}
}

func load(t *testing.T, r *Roster, list []Person, allow int) Change {
	t.Helper()
	c, err := r.Import(t.Context(), list, ImportOpts{AllowLeft: allow, By: "office"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func find(t *testing.T, r *Roster, number string) Person {
	t.Helper()
	for _, p := range r.Snapshot().people {
		if p.Number == number {
			return p
		}
	}
	t.Fatalf("nobody has number %s", number)
	return Person{}
}

func present(r *Roster) []Person { return slices.Collect(r.Snapshot().All()) }

func TestImportGivesRosterNumbersAndBadges(t *testing.T) {
	r := empty(t)
	c := load(t, r, school(50), 0)
	if len(c.Added) != 50 || c.Version != 1 || c.Present != 0 {
		t.Fatalf("got %v", c)
	}
	badges := make(map[string]bool)
	for i, p := range present(r) {
		if p.ID != uint64(i+1) || !isBadge(p.Badge) || badges[p.Badge] {
			t.Errorf("%v has badge of %d digits, known before: %t", p, len(p.Badge), badges[p.Badge])
		}
		badges[p.Badge] = true
		if got, ok := r.Snapshot().ByBadge(p.Badge); !ok || got != p {
			t.Errorf("%v is not found by badge", p)
		}
	}
}

func TestSnapshotIsTheSameAfterReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a ?#%20名册.db")
	r := open(t, path)
	load(t, r, append(school(3), chinesePeople()...), 0)
	want := r.Snapshot()
	got := open(t, path).Snapshot()
	if got.Version != want.Version || got.Hash != want.Hash || !reflect.DeepEqual(got.people, want.people) {
		t.Error("reopened roster differs")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file is not the owner's only: %v, %v", info.Mode(), err)
	}
}

func TestWholeListReplaces(t *testing.T) {
	r := empty(t)
	load(t, r, school(100), 0)
	was := find(t, r, "1001")
	list := school(100)[1:]
	list[0].Name = "新名"
	list = append(list, student(2000, "1班"))

	preview, err := r.Preview(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	if r.Snapshot().Version != 1 {
		t.Error("a preview changed the roster")
	}
	c := load(t, r, list, 0)
	want := Change{Version: 2, Present: 100, Added: []string{"2000"}, Changed: []string{"1001"}, Left: []string{"1000"}}
	if !reflect.DeepEqual(c, want) || !reflect.DeepEqual(preview, want) {
		t.Errorf("change %v, preview %v, want %v", c, preview, want)
	}
	if now := find(t, r, "1001"); now.Name != "新名" || now.Badge != was.Badge || now.ID != was.ID {
		t.Error("a changed row lost badge or roster number")
	}
}

func TestWhoLeavesIsMarkedAndComesBackUnderTheOldNumber(t *testing.T) {
	r := empty(t)
	load(t, r, school(50), 0)
	was := find(t, r, "1000")
	load(t, r, school(50)[1:], 0)

	s := r.Snapshot()
	if p, ok := s.ByID(was.ID); !ok || !p.Left || p.Name != was.Name {
		t.Error("who left cannot be named any more")
	}
	if _, ok := s.ByBadge(was.Badge); ok || s.Len() != 49 {
		t.Error("the badge of who left still opens")
	}
	if c := load(t, r, school(50), 0); !slices.Equal(c.Added, []string{"1000"}) {
		t.Errorf("got %v", c)
	}
	if got := find(t, r, "1000"); got != was {
		t.Error("who came back is not the same")
	}
}

func TestRosterNumbersAreNeverReused(t *testing.T) {
	r := empty(t)
	seen := make(map[uint64]string)
	for round := range 4 {
		load(t, r, []Person{student(round, "1班"), student(100, "1班")}, 9)
		if _, err := r.Undo(t.Context()); err != nil {
			t.Fatal(err)
		}
		load(t, r, []Person{student(100, "1班"), student(10+round, "1班")}, 9)
		for _, p := range r.Snapshot().people {
			if number, ok := seen[p.ID]; ok && number != p.Number {
				t.Fatalf("%v was another person", p)
			}
			seen[p.ID] = p.Number
		}
	}
}

func TestTooManyLeavingIsRefused(t *testing.T) {
	whole := school(100)
	for _, tt := range []struct {
		rule  string
		list  []Person
		allow int
		want  string
	}{
		{"5 % may leave", whole[5:], 0, ""},
		{"more than 5 % may not", whole[6:], 0, "6 of 100: give the whole list, or allow it with --allow-left 6"},
		{"one fewer than leave is not enough", whole[6:], 5, "--allow-left 6"},
		{"the number that leaves is enough", whole[6:], 6, ""},
		{"one class imported for the school", whole[:25], 0, "75 of 100, all of 2班, 3班, 4班"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			r := empty(t)
			load(t, r, whole, 0)
			preview, err := r.Preview(t.Context(), tt.list)
			if err != nil {
				t.Fatal(err)
			}
			if preview.TooManyLeft() != (tt.want != "" || tt.allow > 0) {
				t.Error("the preview foretells something else")
			}
			_, err = r.Import(t.Context(), tt.list, ImportOpts{AllowLeft: tt.allow})
			if tt.want == "" {
				if err != nil || r.Snapshot().Version != 2 {
					t.Errorf("got %v", err)
				}
				return
			}
			if !errors.Is(err, ErrTooManyLeft) || !strings.Contains(err.Error(), tt.want) || r.Snapshot().Len() != 100 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestSmallClassMayNotLeaveWhole(t *testing.T) {
	r := empty(t)
	list := append(school(100), student(1, "特教班"))
	load(t, r, list, 0)
	_, err := r.Import(t.Context(), list[:100], ImportOpts{})
	if !errors.Is(err, ErrTooManyLeft) || !strings.Contains(err.Error(), "1 of 101, all of 特教班") {
		t.Errorf("got %v", err)
	}
	list[100].Class = "八班"
	if c := load(t, r, list, 0); len(c.Changed) != 1 || c.TooManyLeft() {
		t.Errorf("a class renamed counts as leaving: %v", c)
	}
}

func TestUnchangedListMakesNoVersion(t *testing.T) {
	r := empty(t)
	load(t, r, school(30), 0)
	s := r.Snapshot()
	if c := load(t, r, school(30), 0); c.Version != 1 || r.Snapshot() != s {
		t.Errorf("got %v", c)
	}
}

func TestUndoRestoresTheVersionBeforeUnderANewNumber(t *testing.T) {
	r := empty(t)
	load(t, r, school(100), 0)
	first := r.Snapshot()
	list := append(school(100)[3:], student(2000, "9班"))
	list[0].Name, list[1].Badge = "改名", "1234567890123456"
	load(t, r, list, 0)
	second := present(r)

	c, err := r.Undo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if c.Version != 3 || r.Snapshot().Hash != first.Hash || !reflect.DeepEqual(present(r), slices.Collect(first.All())) {
		t.Errorf("undo did not restore: %v", c)
	}
	if p := find(t, r, "2000"); !p.Left || p.Badge != "" {
		t.Error("who was added by the version undone did not leave")
	}
	if c, err = r.Undo(t.Context()); err != nil || c.Version != 4 || !reflect.DeepEqual(present(r), second) {
		t.Errorf("undoing again did not restore what was undone: %v, %v", c, err)
	}
}

func TestUndoOfTheFirstImportFreesItsBadges(t *testing.T) {
	r := empty(t)
	if _, err := r.Undo(t.Context()); !errors.Is(err, ErrNothingToUndo) {
		t.Errorf("got %v", err)
	}
	list := school(2)
	list[0].Badge = "1234567890123456"
	load(t, r, list, 0)
	if _, err := r.Undo(t.Context()); err != nil || r.Snapshot().Len() != 0 {
		t.Fatal(err)
	}
	list[0].Badge, list[1].Badge = "", list[0].Badge
	load(t, r, list, 0)
	if p, ok := r.Snapshot().ByBadge("1234567890123456"); !ok || p.Number != "1001" {
		t.Error("the corrected list was not taken")
	}
}

func TestBadgesInALaterList(t *testing.T) {
	const x, y, z = "1111111111111111", "2222222222222222", "3333333333333333"
	a, b := student(1, "1班"), student(2, "1班")
	with := func(p Person, badge string) Person { p.Badge = badge; return p }
	for _, tt := range []struct {
		rule string
		list []Person
		want map[string]string // number to badge
		err  string
	}{
		{"an empty cell keeps the badge", []Person{a, b}, map[string]string{"1": x, "2": y}, ""},
		{"a new badge replaces", []Person{with(a, z), b}, map[string]string{"1": z, "2": y}, ""},
		{"two people may swap", []Person{with(a, y), with(b, x)}, map[string]string{"1": y, "2": x}, ""},
		{"a badge goes over from who leaves", []Person{with(a, y)}, map[string]string{"1": y}, ""},
		{"a badge does not go over from who stays", []Person{with(a, y), b}, nil, "row 2: badge belongs to somebody who keeps it"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			r := empty(t)
			load(t, r, []Person{with(a, x), with(b, y)}, 0)
			_, err := r.Import(t.Context(), tt.list, ImportOpts{AllowLeft: 1})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := make(map[string]string)
			for p := range r.Snapshot().All() {
				got[p.Number] = p.Badge
			}
			if !maps.Equal(got, tt.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestLostBadgeIsReplacedAndStaysDead(t *testing.T) {
	r := empty(t)
	list := school(2)
	list[0].Badge = "1111111111111111"
	load(t, r, list, 0)
	p := find(t, r, "1000")
	if _, err := r.BindBadge(t.Context(), p.ID, "2222222222222222", "guard"); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Snapshot().ByBadge("1111111111111111"); ok {
		t.Error("the lost badge still opens")
	}
	if got, ok := r.Snapshot().ByBadge("2222222222222222"); !ok || got.ID != p.ID {
		t.Error("the new badge does not open")
	}
	if _, err := r.BindBadge(t.Context(), p.ID, "1111111111111111", "guard"); !errors.Is(err, ErrBadgeUsed) {
		t.Errorf("the lost badge was bound again: %v", err)
	}
	if _, err := r.BindBadge(t.Context(), 99, "3333333333333333", "guard"); !errors.Is(err, ErrNoPerson) {
		t.Errorf("got %v", err)
	}
	if _, err := r.BindBadge(t.Context(), p.ID, "333", "guard"); err == nil {
		t.Error("three digits were bound")
	}
	if _, err := r.Import(t.Context(), list, ImportOpts{}); err == nil || !strings.Contains(err.Error(), "row 2: badge was withdrawn earlier") {
		t.Errorf("an old list brought the lost badge back: %v", err)
	}
}

func TestListWithoutColoursKeepsAKnownRed(t *testing.T) {
	r := empty(t)
	list := school(2)
	list[0].Colour, list[0].ColourTime = Red, time.Date(2022, 3, 14, 7, 30, 0, 123456789, time.FixedZone("", 8*3600))
	load(t, r, list, 0)
	load(t, r, append(school(2), student(5, "1班")), 0)
	want := time.Date(2022, 3, 13, 23, 30, 0, 123000000, time.UTC)
	if p := find(t, r, "1000"); p.Colour != Red || p.ColourTime != want {
		t.Errorf("colour %s of %v", p.Colour, p.ColourTime)
	}
	list[0].Colour, list[0].ColourTime = NoColour, time.Time{}
	load(t, r, list, 9)
	if p := find(t, r, "1000"); p.Colour != NoColour || !p.ColourTime.IsZero() {
		t.Error("a colour said to be none is kept")
	}
}

func TestImportHoldsTheListToTheRulesOfParse(t *testing.T) {
	r := empty(t)
	_, err := r.Import(t.Context(), []Person{student(1, "1班"), student(1, "1班"), {}}, ImportOpts{})
	var faults *Faults
	if !errors.As(err, &faults) || faults.Total != 4 || faults.List[0].Row != 3 {
		t.Errorf("got %v", err)
	}
	if r.Snapshot().Version != 0 {
		t.Error("a faulty list was imported")
	}
}

func TestReaderIsToldOfANewerSnapshot(t *testing.T) {
	r := empty(t)
	old := r.Snapshot()
	select {
	case <-old.Changed():
		t.Fatal("told before anything changed")
	default:
	}
	load(t, r, school(1), 0)
	<-old.Changed()
	if old.Len() != 0 || r.Snapshot().Len() != 1 {
		t.Error("the old snapshot changed, or the new one is not in place")
	}
}

func TestSnapshotsAreReadWhileImportsRun(t *testing.T) {
	r := empty(t)
	load(t, r, school(40), 0)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for last := uint32(0); ; {
				select {
				case <-stop:
					return
				default:
				}
				s := r.Snapshot()
				if s.Version < last {
					t.Errorf("version fell from %d to %d", last, s.Version)
					return
				}
				last = s.Version
				n := 0
				for p := range s.All() {
					if got, ok := s.ByBadge(p.Badge); !ok || got.ID != p.ID {
						t.Errorf("%v is not found in the snapshot that holds them", p)
						return
					}
					n++
				}
				if n != s.Len() {
					t.Errorf("%d people, Len says %d", n, s.Len())
				}
			}
		})
	}
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := range 5 {
				if _, err := r.Import(t.Context(), school(40+i+w), ImportOpts{AllowLeft: 99}); err != nil {
					t.Error(err)
				}
				if _, err := r.Undo(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
}

func TestCancelledImportLeavesTheVersionBefore(t *testing.T) {
	r := empty(t)
	load(t, r, school(10), 0)
	s := r.Snapshot()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := r.change(ctx, byImport, "", func(_ *sql.Tx, now []Person) ([]Person, error) {
		cancel()
		return merge(now, school(20), map[string]bool{})
	})
	if !errors.Is(err, context.Canceled) || r.Snapshot() != s {
		t.Errorf("got %v", err)
	}
	if c := load(t, r, school(20), 0); c.Version != 2 || len(c.Added) != 10 {
		t.Errorf("the next import found %v", c)
	}
}

// killedEnv holds the path of the roster in the process that is to be killed.
const killedEnv = "ROSTER_TEST_KILLED"

func TestKillInMidImportLeavesTheVersionBefore(t *testing.T) {
	if path := os.Getenv(killedEnv); path != "" {
		dieInMidImport(t, path)
	}
	path := filepath.Join(t.TempDir(), "roster.db")
	r, err := Open(t.Context(), path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	load(t, r, school(100), 0)
	want := r.Snapshot().Hash
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}

	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	child.Env = append(os.Environ(), killedEnv+"="+path)
	out, err := child.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed: %v\n%s", err, out)
	}
	if wal, err := os.Stat(path + "-wal"); err != nil || wal.Size() == 0 {
		t.Fatalf("the child had written nothing yet: %v", err)
	}
	if s := open(t, path).Snapshot(); s.Version != 1 || s.Hash != want {
		t.Errorf("after the kill: %v", s)
	}
}

// dieInMidImport writes a version without committing it, most of it into the
// WAL, and kills the process.
func dieInMidImport(t *testing.T, path string) {
	r := open(t, path)
	if _, err := r.db.ExecContext(t.Context(), `PRAGMA cache_size = 5`); err != nil {
		t.Fatal(err)
	}
	tx, err := r.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	after, err := merge(r.Snapshot().people, school(5000), map[string]bool{})
	if err != nil {
		t.Fatal(err)
	}
	if err := writeVersion(t.Context(), tx, version{2, byImport, ""}, after); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {}
}

func TestFileOfANewerProgramIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	r, err := Open(t.Context(), path, quiet())
	if err != nil {
		t.Fatal(err)
	}
	newer := len(migrations()) + 1
	if _, err := r.db.ExecContext(t.Context(), fmt.Sprintf(`PRAGMA user_version = %d`, newer)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, quiet()); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("format %d", newer)) {
		t.Errorf("got %v", err)
	}
}

func TestConnectionThatIsNotDurableIsRefused(t *testing.T) {
	db := sql.OpenDB(connector{driver: &sqlite3.SQLiteDriver{ConnectHook: verify}, dsn: "file:" + filepath.Join(t.TempDir(), "x.db")})
	defer db.Close()
	if err := db.PingContext(t.Context()); err == nil || !strings.Contains(err.Error(), "pragma journal_mode is delete") {
		t.Errorf("got %v", err)
	}
}

func TestPersonalDataIsNeitherPrintedNorLogged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	r, err := Open(t.Context(), path, logger)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	list := chinesePeople()
	c, err := r.Import(t.Context(), list, ImportOpts{By: "王主任"})
	if err != nil {
		t.Fatal(err)
	}
	p := find(t, r, "2021001")
	logger.Info("x", "person", p, "people", list, "change", c, "snapshot", r.Snapshot())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		fmt.Fprintf(&log, verb+verb+verb+"\n", p, list, p.Guardian1)
	}
	fmt.Fprintf(&log, "%v %v\n", c, r.Snapshot())
	for _, secret := range []string{"李", "2021001", "0123456789012345", "13800000001", "王主任", "七(3)班"} {
		if strings.Contains(log.String(), secret) || strings.Contains(log.String(), fmt.Sprintf("%x", secret)) {
			t.Errorf("%q stands in the log", secret)
		}
	}
	if !strings.Contains(log.String(), "change.added=2") {
		t.Error("the import is not logged")
	}
}
