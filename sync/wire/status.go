package wire

import "fmt"

// Status says whether a gate is connected. It is retained, and in its offline
// form the gate's will. Nobody signs it: it is shown and never acted on.
type Status struct {
	Online bool
	// Boot is the sequence number of the process's boot entry.
	Boot uint64
	// Program is the program's version, at most 200 bytes.
	Program string
	// Wall is the gate's Unix time in milliseconds when it wrote this; for a
	// will that is before it connected.
	Wall int64
}

type statusMessage struct {
	_      struct{} `cbor:",toarray"`
	Format uint8
	Kind   Kind
	Status
}

// Encode returns the message.
func (s Status) Encode() ([]byte, error) {
	b, err := seal(&statusMessage{Format: format, Kind: KindStatus, Status: s}, maxShort)
	if err != nil {
		return nil, fmt.Errorf("encode status: %w", err)
	}
	return b, nil
}

// ParseStatus bounds and reads a status that anybody may have written.
func ParseStatus(b []byte) (Status, error) {
	var m statusMessage
	if err := parse(b, maxShort, &m); err != nil {
		return Status{}, fmt.Errorf("parse status: %w", err)
	}
	return m.Status, nil
}

func (m *statusMessage) check() error {
	if err := checkFormat(m.Format, m.Kind, KindStatus); err != nil {
		return err
	}
	if err := checkCount("boot", m.Boot); err != nil {
		return err
	}
	return checkText("program", m.Program)
}

// Announce says that a collector has connected, so that gates say hello.
// Nobody signs it: all that a false one brings about is a hello.
type Announce struct {
	// Collector is the name of the collector.
	Collector string
}

type announceMessage struct {
	_      struct{} `cbor:",toarray"`
	Format uint8
	Kind   Kind
	Announce
}

// Encode returns the message.
func (a Announce) Encode() ([]byte, error) {
	b, err := seal(&announceMessage{Format: format, Kind: KindAnnounce, Announce: a}, maxShort)
	if err != nil {
		return nil, fmt.Errorf("encode announce: %w", err)
	}
	return b, nil
}

// ParseAnnounce bounds and reads an announcement that anybody may have written.
func ParseAnnounce(b []byte) (Announce, error) {
	var m announceMessage
	if err := parse(b, maxShort, &m); err != nil {
		return Announce{}, fmt.Errorf("parse announce: %w", err)
	}
	return m.Announce, nil
}

func (m *announceMessage) check() error {
	if err := checkFormat(m.Format, m.Kind, KindAnnounce); err != nil {
		return err
	}
	return checkName("collector", m.Collector)
}
