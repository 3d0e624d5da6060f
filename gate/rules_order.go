package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

const (
	// orderStands is how long an order that was scanned waits for its PIN, and
	// orderSaid for how long the page says that one was refused.
	orderStands = 15 * time.Minute
	orderSaid   = 2 * time.Minute
	// ordersMost bounds the scans that wait to be read.
	ordersMost = 4
	// orderReason begins the reason of an entry by which somebody has confirmed a
	// policy order.
	orderReason = "order:"
)

// scannedOrder is what became of the order that a lane scanned last. Its zero
// value is none.
type scannedOrder struct {
	x     *ruling       // waits for its PIN; nil where it was refused
	wrong string        // why it was refused, in web's words behind "order."
	text  string        // as it was scanned
	until time.Duration // monotonic
}

// scanned takes a scan that is a policy order, which is never an arrival, and
// reports whether it is one. Reading it is not the lane's work.
func (r *rules) scanned(text []byte) bool {
	if !bytes.HasPrefix(text, []byte(policy.OrderPrefix)) {
		return false
	}
	select {
	case r.heard <- string(text):
	default: // it is scanned again where nothing comes of it
	}
	return true
}

// hear lets an order wait for whoever is on duty, or refuses it by an entry and
// a line on the page. A scanner before which the paper is held reads it again and
// again: that is one refusal.
func (r *rules) hear(text string) {
	x, err := r.order(text)
	now := r.g.o.Now().Mono
	next, last := scannedOrder{x: x, text: text, until: now + orderStands}, r.lastScan()
	if err != nil {
		next = scannedOrder{wrong: wrongWord(err), text: text, until: now + orderSaid}
	}
	if err != nil && (last.text != text || last.wrong != next.wrong) {
		r.g.log.Warn("policy order refused", "err", err)
		r.g.recorder.note(entry.Device{Role: "document", Event: entry.DeviceFault, Detail: clip(fmt.Sprintf("policy order refused: %v", err), 200)}, 0)
	}
	r.mu.Lock()
	r.scan = next
	r.mu.Unlock()
	r.g.changed()
}

// wrongWord says in one of web's words why an order was refused.
func wrongWord(err error) string {
	switch {
	case errors.Is(err, errPolicyOld):
		return "old"
	case errors.Is(err, errPolicyScope):
		return "scope"
	case errors.Is(err, policy.ErrUntrusted):
		return "untrusted"
	case errors.Is(err, policy.ErrEdition):
		return "edition"
	}
	return "unreadable"
}

// lastScan returns the order that was scanned last, as long as it stands.
func (r *rules) lastScan() scannedOrder {
	now := r.g.o.Now().Mono
	r.mu.Lock()
	defer r.mu.Unlock()
	if now >= r.scan.until {
		r.scan = scannedOrder{}
	}
	return r.scan
}

// asks returns what the order that was scanned last asks of whoever is on duty.
func (r *rules) asks() []guard.Question {
	switch scan := r.lastScan(); {
	case scan.x != nil:
		doc, before := scan.x.doc, r.now.Load().doc
		return []guard.Question{{
			Kind: guard.AskOrder, About: fmt.Sprint(doc.Spec.Number), Number: doc.Spec.Number, Date: doc.ValidFrom, Changes: changesOf(before, doc),
		}}
	case scan.wrong != "":
		return []guard.Question{{Kind: guard.AskOrderWrong, About: scan.wrong}}
	}
	return nil
}

// drop lets nothing come of the order that was scanned last.
func (r *rules) drop() {
	r.mu.Lock()
	r.scan = scannedOrder{}
	r.mu.Unlock()
	r.g.changed()
}

// TakeOrder implements guard.Orders. The entry by name comes first: whoever takes
// a policy by hand answers for it.
func (g *Gate) TakeOrder(ctx context.Context, c guard.Confirmation) error {
	x := g.rules.lastScan().x
	if x == nil || x.doc.Spec.Number != c.Number {
		return guard.ErrStale
	}
	who, ok := (staff{g.roster}).Standing(c.By.ID)
	if !ok || !who.Duties.Any(web.DutyGuard|web.DutyLeader) {
		return guard.ErrNotAllowed
	}
	person, _ := g.roster.Snapshot().ByID(who.ID)
	if _, err := (staff{g.roster}).CheckPIN(ctx, person.Badge, c.PIN); err != nil {
		return fmt.Errorf("policy order: %w", err)
	}
	by := g.names(who.ID)
	if err := g.recorder.wait(ctx, entry.Answer{Act: entry.ActRulesSeen, By: by, Reason: fmt.Sprint(orderReason, c.Number)}); err != nil {
		return err
	}
	err := g.rules.enact(ctx, x)
	if errors.As(err, new(refusal)) {
		g.rules.drop()
		return guard.ErrStale // another one has come in between
	}
	if err != nil {
		return err
	}
	g.rules.drop()
	g.rules.choose()
	if g.policy().Number() == c.Number { // and whoever confirmed it has seen it
		g.recorder.note(entry.Answer{Act: entry.ActRulesSeen, By: by, Reason: fmt.Sprint(policyReason, c.Number)}, 0)
		g.questions.see(c.Number)
		g.changed()
	}
	return nil
}

// changesOf says what is new for whoever stands at the gate: not for whom, how
// long and for which reports the rules are, which is the office's.
func changesOf(before, after policy.Document) (all []guard.Change) {
	compared := screening.Compare(before.Spec, after.Spec)
	for _, c := range compared {
		all = append(all, guard.Change{Kind: string(c.Kind), Row: c.Row, Say: guard.Sentence(sayOf(c.Row, after.Spec, before.Spec)), From: c.From, To: c.To})
	}
	for _, s := range policy.Diff(atTheGate(before), atTheGate(after))[len(compared):] {
		all = append(all, guard.Change{Say: guard.Sentence(s)})
	}
	return all
}

// sayOf returns the sentence of a row, in the first of the rules that has one.
func sayOf(row string, in ...screening.Spec) screening.Text {
	for _, s := range in {
		for _, r := range s.Requirements {
			if r.ID == row && r.Say != (screening.Text{}) {
				return r.Say
			}
		}
	}
	return screening.Text{}
}

func atTheGate(d policy.Document) policy.Document {
	d.ValidFrom, d.ValidUntil, d.Schools, d.Deadlines = time.Time{}, time.Time{}, nil, nil
	d.Cases, d.Clusters = casefile.Rules{Rounds: d.Cases.Rounds}, nil
	return d
}
