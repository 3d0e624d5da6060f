package gate

import (
	"cmp"
	"slices"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
	"github.com/menshen/menshen/web/isolation"
)

// This file draws what is told of a case and how its person comes back, and takes
// the presses about both.

// heldMost is how many people the guard's page names.
const heldMost = 3

// heldPage returns whom the guard is told of. The whole list is the desk's.
func (g *Gate) heldPage() (list []guard.Held) {
	for _, h := range (deskPage{g}).Holds() {
		if len(list) < heldMost {
			list = append(list, guard.Held{Name: web.Mask(h.Name), Reason: h.Reason})
		}
	}
	return list
}

// chain adds to a view what goes on beyond the room.
func (r roomPage) chain(v *isolation.View, stamp entry.Stamp, people *roster.Snapshot) {
	rules := r.caseRules()
	for _, x := range r.cases.all() {
		if !x.file.Owing() {
			continue
		}
		p := x.page(people, stamp.Mono)
		r.more(&p, x, stamp, people)
		p.Away, p.Return = true, returnOf(x.file, rules, stamp.Wall)
		v.Returns = append(v.Returns, p)
	}
	order := []string{"today", "tomorrow", "later", "unknown"}
	slices.SortStableFunc(v.Returns, func(a, b isolation.Case) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.When), slices.Index(order, b.When)), a.Day.Compare(b.Day))
	})
	for _, c := range r.cases.endedOn(stamp.Wall) {
		one := isolation.Ended{Number: int(c.Number), How: c.End().Step.String(), At: c.End().At.In(stamp.Wall.Location())}
		one.Name, one.Class = nameOf(people, c.Subject)
		v.Ended = append(v.Ended, one)
	}
	for _, d := range rules.Returns {
		v.Diagnoses = append(v.Diagnoses, isolation.Diagnosis{Word: d.Diagnosis, Name: isolation.Words(d.Name)})
	}
}

// more adds to a case who is told of it, what it is and what was done.
func (r roomPage) more(p *isolation.Case, x caseNow, stamp entry.Stamp, people *roster.Snapshot) {
	p.Bed, p.Round, p.Rounds = int(x.file.Place()), x.file.Round(), int(x.file.Rounds)
	for _, d := range r.owed(x, stamp) {
		one := isolation.Duty{
			ID: d.ID, Name: isolation.Words(d.Name), Phone: d.Phone, Until: stamp.Wall.Add(d.Left).Truncate(time.Second), Soon: d.Soon(), Over: d.Over(),
			Told: d.Told, At: d.At.In(stamp.Wall.Location()),
		}
		if d.Told {
			one.Until = time.Time{}
			one.By, _ = nameOf(people, d.By[0])
		}
		p.Duties = append(p.Duties, one)
	}
	if word, suspected := x.file.Diagnosis(); word != "" {
		p.Diagnosis, p.Suspected = diagnosisName(r.caseRules(), word), suspected
	}
	for i, e := range x.file.Events {
		one := isolation.Logged{Step: i + 1, Kind: e.Step.String(), At: e.At.In(stamp.Wall.Location()), Void: x.file.Void(i), Open: x.file.MayCorrect(i)}
		if len(e.By) > 0 {
			one.By, _ = nameOf(people, e.By[0])
		}
		if e.Value != 0 {
			one.Value = e.Value.String()
		}
		p.Log = append(p.Log, one)
	}
}

// diagnosisName returns the words of a diagnosis, or its own where the policy in
// force knows it no more.
func diagnosisName(r casefile.Rules, word string) isolation.Words {
	if d := r.Return(word); d.Name != (screening.Text{}) {
		return isolation.Words(d.Name)
	}
	return isolation.Words{Zh: word, En: word}
}

// returnOf says when and on what somebody comes back.
func returnOf(c casefile.Case, rules casefile.Rules, now time.Time) isolation.Return {
	word, _ := c.Diagnosis()
	rule := rules.Return(word)
	out := isolation.Return{When: "unknown", Asked: rule.Proof.String()}
	switch rule.From {
	case casefile.AfterSymptoms:
		out.From = casefile.SymptomsEnd
	case casefile.AfterOnset:
		out.From = casefile.Onset
	}
	today := midnight(now, 0)
	if e, ok := c.Clearance(); ok {
		out.Cleared, out.Shown, out.Day = true, e.Proof.String(), e.On.In(now.Location())
		out.When = whenOf(out.Day, today)
		return out
	}
	_, earliest, ok := c.Earliest(rules)
	switch {
	case ok && earliest.IsZero():
		out.When = "today"
	case ok:
		out.Day = midnight(earliest.In(now.Location()), 0)
		out.When = whenOf(out.Day, today)
	default:
		out.AsksEnd = word != "" && rule.From == casefile.AfterSymptoms
	}
	return out
}

func whenOf(day, today time.Time) string {
	switch {
	case !day.After(today):
		return "today"
	case day.Before(today.AddDate(0, 0, 2)):
		return "tomorrow"
	}
	return "later"
}

// midnight returns the midnight that began the day of a moment, or that begins one
// of the days after it.
func midnight(t time.Time, days int) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d+days, 0, 0, 0, 0, t.Location())
}

// chained fills in a step about who is told and how somebody comes back. By a
// clock that nobody vouches for no wait is over, and no day is another.
func (r roomPage) chained(e *casefile.Event, s isolation.Step) error {
	now := r.recorder.clock.look()
	trusted := now.Clock >= entry.ClockConfirmed
	e.Place, e.Corrects = uint8(s.Bed), uint16(s.Corrects)
	if e.Value != 0 {
		e.Limit = r.feverFrom()
	}
	x, ok := r.cases.look(uint16(s.Number))
	switch e.Step {
	case casefile.Told:
		if !slices.ContainsFunc(r.caseRules().Duties, func(d casefile.Duty) bool { return d.ID == s.Reason }) {
			return isolation.ErrStale
		}
	case casefile.Suspected, casefile.Diagnosed:
		if !slices.ContainsFunc(r.caseRules().Returns, func(d casefile.Return) bool { return d.Diagnosis == s.Reason }) {
			return isolation.ErrStale
		}
	case casefile.Dated:
		if !trusted {
			return isolation.ErrClock
		}
		if e.From = midnight(now.Wall, -s.Days); s.Reason == casefile.SymptomsEnd {
			e.From = midnight(now.Wall, 1-s.Days) // the end of the last day with symptoms
		}
	case casefile.Corrected:
		if i := s.Corrects - 1; ok && i >= 0 && i < len(x.file.Events) {
			e.Asked, e.Proof, e.Instrument = x.file.Events[i].Asked, x.file.Events[i].Proof, x.file.Events[i].Instrument
		}
	case casefile.ReturnCleared:
		if !ok || x.file.Version() != s.Version {
			return isolation.ErrStale
		}
		word, _ := x.file.Diagnosis()
		from, _, known := x.file.Earliest(r.caseRules())
		if word == "" || !known {
			return isolation.ErrEarly
		}
		rule := r.caseRules().Return(word)
		if !trusted && (rule.Wait > 0 || s.Tomorrow) {
			return isolation.ErrClock
		}
		e.Asked, e.From, e.Wait, e.On = rule.Proof, from, rule.Wait, midnight(now.Wall, 0)
		e.Proof, _ = casefile.ParseProof(s.Proof)
		if s.Tomorrow {
			e.On = midnight(now.Wall, 1)
		}
	}
	return nil
}
