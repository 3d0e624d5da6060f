package district

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	page "github.com/menshen/menshen/web/district"
)

const (
	// viewFor is how long a view is shown before it is made anew, whatever
	// comes: on a busy morning something comes all the time.
	viewFor = 500 * time.Millisecond
	// maxRefusals is how many refused messages are shown, and how many names
	// that the broker refused.
	maxRefusals = 20
	// maxAlarms is how many announced alarms are shown.
	maxAlarms = 50
)

// view is the last view that was made, for all pages.
type view struct {
	mu     sync.Mutex
	made   time.Time
	urgent int
	last   page.View
}

// View returns what is known now, up to half a second old unless something
// urgent has come.
func (d *District) View(ctx context.Context) (page.View, error) {
	d.view.mu.Lock()
	defer d.view.mu.Unlock()
	v, urgent, now := &d.view, d.live.urgency(), d.now()
	if !v.made.IsZero() && urgent == v.urgent && now.Sub(v.made) < viewFor {
		return v.last, nil
	}
	fresh, err := d.look(ctx, now)
	if err != nil {
		return page.View{}, err
	}
	v.made, v.urgent, v.last = now, urgent, fresh
	return fresh, nil
}

// look reads everything that a page shows.
func (d *District) look(ctx context.Context, now time.Time) (v page.View, err error) {
	v = page.View{Name: d.o.Config.Name, Title: d.o.Config.Title, Now: now.Local()}
	var live map[string]seen
	v.Connected, live = d.live.snapshot()
	gates, err := d.store.Gates(ctx)
	if err != nil {
		return v, err
	}
	divergences, err := d.store.Divergences(ctx)
	if err != nil {
		return v, err
	}
	documents, err := d.Documents(ctx)
	if err != nil {
		return v, err
	}
	emergencies, err := readEmergencies(ctx, d.store, now)
	if err != nil {
		return v, err
	}
	policies, err := readStands(ctx, d.store, d.shelf)
	if err != nil {
		return v, err
	}
	for _, p := range policies.list(gates) {
		v.Policies = append(v.Policies, p.page())
	}
	byName := map[string]store.Gate{}
	for _, g := range gates {
		byName[g.Name] = g
		k := known{gate: g, seen: live[g.Name], calendar: d.o.Config.Calendar, connected: v.Connected, now: now, documents: documents[g.Name]}
		if err := k.read(ctx, d.store, divergences); err != nil {
			return v, err
		}
		shown := k.page()
		shown.Emergency = emergencies[g.Name]
		policies.at(g.Name, now).show(&shown.Documents)
		v.Gates = append(v.Gates, shown)
	}
	slices.SortStableFunc(v.Gates, func(a, b page.Gate) int {
		return cmp.Or(urgentFirst(a, b), cmp.Compare(a.State, b.State), cmp.Compare(b.Today.Isolate, a.Today.Isolate))
	})
	for _, x := range divergences {
		v.Divergences = append(v.Divergences, page.Divergence{
			Gate: x.Gate, Epoch: x.Epoch, Noticed: x.Noticed, Held: x.Held.Size, Claimed: x.Claimed.Size,
		})
	}
	return v, d.lookBeside(ctx, &v, byName)
}

func urgentFirst(a, b page.Gate) int {
	switch {
	case a.Urgent == b.Urgent:
		return 0
	case a.Urgent:
		return -1
	}
	return 1
}

// lookBeside reads what is no part of the record.
func (d *District) lookBeside(ctx context.Context, v *page.View, gates map[string]store.Gate) error {
	alarms, err := d.store.Alarms(ctx)
	if err != nil {
		return err
	}
	v.Alarms, v.MoreAlarms = announced(alarms, gates)
	refusals, err := d.store.Refusals(ctx)
	if err != nil {
		return err
	}
	for _, r := range refusals[:min(len(refusals), maxRefusals)] {
		v.Refusals = append(v.Refusals, page.Refusal{Gate: r.Gate, Reason: r.Reason, Received: r.Received})
	}
	if d.broker == nil {
		return nil // the other one's own log has it
	}
	attempts := d.broker.Refusals()
	for _, r := range attempts[:min(len(attempts), maxRefusals)] {
		v.Attempts = append(v.Attempts, page.Attempt{Gate: r.Name, Kind: r.Kind.String(), Detail: r.Detail, Times: r.Times, Last: r.Last})
	}
	return nil
}

// announced returns how the oldest alarms are shown, and how many more there
// are: a page of thousands would help nobody.
func announced(alarms []store.Alarm, gates map[string]store.Gate) (shown []page.Alarm, more int) {
	n := min(len(alarms), maxAlarms)
	for _, a := range alarms[:n] {
		g := gates[a.Gate]
		one := page.Alarm{Gate: a.Gate, School: g.School, Duty: g.Duty, Seq: a.Seq, At: a.Received, Received: a.Received}
		if e, err := entry.Unmarshal(a.Leaf); err == nil {
			one.At = time.UnixMilli(e.Wall)
		}
		shown = append(shown, one)
	}
	return shown, len(alarms) - n
}

// known is what is known of one gate.
type known struct {
	gate      store.Gate
	seen      seen
	calendar  calendar.Calendar
	connected bool // there is a session with the broker
	now       time.Time
	journal   store.Stream // the newest; zero if there is none
	last      entry.Entry  // its newest entry here; zero if there is none
	arrived   bool         // somebody has, in the present arrival window
	diverged  time.Time    // when that was noticed of this journal; zero if it was not
	today     page.Counts
	documents Documents
}

func (k *known) read(ctx context.Context, s *store.Store, divergences []store.Divergence) error {
	journals, err := s.Streams(ctx, k.gate.Name)
	if err != nil {
		return err
	}
	if len(journals) > 0 {
		k.journal = journals[len(journals)-1]
	}
	if size := k.journal.Tree.Size(); size > 0 {
		leaf, err := s.Leaf(ctx, k.gate.Name, k.journal.Epoch, size-1)
		if err != nil {
			return err
		}
		if k.last, err = entry.Unmarshal(leaf); err != nil {
			return err
		}
	}
	if k.seen.online {
		if err := k.lookForArrival(ctx, s); err != nil {
			return err
		}
	}
	for _, d := range divergences {
		if d.Gate == k.gate.Name && d.Epoch == k.journal.Epoch {
			k.diverged = d.Noticed
		}
	}
	today := dayOf(k.now)
	counts, err := s.Counts(ctx, k.gate.Name, today, today)
	k.today = sum(counts)
	return err
}

// sum takes of each outcome the largest count of any epoch, not all of them:
// where a card was put back, its new journal repeats the old entries.
func sum(counts []store.Count) (c page.Counts) {
	for _, n := range counts {
		switch n.Key {
		case screening.Admit.String():
			c.Admit = max(c.Admit, n.N)
		case screening.Recheck.String():
			c.Recheck = max(c.Recheck, n.N)
		case screening.Refer.String():
			c.Refer = max(c.Refer, n.N)
		case screening.Refuse.String():
			c.Refuse = max(c.Refuse, n.N)
		case screening.Isolate.String():
			c.Isolate = max(c.Isolate, n.N)
		}
	}
	return c
}

func (k *known) page() page.Gate {
	now := k.stand()
	g := page.Gate{Name: k.gate.Name, School: k.gate.School, Duty: k.gate.Duty, Today: k.today,
		State: now.state, Since: now.since, Urgent: now.urgent, Documents: k.documents.page()}
	if k.last.Kind != 0 {
		g.Last = time.UnixMilli(k.last.Wall)
	}
	g.Backlog, g.BacklogKnown = k.backlog(), k.seen.told && k.seen.online && k.seen.epoch != 0
	return g
}

// backlog is how much the gate's last hello is ahead of the store.
func (k *known) backlog() uint64 {
	if size := k.journal.Tree.Size(); k.seen.epoch == k.journal.Epoch && k.seen.size > size {
		return k.seen.size - size
	}
	return 0
}

// page returns what is shown of the documents at a gate.
func (d Documents) page() page.Documents {
	shown := page.Documents{Roster: d.Roster.Version, Policy: d.Policy, Refused: d.Refused, RefusedAt: d.RefusedAt}
	if !d.Taken {
		shown.Missing = d.Posted
	}
	return shown
}
