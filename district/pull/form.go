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

// write writes rows in the form that was asked for.
func (q query) write(w io.Writer, rows []named) error {
	if q.form == table {
		return writeTable(w, q.names, rows)
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
	// Name, Class and Number are of the subject, where names are asked for and known.
	Name, Class, Number string `json:",omitempty"`
}

func read(row named) (line, entry.Entry, error) {
	e, err := entry.Unmarshal(row.Leaf)
	if err != nil { // the collector lets no such leaf in
		return line{}, entry.Entry{}, fmt.Errorf("entry %d of %s: %w", row.Seq, row.Gate, err)
	}
	return line{row.Cursor, row.Gate, row.Epoch, row.Seq, row.Received.UTC(), export.Of(e, row.Leaf), row.Name, row.Class, row.Number}, e, nil
}

// subject returns the roster number that an arrival or an answer is about, 0
// for none.
func subject(leaf []byte) uint64 {
	e, err := entry.Unmarshal(leaf)
	var arrival entry.Arrival
	var answer entry.Answer
	switch {
	case err != nil: // read says so
	case e.Kind == entry.KindArrival && e.Decode(&arrival) == nil:
		return arrival.Subject
	case e.Kind == entry.KindAnswer && e.Decode(&answer) == nil:
		return answer.Subject
	}
	return 0
}

// columns of the table. Those from Arrival to Rows are of arrivals only.
func columns() []string {
	return []string{"Cursor", "Gate", "Epoch", "Seq", "Received", "Kind", "Boot", "Mono", "Wall", "Clock", "Lane",
		"Arrival", "Direction", "Outcome", "Subject", "Value", "Peak", "Rows", "Body"}
}

// nameColumns stand behind them where names are asked for.
func nameColumns() []string { return []string{"Name", "Class", "Number"} }

func writeTable(w io.Writer, names bool, rows []named) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	head := columns()
	if names {
		head = append(head, nameColumns()...)
	}
	if err := out.Write(head); err != nil {
		return err
	}
	for _, row := range rows {
		record, err := tableRow(row)
		if err != nil {
			return err
		}
		if names {
			record = append(record, row.Name, row.Class, row.Number)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func tableRow(row named) ([]string, error) {
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
