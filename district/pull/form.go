package pull

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/entry/export"
	"github.com/menshen/menshen/screening"
)

// form is how entries are written.
type form uint8

const (
	ndjson form = iota // one JSON object a line
	table              // CSV, RFC 4180, with a header
)

func (f form) contentType() string {
	if f == table {
		return "text/csv; charset=utf-8; header=present"
	}
	return "application/x-ndjson"
}

func (f form) write(w io.Writer, rows []store.Row) error {
	if f == table {
		return writeTable(w, rows)
	}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	for _, row := range rows {
		l, _, err := read(row)
		if err != nil {
			return err
		}
		if err := out.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// line is one entry with its place.
type line struct {
	// Cursor stands behind the entry.
	Cursor store.Cursor
	// Gate, Epoch and Seq are whose entry it is, in which of its journals, and where.
	Gate  string
	Epoch uint32
	Seq   uint64
	// Received is when the collector stored it.
	Received time.Time
	export.Fields
}

func read(row store.Row) (line, entry.Entry, error) {
	e, err := entry.Unmarshal(row.Leaf)
	if err != nil { // the collector lets no such leaf in
		return line{}, entry.Entry{}, fmt.Errorf("entry %d of %s: %w", row.Seq, row.Gate, err)
	}
	return line{row.Cursor, row.Gate, row.Epoch, row.Seq, row.Received.UTC(), export.Of(e, row.Leaf)}, e, nil
}

// columns of the table. Those from Arrival to Rows are of arrivals only.
func columns() []string {
	return []string{"Cursor", "Gate", "Epoch", "Seq", "Received", "Kind", "Boot", "Mono", "Wall", "Clock", "Lane",
		"Arrival", "Direction", "Outcome", "Subject", "Value", "Peak", "Rows", "Body"}
}

func writeTable(w io.Writer, rows []store.Row) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	if err := out.Write(columns()); err != nil {
		return err
	}
	for _, row := range rows {
		record, err := tableRow(row)
		if err != nil {
			return err
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func tableRow(row store.Row) ([]string, error) {
	l, e, err := read(row)
	if err != nil {
		return nil, err
	}
	cursor, err := l.Cursor.MarshalText()
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(l.Body)
	if err != nil {
		return nil, err
	}
	record := []string{string(cursor), l.Gate, fmt.Sprint(l.Epoch), fmt.Sprint(l.Seq), l.Received.Format(time.RFC3339Nano),
		l.Kind, fmt.Sprint(l.Boot), fmt.Sprint(l.Mono), l.Wall.Format(time.RFC3339Nano), l.Clock, fmt.Sprint(l.Lane)}
	record = append(record, arrivalColumns(e)...)
	return append(record, string(body)), nil
}

// arrivalColumns are what an office sorts and counts by; empty for what is no
// arrival, and each empty where the arrival has no such thing.
func arrivalColumns(e entry.Entry) []string {
	columns := make([]string, 7)
	var a entry.Arrival
	if e.Kind != entry.KindArrival || e.Decode(&a) != nil {
		return columns
	}
	columns[0] = entry.ArrivalID{Boot: e.Boot, Counter: a.Counter}.String()
	columns[1] = "in"
	if screening.Direction(a.Direction) == screening.Out {
		columns[1] = "out"
	}
	if a.End == entry.EndDecided || a.End == entry.EndRepeat {
		columns[2] = screening.Outcome(a.Outcome).String()
	}
	if a.Subject != 0 {
		columns[3] = strconv.FormatUint(a.Subject, 10)
	}
	if r := a.Reading; r != nil && screening.Quality(r.Quality) == screening.Valid {
		columns[4], columns[5] = strconv.Itoa(int(r.Value)), strconv.Itoa(int(r.Peak))
	}
	columns[6] = strings.Join(a.Rows, " ")
	return columns
}
