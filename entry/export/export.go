// Package export writes entries as programs other than ours read them: JSON
// with words for numbers that have one, hex for bytes and UTC for times.
//
// It knows the bodies of package entry and nothing else: neither who a subject
// is nor where an entry stands in which journal. What it writes is described
// in docs/journal-export.md.
package export

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"time"

	"github.com/menshen/menshen/entry"
)

// Fields are one entry for encoding/json. Its place stands beside them.
type Fields struct {
	Kind  string
	Boot  uint64
	Mono  int64 // milliseconds since the process started
	Wall  time.Time
	Clock string
	Lane  uint8 `json:",omitempty"`
	// Body is nil for what a newer program wrote; the leaf says it all.
	Body any
	// Leaf is hex of the canonical bytes.
	Leaf string
}

// Of returns the fields of an entry and of the canonical bytes that it was
// read from.
func Of(e entry.Entry, leaf []byte) Fields {
	f := Fields{Kind: e.Kind.String(), Boot: e.Boot, Mono: e.Mono, Wall: time.UnixMilli(e.Wall).UTC(),
		Clock: e.Clock.String(), Lane: e.Lane, Leaf: hex.EncodeToString(leaf)}
	if body := empty(e.Kind); body != nil && e.Decode(body) == nil {
		f.Body = readable(reflect.ValueOf(body))
	}
	return f
}

// empty returns a pointer to the body type of a kind, or nil.
func empty(k entry.Kind) any {
	switch k {
	case entry.KindBoot:
		return &entry.Boot{}
	case entry.KindArrival:
		return &entry.Arrival{}
	case entry.KindAnswer:
		return &entry.Answer{}
	case entry.KindCase:
		return &entry.Case{}
	case entry.KindDevice:
		return &entry.Device{}
	case entry.KindClock:
		return &entry.ClockStep{}
	case entry.KindPolicy:
		return &entry.Policy{}
	case entry.KindRoster:
		return &entry.Roster{}
	case entry.KindHeartbeat:
		return &entry.Heartbeat{}
	case entry.KindStop:
		return &entry.Stop{}
	}
	return nil
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
