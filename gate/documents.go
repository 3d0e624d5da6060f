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
		return refusal{errors.New("this program reads no policy documents: the built-in policy stays in force")}
	}
	return refusal{errors.New("unknown kind of document")}
}

// hold places or lifts a hold that stands beside those of the gate's own: a
// collector lifts what it placed, and never what was found here.
func (in *inbox) hold(ctx context.Context, d document) error {
	g := in.g
	order, err := wire.ParseHoldOrder(d.Body)
	if err != nil {
		return refusal{err}
	}
	people := g.roster.Snapshot()
	if order.Roster != people.Hash {
		return refusal{errors.New("it was written for another roster than the gate has")}
	}
	if _, ok := people.ByID(order.Subject); !ok {
		return refusal{fmt.Errorf("nobody on the roster has roster number %d", order.Subject)}
	}
	answer := entry.Answer{Act: entry.ActHoldLifted, Outcome: uint8(screening.Refer), Subject: order.Subject, Reason: origin(d.collector)}
	if !order.Place {
		// The entry first: a hold that is lifted without one would come back.
		if err := g.recorder.wait(ctx, answer); err != nil {
			return err
		}
		g.register.liftFrom(order.Subject, origin(d.collector))
		g.changed()
		return nil
	}
	// The hold first: whether or not it can be recorded, nobody admits.
	g.register.place(order.Subject, origin(d.collector))
	for _, l := range g.lanes {
		l.send(lane.HoldPlaced{Subject: order.Subject})
	}
	g.changed()
	answer.Act = entry.ActHoldPlaced
	return g.recorder.wait(ctx, answer)
}

// roster replaces the roster by a list.
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
	c, err := g.roster.Import(ctx, list, roster.ImportOpts{AllowLeft: int(body.AllowLeft), By: origin(d.collector)})
	var faults *roster.Faults
	switch {
	case errors.As(err, &faults), errors.Is(err, roster.ErrTooManyLeft):
		return refusal{err}
	case err != nil:
		return err
	}
	g.refreshLanes()
	// Written again after a crash in between, when the list changes nothing.
	return g.recorder.wait(ctx, g.rosterBody(c, origin(d.collector)))
}
