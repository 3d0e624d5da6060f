package e2e

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // what both halves of a run write with
	"golang.org/x/sys/unix"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/district"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/uplink"
)

const (
	syncRounds = 7
	// plainBatch is how many rows a transaction of the limit has: as many as a
	// batch of a long backlog.
	plainBatch = 500
	// pupilsAway are those of whom a backlog tells, over and over.
	pupilsAway   = 3000
	syncPassword = "long enough to be nobody else's"
)

// sender is the half of a gate that sends: a journal and a key without lanes.
// Everything between it and the file of the collector is the product's own.
type sender struct {
	*journal.Journal
	key   ed25519.PrivateKey
	began time.Time
}

// newSender makes a journal of n entries, of which one is the boot entry.
func newSender(b *testing.B, n int) *sender {
	b.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	s := &sender{key: key, began: time.Now()}
	s.Journal, err = journal.Open(b.Context(), journal.Options{Path: filepath.Join(b.TempDir(), "journal.db"), Now: s.now, QueueLen: n + 1})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	stored := make(chan error, n)
	for i := 1; i < n; i++ {
		if err := s.Submit(s.arrival(i), func(_ journal.Receipt, err error) { stored <- err }); err != nil {
			b.Fatal(err)
		}
	}
	for i := 1; i < n; i++ {
		if err := <-stored; err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func (s *sender) now() entry.Stamp {
	return entry.Stamp{Mono: time.Since(s.began), Wall: time.Now(), Clock: entry.ClockSynced}
}

// arrival is the i-th of a morning in which one comes each second.
func (s *sender) arrival(i int) journal.Draft {
	value := int32(36000 + i*37%900)
	at := entry.Stamp{Mono: time.Duration(i) * time.Second, Wall: s.began.Add(time.Duration(i) * time.Second), Clock: entry.ClockRTC}
	return journal.Draft{Kind: entry.KindArrival, Stamp: at, Lane: uint8(1 + i%Lanes), Body: entry.Arrival{
		Counter: uint32(i), End: entry.EndDecided, Outcome: Admit, Subject: uint64(1 + i*7919%pupilsAway), Role: 1, Policy: 1, Roster: 1,
		Reading: &entry.Reading{Value: value, Peak: value + 20, Ambient: 23000, Instrument: "gy-mcu90614@1", Formula: "skin/1", Samples: 3},
	}}
}

// receive runs a collector that has nothing yet and has admitted the sender,
// and returns the sender's way there. The test's end, or stop, ends it.
func (s *sender) receive(b *testing.B) (to uplink.Options, stop func()) {
	b.Helper()
	debug.SetGCPercent(400) // as districtd does
	quiet := slog.New(slog.DiscardHandler)
	c := &config.District{Name: CollectorName, Data: b.TempDir(), Broker: config.Broker{Server: config.Server{Listen: "127.0.0.1:0"}}}
	record, err := district.OpenStore(b.Context(), c, quiet)
	if err == nil {
		err = record.Admit(b.Context(), store.Gate{Name: GateName, Key: s.key.Public().(ed25519.PublicKey),
			Password: district.HashPassword(GateName, syncPassword), Admitted: time.Now()})
	}
	if err == nil {
		err = record.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	page, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	d := district.New(district.Options{Config: c, Web: page, Log: quiet})
	stop = inBackground(b, func(ctx context.Context) error { return d.Run(ctx) })
	within, cancel := context.WithTimeout(b.Context(), Soon)
	defer cancel()
	if err := d.Alive(within); err != nil {
		b.Fatal(err)
	}
	key, err := district.LoadKey(c.Data)
	if err != nil {
		b.Fatal(err)
	}
	way := mqtt.Transport{Options: mqtt.Options{URL: "mqtt://" + d.BrokerAddr(), Name: GateName, Password: syncPassword}}
	return uplink.Options{Gate: GateName, Key: s.key, Source: s, Transport: way, Now: s.now, Boot: s.Boot(), Program: "bench",
		Collector: uplink.Collector{Name: CollectorName, Key: key.Public().(ed25519.PublicKey)}}, stop
}

// inBackground runs something until the test's end, or stop, ends it.
func inBackground(b *testing.B, run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := run(ctx); err != nil {
			b.Error(err)
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	b.Cleanup(stop)
	return stop
}

// acks runs an uplink and tells how much its collector has, each time that it
// says so.
type acks struct {
	up      *uplink.Uplink
	changed chan struct{}
	stop    func()
}

func (s *sender) send(b *testing.B, to uplink.Options) *acks {
	b.Helper()
	a := &acks{changed: make(chan struct{}, 1)}
	to.Changed = func() {
		select {
		case a.changed <- struct{}{}:
		default: // one is on its way, and will look at everything
		}
	}
	var err error
	if a.up, err = uplink.New(to); err != nil {
		b.Fatal(err)
	}
	a.stop = inBackground(b, func(ctx context.Context) error {
		a.up.Run(ctx)
		return nil
	})
	return a
}

// await waits until the collector has answered and has so many entries.
func (a *acks) await(b *testing.B, size uint64) {
	b.Helper()
	for limit := time.After(time.Minute); ; {
		if s := a.up.State(); !s.Heard.IsZero() && s.Acked >= size {
			return
		}
		select {
		case <-a.changed:
		case <-limit:
			b.Fatalf("not acknowledged within a minute: %+v", a.up.State())
		}
	}
}

// catchUp brings a whole journal to a collector that has nothing. whole is the
// time from a gate that has just found its network to the collector's word that
// it has everything; flow begins when the collector has said that it has nothing.
func (s *sender) catchUp(b *testing.B) (whole, flow time.Duration) {
	b.Helper()
	to, stop := s.receive(b)
	defer stop()
	runtime.GC()
	began := time.Now()
	a := s.send(b, to)
	defer a.stop()
	a.await(b, 0)
	answered := time.Now()
	a.await(b, s.Head().Size)
	return time.Since(began), time.Since(answered)
}

// table is what the limit of a benchmark inserts: rows into one table, by one
// prepared statement, 500 a transaction, as durably as the collector. The rows
// are made anew for each round: nobody else's garbage collection has to look at
// them.
type table struct {
	create, insert string
	rows           func(*testing.B) [][]any
}

// plain is the collector's own table and its rows.
func (s *sender) plain() table {
	t := plainTable()
	t.rows = func(b *testing.B) (rows [][]any) {
		for leaf, err := range s.Leaves(b.Context(), 0) {
			if err != nil {
				b.Fatal(err)
			}
			rows = append(rows, []any{len(rows), leaf})
		}
		return rows
	}
	return t
}

func plainTable() table {
	return table{
		create: "CREATE TABLE entry (id INTEGER PRIMARY KEY, leaf BLOB NOT NULL) STRICT",
		insert: "INSERT INTO entry (id, leaf) VALUES (?, ?)",
	}
}

// columns is a table as a collector keeps it that takes arrivals apart: sixteen
// columns, from which the goals were taken.
func (s *sender) columns() table {
	return table{
		create: `CREATE TABLE entry (id INTEGER PRIMARY KEY, boot INTEGER, mono INTEGER, wall INTEGER, clock INTEGER, lane INTEGER, counter INTEGER,
			outcome INTEGER, subject INTEGER, role INTEGER, policy INTEGER, roster INTEGER, value INTEGER, ambient INTEGER, instrument TEXT, hash BLOB) STRICT`,
		insert: "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		rows:   s.inColumns,
	}
}

func (s *sender) inColumns(b *testing.B) (rows [][]any) {
	for row, err := range s.Rows(b.Context(), 0) {
		if err != nil {
			b.Fatal(err)
		}
		e, hash := row.Entry, sha256.Sum256(row.Bytes)
		a := entry.Arrival{Reading: &entry.Reading{}}
		if e.Kind == entry.KindArrival {
			if err := e.Decode(&a); err != nil {
				b.Fatal(err)
			}
		}
		rows = append(rows, []any{len(rows), int64(e.Boot), e.Mono, e.Wall, int64(e.Clock), int64(e.Lane), int64(a.Counter), int64(a.Outcome),
			int64(a.Subject), int64(a.Role), int64(a.Policy), int64(a.Roster), int64(a.Reading.Value), int64(a.Reading.Ambient), a.Reading.Instrument, hash[:]})
	}
	return rows
}

// open makes the table in a new file, under the collector's settings.
func (t table) open(b *testing.B) (*sql.DB, *sql.Stmt) {
	b.Helper()
	u := url.URL{Scheme: "file", Path: filepath.Join(b.TempDir(), "plain.db"),
		RawQuery: "_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&psow=0"}
	db, err := sql.Open("sqlite3", u.String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(t.create); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare(t.insert)
	if err != nil {
		b.Fatal(err)
	}
	return db, insert
}

// fill is how long it takes to insert all rows.
func (t table) fill(b *testing.B) time.Duration {
	b.Helper()
	db, insert := t.open(b)
	all := t.rows(b)
	runtime.GC()
	began := time.Now()
	for rows := range slices.Chunk(all, plainBatch) {
		if err := insertRows(db, insert, rows); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(began)
}

func insertRows(db *sql.DB, insert *sql.Stmt, rows [][]any) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	stmt := tx.Stmt(insert)
	for _, row := range rows {
		if _, err := stmt.Exec(row...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// busy returns the processor time that this process has used.
func busy(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkABacklogFlowsAtTheCollectorsPace compares how many entries a second
// come from a gate's file into the collector's, acknowledged, with how many a
// second can be inserted, in columns as the goal was taken, and as leaves. The processor time, of the start of a
// collector too, says what a loaded machine hides.
func BenchmarkABacklogFlowsAtTheCollectorsPace(b *testing.B) {
	const goal, n = 0.6, 50_000
	s := newSender(b, n)
	columns, plain := s.columns(), s.plain()
	for b.Loop() {
		var flows, inColumns, plains []time.Duration
		var used time.Duration
		for range syncRounds {
			inColumns, plains = append(inColumns, columns.fill(b)), append(plains, plain.fill(b))
			before := busy(b)
			_, flow := s.catchUp(b)
			used += busy(b) - before
			flows = append(flows, flow)
		}
		rate := func(d []time.Duration) float64 { return n / percentile(d, 50).Seconds() }
		ratio := rate(flows) / rate(inColumns)
		b.Logf("median of %d rounds: %.0f entries/s from end to end, limit %.0f/s inserted in columns, ratio %.2f, goal %.2f; "+
			"%.2f of %.0f/s inserted as leaves; %v of processor time an entry",
			syncRounds, rate(flows), rate(inColumns), ratio, goal, rate(flows)/rate(plains), rate(plains), used/(syncRounds*n))
		b.ReportMetric(ratio, "ratio")
		if ratio < goal/2 {
			b.Errorf("ratio %.2f is under half the goal of %.2f", ratio, goal)
		}
	}
}

// BenchmarkAnOutageIsCaughtUp times all of it, from a gate that begins to
// connect to the collector's word for the last entry.
func BenchmarkAnOutageIsCaughtUp(b *testing.B) {
	const goal, n = 2.5, 100_000
	s := newSender(b, n)
	columns, plain := s.columns(), s.plain()
	for b.Loop() {
		var wholes, inColumns, plains []time.Duration
		for range syncRounds {
			inColumns, plains = append(inColumns, columns.fill(b)), append(plains, plain.fill(b))
			whole, _ := s.catchUp(b)
			wholes = append(wholes, whole)
		}
		whole, limit, leaves := percentile(wholes, 50), percentile(inColumns, 50), percentile(plains, 50)
		ratio := float64(whole) / float64(limit)
		b.Logf("median of %d rounds: %d entries caught up in %.2f s, limit %.2f s to insert them in columns, ratio %.2f, goal %.2f; %.2f of %.2f s as leaves",
			syncRounds, n, whole.Seconds(), limit.Seconds(), ratio, goal, float64(whole)/float64(leaves), leaves.Seconds())
		b.ReportMetric(ratio, "ratio")
		if ratio > 2*goal {
			b.Errorf("ratio %.2f is over twice the goal of %.2f", ratio, goal)
		}
	}
}

// BenchmarkALoneEntryIsKnownToBeCollected times one entry where nothing else is
// on its way: from Submit to the gate's knowing that the collector has it. Its
// limit is what cannot be spared, two commits.
func BenchmarkALoneEntryIsKnownToBeCollected(b *testing.B) {
	const goal, n = 5 * time.Millisecond, 300
	s := newSender(b, 1)
	to, _ := s.receive(b)
	a := s.send(b, to)
	a.await(b, s.Head().Size)
	db, insert := plainTable().open(b)
	row := make([]byte, 71) // as long as such an entry
	for b.Loop() {
		var took, commits []time.Duration
		for range syncRounds * n {
			size, began := s.Head().Size, time.Now()
			if err := s.Submit(s.arrival(1), func(journal.Receipt, error) { a.up.Grew() }); err != nil {
				b.Fatal(err)
			}
			a.await(b, size+1)
			took = append(took, time.Since(began))
			began = time.Now()
			if err := insertRows(db, insert, [][]any{{len(commits), row}}); err != nil {
				b.Fatal(err)
			}
			commits = append(commits, 2*time.Since(began))
		}
		figure, limit := percentile(took, 50), percentile(commits, 50)
		b.Logf("known to be collected: p50 %v, p99 %v of %d; limit two commits: p50 %v, ratio %.1f; goal %v",
			figure, percentile(took, 99), len(took), limit, float64(figure)/float64(limit), goal)
		b.ReportMetric(float64(figure)/float64(limit), "ratio")
		if figure > 2*goal {
			b.Errorf("%v is over twice the goal of %v", figure, goal)
		}
	}
}
