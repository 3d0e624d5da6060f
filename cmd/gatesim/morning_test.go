package main

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/rig"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
)

// played is a morning of which only the files are left.
type played struct {
	t    *testing.T
	dir  string
	cast cast
	ids  map[string]uint64
	rows map[string][]entry.Entry // by gate
}

// TestEverySceneHappensAndEverybodyHasIt plays the whole morning and then reads
// in the journals what happened, and that both collectors have all of it.
func TestEverySceneHappensAndEverybodyHasIt(t *testing.T) {
	dir := alone(t)
	web, err := listenAll("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	s, out, log, ended := script{seed: 1, speed: 1000, pupils: 40}, newSaid(), newSaid(), make(chan struct{})
	go func() {
		defer close(ended)
		if err = s.show(ctx, dir, web, slog.New(slog.NewTextHandler(log, nil)), out); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		interrupt()
		<-ended
		if t.Failed() {
			t.Logf("%s\n%s", out, log)
		}
	})
	out.await(t, "The gates are empty", ended)
	p := &played{t: t, dir: dir, rows: map[string][]entry.Entry{}}
	whole := p.awaitCollected()
	interrupt()
	<-ended
	p.read(s)
	p.compare(whole)
	for _, s := range p.scenes() {
		if !s.happened {
			t.Errorf("never happened: %s", s.what)
		}
	}
	if t.Failed() {
		p.tell()
	}
}

// head returns what stands in a gate's journal.
func (p *played) head(gate string) entry.Head {
	p.t.Helper()
	r, err := journal.OpenReadOnly(filepath.Join(p.dir, gate, "journal.db"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Close()
	h, err := r.Head(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return h
}

// collected returns what a collector has of a gate's only journal.
func (p *played) collected(collector, gate string) entry.Head {
	p.t.Helper()
	s, err := store.Open(p.t.Context(), store.Options{Path: filepath.Join(p.dir, collector, "district.db")})
	if err != nil {
		p.t.Fatal(err)
	}
	defer s.Close()
	journals, err := s.Streams(p.t.Context(), gate)
	if err != nil || len(journals) != 1 {
		p.t.Fatalf("%s has %d journals of %s: %v", collector, len(journals), gate, err)
	}
	return journals[0].Tree.Head()
}

// awaitCollected waits until both collectors have all of both journals, and
// returns how much that is.
func (p *played) awaitCollected() map[string]entry.Head {
	p.t.Helper()
	whole := map[string]entry.Head{}
	for _, gate := range []string{"east", "west"} {
		if err := eventually(p.t.Context(), "both collectors have all of "+gate, func() (bool, error) {
			h := p.head(gate)
			whole[gate] = h
			return p.collected("school", gate) == h && p.collected("district", gate) == h, nil
		}); err != nil {
			p.t.Fatal(err)
		}
	}
	return whole
}

// read reads the journals, whose hashes must be true, and who had which number.
func (p *played) read(s script) {
	p.t.Helper()
	p.cast = assign(rig.People(s.seed, s.pupils))
	r, err := roster.Open(p.t.Context(), filepath.Join(p.dir, "west", "roster.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		p.t.Fatal(err)
	}
	defer r.Close()
	p.ids = map[string]uint64{}
	for person := range r.Snapshot().All() {
		p.ids[person.Number] = person.ID
	}
	for _, gate := range []string{"east", "west"} {
		j, err := journal.OpenReadOnly(filepath.Join(p.dir, gate, "journal.db"))
		if err != nil {
			p.t.Fatal(err)
		}
		if _, err := j.Verify(p.t.Context(), nil); err != nil {
			p.t.Errorf("%s: %v", gate, err)
		}
		for row, err := range j.Rows(p.t.Context(), 0) {
			if err != nil {
				p.t.Fatal(err)
			}
			p.rows[gate] = append(p.rows[gate], row.Entry)
		}
		if err := j.Close(); err != nil {
			p.t.Fatal(err)
		}
	}
}

// compare holds what was collected when all had ended against the journals. No
// collector has less than it had before.
func (p *played) compare(whole map[string]entry.Head) {
	p.t.Helper()
	for gate, before := range whole {
		for _, collector := range []string{"school", "district"} {
			got := p.collected(collector, gate)
			var tree entry.Tree
			for _, e := range p.rows[gate][:min(got.Size, uint64(len(p.rows[gate])))] {
				leaf, err := e.Marshal()
				if err != nil {
					p.t.Fatal(err)
				}
				tree.Append(leaf)
			}
			if got.Size < before.Size || tree.Head() != got {
				p.t.Errorf("%s has %d entries of %s under root %x, of %d before and %d in all", collector, got.Size, gate, got.Root, before.Size, len(p.rows[gate]))
			}
		}
	}
}

// any reports whether an entry of a gate satisfies is.
func anyEntry[T any](p *played, gate string, is func(e entry.Entry, body T) bool) bool {
	return slices.ContainsFunc(p.rows[gate], func(e entry.Entry) bool {
		var want T
		kind, ok := entry.KindOf(want)
		if !ok || e.Kind != kind {
			return false
		}
		var body T
		return e.Decode(&body) == nil && is(e, body)
	})
}

func (p *played) id(person rig.Person) uint64 { return p.ids[person.Number] }

// arrived reports whether somebody came to a lane with an outcome.
func (p *played) arrived(gate string, lane uint8, who rig.Person, o screening.Outcome) bool {
	return anyEntry(p, gate, func(e entry.Entry, a entry.Arrival) bool {
		return e.Lane == lane && a.Subject == p.id(who) && a.Outcome == uint8(o) && a.End == entry.EndDecided
	})
}

func (p *played) answered(gate string, is func(entry.Answer) bool) bool {
	return anyEntry(p, gate, func(_ entry.Entry, a entry.Answer) bool { return is(a) })
}

func (p *played) device(lane, event uint8) bool {
	return anyEntry(p, "east", func(_ entry.Entry, d entry.Device) bool {
		return d.Lane == lane && d.Role == "scanner" && d.Event == event
	})
}

// tell logs what the journals say.
func (p *played) tell() {
	for gate, rows := range p.rows {
		for i, e := range rows {
			p.t.Logf("%s %d lane %d %v %x", gate, i, e.Lane, e.Kind, e.Body)
		}
	}
}

type happening struct {
	what     string
	happened bool
}

func (p *played) scenes() []happening {
	c := p.cast
	by := func(a entry.Answer, who rig.Person) bool { return slices.Contains(a.By, p.id(who)) }
	typed := func(who rig.Person, value int32, o screening.Outcome) bool {
		return p.answered("east", func(a entry.Answer) bool {
			return a.Act == entry.ActTemperatureTyped && a.Subject == p.id(who) && a.Reading.Value == value && a.Outcome == uint8(o) && by(a, c.east)
		})
	}
	return []happening{
		{"the guards test the lanes", p.arrived("east", 1, c.east, screening.Admit) && p.arrived("west", 1, c.west, screening.Admit)},
		{"a rider is warm in the end", p.arrived("east", 1, c.rider, screening.Admit)},
		{"another stays cold and is set aside", p.answered("east", func(a entry.Answer) bool { return a.Act == entry.ActAside && a.Subject == p.id(c.colder) })},
		{"37.4 is stopped", p.arrived("east", 1, c.warm, screening.Recheck)},
		{"36.9 in the ear", typed(c.warm, 36_900, screening.Admit)},
		{"and in by the other lane", p.arrived("east", 2, c.warm, screening.Admit)},
		{"a hold by name at the west gate", p.answered("west", func(a entry.Answer) bool {
			return a.Act == entry.ActHoldPlaced && a.Subject == p.id(c.held) && a.Reason == "vomiting" && by(a, c.west)
		})},
		{"the hold is passed on", p.answered("east", func(a entry.Answer) bool {
			return a.Act == entry.ActHoldPlaced && a.Subject == p.id(c.held) && a.Reason == "collector:school"
		})},
		{"the child on hold is stopped at the east gate", anyEntry(p, "east", func(e entry.Entry, a entry.Arrival) bool {
			return e.Lane == 2 && a.Subject == p.id(c.held) && strings.Contains(strings.Join(a.Rows, " "), screening.OnHold.String())
		})},
		{"the scanner goes and comes back", p.device(2, entry.DeviceLost) && p.device(2, entry.DeviceBack)},
		{"two children are named at the desk", p.named(c.forgetful[0]) && p.named(c.forgetful[1])},
		{"something is handed over outside", p.answered("east", func(a entry.Answer) bool { return a.Act == entry.ActGoodsOutside && by(a, c.east) })},
		{"a visitor gets a card", p.visitor(entry.ActVisitIn)},
		{"the visitor's green code is seen", p.answered("east", func(a entry.Answer) bool {
			return a.Act == entry.ActColourSeen && a.Subject == visitorSubject() && a.Outcome == uint8(screening.Admit)
		})},
		{"the card comes back", p.visitor(entry.ActVisitOut)},
		{"37.9 twice", typed(c.feverish, 37_900, screening.Isolate)},
		{"the room answers", p.answered("east", func(a entry.Answer) bool {
			return a.Act == entry.ActAcknowledge && a.Reason == "isolation-room" && by(a, c.nurse)
		})},
		{"the case goes from the gate to the room and home", p.caseOf(c.feverish,
			entry.CaseOpened, entry.CaseArrived, entry.CaseMeasured, entry.CaseCalled, entry.CaseHome)},
		{"a child passes while the cable is out", p.arrived("east", 1, c.offline, screening.Admit)},
		{"the relief is on duty", anyEntry(p, "east", func(_ entry.Entry, a entry.Arrival) bool {
			return a.Subject == p.id(c.late) && slices.Equal(a.Staff, []uint64{p.id(c.relief)})
		})},
		{"the power went, and nobody had stopped the gate", slices.Equal(p.life("west"), []entry.Kind{entry.KindBoot, entry.KindBoot, entry.KindStop})},
		{"in the end the gates stop in good order", slices.Equal(p.life("east"), []entry.Kind{entry.KindBoot, entry.KindStop})},
		{"a child passes after the power cut, the same guard on duty", p.afterCut()},
	}
}

// named reports whether the desk named somebody, who was then admitted by lane 1.
func (p *played) named(who rig.Person) bool {
	return p.arrived("east", 1, who, screening.Admit) && anyEntry(p, "east", func(e entry.Entry, a entry.Answer) bool {
		return e.Lane == 1 && a.Act == entry.ActNamed && a.Subject == p.id(who)
	})
}

// visitorSubject is the roster number of the visitor's card.
func visitorSubject() uint64 { return roster.Card{Number: visitorCard}.ID() }

func (p *played) visitor(act uint8) bool {
	return p.answered("east", func(a entry.Answer) bool { return a.Act == act && a.Subject == visitorSubject() })
}

// caseOf reports whether the case of somebody went these steps and no others.
func (p *played) caseOf(who rig.Person, steps ...uint8) bool {
	var took []uint8
	for _, e := range p.rows["east"] {
		var c entry.Case
		if e.Kind == entry.KindCase && e.Decode(&c) == nil && c.Subject == p.id(who) {
			took = append(took, c.Step)
		}
	}
	return slices.Equal(took, steps)
}

// life returns when a gate was started and stopped.
func (p *played) life(gate string) (kinds []entry.Kind) {
	for _, e := range p.rows[gate] {
		if e.Kind == entry.KindBoot || e.Kind == entry.KindStop {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}

func (p *played) afterCut() bool {
	return anyEntry(p, "west", func(e entry.Entry, a entry.Arrival) bool {
		return e.Boot > 0 && a.Subject == p.id(p.cast.after) && a.Outcome == uint8(screening.Admit) && slices.Equal(a.Staff, []uint64{p.id(p.cast.west)})
	})
}
