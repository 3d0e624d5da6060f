package district

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"time"

	"github.com/menshen/menshen/district/pull"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/web"
)

// lookWithin bounds one look at who is let in.
const lookWithin = 5 * time.Second

// MinPassword is the least length of a gate's password: only long ones are safe
// under a hash that is fast enough for all gates of a district at once.
const MinPassword = 20

// HashPassword returns how a gate's password is kept.
func HashPassword(gate, password string) [sha256.Size]byte {
	return sha256.Sum256([]byte("menshen gate password v1\n" + gate + "\n" + password))
}

// gateMayConnect is asked by the broker at each connection.
func (d *District) gateMayConnect(name, password string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), lookWithin)
	defer cancel()
	g, err := d.store.Gate(ctx, name)
	if err != nil {
		if !errors.Is(err, store.ErrUnknown) {
			d.log.Error("gate not let in", "gate", name, "err", err)
		}
		return false
	}
	hash := HashPassword(name, password)
	return g.Password != [sha256.Size]byte{} && subtle.ConstantTimeCompare(hash[:], g.Password[:]) == 1
}

// watchGates ends the connections of gates that were shut out, or let in anew
// with another key or password.
func (d *District) watchGates(ctx context.Context) error {
	tick := time.NewTicker(d.lookEvery)
	defer tick.Stop()
	var before map[string]admission
	for {
		now, err := d.admissions(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			d.log.Error("gates not looked at", "err", err)
		default:
			d.expel(before, now)
			before = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// admission is by what a gate is let in.
type admission struct{ key, password [sha256.Size]byte }

// admissions returns the gates that are let in.
func (d *District) admissions(ctx context.Context) (map[string]admission, error) {
	gates, err := d.store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]admission{}
	for _, g := range gates {
		if g.Revoked.IsZero() {
			all[g.Name] = admission{[sha256.Size]byte(g.Key), g.Password}
		}
	}
	return all, nil
}

func (d *District) expel(before, now map[string]admission) {
	for name, was := range before {
		if is, ok := now[name]; ok && is == was {
			continue
		}
		d.log.Info("gate's admission ended or changed", "gate", name)
		if d.broker != nil {
			d.broker.Disconnect(name)
		}
	}
	if len(before) != len(now) {
		d.live.changed()
	}
}

// staff lets whoever has a token see the page. There is no lock against
// guessing: a token has 130 random bits.
type staff struct{ store *store.Store }

// CheckPIN implements web.Staff. The token is the PIN.
func (s staff) CheckPIN(ctx context.Context, _, pin string) (web.Person, error) {
	t, err := s.store.Token(ctx, pull.Hash(pin))
	if errors.Is(err, store.ErrUnknown) {
		return web.Person{}, web.ErrPIN
	}
	return person(t), err
}

func person(t store.Token) web.Person {
	return web.Person{ID: binary.BigEndian.Uint64(t.Hash[:]), Name: t.Name}
}

// Stands reports whether the token by which somebody signed in is still there.
func (d *District) Stands(ctx context.Context, p web.Person) bool {
	tokens, err := d.store.Tokens(ctx)
	if err != nil {
		d.log.Error("tokens not looked up", "err", err)
		return false
	}
	for _, t := range tokens {
		if person(t).ID == p.ID {
			return true
		}
	}
	return false
}
