package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Why a browser was not paired, for the person to read.
var (
	// ErrCode says that these are not the digits of a code that stands. It
	// does not say whether one stands.
	ErrCode = errors.New("no such pairing code")
	// ErrTries says that too many wrong codes came from this address.
	ErrTries = errors.New("too many wrong pairing codes")
	// ErrManyPaired says that no more browsers can be paired.
	ErrManyPaired = errors.New("too many paired browsers")
)

const (
	// CodeLife is how long a code stands, unless it is used before.
	CodeLife = 5 * time.Minute
	// PairedLife is how long a browser stays paired.
	PairedLife = 180 * 24 * time.Hour
	// MaxPaired bounds the browsers that are paired with one gate: a phone for each
	// class of a large school among them.
	MaxPaired = 96

	codeDigits = 6
	// maxCodeTries wrong codes end the one that stands. Of a million codes
	// somebody who guesses hits one in 200,000 presses.
	maxCodeTries = 5

	pairedCookie = "menshen_place"
)

// Paired is one browser of another machine that may show pages.
type Paired struct {
	// Number is what the browser is called by, from 1.
	Number int
	// Digest is the SHA-256 of the browser's secret.
	Digest [sha256.Size]byte
	// Place is one of Places.
	Place Place
	// Began and Until are wall time.
	Began, Until time.Time
}

// PairedKeeper keeps paired browsers across restarts.
type PairedKeeper interface {
	// Paired returns what KeepPaired was given last, before a restart too.
	Paired(ctx context.Context) ([]Paired, error)
	// KeepPaired keeps these browsers and no others.
	KeepPaired(ctx context.Context, list []Paired) error
}

// Pairing knows which browsers of other machines may show a gate's pages, and
// the one code by which another may be added. Being paired gives sight of pages
// and nothing else: who acts signs on there. It starts no goroutine and no
// timer, and is safe for concurrent use.
type Pairing struct {
	keeper PairedKeeper
	now    func() time.Time

	changing sync.Mutex // from before a change of paired until it is kept; taken before mu
	mu       sync.Mutex
	paired   []Paired
	code     code
	tries    addresses
}

// code is what the gate's screen shows; without digits there is none.
type code struct {
	digits string
	place  Place
	ends   time.Time // carries the monotonic clock
	wrong  int
}

// NewPairing returns the pairing of a gate with the browsers that are kept. Now
// is wall time. Where they cannot be read, every browser is to be paired again.
func NewPairing(ctx context.Context, keeper PairedKeeper, now func() time.Time, log *slog.Logger) *Pairing {
	list, err := keeper.Paired(ctx)
	if err != nil {
		log.Error("paired browsers not read; pair them again", "component", "web", "err", err)
	}
	return &Pairing{keeper: keeper, now: now, paired: list, tries: addresses{}}
}

// Begin makes the code by which one browser will be paired for a place, instead
// of the code before.
func (p *Pairing) Begin(s Place) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // never: crypto/rand ends the process instead
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.code = code{digits: fmt.Sprintf("%0*d", codeDigits, n), place: s, ends: time.Now().Add(CodeLife)}
}

// Code returns the code that stands and what it pairs as.
func (p *Pairing) Code() (digits string, s Place, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ok = p.code.stands(time.Now())
	if !ok {
		return "", 0, false
	}
	return p.code.digits, p.code.place, true
}

func (c code) stands(now time.Time) bool {
	return c.digits != "" && c.wrong < maxCodeTries && now.Before(c.ends)
}

// Pair takes the digits that somebody typed and gives this browser a cookie. It
// returns ErrCode, ErrTries, ErrManyPaired, or why the browser could not be kept;
// then the code is used up all the same.
func (p *Pairing) Pair(w http.ResponseWriter, r *http.Request, typed string) error {
	p.changing.Lock()
	defer p.changing.Unlock()
	place, err := p.use(r, typed)
	if err != nil {
		return err
	}
	next := p.List()
	if len(next) >= MaxPaired {
		return ErrManyPaired
	}
	number := 1
	if len(next) > 0 {
		number = next[len(next)-1].Number + 1
	}
	secret, digest := newSecret()
	now := p.now()
	if err := p.keep(r.Context(), append(next, Paired{number, digest, place, now, now.Add(PairedLife)})); err != nil {
		return err
	}
	setCookie(w, r, pairedCookie, secret, PairedLife)
	return nil
}

// use compares what was typed with the code, and uses it up when it is right.
func (p *Pairing) use(r *http.Request, typed string) (Place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, from := time.Now(), addressOf(r)
	if p.tries.locked(from, now) {
		return 0, ErrTries
	}
	digits, ok := parseCode(typed)
	if !ok {
		return 0, ErrCode // a slip, which no code was guessed by
	}
	if p.code.stands(now) && subtle.ConstantTimeCompare([]byte(digits), []byte(p.code.digits)) == 1 {
		place := p.code.place
		p.code = code{}
		return place, nil
	}
	p.code.wrong++
	p.tries.wrong(from, now)
	return 0, ErrCode
}

// parseCode reads six digits as they are typed: with spaces, which say nothing.
func parseCode(typed string) (string, bool) {
	digits := strings.ReplaceAll(typed, " ", "")
	if len(digits) != codeDigits || strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
		return "", false
	}
	return digits, true
}

// keep makes list the paired browsers once it is kept. The caller holds changing.
func (p *Pairing) keep(ctx context.Context, list []Paired) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepWithin)
	defer cancel()
	if err := p.keeper.KeepPaired(ctx, list); err != nil {
		return fmt.Errorf("keep paired browsers: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paired = list
	return nil
}

// Place returns what the browser that sent r was paired as, 0 if it was not.
func (p *Pairing) Place(r *http.Request) Place {
	digest, ok := secretOf(r, pairedCookie)
	if !ok {
		return 0
	}
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.paired {
		if o.Digest == digest && now.Before(o.Until) {
			return o.Place
		}
	}
	return 0
}

// List returns the paired browsers by their numbers.
func (p *Pairing) List() []Paired {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(p.paired), func(o Paired) bool { return !now.Before(o.Until) })
}

// Remove ends the pairing of one browser at once, whatever it shows. It reports
// whether there was one of that number.
func (p *Pairing) Remove(ctx context.Context, number int) (bool, error) {
	p.changing.Lock()
	defer p.changing.Unlock()
	next := p.List()
	before := len(next)
	next = slices.DeleteFunc(next, func(o Paired) bool { return o.Number == number })
	if len(next) == before {
		return false, nil
	}
	return true, p.keep(ctx, next)
}
