package store_test

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
)

const (
	rounds     = 9
	batchSize  = 500
	batchRound = 20
)

// plain is the least that a durable batch of rows can be in SQLite: one
// prepared statement into a table that has nothing but the rows.
type plain struct {
	db     *sql.DB
	insert *sql.Stmt
}

func newPlain(b *testing.B) plain {
	b.Helper()
	u := url.URL{Scheme: "file", Path: filepath.Join(b.TempDir(), "plain.db"), RawQuery: "_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&psow=0"}
	db, err := sql.Open("sqlite3", u.String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec("CREATE TABLE plain (leaf BLOB NOT NULL) STRICT"); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare("INSERT INTO plain (leaf) VALUES (?)")
	if err != nil {
		b.Fatal(err)
	}
	return plain{db, insert}
}

func (p plain) commit(leaves [][]byte) error {
	tx, err := p.db.Begin()
	if err != nil {
		return err
	}
	insert := tx.Stmt(p.insert)
	for _, leaf := range leaves {
		if _, err := insert.Exec(leaf); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// timed is how long it took to do something with each batch of a round.
func timed(b *testing.B, do func() error) time.Duration {
	b.Helper()
	began := time.Now()
	for range batchRound {
		if err := do(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// The goal is a ratio to a limit that is measured in the same run, in rounds
// that take turns; the benchmark fails at twice its goal, because the machine
// is shared. The tree of a batch is made outside the time: it is the caller's.
func BenchmarkABatchIsNearAPlainInsert(b *testing.B) {
	const goal = 1.7
	path := filepath.Join(b.TempDir(), "store.db")
	s := mustOpen(b, path)
	if err := begin(b.Context(), s, "east"); err != nil {
		b.Fatal(err)
	}
	limit := newPlain(b)
	var tree entry.Tree
	for range b.N {
		var ours, least []time.Duration
		for range rounds {
			a := batch("east", tree, batchSize)
			least = append(least, timed(b, func() error { return limit.commit(a.Leaves) }))
			next := batches(&tree)
			ours = append(ours, timed(b, func() error {
				_, err := s.Commit(b.Context(), next[0])
				next = next[1:]
				return err
			}))
		}
		rate := func(d time.Duration) float64 { return batchRound * batchSize / d.Seconds() }
		ratio := float64(median(ours)) / float64(median(least))
		b.Logf("commit of %d entries: %.0f entries/s, limit %.0f entries/s, ratio %.2f, goal %.2f",
			batchSize, rate(median(ours)), rate(median(least)), ratio, goal)
		b.ReportMetric(ratio, "ratio")
		b.ReportMetric(0, "ns/op")
		if ratio > 2*goal {
			b.Errorf("ratio %.2f is over twice the goal of %.2f", ratio, goal)
		}
	}
	mustClose(b, s) // which leaves all of it in one file
	if info, err := os.Stat(path); err != nil {
		b.Error(err)
	} else {
		b.Logf("%.0f bytes of file for an entry of %d", float64(info.Size())/float64(tree.Size()), len(batch("east", tree, 1).Leaves[0]))
	}
}

// batches are those of a round.
func batches(tree *entry.Tree) (all []store.Append) {
	for range batchRound {
		a := batch("east", *tree, batchSize)
		*tree = a.Tree
		all = append(all, a)
	}
	return all
}
