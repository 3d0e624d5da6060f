package roster

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Duty is a set of what a member of staff or service does at the gate.
type Duty uint8

// The duties. Their bits stand in the file and are never given another meaning.
const (
	Guard   Duty = 1 << iota // stands at the lanes
	Desk                     // finishes who was set aside
	Nurse                    // has the isolation room
	Leader                   // all of them
	Teacher                  // checks a class, dormitory or bus
)

// untold is what somebody has who was given a PIN and never any duty.
const untold = Guard | Desk

// noDuty is the word for the empty set.
const noDuty = "none"

// dutyNames returns the words of the single duties, lowest bit first.
func dutyNames() []string { return []string{"guard", "desk", "nurse", "leader", "teacher"} }

// String returns the duties as ParseDuty reads them: "guard,desk".
func (d Duty) String() string {
	var words []string
	for i, name := range dutyNames() {
		if d&(1<<i) != 0 {
			words = append(words, name)
		}
	}
	if words == nil {
		return noDuty
	}
	return strings.Join(words, ",")
}

// ParseDuty reads duties separated by commas, or "none".
func ParseDuty(s string) (Duty, error) {
	if s == noDuty {
		return 0, nil
	}
	var d Duty
	for word := range strings.SplitSeq(s, ",") {
		bit := slices.Index(dutyNames(), word)
		if bit < 0 {
			return 0, fmt.Errorf("%q is not a duty: write %s, several with commas, or %s", word, strings.Join(dutyNames(), ", "), noDuty)
		}
		d |= 1 << bit
	}
	return d, nil
}

// trust is what the file keeps of a person beside the list.
type trust struct {
	duty  Duty
	given bool // duty was said, if only that there is none
	pin   bool
}

// SetDuty gives a present member of staff or service, named by the school's
// number, these duties in place of those before; none of them takes them all
// away. It fails with [ErrNoPerson] for anybody else. No import and no undo
// changes them, and who comes back after leaving has them again.
func (r *Roster) SetDuty(ctx context.Context, number string, d Duty) error {
	if err := r.takeToken(ctx); err != nil {
		return fmt.Errorf("set duty: %w", err)
	}
	defer r.returnToken()
	var id uint64
	err := r.db.QueryRowContext(ctx, `UPDATE person SET duties = ?
		WHERE number = ? AND role IN ('staff', 'service') AND "left" = 0 RETURNING id`, d, number).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("set duty: %w", ErrNoPerson)
	case err != nil:
		return fmt.Errorf("set duty: %w", err)
	}
	r.entrust(id, func(t *trust) { t.duty, t.given = d, true })
	return nil
}

// Duties returns what the person of a roster number may do at the gate now:
// nothing who left or is a pupil, guard and desk a member of staff with a PIN
// to whom no duty was ever given. It never blocks.
func (r *Roster) Duties(id uint64) Duty {
	p, known := r.Snapshot().ByID(id)
	t := (*r.trusted.Load())[id]
	switch {
	case !known || p.Left || p.Role != Staff && p.Role != Service:
		return 0
	case t.given:
		return t.duty
	case p.Role == Staff && t.pin:
		return untold
	}
	return 0
}

// entrust changes what Duties knows of one person. The caller has the token,
// so no two changes lose each other.
func (r *Roster) entrust(id uint64, change func(*trust)) {
	next := maps.Clone(*r.trusted.Load())
	t := next[id]
	change(&t)
	next[id] = t
	r.trusted.Store(&next)
}

// loadTrust reads what Duties knows.
func (r *Roster) loadTrust(ctx context.Context) error {
	rows, err := r.db.QueryContext(ctx, `SELECT id, duties, pin_hash IS NOT NULL FROM person
		WHERE duties IS NOT NULL OR pin_hash IS NOT NULL`)
	if err != nil {
		return fmt.Errorf("read duties: %w", err)
	}
	defer rows.Close()
	all := map[uint64]trust{}
	for rows.Next() {
		var (
			id   uint64
			duty sql.Null[Duty]
			pin  bool
		)
		if err := rows.Scan(&id, &duty, &pin); err != nil {
			return fmt.Errorf("read duties: %w", err)
		}
		all[id] = trust{duty.V, duty.Valid, pin}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read duties: %w", err)
	}
	r.trusted.Store(&all)
	return nil
}
