package wire_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

// A morning as the benchmark draws it: who comes, when, and how warm.
const (
	people     = 3000
	laneCount  = 4
	meanGap    = 800.0 // ms between two arrivals at a gate
	warmth     = 300.0 // thousandths of a degree, one standard deviation
	resolution = 20.0  // thousandths of a degree, one step of the thermometer
	batchSize  = 500
	rounds     = 9
	repeats    = 5 // so that nobody is charged for another's cold caches
	sizeGoal   = 16.0
	sizeLimit  = 20.0
)

// morning returns n arrivals and their canonical bytes.
func morning(t testing.TB, n int) (entries []entry.Entry, all [][]byte) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var mono int64
	for i := range n {
		mono += int64(r.ExpFloat64() * meanGap)
		value := 36400 + int32(r.NormFloat64()*warmth/resolution)*resolution
		a := entry.Arrival{Counter: uint32(i + 1), Direction: 1, End: entry.EndDecided, Outcome: 1,
			Subject: 1 + r.Uint64N(people), Role: 1, Policy: 7, Roster: 9, Staff: []uint64{3005, 3006},
			Reading: &entry.Reading{Value: value, Peak: value + r.Int32N(4)*resolution, Ambient: 14000 + int32(i/50)*resolution,
				Site: 1, Instrument: "gate", Formula: "skin/1", Quality: 1, Samples: 3}}
		if value >= 37300 {
			a.Outcome, a.Rows = 3, []string{"temperature:reaches"}
		}
		body, err := entry.Encode(a)
		if err != nil {
			t.Fatal(err)
		}
		e := entry.Entry{Kind: entry.KindArrival, Boot: 81234, Mono: mono, Wall: 1663200000000 + mono, Clock: entry.ClockSynced,
			Lane: 1 + uint8(r.Uint32N(laneCount)), Body: body}
		leaf, err := e.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		entries, all = append(entries, e), append(all, leaf)
	}
	return entries, all
}

// floor is what the draws of one arrival carry, in bytes: no encoding that
// keeps them all is shorter.
func floor() float64 {
	gap := math.Log2(math.E * meanGap)
	value := math.Log2(warmth / resolution * math.Sqrt(2*math.Pi*math.E))
	return (gap + math.Log2(people) + value + math.Log2(4) + math.Log2(laneCount)) / 8
}

func signMorning(t testing.TB, all [][]byte) []byte {
	t.Helper()
	c := wire.Checkpoint{Origin: gate, Epoch: 1, Head: entry.Head{Size: 100000, Root: [32]byte{1}}}
	b, err := wire.SignBatch(key(1), c, all)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFiveHundredArrivalsCostAtMostTwentyBytesEach(t *testing.T) {
	_, all := morning(t, batchSize)
	if got := float64(len(signMorning(t, all))) / batchSize; got > sizeLimit {
		t.Errorf("%.1f bytes an entry, at most %.0f are allowed", got, sizeLimit)
	}
}

// BenchmarkBytesOfAnEntryOnTheWire compares a whole signed message with what
// the arrivals in it cannot do without.
func BenchmarkBytesOfAnEntryOnTheWire(b *testing.B) {
	entries, all := morning(b, batchSize)
	var plain int
	for _, e := range entries {
		plain += len(asJSON(b, e))
	}
	var packed []byte
	for range b.N {
		packed = signMorning(b, all)
	}
	figure := float64(len(packed)) / batchSize
	b.Logf("bytes an entry at %d: %.1f, limit %.1f, ratio %.2f, goal %.0f bytes; JSON %d; alone %d", batchSize, figure, floor(),
		figure/floor(), sizeGoal, plain/batchSize, len(signMorning(b, all[:1])))
	b.ReportMetric(figure, "B/entry")
	b.ReportMetric(0, "ns/op")
	if figure > sizeLimit {
		b.Errorf("%.1f bytes an entry are over %.0f", figure, sizeLimit)
	}
}

// record is an arrival with its body, as JSON would carry it.
type record struct {
	entry.Entry
	Arrival entry.Arrival
}

func asJSON(t testing.TB, e entry.Entry) []byte {
	t.Helper()
	r := record{Entry: e}
	if err := e.Decode(&r.Arrival); err != nil {
		t.Fatal(err)
	}
	r.Body = nil
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// BenchmarkABatchAgainstJSON compares writing and reading a whole batch,
// packed, twice signed, each entry checked, with encoding/json over the same
// arrivals, plain and unsigned.
func BenchmarkABatchAgainstJSON(b *testing.B) {
	entries, all := morning(b, batchSize)
	records := make([]record, len(entries))
	for i, e := range entries {
		records[i].Entry = e
		if err := e.Decode(&records[i].Arrival); err != nil {
			b.Fatal(err)
		}
		records[i].Body = nil
	}
	packed := signMorning(b, all)
	text, err := json.Marshal(records)
	if err != nil {
		b.Fatal(err)
	}
	steps := []func() error{
		func() error { signMorning(b, all); return nil },
		func() error { _, err := json.Marshal(records); return err },
		func() error { _, err := readBatch(packed, 1, gate); return err },
		func() error { var back []record; return json.Unmarshal(text, &back) },
	}
	took := make([][]time.Duration, len(steps))
	for range b.N {
		for range rounds {
			for i, step := range steps {
				began := time.Now()
				for range repeats {
					if err := step(); err != nil {
						b.Fatal(err)
					}
				}
				took[i] = append(took[i], time.Since(began)/repeats)
			}
		}
	}
	compare(b, "encode", took[0], took[1], 1)
	compare(b, "decode", took[2], took[3], 0.5)
	b.ReportMetric(0, "ns/op")
}

// compare prints the median of ours beside that of encoding/json, by entry,
// and fails at twice the goal, because the machine is shared.
func compare(b *testing.B, what string, ours, limit []time.Duration, goal float64) {
	b.Helper()
	slices.Sort(ours)
	slices.Sort(limit)
	o, l := ours[len(ours)/2], limit[len(limit)/2]
	ratio := float64(o) / float64(l)
	b.Logf("%s: %d ns an entry, encoding/json %d ns, ratio %.2f, goal %.2f", what, o.Nanoseconds()/batchSize, l.Nanoseconds()/batchSize, ratio, goal)
	b.ReportMetric(ratio, what+"-ratio")
	if ratio > 2*goal {
		b.Errorf("%s: ratio %.2f is over twice the goal of %.2f", what, ratio, goal)
	}
}
