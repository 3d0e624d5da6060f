package journal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/menshen/menshen/journal"
)

// filled makes a closed journal of one boot entry and n arrivals, the fourth
// of which has a private blob.
func filled(t *testing.T, n uint32) (path string) {
	t.Helper()
	path = newPath(t)
	j := mustOpen(t, path)
	for i := uint32(1); i <= n; i++ {
		d := arrival(i)
		if i == 4 {
			d.Private = []byte("visitor")
		}
		if _, err := j.Append(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	mustClose(t, j)
	return path
}

// otherByte is the column with another byte at a place, counted from 1. The
// hashes above a salted entry are others in each run: any byte may be zero.
func otherByte(column string, at int) string {
	return fmt.Sprintf("CAST(substr(%[1]s, 1, %[2]d - 1) || CASE substr(%[1]s, %[2]d, 1) WHEN x'00' THEN x'01' ELSE x'00' END"+
		" || substr(%[1]s, %[2]d + 1) AS BLOB)", column, at)
}

// Each is one statement on a journal of eleven entries.
func tampering() map[string]string {
	return map[string]string{
		"a bit of a leaf":           `UPDATE entry SET leaf = ` + otherByte("leaf", 21) + ` WHERE seq = 3`,
		"a bit of a hash":           `UPDATE entry SET hashes = ` + otherByte("hashes", 32) + ` WHERE seq = 2`,
		"a hash high in the tree":   `UPDATE entry SET hashes = ` + otherByte("hashes", 32) + ` WHERE seq = 7`,
		"a hash cut short":          `UPDATE entry SET hashes = CAST(substr(hashes,1,31) AS BLOB) WHERE seq = 7`,
		"a hash drawn out":          `UPDATE entry SET hashes = CAST(x'00' || hashes AS BLOB) WHERE seq = 7`,
		"a hash of another row":     `UPDATE entry SET hashes = (SELECT hashes FROM entry WHERE seq = 3) WHERE seq = 7`,
		"a leaf cut short":          `UPDATE entry SET leaf = CAST(substr(leaf,1,20) AS BLOB) WHERE seq = 3`,
		"a private blob":            `UPDATE entry SET private = CAST(private || 'x' AS BLOB) WHERE seq = 4`,
		"a private blob added":      `UPDATE entry SET private = x'00' WHERE seq = 5`,
		"the first row deleted":     `DELETE FROM entry WHERE seq = 0`,
		"a row deleted":             `DELETE FROM entry WHERE seq = 3`,
		"two leaves swapped":        `UPDATE entry SET leaf = (SELECT leaf FROM entry e WHERE e.seq = 11 - entry.seq) WHERE seq IN (5, 6)`,
		"two whole rows swapped":    `UPDATE entry SET seq = 100 WHERE seq = 4; UPDATE entry SET seq = 4 WHERE seq = 5; UPDATE entry SET seq = 5 WHERE seq = 100`,
		"a row copied to the end":   `INSERT INTO entry SELECT 11, leaf, hashes, private FROM entry WHERE seq = 9`,
		"a row put far behind":      `INSERT INTO entry SELECT 500, leaf, hashes, private FROM entry WHERE seq = 9`,
		"a leaf said by other CBOR": `UPDATE entry SET leaf = CAST(x'9809' || substr(leaf,2) AS BLOB) WHERE seq = 3`,
	}
}

func TestVerifyFindsWhatWasChanged(t *testing.T) {
	for name, query := range tampering() {
		t.Run(name, func(t *testing.T) {
			path := filled(t, 10)
			mustVerify(t, path)
			alter(t, path, query)
			report, err := mustRead(t, path).Verify(t.Context(), nil)
			if !errors.Is(err, journal.ErrDamaged) {
				t.Errorf("verify: got %+v, %v, want ErrDamaged", report, err)
			}
			if _, err := journal.Open(t.Context(), options(path)); !errors.Is(err, journal.ErrDamaged) {
				t.Errorf("open: got %v, want ErrDamaged", err)
			}
		})
	}
}

// Open recomputes the newest entries only; the rest is Verify's.
func TestOpenReadsNoMoreThanTheNewestEntries(t *testing.T) {
	path := filled(t, 1100)
	alter(t, path, `UPDATE entry SET leaf = `+otherByte("leaf", 21)+` WHERE seq = 3`)
	mustClose(t, mustOpen(t, path))
	if _, err := mustRead(t, path).Verify(t.Context(), nil); !errors.Is(err, journal.ErrDamaged) {
		t.Errorf("verify: got %v, want ErrDamaged", err)
	}
}

// A journal that was cut off is a journal: only a head that somebody kept
// tells it from the whole one.
func TestEntriesCutOffAtTheEndShowOnlyAgainstAHeadKeptElsewhere(t *testing.T) {
	path := filled(t, 10)
	kept := mustVerify(t, path).Head
	alter(t, path, "DELETE FROM entry WHERE seq >= 8")
	if got := mustVerify(t, path).Head; got.Size != 8 || got == kept {
		t.Errorf("got %+v", got)
	}
}

func TestVerifyTellsHowFarItIsAndStopsWhenTold(t *testing.T) {
	path := filled(t, 1100)
	r := mustRead(t, path)
	var calls [][2]uint64
	if _, err := r.Verify(t.Context(), func(done, total uint64) { calls = append(calls, [2]uint64{done, total}) }); err != nil {
		t.Fatal(err)
	}
	if len(calls) != 2 || calls[0] != [2]uint64{1000, 1101} || calls[1] != [2]uint64{1101, 1101} {
		t.Errorf("progress %v", calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := r.Verify(ctx, func(uint64, uint64) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
}

func TestAReaderWorksBesideTheWriter(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	r := mustRead(t, path)
	for n := range uint32(20) {
		mustAppend(t, j, n)
		head, err := r.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if head != j.Head() {
			t.Fatalf("reader's head %+v, writer's %+v", head, j.Head())
		}
	}
	report, err := r.Verify(t.Context(), nil)
	if err != nil || report.Head != j.Head() || report.Boots != 1 {
		t.Errorf("got %+v, %v", report, err)
	}
}
