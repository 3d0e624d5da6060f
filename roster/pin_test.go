package roster

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const (
	leaderBadge = "1000000000000001"
	cookBadge   = "1000000000000002"
	pupilBadge  = "1000000000000003"
	freshBadge  = "1000000000000004" // staff without PIN
	rightPIN    = "274916"
)

func withStaff(t *testing.T, r *Roster) {
	t.Helper()
	load(t, r, []Person{
		{Number: "T1", Name: "甲", Role: Staff, Badge: leaderBadge},
		{Number: "S1", Name: "乙", Role: Service, Badge: cookBadge},
		{Number: "P1", Name: "丙", Role: Student, Class: "1班", Badge: pupilBadge},
		{Number: "T2", Name: "丁", Role: Staff, Badge: freshBadge},
	}, 0)
	if err := r.SetPIN(t.Context(), "T1", rightPIN); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyStaffWithTheRightPINAreKnown(t *testing.T) {
	r := empty(t)
	withStaff(t, r)
	if p, err := r.CheckPIN(t.Context(), leaderBadge, rightPIN); err != nil || p.Number != "T1" {
		t.Fatalf("right PIN: %v", err)
	}
	for _, tt := range []struct{ rule, badge, pin string }{
		{"wrong PIN", leaderBadge, "274917"},
		{"empty PIN", leaderBadge, ""},
		{"unknown badge", "9999999999999999", rightPIN},
		{"not a badge", "T1", rightPIN},
		{"no badge", "", rightPIN},
		{"staff without PIN", freshBadge, ""},
		{"not staff", cookBadge, rightPIN},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			if p, err := r.CheckPIN(t.Context(), tt.badge, tt.pin); err != ErrPIN || p != (Person{}) {
				t.Errorf("got %v, %v", p, err)
			}
		})
	}
	for _, number := range []string{"S1", "P1", "nobody"} {
		if err := r.SetPIN(t.Context(), number, rightPIN); !errors.Is(err, ErrNoPerson) {
			t.Errorf("a PIN was set for %s: %v", number, err)
		}
	}
}

func TestPINEndsWithTheRoleAndWithLeaving(t *testing.T) {
	r := empty(t)
	withStaff(t, r)
	staff := present(r)
	staff[0].Role = Service
	load(t, r, staff, 0)
	if _, err := r.CheckPIN(t.Context(), leaderBadge, rightPIN); err != ErrPIN {
		t.Errorf("no longer staff: %v", err)
	}
	staff[0].Role = Staff
	load(t, r, staff, 0)
	load(t, r, staff[1:], 1)
	if _, err := r.CheckPIN(t.Context(), leaderBadge, rightPIN); err != ErrPIN {
		t.Errorf("left: %v", err)
	}
}

func TestPINIsKeptSaltedAndSurvivesImportAndUndo(t *testing.T) {
	r := empty(t)
	withStaff(t, r)
	if err := r.SetPIN(t.Context(), "T2", rightPIN); err != nil {
		t.Fatal(err)
	}
	var one, two string
	err := r.db.QueryRowContext(t.Context(), `SELECT min(pin_hash), max(pin_hash) FROM person`).Scan(&one, &two)
	if err != nil {
		t.Fatal(err)
	}
	if one == two || !strings.HasPrefix(one, "$argon2id$v=19$m=7168,t=3,p=1$") {
		t.Errorf("kept as %s and %s", one, two)
	}
	list := present(r)
	list[0].Name = "新名"
	load(t, r, list, 0)
	if _, err := r.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.CheckPIN(t.Context(), leaderBadge, rightPIN); err != nil {
		t.Error(err)
	}
}

func TestWeakPINIsRefused(t *testing.T) {
	for _, pin := range []string{"", "12345", "123456789", "12345a", "１２３４５６", "000000", "123456", "654321", "890123",
		"024680", "121212", "1112221", "-27491"} {
		if !weakPIN(pin) {
			t.Errorf("%s was accepted", pin)
		}
	}
	for _, pin := range []string{rightPIN, "123459", "27491627"} {
		if weakPIN(pin) {
			t.Errorf("%s was refused", pin)
		}
	}
	if err := empty(t).SetPIN(t.Context(), "T1", "000000"); !errors.Is(err, ErrWeakPIN) {
		t.Errorf("got %v", err)
	}
}

func TestFiveWrongPINsInARowLockForFiveMinutes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	synctest.Test(t, func(t *testing.T) {
		r := open(t, path)
		withStaff(t, r)
		try := func(pin string, want error) {
			t.Helper()
			if _, err := r.CheckPIN(t.Context(), leaderBadge, pin); err != want {
				t.Fatalf("got %v, want %v", err, want)
			}
		}
		for range 4 {
			try("000000", ErrPIN)
		}
		try(rightPIN, nil) // a right one ends the row
		for range 5 {
			try("000000", ErrPIN)
		}
		try(rightPIN, ErrLocked)
		if _, err := r.CheckPIN(t.Context(), freshBadge, rightPIN); err != ErrPIN {
			t.Errorf("another badge is locked as well: %v", err)
		}
		time.Sleep(lockTime - time.Nanosecond)
		try(rightPIN, ErrLocked) // and being asked meanwhile does not prolong it
		time.Sleep(time.Nanosecond)
		try(rightPIN, nil)
		for range 5 {
			try("000000", ErrPIN)
		}
		if err := r.SetPIN(t.Context(), "T1", rightPIN); err != nil {
			t.Fatal(err)
		}
		try(rightPIN, nil) // a new PIN ends the lock-out
	})
}

func TestUnknownBadgeIsLockedLikeAKnownOne(t *testing.T) {
	r := empty(t)
	for range 5 {
		if _, err := r.CheckPIN(t.Context(), leaderBadge, rightPIN); err != ErrPIN {
			t.Fatal(err)
		}
	}
	if _, err := r.CheckPIN(t.Context(), leaderBadge, rightPIN); err != ErrLocked {
		t.Errorf("got %v", err)
	}
}

func TestGuessingAtOnceIsLockedLikeOneByOne(t *testing.T) {
	r := empty(t)
	withStaff(t, r)
	var (
		mu     sync.Mutex
		counts = make(map[error]int)
		all    sync.WaitGroup
	)
	for range 12 {
		all.Go(func() {
			_, err := r.CheckPIN(t.Context(), leaderBadge, "000000")
			mu.Lock()
			defer mu.Unlock()
			counts[err]++
		})
	}
	all.Wait()
	if counts[ErrPIN] != 5 || counts[ErrLocked] != 7 {
		t.Errorf("got %v", counts)
	}
}

func TestOnePINIsHashedAtATime(t *testing.T) {
	r := empty(t)
	if err := r.takeToken(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.CheckPIN(ctx, leaderBadge, rightPIN); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	r.returnToken()
}

func TestLockoutForgetsOldBadges(t *testing.T) {
	l, now := lockout{}, time.Unix(0, 0)
	l.wrong(leaderBadge, now)
	l.wrong(cookBadge, now.Add(lockTime))
	if _, kept := l[leaderBadge]; kept || len(l) != 1 {
		t.Errorf("got %v", l)
	}
}

func TestAPINsMemoryIsGivenBackAtOnce(t *testing.T) {
	held := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapSys - m.HeapReleased
	}
	debug.FreeOSMemory()
	before := held()
	derive(rightPIN, make([]byte, pinSalt))
	if after := held(); after > before+pinMemory<<10/2 {
		t.Errorf("%d KiB more are held than before", (after-before)>>10)
	}
}
