package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// View returns what the pages show now. It waits for nothing.
func (g *Gate) View() guard.View {
	stamp := g.recorder.clock.look()
	people := g.roster.Snapshot()
	threshold, boundary := g.policy().Threshold()
	v := guard.View{
		Gate: g.o.Config.Gate, School: g.o.Config.School, Now: stamp.Wall, ClockTrusted: stamp.Clock >= entry.ClockConfirmed,
		ArrivedToday: g.inSchool(stamp.Wall), Policy: boundary.Sign() + " " + threshold.String(),
		Rules: g.rules.page(), Attendance: g.policy().Spec().Kind == screening.Attendance, RosterSize: people.Len(),
	}
	v.NotExpected = v.RosterSize - g.expected(stamp.Wall)
	v.Masks = g.policy().Asks(screening.Mask)
	v.NoCodes = !g.policy().Asks(screening.NotBarred) && !g.policy().Asks(screening.PositiveGreen)
	v.DoneAt = doneAt(stamp.Wall, v.Expected(), v.ArrivedToday, g.register.lately(stamp.Wall))
	duty := g.sessions.OnDuty()
	for _, p := range duty {
		v.OnDuty = append(v.OnDuty, p.Name)
	}
	for _, l := range g.lanes {
		v.Lanes = append(v.Lanes, l.page(people))
	}
	useInstead(v.Lanes)
	for _, a := range g.register.list() {
		v.Asides = append(v.Asides, g.asidePage(a, people))
	}
	slices.SortFunc(v.Asides, func(a, b guard.Aside) int { return cmp.Compare(a.Ticket, b.Ticket) })
	v.Held = g.heldPage()
	for _, a := range g.alarms.list() {
		name, class := a.who(people)
		v.Alarms = append(v.Alarms, guard.Alarm{Arrival: a.id.String(), Name: name, Class: class, Since: a.since, Recorded: a.stored})
	}
	v.Offer = g.offered(v, duty)
	v.Questions = g.asked(stamp)
	v.Emergency, _ = g.emergency.show(stamp)
	v.Drill = g.drill.minutes()
	v.NotAccepted, v.CanSetUp = g.acceptance.passed().IsZero(), g.o.Setup != nil
	v.Problems = g.problems(v)
	return v
}

func nameOf(people *roster.Snapshot, id uint64) (name, class string) {
	if card, ok := roster.CardOf(id); ok {
		return card.String(), ""
	}
	if p, ok := people.ByID(id); ok && id != 0 {
		return p.Name, p.Class
	}
	return "", ""
}

// problems lists what somebody must know, the worst first.
func (g *Gate) problems(v guard.View) []guard.Problem {
	var out []guard.Problem
	add := func(key string, args ...any) { out = append(out, guard.Problem{Key: key, Args: args}) }
	g.roomProblems(add)
	g.emergency.problems(add)
	if g.fire.Load() {
		add("fire")
	}
	kept, lost := g.recorder.waiting()
	if kept > 0 || lost > 0 {
		add("not-recorded", kept+lost)
	}
	if g.o.Banner != "" {
		add("last-good-configuration")
	}
	g.inputProblems(v, add)
	if v.RosterSize == 0 {
		add("no-roster")
	}
	if v.Rules.Ended {
		add("rules-ended")
	}
	if g.calendarBad.Load() {
		add("calendar-fault")
	}
	if !v.ClockTrusted {
		add("clock-untrusted")
	}
	if len(v.OnDuty) == 0 {
		add("nobody-on-duty")
	}
	if s := g.speaker; s != nil && s.lost.Load() {
		add("sound-lost")
	}
	if g.o.Web != nil && !loopback(g.o.Web.Addr()) {
		add("insecure-web")
	}
	g.visitProblems(add)
	g.calibrations.problems(g.recorder.clock.look(), add)
	g.collectors.problems(add)
	g.siblings.problems(add)
	return out
}

// loopback reports whether only this machine reaches an address.
func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// page turns what a lane shows into what the page draws.
func (l *laneLoop) page(people *roster.Snapshot) guard.Lane {
	s := l.shown.Load()
	v := s.view
	p := guard.Lane{
		Number: l.cfg.Number, Direction: l.cfg.Direction, Phase: v.Phase.String(), Version: v.Version,
		CanColour: v.Allowed.Colour, CanType: v.Allowed.Type, CanOverride: v.Allowed.Override,
		CanAside: v.Allowed.Aside, CanTurnAway: v.Allowed.TurnAway, CanAcknowledge: v.Allowed.Acknowledge,
		CanMask: v.Allowed.Mask, CanSymptoms: v.Allowed.Symptoms, Looks: looksOf(v.Looks), Colours: coloursOf(v.Colours),
		Faults: slices.Concat(faultKeys(v.Faults), l.lampFaults(), l.inputFaults()),
	}
	p.Verdict, p.Word = verdict(v)
	p.CanBadge = l.takesTypedBadges(v)
	noPassage(v, &p)
	if !v.Shown {
		return p
	}
	p.Arrival = entry.ArrivalID{Boot: l.g.journal.Boot(), Counter: v.Arrival}.String()
	p.Name, p.Class = nameOf(people, v.Subject.ID)
	if v.Decided {
		p.Reasons, p.Sentences = l.g.why(v.Subject.ID, v.Decision)
		if i := slices.Index(p.Reasons, screening.TooCold.String()); i >= 0 && v.Allowed.Aside && !v.Decision.Lasting() {
			p.Reasons[i] = "wait-ticket"
		}
	}
	if v.Phase == lane.Gathering && v.Wrist && v.Try > 0 {
		p.Reasons = []string{screening.TooCold.String()}
	}
	if v.Try > 0 {
		p.Try, p.Tries = min(v.Try+1, lane.Tries), lane.Tries
	}
	threshold, boundary := l.g.policy().Threshold()
	if r := v.Reading; r != nil && v.Decided && measured(*r) {
		p.Temperature = r.Peak.Near(threshold)
		p.Limit = boundary.Sign() + " " + threshold.String()
	}
	return p
}

// useInstead names, at every lane whose scanner is out, the first lane of its
// direction that takes people.
func useInstead(lanes []guard.Lane) {
	out := func(l guard.Lane) bool { return slices.Contains(l.Faults, "scanner-lost") }
	for i := range lanes {
		if !out(lanes[i]) {
			continue
		}
		works := slices.IndexFunc(lanes, func(l guard.Lane) bool {
			return l.Direction == lanes[i].Direction && l.Verdict != guard.Attended && !out(l)
		})
		if works >= 0 {
			lanes[i].UseLane = lanes[works].Number
		}
	}
}

func measured(r screening.Reading) bool {
	return r.Quality == screening.Valid || r.Quality == screening.Cold || r.Quality == screening.Scattered
}

// verdict chooses the picture and the one large word.
func verdict(v lane.View) (guard.Verdict, string) {
	switch {
	case v.Phase == lane.Attended:
		return guard.Attended, attendedWord(v)
	case v.Phase == lane.Idle && !v.Shown && v.Passing:
		return guard.Wait, "emergency"
	case v.Phase == lane.Idle && !v.Shown && v.Faults&lane.ScannerLost != 0: // who was just let in is told so first
		return guard.Attended, "lane-closed"
	case v.Phase == lane.Gathering && v.StepBack:
		return guard.Wait, "step-back"
	case v.Phase == lane.Gathering && v.Wrist && v.Try > 0:
		return guard.Again, "wrist"
	case v.Phase == lane.Gathering && v.Wrist:
		return guard.Wait, "wrist"
	case v.Phase == lane.Gathering && v.Try > 0:
		return guard.Again, "too-cold"
	case v.Phase == lane.Gathering && v.NeedsTemperature:
		return guard.Wait, "temperature"
	case v.Phase == lane.Gathering:
		return guard.Wait, "badge"
	case v.Phase == lane.Recording:
		return guard.Wait, "wait-recording"
	case v.Phase == lane.Idle && !v.Shown && v.NeedsIdentity:
		return guard.Wait, "badge"
	case !v.Shown:
		return guard.None, ""
	case v.End == lane.Incomplete:
		return guard.Again, "incomplete"
	case v.Decision.Outcome == screening.Admit && v.End == lane.Repeat:
		return guard.Pass, "already-in"
	case v.Decision.Outcome == screening.Admit:
		return guard.Pass, "go-in"
	case v.Phase == lane.Idle:
		return guard.Again, "scan-again"
	case v.Decision.Has(screening.LaneAttended):
		return guard.Attended, "cannot-record"
	case v.Decision.Has(screening.NoIdentity) && v.End != lane.Orphan && v.Subject.ID == 0 && !v.Decision.Has(screening.HighOnce):
		return guard.Unknown, "step-aside"
	}
	return guard.Stop, "step-aside"
}

func attendedWord(v lane.View) string {
	if v.Faults&lane.FireReleased != 0 {
		return "fire"
	}
	if v.Faults&lane.JournalFails != 0 {
		return "cannot-record"
	}
	return "lane-closed"
}

func faultKeys(f lane.Fault) []string {
	var out []string
	for _, x := range []struct {
		bit lane.Fault
		key string
	}{
		{lane.JournalFails, "journal-failed"}, {lane.BarrierOpen, "barrier-open"}, {lane.BarrierLost, "barrier-lost"},
		{lane.ScannerLost, "scanner-lost"}, {lane.ThermometerLost, "thermometer-lost"}, {lane.PresenceLost, "presence-lost"}, {lane.BackgroundWarm, "background-warm"}, {lane.FireReleased, "fire"},
	} {
		if f&x.bit != 0 {
			out = append(out, x.key)
		}
	}
	return out
}

// reasonKeys names what stopped somebody. Of somebody unknown it is that, and
// what no name would mend: all else follows from it.
func reasonKeys(d screening.Decision) []string {
	var out []string
	unknown := d.Has(screening.NoIdentity)
	for _, f := range d.Failures {
		if unknown && askedOfTheKnown(f.Reason) {
			continue
		}
		if !f.Warn && !slices.Contains(out, f.Reason.String()) {
			out = append(out, f.Reason.String())
		}
	}
	return out
}

func (g *Gate) asidePage(a aside, people *roster.Snapshot) guard.Aside {
	name, class := nameOf(people, a.arrival.Subject.ID)
	threshold, _ := g.policy().Threshold()
	p := guard.Aside{
		Ticket: int(a.ticket), Arrival: a.id.String(), Version: a.version, Name: name, Class: class,
		Since: a.since, Isolate: a.decision.Outcome == screening.Isolate,
	}
	p.Reasons, p.Sentences = g.why(a.arrival.Subject.ID, a.decision)
	p.CanColour, p.CanType, p.Looks = g.asideAllows(a)
	p.Colours = coloursOf(lane.ColoursOf(g.policy()))
	if a.waits() {
		p.Due = a.since.Add(againAfter)
	}
	if n := len(a.arrival.Readings); n > 0 && measured(a.arrival.Readings[n-1]) {
		p.Temperature = a.arrival.Readings[n-1].Peak.Near(threshold)
	}
	return p
}

// asideAllows says which evidence may still change the decision.
func (g *Gate) asideAllows(a aside) (colour, typed bool, looks []guard.Look) {
	d := a.decision
	if d.Has(screening.NoIdentity) {
		return false, false, nil // none of it makes a stranger known
	}
	colour, looks = lane.AsksColour(g.policy(), d), looksOf(lane.Looks(g.policy(), d))
	typed = d.Has(screening.NoTemperature) || d.Has(screening.AmbientOutside) || d.Has(screening.TooCold) || d.Has(screening.HighOnce)
	return colour, typed, looks
}

// Do takes one press of a person on duty: about the arrival in a lane, one
// that was set aside, or an alarm.
func (g *Gate) Do(ctx context.Context, a guard.Act) error {
	id, err := entry.ParseArrivalID(a.Arrival)
	if err != nil || id == (entry.ArrivalID{}) { // which would be every alarm there is
		return guard.ErrStale
	}
	if a.Kind == guard.KindSilence {
		if g.alarms.acknowledge(id, g.names(a.By.ID)) {
			return nil
		}
		return guard.ErrStale
	}
	answer, err := g.answerOf(ctx, a)
	if err != nil {
		return err
	}
	if x, ok := g.register.takeAside(id, a.Version); ok {
		return g.answerAside(ctx, x, answer)
	}
	if id.Boot != g.journal.Boot() {
		return guard.ErrStale
	}
	for _, l := range g.lanes {
		if v := l.shown.Load().view; v.Shown && v.Arrival == id.Counter {
			answer.Arrival, answer.Version = id.Counter, a.Version
			limit, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			return pageError(l.answer(limit, answer))
		}
	}
	return guard.ErrStale
}

// answerOf turns a press into a lane's answer, in the name of who pressed and
// whoever else is on duty. An override asks for the PIN again.
func (g *Gate) answerOf(ctx context.Context, a guard.Act) (lane.Answer, error) {
	out := lane.Answer{By: g.names(a.By.ID)}
	switch a.Kind {
	case guard.KindColour:
		out.Act, out.Printed = lane.ColourSeen, a.Colour == guard.Printed
		out.Colour = map[string]screening.Colour{"green": screening.Green, guard.Printed: screening.Green, "yellow": screening.Yellow, "red": screening.Red, guard.PopUp: screening.PopUp}[a.Colour]
	case guard.KindLook:
		out.Act, out.Row, out.InOrder = lane.Looked, a.Row, a.InOrder
	case guard.KindNote:
		out.Act, out.Of = lane.Noted, map[string]screening.Evidence{guard.NoteMask: screening.Mask, guard.NoteSymptoms: screening.Symptoms}[a.Note]
	case guard.KindType:
		out.Act, out.Reading = lane.Typed, screening.Typed(a.Instrument, typedSite(a.Instrument), screening.MilliC(a.Value), g.policy().Low())
	case guard.KindTurnAway:
		out.Act = lane.TurnedAway
	case guard.KindOverride:
		out.Act, out.Reason = lane.Overridden, a.Reason
		p, ok := g.roster.Snapshot().ByID(a.By.ID)
		if !ok {
			return out, web.ErrPIN
		}
		if _, err := (staff{g.roster}).CheckPIN(ctx, p.Badge, a.PIN); err != nil {
			return out, fmt.Errorf("override: %w", err)
		}
	case guard.KindAside:
		id, err := entry.ParseArrivalID(a.Arrival)
		if err != nil {
			return out, guard.ErrStale
		}
		out.Act, out.Ticket = lane.Aside, g.ticketFor(id)
	case guard.KindAcknowledge:
		out.Act = lane.Acknowledge
	default:
		return out, guard.ErrNotAllowed
	}
	return out, nil
}

// answerAside finishes an arrival that left its lane. Nothing here knows a
// barrier: whoever is admitted so walks in by a lane, with the badge.
// It waits for the entry, unless the journal does not store, which the page says.
func (g *Gate) answerAside(ctx context.Context, x aside, a lane.Answer) error {
	after, over := x, false
	after.arrival.Readings = slices.Clone(x.arrival.Readings)
	stamp := g.recorder.now()
	after.arrival.Now, after.arrival.ClockTrusted = stamp.Wall, stamp.Clock >= entry.ClockConfirmed
	colour, typed, looks := g.asideAllows(x)
	g.complete(&after.arrival, g.roster.Snapshot())
	h, held, _ := g.register.look(x.arrival.Subject.ID, stamp.Mono)
	if held && (h.above || h.named || h.inCase) || held && h.grave && !x.decision.Grave() || held && h.highBy != "" && !x.decision.Has(screening.HighOnce) {
		after.arrival.Held = true // something else was found meanwhile: not this answer's to lift
	}
	switch {
	case a.Act == lane.ColourSeen && colour && lane.ColoursOf(g.policy()).Has(a.Colour, a.Printed):
		after.arrival.Code.Colour, after.arrival.Code.How, after.arrival.Code.AsOf = a.Colour, lane.SeenHow(a.Printed), stamp.Wall
		after.decision = g.policy().Decide(after.arrival)
	case a.Act == lane.Looked && slices.ContainsFunc(looks, func(l guard.Look) bool { return l.Row == a.Row }):
		after.arrival.Shown, a.Reason = lane.Show(x.arrival.Shown, a.Row, a.InOrder), lane.LookedAt(a.Row, a.InOrder)
		after.decision = g.policy().Decide(after.arrival)
	case a.Act == lane.Typed && typed:
		after.arrival.Readings = append(after.arrival.Readings, a.Reading)
		if held && !h.grave && g.policy().Clears(a.Reading, h.highBy) {
			after.arrival.Held = false
		}
		after.decision = g.policy().Decide(after.arrival)
	case a.Act == lane.TurnedAway:
		after.decision.Outcome, over = screening.Worse(x.decision.Outcome, screening.Refuse), true
	case a.Act == lane.Acknowledge && x.decision.Outcome == screening.Isolate:
		over = true
	default:
		return guard.ErrNotAllowed
	}
	over = over || after.decision.Outcome == screening.Admit
	if !g.register.finish(x, after, over) {
		return guard.ErrStale
	}
	g.register.didAtDesk(x, after, over, a, stamp.Mono)
	if after.decision.Outcome == screening.Isolate && x.decision.Outcome != screening.Isolate {
		g.alarms.raise(x.id, x.arrival.Subject.ID, stamp.Wall)
	}
	heard := g.recordAside(after, a, stamp)
	if after.decision.Outcome == screening.Admit {
		g.register.carrySeen(x.arrival.Subject.ID, after.arrival, stamp.Mono)
		if a.Act == lane.Typed {
			g.register.carry(x.arrival.Subject.ID, a.Reading, stamp.Mono)
		}
	}
	g.changed()
	select {
	case <-heard:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("record answer: %w", ctx.Err())
	}
}

// recordAside stores what became of an aside and lets it stand at every lane.
func (g *Gate) recordAside(x aside, a lane.Answer, stamp entry.Stamp) <-chan struct{} {
	rec := lane.Record{
		Arrival: x.id.Counter, Act: a.Act, Direction: x.arrival.Direction, Subject: x.arrival.Subject, Decision: x.decision,
		Code: x.arrival.Code, Policy: g.policy().Number(), By: a.By, Ticket: x.ticket, Reason: a.Reason,
	}
	if n := len(x.arrival.Readings); n > 0 {
		rec.Reading = &x.arrival.Readings[n-1]
	}
	g.register.apply(x.id, rec, stamp.Wall)
	heard := g.recorder.recordAt(x.id.Boot, x.lane, rec, stamp)
	g.cases.follow(x.id, rec, x.lane)
	return heard
}

// ConfirmClock takes a person's word that the time is right. The entry comes
// first: without it the clock is no better than before.
func (g *Gate) ConfirmClock(ctx context.Context, by web.Person) error {
	if err := g.recorder.wait(ctx, entry.ClockStep{Clock: entry.ClockConfirmed, By: g.names(by.ID)}); err != nil {
		return err
	}
	g.recorder.clock.confirm()
	g.rules.wake()
	g.changed()
	return nil
}

func pageError(err error) error {
	switch {
	case errors.Is(err, lane.ErrStale):
		return guard.ErrStale
	case errors.Is(err, lane.ErrNotAllowed):
		return guard.ErrNotAllowed
	case errors.Is(err, context.DeadlineExceeded):
		return guard.ErrBusy
	}
	return err
}
