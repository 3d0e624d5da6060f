package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"time"
)

// Meaning is what an entry says to whoever does not read the whole record. The
// zero Meaning says nothing.
type Meaning struct {
	// Day and Key are the local day and the key under which the entry counts;
	// an empty key does not count.
	Day, Key string
	// Topics are those of which it is the newest entry now.
	Topics []string
	// Hold is what becomes of a hold.
	Hold HoldChange
}

// HoldAct is what an entry does to holds.
type HoldAct uint8

// The acts on holds.
const (
	KeepHolds HoldAct = iota
	PlaceHold         // the source's stands from now on
	LiftHold          // the source's is over
	LiftHolds         // those of every source are
)

// HoldChange is what an entry does to the holds against one subject.
type HoldChange struct {
	Act     HoldAct
	Subject uint64
	// Source is who placed the hold; empty is the gate itself.
	Source string
}

// Hold stands against a subject at a gate, by the gate's newest journal.
type Hold struct {
	Gate    string
	Subject uint64
	Source  string
}

// Newest is the newest entry of one journal about a topic.
type Newest struct {
	Gate  string
	Epoch uint32
	Seq   uint64
	Leaf  []byte
	// Received is when its batch came.
	Received time.Time
}

// against is one hold of a journal.
type against struct {
	subject uint64
	source  string
}

// digest is what the entries of one journal, taken in their order, change
// beside the record.
type digest struct {
	counts map[bucket]int
	newest map[string]int64 // entry by topic
	holds  holding          // what stands
}

func newDigest(holds holding) *digest {
	return &digest{counts: map[bucket]int{}, newest: map[string]int64{}, holds: holds}
}

// holding is the holds that stand by a journal: few, beside the entries that
// would end one.
type holding map[against]struct{}

// add takes the entry of an id.
func (d *digest) add(id int64, m Meaning) {
	if m.Key != "" {
		d.counts[bucket{m.Day, m.Key}]++
	}
	for _, topic := range m.Topics {
		d.newest[topic] = id
	}
	switch h := m.Hold; h.Act {
	case PlaceHold:
		d.holds[against{h.Subject, h.Source}] = struct{}{}
	case LiftHold:
		delete(d.holds, against{h.Subject, h.Source})
	case LiftHolds:
		maps.DeleteFunc(d.holds, func(a against, _ struct{}) bool { return a.subject == h.Subject })
	}
}

// writeStanding keeps holds and newest entries, and reports whether anything
// stands otherwise than before: an admission of somebody who was not on hold
// changes nothing. Entry ids are given relative to base.
func (d *digest) writeStanding(tx *sql.Tx, stream, base int64, before holding) (moved bool, err error) {
	for topic, id := range d.newest {
		if _, err := tx.Exec("INSERT INTO newest (stream, topic, entry) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET entry = excluded.entry",
			stream, topic, base+id); err != nil {
			return false, fmt.Errorf("keep newest %s: %w", topic, err)
		}
	}
	changed, err := d.writeHolds(tx, stream, before)
	if err != nil {
		return false, fmt.Errorf("keep holds: %w", err)
	}
	return changed || len(d.newest) > 0, nil
}

// writeHolds ends what is over and places what is new.
func (d *digest) writeHolds(tx *sql.Tx, stream int64, before holding) (changed bool, err error) {
	write := func(from, without holding, query string) {
		for a := range from {
			if _, stands := without[a]; !stands && err == nil {
				_, err = tx.Exec(query, stream, int64(a.subject), a.source)
				changed = true
			}
		}
	}
	write(before, d.holds, "DELETE FROM hold WHERE stream = ? AND subject = ? AND source = ?")
	write(d.holds, before, "INSERT INTO hold (stream, subject, source) VALUES (?, ?, ?)")
	return changed, err
}

// standingOf returns the holds of a journal.
func standingOf(tx *sql.Tx, stream int64) (all holding, err error) {
	rows, err := tx.Query("SELECT subject, source FROM hold WHERE stream = ?", stream)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all = holding{}
	for rows.Next() {
		var subject int64
		var source string
		if err := rows.Scan(&subject, &source); err != nil {
			return nil, err
		}
		all[against{uint64(subject), source}] = struct{}{}
	}
	return all, rows.Err()
}

// learn reads the whole record for what a store of the first schema did not
// keep beside it.
func (s *Store) learn(tx *sql.Tx) (err error) {
	rows, err := tx.Query("SELECT e.id, b.stream, e.leaf FROM entry e CROSS JOIN batch b ON b.number = e.id >> 13 ORDER BY e.id")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	all := map[int64]*digest{}
	for rows.Next() {
		var id, stream int64
		var leaf []byte
		if err := rows.Scan(&id, &stream, &leaf); err != nil {
			return err
		}
		if all[stream] == nil {
			all[stream] = newDigest(holding{})
		}
		all[stream].add(id, s.meaning(leaf))
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for stream, d := range all {
		if _, err := d.writeStanding(tx, stream, 0, nil); err != nil {
			return err
		}
	}
	return nil
}

// inherit lets the holds that were found at a gate stand in its next journal
// until that says otherwise: a card that was replaced forgets them, and nobody
// has lifted them. What others placed there is theirs to place again.
func inherit(tx *sql.Tx, stream int64) error {
	_, err := tx.Exec(`INSERT INTO hold (stream, subject, source) SELECT n.id, h.subject, ''
		FROM stream n JOIN stream o ON o.gate = n.gate JOIN hold h ON h.stream = o.id AND h.source = ''
		WHERE n.id = ? AND o.epoch = (SELECT max(epoch) FROM stream WHERE gate = n.gate AND epoch < n.epoch)`, stream)
	return err
}

// Holds returns what stands at all gates, those that were revoked too, by gate
// and subject.
func (s *Store) Holds(ctx context.Context) ([]Hold, error) {
	all, err := list(ctx, s.readers, func(rows *sql.Rows) (h Hold, err error) {
		var subject int64
		err = rows.Scan(&h.Gate, &subject, &h.Source)
		h.Subject = uint64(subject)
		return h, err
	}, `SELECT g.name, h.subject, h.source FROM gate g JOIN stream s ON s.gate = g.id JOIN hold h ON h.stream = s.id
		WHERE s.epoch = (SELECT max(epoch) FROM stream WHERE gate = g.id) ORDER BY g.name, h.subject, h.source`)
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	return all, nil
}

// Newest returns the newest entry about a topic of every journal that has one,
// by gate and epoch.
func (s *Store) Newest(ctx context.Context, topic string) ([]Newest, error) {
	return s.newest(ctx, "n.topic = ?", topic)
}

// NewestBelow returns the newest entry about each topic that begins with another
// and a slash, by gate, epoch and place.
func (s *Store) NewestBelow(ctx context.Context, topic string) ([]Newest, error) {
	return s.newest(ctx, "substr(n.topic, 1, length(?1) + 1) = ?1 || '/'", topic)
}

func (s *Store) newest(ctx context.Context, which, topic string) ([]Newest, error) {
	all, err := list(ctx, s.readers, func(rows *sql.Rows) (n Newest, err error) {
		var id, received int64
		var first uint64
		err = rows.Scan(&n.Gate, &n.Epoch, &first, &id, &n.Leaf, &received)
		n.Seq, n.Received = first+uint64(id&(MaxBatch-1)), fromMilli(received)
		return n, err
	}, `SELECT g.name, s.epoch, b.first, e.id, e.leaf, b.received FROM newest n JOIN entry e ON e.id = n.entry JOIN batch b ON b.number = e.id >> 13
		JOIN stream s ON s.id = n.stream JOIN gate g ON g.id = s.gate WHERE `+which+` ORDER BY g.name, s.epoch, e.id`, topic)
	if err != nil {
		return nil, fmt.Errorf("list newest %s: %w", topic, err)
	}
	return all, nil
}
