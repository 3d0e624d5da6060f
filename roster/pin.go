package roster

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// The cost of a PIN: argon2id with 7 MiB, which a gate's board has to spare
// once. The short PIN is guarded by the lock-out; the hash makes a stolen file
// dear to search.
const (
	pinMemory  = 7 << 10 // KiB
	pinTime    = 3
	pinThreads = 1
	pinSalt    = 16 // bytes
	pinKey     = 32 // bytes
	pinPrefix  = "$argon2id$v=19$m=7168,t=3,p=1$"
)

// maxTries wrong PINs in a row lock a badge for lockTime; as long after the
// latest wrong one, earlier ones are forgotten.
const (
	maxTries = 5
	lockTime = 5 * time.Minute
)

var (
	// ErrPIN is every failure of badge and PIN together: it does not say which.
	ErrPIN = errors.New("badge and PIN do not match")
	// ErrLocked says that five wrong PINs in a row were given for this badge,
	// known or not, and that none is looked at for five minutes.
	ErrLocked = errors.New("too many wrong PINs: wait five minutes")
	// ErrWeakPIN refuses a PIN that is not 6 to 8 digits or easy to guess.
	ErrWeakPIN = errors.New("PIN must be 6 to 8 digits, at least three of them different, and no series")
)

// mayKnowPIN selects who may have a PIN: staff, and those of a service who were
// given a duty, such as a hired guard.
const mayKnowPIN = `"left" = 0 AND (role = 'staff' OR role = 'service' AND duties > 0)`

// SetPIN gives a present member of staff, or of a service with a duty, named by
// the school's number, a PIN of 6 to 8 digits and ends a lock-out. It fails with
// [ErrWeakPIN], or with [ErrNoPerson] for anybody else.
func (r *Roster) SetPIN(ctx context.Context, number, pin string) error {
	if weakPIN(pin) {
		return fmt.Errorf("set PIN: %w", ErrWeakPIN)
	}
	if err := r.takeToken(ctx); err != nil {
		return fmt.Errorf("set PIN: %w", err)
	}
	defer r.returnToken()
	salt := make([]byte, pinSalt)
	rand.Read(salt) // never fails
	phc := pinPrefix + base64.RawStdEncoding.EncodeToString(salt) + "$" +
		base64.RawStdEncoding.EncodeToString(derive(pin, salt))
	var (
		id    uint64
		badge sql.Null[string]
	)
	err := r.db.QueryRowContext(ctx, `UPDATE person SET pin_hash = ?
		WHERE number = ? AND `+mayKnowPIN+` RETURNING id, badge`, phc, number).Scan(&id, &badge)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("set PIN: %w", ErrNoPerson)
	case err != nil:
		return fmt.Errorf("set PIN: %w", err)
	}
	r.entrust(id, func(t *trust) { t.pin = true })
	delete(r.tries, badge.V)
	return nil
}

// CheckPIN finds who wears the badge and knows the PIN; what they may do with it
// say [Roster.Duties]. A wrong PIN, an unknown badge, a person without PIN, one
// who may have none and one who left all fail with [ErrPIN] after the same work. After five in a row
// it fails with [ErrLocked] for five minutes; a restart forgets that.
func (r *Roster) CheckPIN(ctx context.Context, badge, pin string) (Person, error) {
	if !isBadge(badge) {
		return Person{}, ErrPIN
	}
	if err := r.takeToken(ctx); err != nil {
		return Person{}, fmt.Errorf("check PIN: %w", err)
	}
	defer r.returnToken()
	if r.tries.locked(badge, time.Now()) {
		return Person{}, ErrLocked
	}
	var (
		id  uint64
		phc sql.Null[string]
	)
	err := r.db.QueryRowContext(ctx, `SELECT id, pin_hash FROM person
		WHERE badge = ? AND `+mayKnowPIN, badge).Scan(&id, &phc)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Person{}, fmt.Errorf("check PIN: %w", err)
	}
	right, err := matches(phc.V, pin)
	if err != nil {
		return Person{}, fmt.Errorf("check PIN of person %d: %w", id, err)
	}
	p, known := r.Snapshot().ByID(id)
	if !right || !known {
		r.tries.wrong(badge, time.Now())
		return Person{}, ErrPIN
	}
	delete(r.tries, badge)
	return p, nil
}

func (r *Roster) takeToken(ctx context.Context) error {
	select {
	case r.checking <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Roster) returnToken() { <-r.checking }

// matches compares in constant time; without a hash it does the same work and
// finds no match.
func matches(phc, pin string) (bool, error) {
	if phc == "" {
		derive(pin, make([]byte, pinSalt))
		return false, nil
	}
	fields, ok := strings.CutPrefix(phc, pinPrefix)
	salt64, key64, found := strings.Cut(fields, "$")
	salt, saltErr := base64.RawStdEncoding.DecodeString(salt64)
	key, keyErr := base64.RawStdEncoding.DecodeString(key64)
	if !ok || !found || saltErr != nil || keyErr != nil || len(salt) != pinSalt || len(key) != pinKey {
		return false, errors.New("stored hash is not " + pinPrefix)
	}
	return subtle.ConstantTimeCompare(derive(pin, salt), key) == 1, nil
}

// derive gives its 7 MiB back at once: the collector would keep them until its next
// turn, which at a gate where nothing happens is minutes away.
func derive(pin string, salt []byte) []byte {
	defer debug.FreeOSMemory()
	return argon2.IDKey([]byte(pin), salt, pinTime, pinMemory, pinThreads, pinKey)
}

// weakPIN also finds the series 123456, 987654, 024680 and 111111: neighbours
// that differ by the same step, counted past 9 to 0.
func weakPIN(pin string) bool {
	if len(pin) < 6 || len(pin) > 8 || !isDigits(pin) {
		return true
	}
	digits := []byte(pin)
	step := func(i int) int { return (int(pin[i]) - int(pin[i-1]) + 10) % 10 }
	series := true
	for i := 2; i < len(pin); i++ {
		series = series && step(i) == step(1)
	}
	slices.Sort(digits)
	return series || len(slices.Compact(digits)) < 3
}

// lockout counts wrong PINs in a row by badge, known or not, so that it does
// not tell which badges there are. What it holds is bounded by how many PINs
// can be hashed within lockTime.
type lockout map[string]tries

type tries struct {
	n    int
	last time.Time // of the latest wrong PIN
}

func (l lockout) locked(badge string, now time.Time) bool {
	t := l[badge]
	return t.n >= maxTries && now.Sub(t.last) < lockTime
}

func (l lockout) wrong(badge string, now time.Time) {
	for b, t := range l {
		if now.Sub(t.last) >= lockTime {
			delete(l, b)
		}
	}
	l[badge] = tries{l[badge].n + 1, now}
}
