package wire

import (
	"crypto/sha256"
	"errors"
	"fmt"
)

// maxBody leaves room for what stands around a document's body.
const maxBody = MaxPayload - maxShort

// RosterList is the body of a KindRoster document: the whole list of those
// whom a gate is to know.
type RosterList struct {
	// AllowLeft is how many people may leave where more than usual do.
	AllowLeft uint32
	// List is a numbered list as package roster writes it: everybody with the
	// roster number that the collector knows them by. Its own reader judges it.
	List []byte
}

type rosterBody struct {
	_      struct{} `cbor:",toarray"`
	Format uint8
	Kind   Kind
	RosterList
}

// Encode returns the list as a document's body.
func (l RosterList) Encode() ([]byte, error) {
	b, err := seal(&rosterBody{Format: format, Kind: KindRoster, RosterList: l}, maxBody)
	if err != nil {
		return nil, fmt.Errorf("encode roster list: %w", err)
	}
	return b, nil
}

// ParseRosterList bounds and reads what Encode writes, but for the list itself.
func ParseRosterList(b []byte) (RosterList, error) {
	var m rosterBody
	if err := parse(b, maxBody, &m); err != nil {
		return RosterList{}, fmt.Errorf("parse roster list: %w", err)
	}
	return m.RosterList, nil
}

func (m *rosterBody) check() error { return checkFormat(m.Format, m.Kind, KindRoster) }

// HoldOrder is the body of a KindHold document: it places a hold against one
// subject, or lifts the one that the same collector placed.
type HoldOrder struct {
	// Key is the subject's, as package roster makes it of roster number and
	// school number: at a gate with another roster the same roster number may be
	// somebody else.
	Key [sha256.Size]byte
	// Subject is a roster number, from 1.
	Subject uint64
	// Place says that the hold stands from now on; otherwise it is lifted.
	Place bool
}

type holdBody struct {
	_      struct{} `cbor:",toarray"`
	Format uint8
	Kind   Kind
	HoldOrder
}

// Encode returns the order as a document's body.
func (o HoldOrder) Encode() ([]byte, error) {
	b, err := seal(&holdBody{Format: format, Kind: KindHold, HoldOrder: o}, maxShort)
	if err != nil {
		return nil, fmt.Errorf("encode hold order: %w", err)
	}
	return b, nil
}

// ParseHoldOrder bounds and reads what Encode writes.
func ParseHoldOrder(b []byte) (HoldOrder, error) {
	var m holdBody
	if err := parse(b, maxShort, &m); err != nil {
		return HoldOrder{}, fmt.Errorf("parse hold order: %w", err)
	}
	return m.HoldOrder, nil
}

func (m *holdBody) check() error {
	if m.Subject == 0 {
		return errors.New("no subject")
	}
	if err := checkFormat(m.Format, m.Kind, KindHold); err != nil {
		return err
	}
	return checkCount("subject", m.Subject)
}
