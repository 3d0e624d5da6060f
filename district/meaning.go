package district

import (
	"fmt"
	"strings"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/sync/wire"
)

// Topics of which the store finds the newest entry of each journal.
const (
	topicRoster    = "roster"    // the roster in force
	topicNumbering = "numbering" // the roster by which people have their numbers
	topicPolicy    = "policy"    // the policy that was taken last; behind a slash, the one of a number
	topicEmergency = "emergency" // emergency passage, begun or ended
	topicRefused   = "refused"   // a document of this collector's that the gate refused; behind a slash, of one kind
)

// fromCollector begins what entries say of what a collector has sent.
const fromCollector = "collector:"

// reader says what entries mean to the collector of a name.
type reader struct{ name string }

// origin is how gates name this collector in their entries.
func (r reader) origin() string { return fromCollector + r.name }

// stored is the meaning of an entry as it was hashed.
func (r reader) stored(leaf []byte) store.Meaning {
	e, err := entry.Unmarshal(leaf)
	if err != nil {
		return store.Meaning{}
	}
	return r.meaning(e)
}

// meaning is the store's: what it says of an entry must not change from one
// release to the next, unless the whole record is read again.
func (r reader) meaning(e entry.Entry) (m store.Meaning) {
	switch e.Kind {
	case entry.KindArrival:
		var a entry.Arrival
		if e.Decode(&a) == nil {
			m.Day, m.Key = counted(e, a)
			m.Hold = changeOf(lane.Record{End: lane.End(a.End), Subject: screening.Subject{ID: a.Subject},
				Decision: screening.ReadDecision(screening.Outcome(a.Outcome), a.Rows)})
		}
	case entry.KindAnswer:
		var a entry.Answer
		if e.Decode(&a) == nil {
			m.Hold = answered(a)
			if a.Act == entry.ActEmergency {
				m.Topics = []string{topicEmergency}
			}
		}
	case entry.KindCase:
		var c entry.Case
		if e.Decode(&c) == nil {
			m.Hold = stepped(c)
		}
	case entry.KindRoster:
		var now entry.Roster
		if e.Decode(&now) == nil {
			m.Topics = []string{topicRoster}
			// Whoever adds people gives them numbers; whoever binds a badge does not.
			if now.Added > 0 || strings.HasPrefix(now.By, fromCollector) {
				m.Topics = append(m.Topics, topicNumbering)
			}
		}
	case entry.KindPolicy:
		var p entry.Policy
		if e.Decode(&p) == nil {
			m.Topics = []string{topicPolicy, fmt.Sprint(topicPolicy, "/", p.Number)}
		}
	case entry.KindDevice:
		var d entry.Device
		if e.Decode(&d) == nil && d.Role == "document" && d.Event == entry.DeviceFault {
			m.Topics = r.refused(d.Detail)
		}
	}
	return m
}

// refused returns the topics of a refusal, which begins COLLECTOR/KIND/.
func (r reader) refused(detail string) []string {
	rest, ours := strings.CutPrefix(detail, r.name+"/")
	if !ours {
		return nil
	}
	for _, kind := range []wire.Kind{wire.KindPolicy, wire.KindRoster} {
		if strings.HasPrefix(rest, kind.String()+"/") {
			return []string{topicRefused, topicRefused + "/" + kind.String()}
		}
	}
	return []string{topicRefused}
}

// counted returns under which local day of the gate's own clock, and under
// which outcome, an inward arrival counts that was decided.
func counted(e entry.Entry, a entry.Arrival) (day, key string) {
	if a.End != entry.EndDecided || screening.Direction(a.Direction) != screening.In {
		return "", ""
	}
	return dayOf(time.UnixMilli(e.Wall)), screening.Outcome(a.Outcome).String()
}

// dayOf returns the local day as it stands in the store.
func dayOf(t time.Time) string { return t.Local().Format(time.DateOnly) }

// carriedOver marks a hold that a gate brought from its journal before.
const carriedOver = "rebase"

// byName is the source of a hold that people at the gate placed. It stands
// beside the gate's other hold: an admission ends that one and never this, and
// the end of its time ends this one alone.
const byName = "by-name"

// inCase is the source of a hold whose case was opened without an arrival. Of
// one with an arrival it is the gate's own: the end of the case ends that too.
const inCase = "case"

// timeOver marks the end of a hold by name whose time has passed.
const timeOver = "over"

// answered says what an answer does to holds, as the gate does when it reads
// its own journal.
func answered(a entry.Answer) store.HoldChange {
	switch h := (store.HoldChange{Subject: a.Subject, Source: a.Reason}); {
	case a.Act == entry.ActHoldPlaced && len(a.By) > 0:
		return store.HoldChange{Act: store.PlaceHold, Subject: a.Subject, Source: byName}
	case a.Act == entry.ActHoldLifted && len(a.By) == 0 && a.Reason == timeOver:
		return store.HoldChange{Act: store.LiftHold, Subject: a.Subject, Source: byName}
	case a.Act == entry.ActHoldPlaced && a.Reason == carriedOver:
		return store.HoldChange{Act: store.PlaceHold, Subject: a.Subject}
	case a.Act == entry.ActHoldPlaced:
		h.Act = store.PlaceHold
		return h
	case a.Act == entry.ActHoldLifted && len(a.By) == 0:
		h.Act = store.LiftHold
		return h
	case a.Act == entry.ActHoldLifted:
		return store.HoldChange{Act: store.LiftHolds, Subject: a.Subject}
	case a.Act == entry.ActSymptoms && a.Ticket == 0:
		return store.HoldChange{Act: store.PlaceHold, Subject: a.Subject, Source: byName}
	case a.Act == entry.ActUndo:
		return undone(a)
	}
	return changeOf(lane.Record{Act: lane.Act(a.Act), Subject: screening.Subject{ID: a.Subject},
		Decision: screening.ReadDecision(screening.Outcome(a.Outcome), a.Rows)})
}

// What an undo took back, where it is not an answer to somebody set aside.
const (
	undoneHold  = "hold"
	undoneAdmit = "admit"
	undoneSick  = "sick"
)

// undone says what an undo does to holds: somebody set aside is stopped again as
// before the answer that was taken back.
func undone(a entry.Answer) store.HoldChange {
	switch a.Reason {
	case undoneHold:
		return store.HoldChange{Act: store.LiftHold, Subject: a.Subject, Source: byName}
	case undoneAdmit:
		return store.HoldChange{Act: store.PlaceHold, Subject: a.Subject, Source: byName}
	case undoneSick: // who is ill at home was never held
		return store.HoldChange{}
	}
	return changeOf(lane.Record{Act: lane.Aside, Subject: screening.Subject{ID: a.Subject},
		Decision: screening.ReadDecision(screening.Outcome(a.Outcome), a.Rows)})
}

// stepped says what a step of a case does to holds, as the gate does when it
// reads its own journal. Who went home or to hospital stays held until the return
// is cleared.
func stepped(c entry.Case) store.HoldChange {
	h := store.HoldChange{Subject: c.Subject}
	if c.Arrival == (entry.ArrivalID{}) {
		h.Source = inCase
	}
	switch {
	case c.Subject == 0:
		return store.HoldChange{}
	case c.Step == entry.CaseOpened, c.Step == entry.CaseIdentified, c.Step == entry.CaseCorrected && c.Proof != 0:
		h.Act = store.PlaceHold
	case c.Step == entry.CaseBackToClass, c.Step == entry.CaseNotThisPerson, c.Step == entry.CaseCleared:
		h.Act = store.LiftHold
	default:
		return store.HoldChange{}
	}
	return h
}

// changeOf is what a lane's record does to the gate's own hold.
func changeOf(r lane.Record) store.HoldChange {
	switch r.Hold() {
	case lane.PlaceHold:
		return store.HoldChange{Act: store.PlaceHold, Subject: r.Subject.ID}
	case lane.LiftHold:
		return store.HoldChange{Act: store.LiftHold, Subject: r.Subject.ID}
	}
	return store.HoldChange{}
}
