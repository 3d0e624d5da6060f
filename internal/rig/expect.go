package rig

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/lane"
)

// expect holds what was expected against relays and journal.
func (st *stage) expect(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errUsage
	}
	switch what := args[0]; what {
	case "on", "no-on":
		return st.expectOn(what == "on", args[1])
	case "beacon":
		return isOn(st.hw, st.cfg.Board.Isolation.Beacon, args[1:])
	case "barrier", "red", "green":
		l, err := st.lane(args[1])
		if err != nil || l.Config.Barrier == nil && what == "barrier" {
			return errUsage
		}
		var gate config.Channel
		if b := l.Config.Barrier; b != nil {
			gate = b.Channel
		}
		c := map[string]config.Channel{"barrier": gate, "red": l.Config.Lamps.Red, "green": l.Config.Lamps.Green}[what]
		return isOn(st.hw, c, args[2:])
	case "entry", "note":
		return st.record.expect(what == "entry", args[1:], st.letter)
	case "no-note":
		return st.record.none(args[1:], st.letter)
	case "page", "no-page":
		return st.expectPage(ctx, what == "page", args[1:])
	case "board":
		return st.board.expect(args[1:])
	case "no":
		if slices.Equal(args[1:], []string{"entry"}) {
			return st.allExpected()
		}
	}
	return errUsage
}

func (st *stage) expectOn(once bool, number string) error {
	l, err := st.lane(number)
	if err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	ons := -st.asked[l.Number]
	for _, on := range st.ons {
		if on.Lane == l.Number {
			ons++
		}
	}
	st.asked[l.Number] += ons
	if want := map[bool]int{true: 1}[once]; ons != want {
		return fmt.Errorf("the barrier went on %d times, not %d", ons, want)
	}
	return nil
}

func isOn(h *Hardware, c config.Channel, want []string) error {
	is := "off"
	if h.On(c) {
		is = "on"
	}
	if len(want) != 1 || want[0] != "on" && want[0] != "off" {
		return errUsage
	}
	if is != want[0] {
		return fmt.Errorf("it is %s", is)
	}
	return nil
}

// letter returns who a roster number belongs to.
func (st *stage) letter(id uint64) string {
	for letter, p := range st.people {
		if p.ID == id && id != 0 {
			return letter
		}
	}
	return "nobody"
}

func (st *stage) allExpected() error { return st.record.done(st.letter) }

// told ends a failed scenario with everything that was recorded.
func (st *stage) told() error {
	rows, err := read(st.record.path)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "\n\t%d %s", r.Seq, strings.Join(words(r.Entry, st.letter), " "))
	}
	return fmt.Errorf("the journal says:%s", b.String())
}

// cursor walks through the journal once for what is about arrivals and once
// for everything else.
type cursor struct {
	path           string
	arrivals, rest int // how many rows were looked at
}

// read returns every entry, through a connection of its own.
func read(path string) (rows []journal.Row, err error) {
	r, err := journal.OpenReadOnly(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for row, err := range r.Rows(context.Background(), 0) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func aboutArrival(e entry.Entry) bool {
	return e.Kind == entry.KindArrival || e.Kind == entry.KindAnswer
}

// expect takes the next entry about an arrival, which must begin with the
// words, or the next other one that does.
func (c *cursor) expect(arrival bool, want []string, letter func(uint64) string) error {
	rows, err := read(c.path)
	if err != nil {
		return err
	}
	at := &c.rest
	if arrival {
		at = &c.arrivals
	}
	for *at < len(rows) {
		e := rows[*at].Entry
		*at++
		if aboutArrival(e) != arrival {
			continue
		}
		got := words(e, letter)
		if len(got) >= len(want) && slices.Equal(got[:len(want)], want) {
			return nil
		}
		if arrival {
			return fmt.Errorf("it says: %s", strings.Join(got, " "))
		}
	}
	return errNoEntry
}

// none says that no entry about anything else but an arrival has begun with the
// words since the one that was expected last.
func (c *cursor) none(words []string, letter func(uint64) string) error {
	later := *c
	if err := later.expect(false, words, letter); err == nil {
		return errors.New("there is such an entry")
	} else if !errors.Is(err, errNoEntry) {
		return err
	}
	return nil
}

// errNoEntry is what was expected in vain.
var errNoEntry = errors.New("there is no such entry")

// done says that no entry about an arrival is left.
func (c *cursor) done(letter func(uint64) string) error {
	rows, err := read(c.path)
	if err != nil {
		return err
	}
	for _, r := range rows[min(c.arrivals, len(rows)):] {
		if aboutArrival(r.Entry) {
			return fmt.Errorf("nobody expected: %s", strings.Join(words(r.Entry, letter), " "))
		}
	}
	return nil
}

// words renders an entry for a script: what it is, the lane, who, the outcome
// where it is about an arrival, and why.
func words(e entry.Entry, letter func(uint64) string) []string {
	out := []string{e.Kind.String()}
	switch e.Kind {
	case entry.KindArrival:
		var a entry.Arrival
		if e.Decode(&a) != nil {
			return append(out, "unreadable")
		}
		end := map[uint8]string{entry.EndIncomplete: "incomplete", entry.EndRepeat: "repeat", entry.EndOrphan: "orphan"}[a.End]
		out = append(out, fmt.Sprint(e.Lane), letter(a.Subject))
		if end != "" {
			out = append(out, end)
		}
		if a.End != entry.EndIncomplete {
			out = append(append(out, screening.Outcome(a.Outcome).String()), reasons(a.Rows)...)
		}
	case entry.KindAnswer:
		var a entry.Answer
		if e.Decode(&a) != nil {
			return append(out, "unreadable")
		}
		out = append(out, fmt.Sprint(e.Lane), letter(a.Subject), actOf(a))
		if a.Arrival != (entry.ArrivalID{}) {
			out = append(append(out, screening.Outcome(a.Outcome).String()), reasons(a.Rows)...)
		}
		if a.Reason != "" {
			out = append(out, strings.Split(a.Reason, ",")...)
		}
	case entry.KindCase:
		var c entry.Case
		if e.Decode(&c) != nil {
			return append(out, "unreadable")
		}
		out = append(append(out, letter(c.Subject), casefile.Step(c.Step).String()), c.Found...)
		for _, word := range []string{c.Reason, casefile.Call(c.Call).String(), casefile.Proof(c.Proof).String()} {
			if word != "" {
				out = append(out, word)
			}
		}
	case entry.KindPolicy:
		var p entry.Policy
		if e.Decode(&p) != nil {
			return append(out, "unreadable")
		}
		out = append(out, fmt.Sprint(p.Number), p.Name)
	case entry.KindDevice:
		var d entry.Device
		if e.Decode(&d) != nil {
			return append(out, "unreadable")
		}
		out = append(append(out, fmt.Sprint(d.Lane)), strings.Fields(d.Role)...)
		out = append(out, [...]string{"none", "lost", "back", "fault"}[min(d.Event, entry.DeviceFault)])
	}
	return out
}

func reasons(rows []string) []string {
	var out []string
	for _, r := range rows {
		_, why, _ := strings.Cut(r, ":")
		out = append(out, why)
	}
	return out
}

// actOf is what a script calls an act of somebody.
func actOf(a entry.Answer) string {
	switch a.Act {
	case entry.ActLooked:
		if s, _ := lane.ParseLooked(a.Reason); s.InOrder {
			return "in-order"
		}
		return "not-in-order"
	case entry.ActDrill, entry.ActEmergency:
		if a.Until == 0 {
			return acts()[a.Act] + "-over"
		}
	}
	if name := acts()[a.Act]; name != "" {
		return name
	}
	return strconv.Itoa(int(a.Act))
}

func acts() map[uint8]string {
	return map[uint8]string{
		entry.ActColourSeen: "colour", entry.ActTemperatureTyped: "typed", entry.ActTurnedAway: "turned-away", entry.ActOverride: "override",
		entry.ActAside: "aside", entry.ActAcknowledge: "acknowledge", entry.ActReleaseWithheld: "withheld", entry.ActUndo: "undo",
		entry.ActHoldLifted: "lifted", entry.ActHoldPlaced: "held", entry.ActNamed: "named", entry.ActSymptoms: "ill",
		entry.ActVisitIn: "visit", entry.ActVisitOut: "visit-out", entry.ActGoodsOutside: "goods", entry.ActEmergency: "emergency",
		entry.ActRulesSeen: "rules-seen", entry.ActListAccepted: "list-accepted", entry.ActWristFirst: "wrist-first", entry.ActNoted: "noted",
		entry.ActDrill: "drill", entry.ActSick: "sick",
	}
}
