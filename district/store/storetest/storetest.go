// Package storetest says, as tests, what every store of collected journals
// owes: each batch exactly once, all of it or nothing, in an order that does
// not change.
//
// It knows the promises of package store's type and how to ask for them. It
// does not know how a store keeps them: what is particular to one (crashes,
// full disks, settings) is tested beside it.
package storetest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"io"
	"iter"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
)

// Gates is who may be collected from.
type Gates interface {
	Admit(context.Context, store.Gate) error
	Revoke(ctx context.Context, name string, at time.Time) error
	Gates(context.Context) ([]store.Gate, error)
	Gate(ctx context.Context, name string) (store.Gate, error)
}

// Tokens is who may pull.
type Tokens interface {
	Grant(context.Context, store.Token) error
	Withdraw(ctx context.Context, name string) error
	Tokens(context.Context) ([]store.Token, error)
	Token(ctx context.Context, hash [sha256.Size]byte) (store.Token, error)
}

// Journals is how far each journal has been collected.
type Journals interface {
	Stream(ctx context.Context, gate string, epoch uint32) (store.Stream, error)
	Streams(ctx context.Context, gate string) ([]store.Stream, error)
	NewEpoch(context.Context, store.Epoch) error
	Commit(context.Context, store.Append) (store.Committed, error)
}

// Record is what was collected.
type Record interface {
	Entries(ctx context.Context, after store.Cursor, limit int) iter.Seq2[store.Row, error]
	Leaf(ctx context.Context, gate string, epoch uint32, seq uint64) ([]byte, error)
	Counts(ctx context.Context, gate, from, to string) ([]store.Count, error)
}

// Alarms is what was announced.
type Alarms interface {
	Announce(context.Context, store.Alarm) error
	Alarms(context.Context) ([]store.Alarm, error)
}

// Evidence is what was not taken.
type Evidence interface {
	Refuse(ctx context.Context, gate, reason string, message []byte, received time.Time) error
	Refusals(context.Context) ([]store.Refusal, error)
	Diverge(context.Context, store.Divergence) error
	Divergences(context.Context) ([]store.Divergence, error)
}

// Outbox is what goes down.
type Outbox interface {
	Post(p store.Post, sign func(number uint64) ([]byte, error)) (uint64, error)
	Numbers(kind string, n int, at time.Time) (uint64, error)
	Posts(context.Context) ([]store.Post, error)
	Posted(ctx context.Context, kind, scope string) (store.Post, error)
}

// Standing is what the record says stands now.
type Standing interface {
	Holds(context.Context) ([]store.Hold, error)
	Newest(ctx context.Context, topic string) ([]store.Newest, error)
}

// Store is all of it.
type Store interface {
	Gates
	Tokens
	Journals
	Record
	Alarms
	Evidence
	Outbox
	Standing
	io.Closer
}

// Meaning says what a leaf of these tests means, and is the function with which
// the stores under test have to be opened. It reads "hold 7 SOURCE", "lift 7 SOURCE", "clear 7", of which the source may be
// left out, and "topic NAME"; any other leaf "day key ..." counts under them.
func Meaning(leaf []byte) (m store.Meaning) {
	words := append(strings.Fields(string(leaf)), "", "", "")
	subject, err := strconv.ParseUint(words[1], 10, 64)
	acts := map[string]store.HoldAct{"hold": store.PlaceHold, "lift": store.LiftHold, "clear": store.LiftHolds}
	switch act, known := acts[words[0]]; {
	case known && err == nil:
		m.Hold = store.HoldChange{Act: act, Subject: subject, Source: words[2]}
	case words[0] == "topic":
		m.Topics = words[1:2]
	case words[1] != "":
		m.Day, m.Key = words[0], words[1]
	}
	return m
}

// Run tests a store. Make prepares an empty place for one; what it returns
// opens the store there, again too after Close, and reads with Meaning.
func Run(t *testing.T, make func(t *testing.T) (open func() Store)) {
	for name, test := range map[string]func(*testing.T, func() Store){
		"a batch is there whole, with its edge and in order":        testCommit,
		"a batch counts once":                                       testOnce,
		"an entry is found by its place in its journal":             testPlace,
		"a batch that does not begin at the watermark is refused":   testWatermark,
		"of rivals one wins":                                        testRivals,
		"a batch that contradicts itself is refused":                testContradiction,
		"nothing is committed from a gate that is not let in":       testStrangers,
		"a new epoch begins at nothing beside the old one":          testEpochs,
		"entries come in the order of their commits":                testOrder,
		"a cursor goes on where it stood, in another process too":   testCursor,
		"a cursor of another store is refused":                      testForeignCursor,
		"what is counted agrees with what is stored":                testCounts,
		"an announcement stands until its entry comes":              testAlarms,
		"an announcement that another entry belies stays":           testFalseAlarm,
		"an alarm that no entry can join stays until a newer epoch": testAlarmsOfAJournalThatParted,
		"of what was refused the newest is kept, and not all of it": testRefusals,
		"the first divergence of an epoch is kept":                  testDivergences,
		"of what goes down the newest stands, and numbers rise":     testOutbox,
		"a number is given out once":                                testNumbers,
		"holds stand as their journal says":                         testHolds,
		"a hold found at a gate outlives the gate's journal":        testInheritedHolds,
		"the newest entry of a topic is found":                      testNewest,
		"a token is valid until it is withdrawn":                    testTokens,
		"a gate is let in, shut out and let in again":               testGates,
	} {
		t.Run(name, func(t *testing.T) { test(t, make(t)) })
	}
}

// begin opens a store for the length of the test.
func begin(t *testing.T, open func() Store) Store {
	t.Helper()
	s := open()
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// moment is n seconds after some other moment.
func moment(n int64) time.Time { return time.UnixMilli(1663200000000 + 1000*n) }

// letIn admits a gate and begins its first epoch.
func letIn(t *testing.T, s Store, name string) *source {
	t.Helper()
	must(t, s.Admit(t.Context(), store.Gate{Name: name, Key: key(name), Admitted: moment(0)}))
	return epoch(t, s, name, 1)
}

// key is a made-up public key.
func key(name string) ed25519.PublicKey {
	sum := sha256.Sum256([]byte(name))
	return sum[:]
}

// epoch begins an epoch.
func epoch(t *testing.T, s Store, name string, number uint32) *source {
	t.Helper()
	must(t, s.NewEpoch(t.Context(), store.Epoch{Gate: name, Epoch: number, Began: moment(1)}))
	return &source{gate: name, epoch: number}
}

// source is a journal from which batches are taken.
type source struct {
	gate  string
	epoch uint32
	tree  entry.Tree
	sent  []string
}

// next is a batch of what follows.
func (s *source) next(leaves ...string) store.Append {
	a := store.Append{Gate: s.gate, Epoch: s.epoch, First: s.tree.Size(), Checkpoint: []byte("signature"), Received: moment(int64(len(s.sent)))}
	for _, leaf := range leaves {
		s.tree.Append([]byte(leaf))
		a.Leaves, a.Meanings = append(a.Leaves, []byte(leaf)), append(a.Meanings, Meaning([]byte(leaf)))
	}
	s.sent = append(s.sent, leaves...)
	a.Tree = s.tree
	return a
}

// commit commits a batch that has to be taken.
func commit(t *testing.T, s Store, a store.Append) (number uint64) {
	t.Helper()
	c, err := s.Commit(t.Context(), a)
	must(t, err)
	return c.Number
}

// size returns a watermark.
func size(t *testing.T, s Store, gate string, epoch uint32) uint64 {
	t.Helper()
	st, err := s.Stream(t.Context(), gate, epoch)
	must(t, err)
	return st.Tree.Size()
}

// read returns what stands behind a cursor.
func read(t *testing.T, s Store, after store.Cursor, limit int) (rows []store.Row) {
	t.Helper()
	for row, err := range s.Entries(t.Context(), after, limit) {
		must(t, err)
		rows = append(rows, row)
	}
	return rows
}

// leaves returns what rows hold.
func leaves(rows []store.Row) (texts []string) {
	for _, row := range rows {
		texts = append(texts, string(row.Leaf))
	}
	return texts
}
