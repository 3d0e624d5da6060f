package roster

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// id returns the roster number behind the school's.
func id(t *testing.T, r *Roster, number string) uint64 {
	t.Helper()
	for p := range r.Snapshot().All() {
		if p.Number == number {
			return p.ID
		}
	}
	t.Fatalf("nobody has the number %s", number)
	return 0
}

func TestWhoHasWhichDuty(t *testing.T) {
	r := empty(t)
	withStaff(t, r) // T1 has a PIN
	for _, tt := range []struct {
		rule, number string
		give         string // empty gives nothing
		want         Duty
	}{
		{"a PIN alone is guard and desk", "T1", "", Guard | Desk},
		{"staff without PIN have none", "T2", "", 0},
		{"service without a word have none", "S1", "", 0},
		{"pupils have none", "P1", "", 0},
		{"what is given counts", "T1", "nurse", Nurse},
		{"what is given replaces", "T1", "leader,guard", Leader | Guard},
		{"none takes away what a PIN alone would give", "T1", "none", 0},
		{"a duty needs no PIN", "T2", "desk", Desk},
		{"service may have one", "S1", "guard", Guard},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			if tt.give != "" {
				d, err := ParseDuty(tt.give)
				if err != nil {
					t.Fatal(err)
				}
				if err := r.SetDuty(t.Context(), tt.number, d); err != nil {
					t.Fatal(err)
				}
			}
			if got := r.Duties(id(t, r, tt.number)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	for _, number := range []string{"P1", "nobody"} {
		if err := r.SetDuty(t.Context(), number, Guard); !errors.Is(err, ErrNoPerson) {
			t.Errorf("%s was given a duty: %v", number, err)
		}
	}
	if d := r.Duties(99); d != 0 {
		t.Errorf("a stranger has %v", d)
	}
}

func TestDutiesSurviveImportUndoAndRestartAndEndWithLeaving(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	r := open(t, path)
	withStaff(t, r)
	if err := r.SetDuty(t.Context(), "S1", Nurse); err != nil {
		t.Fatal(err)
	}
	list, cook, leader := present(r), id(t, r, "S1"), id(t, r, "T1")
	list[0].Name = "新名"
	load(t, r, list, 0)
	if _, err := r.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open(t, path)
	if a, b := r.Duties(cook), r.Duties(leader); a != Nurse || b != Guard|Desk {
		t.Errorf("got %v and %v", a, b)
	}
	list = present(r)
	without := slices.DeleteFunc(slices.Clone(list), func(p Person) bool { return p.ID == cook })
	load(t, r, without, 1)
	if d := r.Duties(cook); d != 0 {
		t.Errorf("who left has %v", d)
	}
	load(t, r, list, 0)
	if d := r.Duties(cook); d != Nurse {
		t.Errorf("who came back has %v", d)
	}
}

func TestServiceMayHaveAPINWithADutyOnly(t *testing.T) {
	r := empty(t)
	withStaff(t, r)
	if err := r.SetPIN(t.Context(), "S1", rightPIN); !errors.Is(err, ErrNoPerson) {
		t.Errorf("without a duty: %v", err)
	}
	if err := r.SetDuty(t.Context(), "S1", Guard); err != nil {
		t.Fatal(err)
	}
	if err := r.SetPIN(t.Context(), "S1", rightPIN); err != nil {
		t.Fatal(err)
	}
	if _, err := r.CheckPIN(t.Context(), cookBadge, rightPIN); err != nil {
		t.Error(err)
	}
	if err := r.SetDuty(t.Context(), "S1", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := r.CheckPIN(t.Context(), cookBadge, rightPIN); !errors.Is(err, ErrPIN) {
		t.Errorf("after the duty was taken away: %v", err)
	}
}

func TestEverySetOfDutiesReadsBack(t *testing.T) {
	for d := range Duty(32) {
		if got, err := ParseDuty(d.String()); err != nil || got != d {
			t.Errorf("%q reads as %v, %v", d, got, err)
		}
	}
	for _, s := range []string{"", "Guard", "guard,", ",guard", "guard desk", "none,guard", "watchman"} {
		if d, err := ParseDuty(s); err == nil {
			t.Errorf("%q reads as %v", s, d)
		}
	}
}

func TestBrowsersAreKeptAsAWholeAndInTheirOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	r := open(t, path)
	at := time.Date(2020, 12, 7, 6, 42, 0, 0, time.UTC)
	sessions := []Session{{[32]byte{2}, 7, at, at.Add(time.Hour)}, {[32]byte{1}, 8, at, at.Add(time.Hour)}}
	paired := []Paired{{1, [32]byte{9}, "desk", at, at.Add(time.Hour)}, {4, [32]byte{3}, "room", at, at.Add(time.Hour)}}
	if err := errors.Join(r.KeepSessions(t.Context(), sessions), r.KeepPaired(t.Context(), paired)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open(t, path)
	twice := []Session{sessions[0], sessions[0]}
	if err := r.KeepSessions(t.Context(), twice); err == nil {
		t.Error("one secret opened two sessions")
	}
	gotSessions, err := r.Sessions(t.Context())
	if err != nil || !slices.Equal(gotSessions, sessions) {
		t.Errorf("after a refused change: got %v, %v", gotSessions, err)
	}
	gotPaired, err := r.Paired(t.Context())
	if err != nil || !slices.Equal(gotPaired, paired) {
		t.Errorf("got %v, %v", gotPaired, err)
	}
	if err := errors.Join(r.KeepSessions(t.Context(), nil), r.KeepPaired(t.Context(), nil)); err != nil {
		t.Fatal(err)
	}
	gotSessions, _ = r.Sessions(t.Context())
	gotPaired, _ = r.Paired(t.Context())
	if len(gotSessions)+len(gotPaired) != 0 {
		t.Errorf("left behind: %v, %v", gotSessions, gotPaired)
	}
}

func TestAFileOfTheFirstFormatKeepsItsPINs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	r := open(t, path)
	withStaff(t, r)
	for _, step := range append(withoutEvidence(), `ALTER TABLE person DROP COLUMN duties`, `DROP TABLE session`, `DROP TABLE paired`, `DROP TABLE card`, `PRAGMA user_version = 1`) {
		if _, err := r.db.ExecContext(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open(t, path)
	if d := r.Duties(id(t, r, "T1")); d != Guard|Desk {
		t.Errorf("who had a PIN has %v", d)
	}
}

func TestAFileOfTheFourthFormatKeepsItsDuties(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	r := open(t, path)
	withStaff(t, r)
	if err := r.SetDuty(t.Context(), "T1", Nurse); err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{
		`ALTER TABLE person DROP COLUMN dormitory`, `ALTER TABLE person DROP COLUMN bus`, `ALTER TABLE previous DROP COLUMN dormitory`, `ALTER TABLE previous DROP COLUMN bus`,
		`ALTER TABLE person RENAME COLUMN duties TO wide`, `ALTER TABLE person ADD COLUMN duties INTEGER CHECK (duties BETWEEN 0 AND 15)`, `UPDATE person SET duties = wide`,
		`ALTER TABLE person DROP COLUMN wide`, `PRAGMA user_version = 4`,
	} {
		if _, err := r.db.ExecContext(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r = open(t, path)
	if d := r.Duties(id(t, r, "T1")); d != Nurse {
		t.Errorf("the nurse has %v", d)
	}
	if err := r.SetDuty(t.Context(), "T1", Nurse|Teacher); err != nil || r.Duties(id(t, r, "T1")) != Nurse|Teacher {
		t.Errorf("nobody can be made a teacher: %v", err)
	}
}

func FuzzDuty(f *testing.F) {
	for _, s := range []string{"", "none", "guard", "guard,desk,nurse,leader", "guard,guard", ",", "Guard", "guard\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuty(s)
		if err != nil && d != 0 {
			t.Errorf("%q: %v beside %v", s, d, err)
		}
		if again, _ := ParseDuty(d.String()); again != d {
			t.Errorf("%q: %v reads back as %v", s, d, again)
		}
	})
}
