package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
)

// line is one entry as it is exported. Subjects are roster numbers; no name is
// in an entry.
//
// The document docs/journal-export.md describes it, for programs that read it.
type line struct {
	Seq   uint64
	Kind  string
	Boot  uint64
	Mono  int64 // milliseconds since the process started
	Wall  time.Time
	Clock string
	Lane  uint8 `json:",omitempty"`
	Body  any
	Leaf  string // hex of the canonical bytes
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
		e := row.Entry
		body, err := decode(e)
		if err != nil {
			body = nil // a newer program's: the leaf says it all
		}
		if err := out.Encode(line{
			Seq: row.Seq, Kind: e.Kind.String(), Boot: e.Boot, Mono: e.Mono, Wall: time.UnixMilli(e.Wall).UTC(),
			Clock: e.Clock.String(), Lane: e.Lane, Body: body, Leaf: hex.EncodeToString(row.Bytes),
		}); err != nil {
			return from, err
		}
		from = row.Seq + 1
	}
	return from, nil
}

// decode returns the body of an entry as JSON is to show it.
func decode(e entry.Entry) (any, error) {
	body := map[entry.Kind]any{
		entry.KindBoot: &entry.Boot{}, entry.KindArrival: &entry.Arrival{}, entry.KindAnswer: &entry.Answer{},
		entry.KindDevice: &entry.Device{}, entry.KindClock: &entry.ClockStep{}, entry.KindPolicy: &entry.Policy{},
		entry.KindRoster: &entry.Roster{}, entry.KindHeartbeat: &entry.Heartbeat{}, entry.KindStop: &entry.Stop{},
	}[e.Kind]
	if body == nil {
		return nil, fmt.Errorf("kind %v has no body here", e.Kind)
	}
	if err := e.Decode(body); err != nil {
		return nil, err
	}
	return readable(reflect.ValueOf(body)), nil
}

// readable writes bytes as hex, of which JSON would make base64 or a list of
// numbers, and what has a word as its word.
func readable(v reflect.Value) any {
	if word, ok := v.Interface().(fmt.Stringer); ok {
		return word.String()
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return readable(v.Elem())
	case reflect.Struct:
		fields := map[string]any{}
		for f, value := range v.Fields() {
			if f.IsExported() {
				fields[f.Name] = readable(value)
			}
		}
		return fields
	case reflect.Array, reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return fmt.Sprintf("%x", v.Interface())
		}
	}
	return v.Interface()
}
