package entry

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// maxDepth is how deep arrays may stand in each other in a body.
const maxDepth = 8

// canonical says whether b is exactly one value of which bodies are made, in
// its only spelling (RFC 8949 §4.2.1): integers, byte strings, UTF-8 text,
// arrays, booleans and null. There are no maps, floats or tags in a body, of
// any kind and any future program, so that nobody has to agree about their
// order or rounding. It allocates nothing, whatever b claims to hold.
func canonical(b []byte) error {
	rest, err := skip(b, maxDepth)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes behind the value", len(rest))
	}
	return err
}

// skip returns what follows the first value in b.
func skip(b []byte, depth int) (rest []byte, err error) {
	major, n, rest, err := head(b)
	if err != nil {
		return nil, err
	}
	switch major {
	case 0, 1: // integers
		return rest, nil
	case 2, 3: // byte string, text
		if n > uint64(len(rest)) {
			return nil, errors.New("cut short")
		}
		if major == 3 && !utf8.Valid(rest[:n]) {
			return nil, errors.New("text is not UTF-8")
		}
		return rest[n:], nil
	case 4: // array
		if depth == 0 {
			return nil, fmt.Errorf("nested deeper than %d", maxDepth)
		}
		for ; n > 0 && err == nil; n-- { // ends with the bytes, however great n is
			rest, err = skip(rest, depth-1)
		}
		return rest, err
	case 7:
		if n >= 20 && n <= 22 { // false, true, null
			return rest, nil
		}
	}
	return nil, fmt.Errorf("0x%02x is neither integer, string, array, boolean nor null", b[0])
}

// head splits the first value's head into major type and argument, and
// refuses an argument that has a shorter spelling.
func head(b []byte) (major byte, n uint64, rest []byte, err error) {
	if len(b) == 0 {
		return 0, 0, nil, errors.New("cut short")
	}
	major, info, rest := b[0]>>5, b[0]&31, b[1:]
	if info < 24 {
		return major, uint64(info), rest, nil
	}
	if info > 27 {
		return 0, 0, nil, fmt.Errorf("head 0x%02x is reserved or of indefinite length", b[0])
	}
	size := 1 << (info - 24)
	if len(rest) < size {
		return 0, 0, nil, errors.New("cut short")
	}
	for _, c := range rest[:size] {
		n = n<<8 | uint64(c)
	}
	if n < 24 || n>>(size*4) == 0 && size > 1 {
		return 0, 0, nil, errors.New("not in the shortest spelling")
	}
	return major, n, rest[size:], nil
}

// elements takes values off the front of rest, and nothing more after the
// first that is not as it must be, which err then says.
type elements struct {
	rest []byte
	err  error
}

// next returns the argument of the next head, which must be of that major type
// and at most most.
func (r *elements) next(major byte, most uint64) uint64 {
	if r.err != nil {
		return 0
	}
	m, n, rest, err := head(r.rest)
	switch {
	case err != nil:
		r.err = err
	case m != major || n > most:
		r.err = fmt.Errorf("head of type %d and %d, want type %d and at most %d", m, n, major, most)
	default:
		r.rest = rest
		return n
	}
	return 0
}

// signed returns an integer of either sign.
func (r *elements) signed() int64 {
	if len(r.rest) > 0 && r.rest[0]>>5 == 1 {
		return -1 - int64(r.next(1, math.MaxInt64))
	}
	return int64(r.next(0, math.MaxInt64))
}

// bytes returns the next n bytes, which lie in rest.
func (r *elements) bytes(n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.err = errors.New("cut short")
	}
	if r.err != nil {
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

// value returns the next value as it is spelled, which lies in rest.
func (r *elements) value() []byte {
	if r.err != nil {
		return nil
	}
	rest, err := skip(r.rest, maxDepth)
	if err != nil {
		r.err = err
		return nil
	}
	return r.bytes(len(r.rest) - len(rest))
}
