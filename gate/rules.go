package gate

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/screening/watch"
)

// Why a policy was not taken, for good.
var (
	errPolicyOld   = errors.New("its number is not above that of the newest policy here: numbers must rise")
	errPolicyScope = errors.New("it is not meant for this gate")
	errPolicyLarge = errors.New("it does not fit into an entry")
)

// Rules are whose policies a gate takes.
type Rules struct {
	// Signers are the keys whose signature counts, as wire.ParsePublicKey returned
	// them; none takes no policy but the built-in one.
	Signers []ed25519.PublicKey
	// Presets hold NAME.toml for policy orders.
	Presets fs.FS
}

// orderMark begins the line that keeps a policy order behind the policy that was
// made of it.
const orderMark = "# menshen-order: "

// policyMost is the longest policy file: it has to fit into an entry.
const policyMost = entry.MaxSize - 1<<10

// lookAgain is how often it is looked whether the day of a policy has come: the
// clock may have been set meanwhile.
const lookAgain = time.Minute

// ruling is one policy that was taken.
type ruling struct {
	doc      policy.Document
	compiled screening.Policy
	file     []byte // as it was signed
}

// inForce reports whether the policy is in force at a time. Since is the latest
// time that has certainly come.
func (x *ruling) inForce(since time.Time) bool {
	return !since.Before(x.doc.ValidFrom) && (x.doc.ValidUntil.IsZero() || since.Before(x.doc.ValidUntil))
}

// rules are the policies of this gate. The journal keeps them: the accepted
// policy is the body of its entry. One is always in force: the built-in one
// where none is that was taken.
type rules struct {
	g       *Gate
	o       Rules
	builtIn *ruling
	taking  sync.Mutex // held from the look at the numbers until the entry is durable
	woken   chan struct{}
	heard   chan string // policy orders that a lane has scanned
	now     atomic.Pointer[ruling]

	mu    sync.Mutex
	taken []*ruling // numbers rise
	scan  scannedOrder
	// chosen is the time by which the one in force was chosen last.
	chosen time.Time
}

func newRules(g *Gate, o Rules) (*rules, error) {
	doc := policy.Document{Spec: screening.Default(), Cases: casefile.DefaultRules(), Clusters: watch.DefaultRules()}
	compiled, err := screening.Compile(doc.Spec)
	if err != nil {
		return nil, fmt.Errorf("built-in policy: %w", err)
	}
	r := &rules{g: g, o: o, woken: make(chan struct{}, 1), heard: make(chan string, ordersMost), builtIn: &ruling{doc: doc, compiled: compiled}}
	r.now.Store(r.builtIn)
	return r, nil
}

// policy returns the policy in force at the gate. A lane may still be serving
// somebody under the one before.
func (g *Gate) policy() screening.Policy { return g.rules.now.Load().compiled }

// document returns the policy in force with what it says beside the lanes.
func (g *Gate) document() policy.Document { return g.rules.now.Load().doc }

// replay takes the entry of a policy at start. What this program cannot read a
// newer one took: the rules before it go on, and the log says so.
func (r *rules) replay(e entry.Entry) {
	var body entry.Policy
	err := e.Decode(&body)
	if err == nil {
		var x *ruling
		if x, err = readRuling(body.Text); err == nil {
			r.add(x)
			return
		}
	}
	r.g.log.Error("a policy of the journal cannot be read and is not in force", "number", body.Number, "err", err)
}

func readRuling(file []byte) (*ruling, error) {
	doc, err := policy.Parse("policy", file)
	if err != nil {
		return nil, err
	}
	compiled, err := screening.Compile(doc.Spec)
	if err != nil {
		return nil, err
	}
	return &ruling{doc: doc, compiled: compiled, file: bytes.Clone(file)}, nil
}

func (r *rules) add(x *ruling) {
	r.mu.Lock()
	r.taken = append(r.taken, x)
	r.mu.Unlock()
	r.g.questions.know(x.doc)
}

// newest returns the policy that was taken last, nil for none.
func (r *rules) newest() *ruling {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.taken) == 0 {
		return nil
	}
	return r.taken[len(r.taken)-1]
}

// take takes a signed policy file. What is refused for good is a refusal.
func (r *rules) take(ctx context.Context, file []byte) error {
	if len(file) > policyMost {
		return refusal{errPolicyLarge}
	}
	if _, err := policy.Verify(file, r.o.Signers); err != nil {
		return refusal{err}
	}
	x, err := readRuling(file)
	if err != nil {
		return refusal{err}
	}
	return r.enact(ctx, x)
}

// order reads a policy order into the policy that it makes of its preset, which
// enact may then take.
func (r *rules) order(text string) (*ruling, error) {
	o, err := policy.ParseOrder(text, r.o.Signers)
	if err != nil {
		return nil, err
	}
	preset, err := policy.Preset(r.o.Presets, o.Preset)
	if err != nil {
		return nil, err
	}
	_, body, err := o.Apply(preset)
	if err != nil {
		return nil, err
	}
	x, err := readRuling(append(body, orderMark+text+"\n"...))
	if err != nil {
		return nil, err
	}
	return x, r.fits(x)
}

// fits reports why a policy is not for this gate, or comes too late.
func (r *rules) fits(x *ruling) error {
	last := r.newest()
	switch number := x.doc.Spec.Number; {
	case !x.doc.For(r.g.o.Config.Gate):
		return errPolicyScope
	case number == 0, last != nil && number <= last.doc.Spec.Number:
		return errPolicyOld
	}
	return nil
}

// enact takes a policy whose signature was verified. The entry comes first: a
// crash before it leaves the policy to come again, one after it finds it in the
// journal. The newest one may come again.
func (r *rules) enact(ctx context.Context, x *ruling) error {
	r.taking.Lock()
	defer r.taking.Unlock()
	if last := r.newest(); last != nil && bytes.Equal(last.file, x.file) {
		return nil
	}
	if err := r.fits(x); err != nil {
		return refusal{err}
	}
	if err := r.g.recorder.wait(ctx, x.entry()); err != nil {
		return err
	}
	r.add(x)
	r.wake()
	return nil
}

// carried returns the entries by which every policy stands in the next journal.
func (r *rules) carried() (drafts []journal.Draft) {
	stamp := r.g.recorder.clock.look()
	for _, x := range r.taken {
		drafts = append(drafts, journal.Draft{Kind: entry.KindPolicy, Stamp: stamp, Body: x.entry()})
	}
	return drafts
}

func (x *ruling) entry() entry.Policy {
	return entry.Policy{Number: x.doc.Spec.Number, Name: x.doc.Spec.Name, Text: x.file}
}

// wake has it looked which policy is in force.
func (r *rules) wake() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

// run brings policies into force and out of it.
func (r *rules) run(ctx context.Context) error {
	for {
		var again <-chan time.Time
		waits, scan := r.choose(), r.lastScan()
		if waits || scan != (scannedOrder{}) {
			again = time.After(lookAgain)
		}
		select {
		case <-ctx.Done():
			return nil
		case text := <-r.heard:
			r.hear(text)
		case <-r.woken:
		case <-again:
			if r.lastScan() != scan {
				r.g.changed() // it stands no more
			}
		}
	}
}

// choose puts the newest policy into force whose time has come and is not over,
// and tells the lanes, which take it between two arrivals. A clock that nobody
// vouches for neither begins nor ends one: then only the time of the newest
// entry has certainly come. It reports whether a day is still to come.
func (r *rules) choose() (waits bool) {
	stamp := r.g.recorder.now()
	since := stamp.Wall
	if stamp.Clock < entry.ClockConfirmed {
		since = r.g.recorder.clock.least()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.builtIn
	r.chosen = since
	for _, t := range r.taken {
		if t.inForce(since) {
			x = t
		}
		waits = waits || since.Before(t.doc.ValidFrom) || since.Before(t.doc.ValidUntil)
	}
	if before := r.now.Swap(x); before != x {
		r.g.log.Info("policy in force", "number", x.doc.Spec.Number, "name", x.doc.Spec.Name, "before", before.doc.Spec.Number)
		r.g.register.forgetSeen()
		for _, l := range r.g.lanes {
			l.send(lane.PolicyChanged{Policy: x.compiled})
		}
		r.g.changed()
	}
	return waits
}
