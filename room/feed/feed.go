// Package feed is what a gate tells the board of an isolation room and the
// other gates of its school over the school's network, what the board may ask of
// the gate, and how each knows the other: a bounded text of one message a line
// inside TLS 1.3, in which both show the device key that the other's
// configuration names.
//
// Every message to a board is the whole present state, so that one that came
// twice or not at all changes nothing: what a lamp shows is never the sum of what
// was heard. Words to another gate are differences, because a school's day is
// long; every stream of them begins with all that stands.
// It does not know what an alarm or a passage means, who may answer it, or how
// either end keeps anything.
package feed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	// BeatEvery is how often a gate sends at least.
	BeatEvery = time.Second
	// LostAfter is how long a gate may be silent before its board says that it
	// is lost.
	LostAfter = 6 * time.Second
	// Most bounds each list of a message. What a gate has left over comes with
	// the next message.
	Most = 128
	// MaxText bounds a name and a class, in bytes.
	MaxText = 200

	format     = 1
	maxMessage = 1 << 20 // bytes of one line, above what Most alarms can take

	maxCursor = 40 // bytes
)

// The routes of a gate that boards use.
const (
	// Events streams messages; the query "after" holds the Next of the last
	// message that the board has taken, or nothing.
	Events = "/board/events"
	// Answers takes an Answer.
	Answers = "/board/answer"
	// SignsOn takes a SignOn and returns a Person.
	SignsOn = "/board/sign-on"
)

// ErrMessage says that a line is no message: the gate runs another program.
var ErrMessage = errors.New("not a message of a gate")

// Message is the state of a gate's isolation room.
type Message struct {
	// Format is 1.
	Format int `json:"format"`
	// Gate is the gate's name.
	Gate string `json:"gate"`
	// Next is where to go on after this message; only the gate reads it.
	Next string `json:"next"`
	// Open are the alarms that nobody has answered.
	Open []Alarm `json:"open,omitempty"`
	// Answered are those whose answer became durable since the message before,
	// each told once.
	Answered []Alarm `json:"answered,omitempty"`
}

// Alarm is one arrival that a gate has sent to the isolation room.
type Alarm struct {
	// Arrival is "boot-counter", unique in the gate's journal.
	Arrival string `json:"arrival"`
	// Number is that of the case and of the person's sticker, 0 where there is
	// none yet or none any more.
	Number uint16 `json:"number,omitempty"`
	// Since is when it was raised by the gate's clock, in Unix milliseconds.
	Since int64 `json:"since"`
	// Name and Class are empty where nobody knows who it is.
	Name  string `json:"name,omitempty"`
	Class string `json:"class,omitempty"`
	// Recorded says that the alarm is durable at the gate.
	Recorded bool `json:"recorded,omitempty"`
	// Drill says that it belongs to a drill.
	Drill bool `json:"drill,omitempty"`
}

// String tells which alarm it is, never of whom.
func (a Alarm) String() string { return a.Arrival }

// Answer says that the room has heard of an alarm.
type Answer struct {
	Arrival string `json:"arrival"`
	// By is the school's own number of who answered, empty of the button.
	By string `json:"by,omitempty"`
}

// SignOn is a badge and a PIN for the gate to look at.
type SignOn struct {
	Badge string `json:"badge"`
	PIN   string `json:"pin"`
}

// String says nothing of either.
func (SignOn) String() string { return "badge and PIN" }

// Person is who signed on.
type Person struct {
	// Number is the school's own, the same at every gate; the gates' roster
	// numbers need not be.
	Number string `json:"number"`
	Name   string `json:"name"`
	// Duties are the bits of web.Duty.
	Duties uint8 `json:"duties"`
}

// String returns the school's number, never the name.
func (p Person) String() string { return "number " + p.Number }

// Line returns the message as it travels, with the end of its line.
func (m Message) Line() ([]byte, error) {
	m.Format = format
	b, err := json.Marshal(m)
	if err == nil && len(b) >= maxMessage {
		err = fmt.Errorf("longer than %d bytes", maxMessage)
	}
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return append(b, '\n'), nil
}

// Reader reads messages. It holds at most one line.
type Reader struct{ lines *bufio.Scanner }

// NewReader returns a reader of what Message.Line or Word.Line wrote.
func NewReader(r io.Reader) *Reader {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), maxMessage)
	return &Reader{lines}
}

// Next returns the next message, io.EOF after the last, or an error that wraps
// ErrMessage or the reader's.
func (r *Reader) Next() (Message, error) {
	b, err := r.line()
	if err != nil {
		return Message{}, err
	}
	m, err := Parse(b)
	if err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	return m, nil
}

// line returns the next line, which the one after it overwrites.
func (r *Reader) line() ([]byte, error) {
	if r.lines.Scan() {
		return r.lines.Bytes(), nil
	}
	switch err := r.lines.Err(); {
	case err == nil:
		return nil, io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	default:
		return nil, fmt.Errorf("read message: %w", err)
	}
}

// Parse reads one message without the end of its line, and nothing that Line
// would not write.
func Parse(b []byte) (m Message, err error) {
	if len(b) >= maxMessage {
		return Message{}, fmt.Errorf("longer than %d bytes", maxMessage)
	}
	if err := Decode(bytes.NewReader(b), &m); err != nil {
		return Message{}, err
	}
	if err := m.check(); err != nil {
		return Message{}, err
	}
	return m, nil
}

// maxBody bounds what stands in the body of a request or of its answer.
const maxBody = 4 << 10

// Body reads the body of a request to a gate, or of its answer, into v.
func Body(r io.Reader, v any) error { return Decode(io.LimitReader(r, maxBody), v) }

// Decode reads exactly one value of JSON without a field that v does not have.
func Decode(r io.Reader, v any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one value")
	}
	return nil
}

var (
	gateName = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	cursor   = regexp.MustCompile(`^[0-9.]*$`)
)

func (m Message) check() error {
	switch {
	case m.Format != format:
		return fmt.Errorf("format %d, want %d", m.Format, format)
	case !gateName.MatchString(m.Gate):
		return errors.New("no name of a gate")
	case len(m.Next) > maxCursor || !cursor.MatchString(m.Next):
		return errors.New("no place to go on from")
	case len(m.Open) > Most || len(m.Answered) > Most:
		return fmt.Errorf("more than %d alarms", Most)
	}
	for _, list := range [][]Alarm{m.Open, m.Answered} {
		for _, a := range list {
			if err := a.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a Alarm) check() error {
	switch {
	case !isArrival(a.Arrival):
		return errors.New("no name of an arrival")
	case len(a.Name) > MaxText || len(a.Class) > MaxText:
		return fmt.Errorf("a name longer than %d bytes", MaxText)
	}
	return nil
}

// isArrival reports whether s is "boot-counter" in the one spelling that a gate
// writes.
func isArrival(s string) bool {
	boot, counter, _ := strings.Cut(s, "-")
	b, err1 := strconv.ParseUint(boot, 10, 64)
	c, err2 := strconv.ParseUint(counter, 10, 32)
	return err1 == nil && err2 == nil && s == fmt.Sprintf("%d-%d", b, c)
}
