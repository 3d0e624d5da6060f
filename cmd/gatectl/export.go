package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"

	"github.com/menshen/menshen/entry/export"
	"github.com/menshen/menshen/journal"
)

// line is one entry as it is exported. Subjects are roster numbers; no name is
// in an entry.
//
// The document docs/journal-export.md describes it, for programs that read it.
type line struct {
	Seq uint64
	export.Fields
}

// print writes entries from a sequence number on and returns the next one. What
// stands before a fault is written too.
func (t *tool) print(ctx context.Context, r *journal.Reader, from uint64) (next uint64, err error) {
	buffer := bufio.NewWriter(t.stdout)
	defer func() { err = errors.Join(err, buffer.Flush()) }()
	out := json.NewEncoder(buffer)
	for row, err := range r.Rows(ctx, from) {
		if err != nil {
			return from, err
		}
		if err := out.Encode(line{row.Seq, export.Of(row.Entry, row.Bytes)}); err != nil {
			return from, err
		}
		from = row.Seq + 1
	}
	return from, nil
}
