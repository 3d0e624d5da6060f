package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/sync/wire"
)

// documentsFile holds the number of the newest document of each sort that was
// taken or refused, so that an old one that somebody kept is not taken again.
const documentsFile = "documents.json"

// inboxLen is how many documents may wait for the disk.
const inboxLen = 64

// document is one that a collector signed.
type document struct {
	collector string
	wire.Down
}

// sort names those among which numbers rise.
func (d document) sort() string { return d.collector + "/" + d.Kind.String() + "/" + d.Scope }

// origin says in entries who is behind something; it names no person.
func origin(collector string) string { return "collector:" + collector }

// inbox takes documents from the collectors, one after the other, away from
// uplinks and lanes. Only run's goroutine touches what lies below waiting.
type inbox struct {
	g       *Gate
	log     *slog.Logger
	waiting chan document
	path    string
	numbers map[string]uint64
	dirty   bool // numbers are not on the disk yet
	owed    bool // the hold in hand stands, and its entry is not on the disk yet
}

func newInbox(g *Gate, log *slog.Logger) inbox {
	return inbox{g: g, log: log, waiting: make(chan document, inboxLen), numbers: map[string]uint64{}}
}

// open reads the numbers.
func (in *inbox) open(path string) error {
	in.path = path
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &in.numbers)
	}
	if err != nil {
		return fmt.Errorf("read numbers of documents: %w", err)
	}
	return nil
}

// from returns what an uplink hands its documents to.
func (in *inbox) from(collector string) func(wire.Down) error {
	return func(d wire.Down) error {
		select {
		case in.waiting <- document{collector, d}:
			return nil
		default:
			return errors.New("earlier documents wait for the disk")
		}
	}
}

// run takes what comes, and tries again while the disk is at fault.
func (in *inbox) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case d := <-in.waiting:
			for err := in.take(ctx, d); err != nil; err = in.take(ctx, d) {
				in.log.Error("document waits", "sort", d.sort(), "number", d.Number, "err", err)
				select {
				case <-ctx.Done():
					return nil
				case <-time.After(probeEvery):
				}
			}
		}
	}
}

// take brings a document into force, or refuses it by an entry. A crash before
// the number is written brings the document back if the broker retains it, or
// the collector repeats it: to take one twice changes nothing.
func (in *inbox) take(ctx context.Context, d document) error {
	if d.Number > in.numbers[d.sort()] {
		err := in.apply(ctx, d)
		var no refusal
		if errors.As(err, &no) {
			in.log.Warn("document refused", "sort", d.sort(), "number", d.Number, "err", no)
			err = in.g.recorder.wait(ctx, entry.Device{Role: "document", Event: entry.DeviceFault,
				Detail: clip(fmt.Sprintf("%s %d refused: %v", d.sort(), d.Number, no), 200)})
		} else if err == nil {
			in.log.Info("document taken", "sort", d.sort(), "number", d.Number)
		}
		if err != nil {
			return err
		}
		in.numbers[d.sort()], in.dirty = d.Number, true
	}
	if !in.dirty {
		return nil
	}
	b, err := json.MarshalIndent(in.numbers, "", "  ")
	if err == nil {
		err = replaceFile(in.path, b)
	}
	if err != nil {
		return fmt.Errorf("write numbers of documents: %w", err)
	}
	in.dirty = false
	return nil
}

// refusal is why a document is refused for good.
type refusal struct{ error }

func (in *inbox) apply(ctx context.Context, d document) error {
	switch d.Kind {
	case wire.KindHold:
		return in.hold(ctx, d)
	case wire.KindRoster:
		return in.roster(ctx, d)
	case wire.KindPolicy:
		return in.g.rules.take(ctx, d.Body)
	}
	return refusal{errors.New("unknown kind of document")}
}

// hold places or lifts a hold that stands beside those of the gate's own: a
// collector lifts what it placed, and never what was found here. It repeats an
// order under new numbers until it has seen the entry, so what stands already
// is not placed again, nor lifted what does not stand.
func (in *inbox) hold(ctx context.Context, d document) error {
	order, err := wire.ParseHoldOrder(d.Body)
	if err != nil {
		return refusal{err}
	}
	switch person, ok := in.g.roster.Snapshot().ByID(order.Subject); {
	case !ok || person.Left:
		return refusal{fmt.Errorf("nobody on the roster has roster number %d", order.Subject)}
	case person.Key() != order.Key:
		return refusal{fmt.Errorf("roster number %d is somebody else on the gate's roster", order.Subject)}
	}
	if order.Place {
		return in.place(ctx, order.Subject, origin(d.collector))
	}
	return in.lift(ctx, order.Subject, origin(d.collector))
}

// place: the hold first, because whether or not it can be recorded, nobody
// admits. A crash between hold and entry forgets both, and the repeat finds
// nothing; a disk at fault forgets neither, so the entry stays owed.
func (in *inbox) place(ctx context.Context, subject uint64, from string) error {
	g := in.g
	g.register.deciding.Lock()
	defer g.register.deciding.Unlock()
	if g.register.place(subject, from) {
		in.owed = true
		for _, l := range g.lanes {
			l.send(lane.HoldPlaced{Subject: subject})
		}
		g.changed()
	}
	if !in.owed {
		return nil
	}
	err := g.recorder.wait(ctx, holdEntry(entry.ActHoldPlaced, subject, from))
	in.owed = err != nil
	return err
}

// lift: the entry first, because a hold that is lifted without one would come
// back with the next start.
func (in *inbox) lift(ctx context.Context, subject uint64, from string) error {
	g := in.g
	g.register.deciding.Lock()
	defer g.register.deciding.Unlock()
	if !g.register.stands(subject, from) {
		return nil
	}
	if err := g.recorder.wait(ctx, holdEntry(entry.ActHoldLifted, subject, from)); err != nil {
		return err
	}
	g.register.liftFrom(subject, from)
	g.changed()
	return nil
}

func holdEntry(act uint8, subject uint64, from string) entry.Answer {
	return entry.Answer{Act: act, Outcome: uint8(screening.Refer), Subject: subject, Reason: from}
}

// roster replaces the roster by a numbered list, and by no other: the entries
// that the collector gets name people by its numbers.
func (in *inbox) roster(ctx context.Context, d document) error {
	g := in.g
	body, err := wire.ParseRosterList(d.Body)
	if err != nil {
		return refusal{err}
	}
	list, err := roster.Parse(bytes.NewReader(body.List))
	if err != nil {
		return refusal{err}
	}
	if list[0].ID == 0 {
		return refusal{errors.New("the list has no roster numbers: the collector's roster must give them")}
	}
	c, err := g.roster.Import(ctx, list, roster.ImportOpts{AllowLeft: int(body.AllowLeft), By: origin(d.collector)})
	var faults *roster.Faults
	switch {
	case errors.As(err, &faults), errors.Is(err, roster.ErrTooManyLeft), errors.Is(err, roster.ErrNumbering):
		return refusal{err}
	case err != nil:
		return err
	}
	g.refreshLanes()
	// Written again after a crash in between, when the list changes nothing.
	return g.recorder.wait(ctx, g.rosterBody(c, origin(d.collector)))
}
