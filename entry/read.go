package entry

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// This file reads the two bodies of which a record consists, element by
// element, as elements reads an entry: what it accepts is what Encode writes.

func (r *elements) arrival(a *Arrival) {
	r.array(13)
	a.Counter = uint32(r.next(0, math.MaxUint32))
	a.Direction, a.End, a.Outcome = r.byte(), r.byte(), r.byte()
	a.Subject = r.next(0, math.MaxUint64)
	a.Role = r.byte()
	a.Rows = list(r, (*elements).text)
	a.Policy, a.Roster = uint32(r.next(0, math.MaxUint32)), uint32(r.next(0, math.MaxUint32))
	a.Reading, a.Code = r.reading(), r.code()
	a.Staff = list(r, (*elements).number)
	a.Badge = r.octets()
}

func (r *elements) answer(a *Answer) {
	r.array(11)
	r.array(2)
	a.Arrival.Boot, a.Arrival.Counter = r.number(), uint32(r.next(0, math.MaxUint32))
	a.Act, a.Outcome = r.byte(), r.byte()
	a.Rows = list(r, (*elements).text)
	a.Subject = r.number()
	a.By = list(r, (*elements).number)
	a.Reading, a.Code = r.reading(), r.code()
	a.Ticket = uint16(r.next(0, math.MaxUint16))
	a.Reason = r.text()
	a.Until = r.signed()
}

func (r *elements) reading() *Reading {
	if r.null() {
		return nil
	}
	r.array(8)
	return &Reading{
		Value: r.signed32(), Peak: r.signed32(), Ambient: r.signed32(), Site: r.byte(),
		Instrument: r.text(), Formula: r.text(), Quality: r.byte(), Samples: r.byte(),
	}
}

func (r *elements) code() *Code {
	if r.null() {
		return nil
	}
	r.array(5)
	return &Code{Kind: r.byte(), Colour: r.byte(), AsOf: r.signed(), How: r.byte(), Digest: r.octets()}
}

// array takes the head of an array of n elements.
func (r *elements) array(n uint64) {
	if got := r.next(4, math.MaxUint64); r.err == nil && got != n {
		r.err = fmt.Errorf("array of %d elements, want %d", got, n)
	}
}

// null takes a null, if that is what comes next.
func (r *elements) null() bool {
	const null = 0xf6
	if r.err != nil || len(r.rest) == 0 || r.rest[0] != null {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

func (r *elements) byte() uint8     { return uint8(r.next(0, math.MaxUint8)) }
func (r *elements) number() uint64  { return r.next(0, math.MaxUint64) }
func (r *elements) signed32() int32 { return int32(r.within(math.MinInt32, math.MaxInt32)) }

// within returns an integer that is neither less nor more.
func (r *elements) within(least, most int64) int64 {
	n := r.signed()
	if r.err == nil && (n < least || n > most) {
		r.err = fmt.Errorf("%d is not within %d and %d", n, least, most)
	}
	return n
}

// octets returns a copy of a byte string.
func (r *elements) octets() []byte {
	return append([]byte{}, r.bytes(int(r.next(2, MaxSize)))...)
}

// text returns UTF-8 text.
func (r *elements) text() string {
	b := r.bytes(int(r.next(3, MaxSize)))
	if r.err == nil && !utf8.Valid(b) {
		r.err = errors.New("text is not UTF-8")
	}
	return string(b)
}

// list returns an array of any length. It grows with what is really there.
func list[T any](r *elements, one func(*elements) T) []T {
	all := []T{}
	for n := r.next(4, math.MaxUint64); n > 0 && r.err == nil; n-- {
		all = append(all, one(r))
	}
	return all
}
