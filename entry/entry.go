// Package entry says what one durable leaf of a gate's journal is: its kinds,
// its canonical bytes, its place in the RFC 6962 tree and the commitment to
// what it keeps private.
//
// It knows the wire form and the hashes. It does not know how entries are
// stored, sent or decided, whose numbers the subjects are, or what time it is:
// it does no I/O and asks no clock.
package entry

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Kind says which body an entry carries. Numbers are on the wire for ever:
// kinds are only added, and a program stores and proves kinds that it does not
// know.
type Kind uint8

// The kinds of entry. Zero is none.
const (
	KindBoot      Kind = 1  // one start of the process, body Boot
	KindArrival   Kind = 2  // body Arrival
	KindAnswer    Kind = 3  // what a person did about an arrival, body Answer
	KindCase      Kind = 4  // a step of a case, body Case
	KindDevice    Kind = 5  // body Device
	KindClock     Kind = 6  // body ClockStep
	KindPolicy    Kind = 7  // body Policy
	KindRoster    Kind = 8  // body Roster
	KindReport    Kind = 9  // a report that went out
	KindHeartbeat Kind = 10 // body Heartbeat
	KindStop      Kind = 11 // an orderly end of the process, body Stop
)

// String names the kind in lower case; "kind 12" for one that is not known.
func (k Kind) String() string {
	names := [...]string{KindBoot: "boot", KindArrival: "arrival", KindAnswer: "answer", KindCase: "case",
		KindDevice: "device", KindClock: "clock", KindPolicy: "policy", KindRoster: "roster",
		KindReport: "report", KindHeartbeat: "heartbeat", KindStop: "stop"}
	if k == 0 || int(k) >= len(names) {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return names[k]
}

// Clock is how far wall time may be trusted. A greater value is better, so
// that callers compare; the zero value trusts nothing.
type Clock uint8

// The clock's qualities, worst first.
const (
	ClockUnset     Clock = iota // no idea
	ClockFloor                  // not before the newest entry
	ClockConfirmed              // a person on duty said by name that it is right
	ClockRTC                    // a battery-backed clock
	ClockSynced                 // network time
)

// String names the quality in lower case.
func (c Clock) String() string {
	names := [...]string{"unset", "floor", "confirmed", "rtc", "synced"}
	if int(c) >= len(names) {
		return fmt.Sprintf("clock %d", uint8(c))
	}
	return names[c]
}

// Stamp is one moment. Time enters the product as a func() Stamp, so that what
// a clock is worth always travels with what it says.
type Stamp struct {
	// Mono has passed since the process started; an entry keeps whole milliseconds.
	Mono time.Duration
	// Wall is the wall clock; an entry keeps whole milliseconds.
	Wall time.Time
	// Clock says how far Wall may be trusted.
	Clock Clock
}

// MaxSize is the most bytes that one entry has in canonical form.
const MaxSize = 64 << 10

// format is the first element of every entry of this layout.
const format = 1

// Entry is one leaf. Its place in the journal (epoch and sequence number) is
// not part of it.
type Entry struct {
	Kind Kind
	// Boot is the sequence number of the boot entry of the process that wrote
	// this entry; a boot entry carries its own.
	Boot uint64
	// Mono is milliseconds since that process started, never negative.
	Mono int64
	// Wall is Unix time in milliseconds.
	Wall int64
	// Clock says how far Wall may be trusted.
	Clock Clock
	// Lane is the lane's number at this gate, 0 for the gate itself.
	Lane uint8
	// Commitment is the SHA-256 of the private blob as Commit returns it, or nil.
	Commitment []byte
	// Body is the canonical CBOR of one body value, as Encode makes it.
	Body []byte
}

// wire is an Entry as it is hashed and sent.
type wire struct {
	_          struct{} `cbor:",toarray"`
	Format     uint8
	Kind       Kind
	Boot       uint64
	Mono, Wall int64
	Clock      Clock
	Lane       uint8
	Commitment []byte
	Body       cbor.RawMessage
}

// wireElements is how many elements that array has.
const wireElements = 9

// Encoding is RFC 8949 §4.2.1 core deterministic, with one way to say "none":
// the empty string or array; null stands only for an absent record.
var (
	encoding = encodingMode()
	decoding = decodingMode()
)

func encodingMode() cbor.EncMode {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty
	o.TagsMd = cbor.TagsForbidden
	m, err := o.EncMode()
	if err != nil {
		panic(err) // the options above contradict each other: no input can cause it
	}
	return m
}

func decodingMode() cbor.DecMode {
	m, err := cbor.DecOptions{
		IndefLength:     cbor.IndefLengthForbidden,
		TagsMd:          cbor.TagsForbidden,
		MaxNestedLevels: maxDepth + 1, // the entry's own array holds the body
	}.DecMode()
	if err != nil {
		panic(err) // as in encodingMode
	}
	return m
}

// Marshal returns the canonical bytes: a CBOR array of format, kind, boot,
// mono, wall, clock, lane, commitment and body. It refuses what Unmarshal
// would refuse, so no leaf is ever written that cannot be read back.
func (e Entry) Marshal() ([]byte, error) {
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("marshal %v entry: %w", e.Kind, err)
	}
	if err := canonical(e.Body); err != nil {
		return nil, fmt.Errorf("marshal %v entry: body: %w", e.Kind, err)
	}
	return e.marshal()
}

// marshal writes an entry that check and canonical have passed.
func (e Entry) marshal() ([]byte, error) {
	b, err := encoding.Marshal(wire{Format: format, Kind: e.Kind, Boot: e.Boot, Mono: e.Mono, Wall: e.Wall,
		Clock: e.Clock, Lane: e.Lane, Commitment: e.Commitment, Body: e.Body})
	if err != nil {
		return nil, fmt.Errorf("marshal %v entry: %w", e.Kind, err)
	}
	if len(b) > MaxSize {
		return nil, fmt.Errorf("marshal %v entry: %d bytes are more than %d", e.Kind, len(b), MaxSize)
	}
	return b, nil
}

// check says whether every field but the body lies in its range.
func (e Entry) check() error {
	switch {
	case e.Kind == 0:
		return errors.New("no kind")
	case e.Mono < 0:
		return errors.New("negative monotonic time")
	case e.Clock > ClockSynced:
		return fmt.Errorf("unknown clock quality %d", uint8(e.Clock))
	case e.Commitment != nil && len(e.Commitment) != sha256.Size:
		return fmt.Errorf("commitment of %d bytes", len(e.Commitment))
	}
	return nil
}

// Unmarshal reads the canonical bytes of one entry. Every other spelling of
// the same value, anything behind it and anything longer than MaxSize is
// refused: Marshal of the result is b again, byte for byte. Kinds that this
// program does not know are accepted. Nothing of the entry lies in b.
func Unmarshal(b []byte) (Entry, error) {
	e, rest, err := cut(b)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes behind it", len(rest))
	}
	if err != nil {
		return Entry{}, fmt.Errorf("unmarshal entry: %w", err)
	}
	e.Commitment, e.Body = bytes.Clone(e.Commitment), bytes.Clone(e.Body)
	return e, nil
}

// Cut takes the first entry off a sequence of them (RFC 8742), as strictly as
// Unmarshal, and returns what follows. Commitment and body lie in b.
func Cut(b []byte) (e Entry, rest []byte, err error) {
	if e, rest, err = cut(b); err != nil {
		return Entry{}, nil, fmt.Errorf("cut entry: %w", err)
	}
	return e, rest, nil
}

// cut takes the array apart. It knows one spelling of each element, so that
// what it accepts is what marshal writes.
func cut(b []byte) (e Entry, rest []byte, err error) {
	r := elements{rest: b}
	if n := r.next(4, math.MaxUint64); r.err == nil && n != wireElements {
		return Entry{}, nil, fmt.Errorf("array of %d elements", n)
	}
	if f := r.next(0, math.MaxUint8); r.err == nil && f != format {
		return Entry{}, nil, fmt.Errorf("unknown format %d", f)
	}
	e.Kind = Kind(r.next(0, math.MaxUint8))
	e.Boot = r.next(0, math.MaxUint64)
	e.Mono = int64(r.next(0, math.MaxInt64))
	e.Wall = r.signed()
	e.Clock = Clock(r.next(0, math.MaxUint8))
	e.Lane = uint8(r.next(0, math.MaxUint8))
	if n := r.next(2, sha256.Size); n > 0 {
		e.Commitment = r.bytes(int(n))
	}
	e.Body = r.value()
	if size := len(b) - len(r.rest); r.err == nil && size > MaxSize {
		return Entry{}, nil, fmt.Errorf("%d bytes are more than %d", size, MaxSize)
	}
	if r.err == nil {
		r.err = e.check()
	}
	return e, r.rest, r.err
}

// saltSize is the number of random bytes before a private blob: without them
// a commitment to a short blob could be undone by trying every name.
const saltSize = 16

// Commit hides blob behind a hash. The salted form (16 random bytes, then the
// blob) is kept beside the entry and may be shredded; its SHA-256 goes into
// the entry, so that proofs stay whole when it is gone.
func Commit(blob []byte) (salted []byte, commitment [sha256.Size]byte) {
	salted = make([]byte, saltSize, saltSize+len(blob))
	rand.Read(salted) // never fails: it ends the process instead (crypto/rand)
	salted = append(salted, blob...)
	return salted, sha256.Sum256(salted)
}
