package room

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/menshen/menshen/web"
)

// errNoGate says that no gate could be asked.
var errNoGate = errors.New("no gate can be asked")

// staff lets the gates say who signs on at the board. Nothing of a PIN stays
// here.
type staff struct {
	callers []*caller

	mu      sync.Mutex
	numbers []string // the school's own; a web.Person's ID is its place here, from 1
}

// CheckPIN implements web.Staff. The gates are asked in the order of the
// configuration, until one knows badge and PIN or has locked them.
func (s *staff) CheckPIN(ctx context.Context, badge, pin string) (web.Person, error) {
	said := errNoGate
	for _, c := range s.callers {
		p, err := c.signOn(ctx, badge, pin)
		switch {
		case err == nil:
			return web.Person{ID: s.id(p.Number), Name: p.Name, Duties: web.Duty(p.Duties)}, nil
		case errors.Is(err, web.ErrLocked):
			return web.Person{}, err
		case errors.Is(err, web.ErrNoDuty), errors.Is(err, web.ErrPIN) && !errors.Is(said, web.ErrNoDuty):
			said = err
		default:
			c.log.Warn("nobody can sign on by this gate", "err", err)
		}
	}
	return web.Person{}, said
}

// id returns the number by which the board's sessions know somebody.
func (s *staff) id(number string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.numbers, number)
	if i < 0 {
		i, s.numbers = len(s.numbers), append(s.numbers, number)
	}
	return uint64(i + 1)
}

// number returns the school's number of somebody who has signed on.
func (s *staff) number(id uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == 0 || id > uint64(len(s.numbers)) {
		return ""
	}
	return s.numbers[id-1]
}
