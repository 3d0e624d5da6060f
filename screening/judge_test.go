package screening_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

// under returns the default policy with one more row.
func under(t testing.TB, row screening.Requirement, windows ...screening.ArrivalWindow) screening.Policy {
	t.Helper()
	return compiled(t, func(s *screening.Spec) {
		row.ID = "row"
		s.Requirements = append(s.Requirements, row)
		s.Windows = windows
	})
}

func ago(d time.Duration) time.Time { return monday.Add(-d) }

func negative(ages ...time.Duration) (all []screening.Proof) {
	for _, age := range ages {
		all = append(all, screening.Proof{Of: screening.Tests, At: ago(age)})
	}
	return all
}

func bad(p screening.Proof) screening.Proof { p.Bad = true; return p }

func asks(a screening.Ask, or ...screening.Ask) screening.Requirement {
	return screening.Requirement{Ask: a, Or: or, Fail: screening.Refer}
}

func refuses(r screening.Requirement) screening.Requirement { r.Fail = screening.Refuse; return r }

// rule is a row, what was brought, and the reason and outcome that follow.
type rule struct {
	row     screening.Requirement
	windows []screening.ArrivalWindow
	change  func(*screening.Arrival)
	why     screening.Reason
	outcome screening.Outcome
}

func (r rule) try(t *testing.T) {
	a := whole(screening.Student)
	if r.change != nil {
		r.change(&a)
	}
	got := under(t, r.row, r.windows...).Decide(a)
	why := screening.NoReason
	for _, f := range got.Failures {
		if f.Row == "row" {
			why = f.Reason
		}
	}
	if why != r.why || got.Outcome != r.outcome {
		t.Errorf("decided %v for %v, want %v for %v", got.Outcome, why, r.outcome, r.why)
	}
}

func proofs(all ...screening.Proof) func(*screening.Arrival) {
	return func(a *screening.Arrival) { a.Proofs = all }
}

func shown(inOrder ...bool) func(*screening.Arrival) {
	return func(a *screening.Arrival) {
		for _, ok := range inOrder {
			a.Shown = append(a.Shown, screening.Shown{Row: "row", InOrder: ok})
		}
	}
}

func all(changes ...func(*screening.Arrival)) func(*screening.Arrival) {
	return func(a *screening.Arrival) {
		for _, change := range changes {
			change(a)
		}
	}
}

func untrusted(a *screening.Arrival) { a.ClockTrusted = false }

func tryAll(t *testing.T, rules map[string]rule) {
	for name, r := range rules {
		t.Run(name, r.try)
	}
}

const (
	held  = screening.NoReason // of a row that holds
	admit = screening.Admit
	refer = screening.Refer
)

func TestTestsAreCountedFromTheNewestBack(t *testing.T) {
	one := asks(screening.Ask{Evidence: screening.Tests, Count: 1, Within: 48 * time.Hour})
	two := asks(screening.Ask{Evidence: screening.Tests, Count: 2, Within: 48 * time.Hour})
	apart := asks(screening.Ask{Evidence: screening.Tests, Count: 2, Within: 72 * time.Hour, Apart: 24 * time.Hour})
	const h = time.Hour
	tryAll(t, map[string]rule{
		"none":                                    {row: one, why: screening.TestsMissing, outcome: refer},
		"one in time (rule 39)":                   {row: one, change: proofs(negative(47 * h)...), why: held, outcome: admit},
		"at the very end of its time":             {row: one, change: proofs(negative(48 * h)...), why: held, outcome: admit},
		"expired (rule 36)":                       {row: one, change: proofs(negative(48*h + 1)...), why: screening.TestsTooOld, outcome: refer},
		"one where two are asked (rule 37)":       {row: two, change: proofs(negative(20 * h)...), why: screening.TestsMissing, outcome: refer},
		"two in time (rule 37)":                   {row: two, change: proofs(negative(20*h, 44*h)...), why: held, outcome: admit},
		"two, one of them expired":                {row: two, change: proofs(negative(20*h, 49*h)...), why: screening.TestsTooOld, outcome: refer},
		"two of one moment are one":               {row: two, change: proofs(negative(20*h, 20*h)...), why: screening.TestsTooOld, outcome: refer},
		"apart as asked (rule 38)":                {row: apart, change: proofs(negative(20*h, 44*h)...), why: held, outcome: admit},
		"too close together (rule 38)":            {row: apart, change: proofs(negative(20*h, 43*h)...), why: screening.TestsMissing, outcome: refer},
		"one between two that are apart":          {row: apart, change: proofs(negative(30*h, 44*h, 20*h)...), why: held, outcome: admit},
		"a positive one beside negative ones":     {row: one, change: proofs(append(negative(h), bad(negative(40 * h)[0]))...), why: screening.TestPositive, outcome: screening.Isolate},
		"a positive one is more severe than asks": {row: refuses(one), change: proofs(bad(negative(h)[0])), why: screening.TestPositive, outcome: screening.Isolate},
		"a positive one, and somebody looked":     {row: one, change: all(proofs(bad(negative(h)[0])), shown(true)), why: screening.TestPositive, outcome: screening.Isolate},
		"taken tomorrow":                          {row: one, change: proofs(negative(-h)...), why: screening.ClockUntrusted, outcome: refer},
		"by a clock that may lie":                 {row: one, change: all(proofs(negative(h)...), untrusted), why: screening.ClockUntrusted, outcome: refer},
		"a moment that nobody knows":              {row: one, change: proofs(screening.Proof{Of: screening.Tests}), why: screening.TestsTooOld, outcome: refer},
		"something else is no test":               {row: one, change: proofs(screening.Proof{Of: screening.Document, Name: "test", At: ago(h)}), why: screening.TestsMissing, outcome: refer},
	})
}

func TestWhatIsShownMustBeThereFreshAndInOrder(t *testing.T) {
	const h = time.Hour
	document := asks(screening.Ask{Evidence: screening.Document, Name: "certificate"})
	fresh := asks(screening.Ask{Evidence: screening.Document, Name: "certificate", Within: 24 * h})
	trip := asks(screening.Ask{Evidence: screening.TripCard})
	paper := func(age time.Duration) screening.Proof {
		return screening.Proof{Of: screening.Document, Name: "certificate", At: ago(age)}
	}
	tryAll(t, map[string]rule{
		"not shown (rule 45)":              {row: document, why: screening.NotShown, outcome: refer},
		"a paper of another name":          {row: document, change: proofs(screening.Proof{Of: screening.Document, Name: "letter"}), why: screening.NotShown, outcome: refer},
		"shown":                            {row: document, change: proofs(paper(900 * h)), why: held, outcome: admit},
		"shown, of an unknown day":         {row: document, change: proofs(screening.Proof{Of: screening.Document, Name: "certificate"}), why: held, outcome: admit},
		"fresh":                            {row: fresh, change: proofs(paper(24 * h)), why: held, outcome: admit},
		"too old":                          {row: fresh, change: proofs(paper(25 * h)), why: screening.ShownTooOld, outcome: refer},
		"of a day that nobody knows":       {row: fresh, change: proofs(screening.Proof{Of: screening.Document, Name: "certificate"}), why: screening.ShownTooOld, outcome: refer},
		"dated tomorrow":                   {row: fresh, change: proofs(paper(-h)), why: screening.ClockUntrusted, outcome: refer},
		"dated, and the clock may lie":     {row: fresh, change: all(proofs(paper(h)), untrusted), why: screening.ClockUntrusted, outcome: refer},
		"the newest counts: bad":           {row: document, change: proofs(paper(2*h), bad(paper(h))), why: screening.ShownBad, outcome: refer},
		"the newest counts: good":          {row: document, change: proofs(bad(paper(2*h)), paper(h)), why: held, outcome: admit},
		"missing is at least for a person": {row: screening.Requirement{Ask: document.Ask, Fail: screening.Recheck}, why: screening.NotShown, outcome: refer},
		"missing may be refused (rule 65)": {row: refuses(document), why: screening.NotShown, outcome: screening.Refuse},
		"an approval (rule 50)":            {row: asks(screening.Ask{Evidence: screening.Approval}), change: proofs(screening.Proof{Of: screening.Approval, At: ago(h)}), why: held, outcome: admit},
		"no approval (rule 50)":            {row: asks(screening.Ask{Evidence: screening.Approval}), why: screening.NotShown, outcome: refer},
		"a history of 14 days (rule 97)":   {row: asks(screening.Ask{Evidence: screening.History, Days: 14}), change: proofs(screening.Proof{Of: screening.History}), why: held, outcome: admit},
		"no history (rule 97)":             {row: asks(screening.Ask{Evidence: screening.History, Days: 14}), why: screening.NotShown, outcome: refer},
		"a place code (rule 42)":           {row: asks(screening.Ask{Evidence: screening.Seen, Name: "place-code"}), change: proofs(screening.Proof{Of: screening.Seen, Name: "place-code"}), why: held, outcome: admit},
		"a trip card (rule 51)":            {row: trip, change: proofs(screening.Proof{Of: screening.TripCard, At: ago(h)}), why: held, outcome: admit},
		"no trip card (rule 51)":           {row: trip, why: screening.NotShown, outcome: refer},
		"a trip card with a star":          {row: trip, change: proofs(bad(screening.Proof{Of: screening.TripCard, At: ago(h)})), why: screening.StarSeen, outcome: refer},
		"a registered person (rule 16)":    {row: asks(screening.Ask{Evidence: screening.Registration}), why: held, outcome: admit},
		"nobody registered":                {row: asks(screening.Ask{Evidence: screening.Registration}), change: func(a *screening.Arrival) { a.Subject.ID = 0 }, why: screening.NoIdentity, outcome: refer},
		"either paper serves (rule 45)":    {row: asks(screening.Ask{Evidence: screening.Document, Name: "x"}, document.Ask), change: proofs(paper(h)), why: held, outcome: admit},
		"a positive test, whatever else serves": {
			row: asks(document.Ask, screening.Ask{Evidence: screening.Tests, Count: 1, Within: 24 * h}), change: proofs(paper(h), bad(negative(h)[0])), why: screening.TestPositive, outcome: screening.Isolate,
		},
		"a bad colour, whatever else serves": {
			row: asks(screening.Ask{Evidence: screening.PositiveGreen}, document.Ask),
			change: all(proofs(paper(h)), func(a *screening.Arrival) {
				a.Code = screening.Code{Colour: screening.PopUp, How: screening.FromRoster}
			}),
			why: screening.PopUpCode, outcome: refer,
		},
		"nobody is isolated for what is missing": {row: screening.Requirement{Ask: document.Ask, Fail: screening.Isolate}, why: screening.NotShown, outcome: refer},
		"but for what speaks against them":       {row: screening.Requirement{Ask: document.Ask, Fail: screening.Isolate}, change: proofs(bad(paper(h))), why: screening.ShownBad, outcome: screening.Isolate},
		"neither: the first says why":            {row: asks(document.Ask, screening.Ask{Evidence: screening.Tests, Count: 1, Within: h}), why: screening.NotShown, outcome: refer},
	})
}

func TestWhoeverLooksAnswersForTheRow(t *testing.T) {
	document := asks(screening.Ask{Evidence: screening.Document, Name: "certificate"})
	green := asks(screening.Ask{Evidence: screening.PositiveGreen})
	red := func(a *screening.Arrival) {
		a.Code = screening.Code{Colour: screening.Yellow, How: screening.FromRoster}
	}
	none := func(a *screening.Arrival) { a.Code = screening.Code{} }
	tryAll(t, map[string]rule{
		"in order":                          {row: document, change: shown(true), why: held, outcome: admit},
		"not in order":                      {row: document, change: shown(false), why: screening.ShownBad, outcome: refer},
		"not in order is at least a person": {row: refuses(document), change: shown(false), why: screening.ShownBad, outcome: screening.Refuse},
		"the last word counts":              {row: document, change: shown(true, false), why: screening.ShownBad, outcome: refer},
		"and may take back the first":       {row: document, change: shown(false, true), why: held, outcome: admit},
		"another row's word is not this":    {row: document, change: func(a *screening.Arrival) { a.Shown = []screening.Shown{{Row: "other", InOrder: true}} }, why: screening.NotShown, outcome: refer},
		"a green that is not known":         {row: green, change: all(none, shown(true)), why: held, outcome: admit},
		"nobody looks away a bad colour":    {row: green, change: all(red, shown(true)), why: screening.YellowCode, outcome: refer},
		"a temperature is not looked at": {
			row: asks(screening.Ask{Evidence: screening.Temperature}), change: all(func(a *screening.Arrival) { a.Readings = nil }, shown(true)), why: screening.NoTemperature, outcome: refer,
		},
		"nor is the case": {
			row: asks(screening.Ask{Evidence: screening.ReturnProof}), change: all(func(a *screening.Arrival) { a.Case = screening.CaseOpen }, shown(true)), why: screening.OpenCase, outcome: refer,
		},
	})
}

func TestWhatSpeaksFailsOnlyWhereItIsKnown(t *testing.T) {
	for _, s := range []struct {
		ask, of screening.Evidence
		why     screening.Reason
	}{
		{screening.TravelStar, screening.TripCard, screening.StarSeen},     // rule 35
		{screening.Mask, screening.Mask, screening.NoMask},                 // rules 11, 12
		{screening.Symptoms, screening.Symptoms, screening.SymptomsSeen},   // rules 9, 10
		{screening.Household, screening.Household, screening.HouseholdBad}, // rules 34, 48
		{screening.RiskArea, screening.History, screening.RiskAreaStay},    // rules 40, 50
	} {
		row, one := refuses(asks(screening.Ask{Evidence: s.ask})), screening.Proof{Of: s.of, At: ago(time.Hour)}
		newer := screening.Proof{Of: s.of, At: ago(time.Minute)}
		t.Run(s.ask.String(), func(t *testing.T) {
			tryAll(t, map[string]rule{
				"nothing is known":      {row: row, why: held, outcome: admit},
				"known to be in order":  {row: row, change: proofs(one), why: held, outcome: admit},
				"known to be bad":       {row: row, change: proofs(bad(one)), why: s.why, outcome: screening.Refuse},
				"bad, then in order":    {row: row, change: proofs(bad(one), newer), why: held, outcome: admit},
				"in order, then bad":    {row: row, change: proofs(one, bad(newer)), why: s.why, outcome: screening.Refuse},
				"bad, told out of turn": {row: row, change: proofs(bad(newer), one), why: s.why, outcome: screening.Refuse},
			})
		})
	}
}

func TestColoursThatAPolicyLooksAt(t *testing.T) {
	colour := func(c screening.Colour, how screening.How) func(*screening.Arrival) {
		return func(a *screening.Arrival) { a.Code = screening.Code{Colour: c, How: how, AsOf: ago(time.Hour)} }
	}
	barred := asks(screening.Ask{Evidence: screening.NotBarred})
	popUpOnly := asks(screening.Ask{Evidence: screening.NotBarred, Colours: screening.ColoursOf(screening.PopUp)})
	green := asks(screening.Ask{Evidence: screening.PositiveGreen})
	paper := asks(screening.Ask{Evidence: screening.PositiveGreen, Paper: true})
	old := asks(screening.Ask{Evidence: screening.PositiveGreen, Within: time.Minute})
	tryAll(t, map[string]rule{
		"yellow (rule 33)":               {row: barred, change: colour(screening.Yellow, screening.FromRoster), why: screening.YellowCode, outcome: refer},
		"pop-up (rule 34)":               {row: barred, change: colour(screening.PopUp, screening.FromRoster), why: screening.PopUpCode, outcome: refer},
		"red is above every policy":      {row: barred, change: colour(screening.Red, screening.FromRoster), why: screening.RedCode, outcome: screening.Isolate},
		"a colour of the future is red":  {row: popUpOnly, change: colour(99, screening.FromRoster), why: screening.RedCode, outcome: refer},
		"nothing is known":               {row: barred, change: colour(screening.ColourUnknown, screening.HowUnknown), why: held, outcome: admit},
		"green printed is none":          {row: green, change: colour(screening.Green, screening.SeenPrinted), why: screening.NoGreen, outcome: refer},
		"green printed counts (rule 43)": {row: paper, change: colour(screening.Green, screening.SeenPrinted), why: held, outcome: admit},
		"a green older than the row has": {row: old, change: colour(screening.Green, screening.FromRoster), why: screening.GreenTooOld, outcome: refer},
		"a green that a person saw":      {row: old, change: colour(screening.Green, screening.SeenByName), why: held, outcome: admit},
		"pop-up is no green":             {row: green, change: colour(screening.PopUp, screening.SeenByName), why: screening.PopUpCode, outcome: refer},
	})
	p := compiled(t, func(s *screening.Spec) { s.Requirements[2].Colours = screening.ColoursOf(screening.PopUp) })
	a := whole(screening.Student)
	a.Code.Colour = screening.Yellow
	if d := p.Decide(a); d.Outcome != admit {
		t.Errorf("a policy that looks at pop-ups only stops yellow: %+v", d)
	}
}

func TestArrivalWindows(t *testing.T) {
	window := refuses(asks(screening.Ask{Evidence: screening.Window}))
	out := window
	out.Direction = screening.Out
	fifth := screening.Who{Roles: screening.RolesOf(screening.Student), Grades: []string{"五年级"}}
	at := func(from, to screening.Minutes, lanes ...uint8) []screening.ArrivalWindow {
		return []screening.ArrivalWindow{{Who: fifth, From: from, To: to, Lanes: lanes}}
	}
	const now = 6*60 + 50 // of monday
	lane := func(n uint8) func(*screening.Arrival) { return func(a *screening.Arrival) { a.Lane = n } }
	role := func(r screening.Role) func(*screening.Arrival) {
		return func(a *screening.Arrival) { a.Subject.Role = r }
	}
	leaving := func(a *screening.Arrival) { a.Direction = screening.Out }
	deliveries := func(from, to screening.Minutes) screening.ArrivalWindow {
		return screening.ArrivalWindow{Who: screening.Who{Roles: screening.RolesOf(screening.Service)}, From: from, To: to}
	}
	exits := []screening.ArrivalWindow{{Direction: screening.Out, From: 16 * 60, To: 17 * 60}}
	tryAll(t, map[string]rule{
		"open (rule 88)":                           {row: window, windows: at(now, now+1), why: held, outcome: admit},
		"not open yet":                             {row: window, windows: at(now+1, now+11), why: screening.TooEarly, outcome: screening.Refuse},
		"a pupil who is late comes in":             {row: window, windows: at(now-10, now), why: held, outcome: admit},
		"nearer to the next one it is early":       {row: window, windows: append(at(now-40, now-30), at(now+29, now+39)...), why: screening.TooEarly, outcome: screening.Refuse},
		"nearer to the last one it is late":        {row: window, windows: append(at(now-40, now-30), at(now+31, now+41)...), why: held, outcome: admit},
		"open at this lane (rule 89)":              {row: window, windows: at(now, now+1, 2), change: lane(2), why: held, outcome: admit},
		"open at another lane (rule 89)":           {row: window, windows: at(now, now+1, 2), change: lane(1), why: screening.OtherLane, outcome: screening.Refuse},
		"a gate that does not number lanes":        {row: window, windows: at(now, now+1, 2), why: held, outcome: admit},
		"nobody names a visitor":                   {row: window, windows: at(now+1, now+2), change: role(screening.Visitor), why: held, outcome: admit},
		"by a clock that may lie":                  {row: window, windows: at(now, now+1), change: untrusted, why: screening.ClockUntrusted, outcome: screening.Refuse},
		"no window at all":                         {row: window, why: held, outcome: admit},
		"leaving outside hours (rule 59)":          {row: out, windows: exits, change: leaving, why: screening.OutsideHours, outcome: screening.Refuse},
		"deliveries when the day is over, rule 52": {row: window, windows: []screening.ArrivalWindow{deliveries(now-60, now)}, change: role(screening.Service), why: screening.OutsideHours, outcome: screening.Refuse},
		"deliveries between two windows, rule 52":  {row: window, windows: []screening.ArrivalWindow{deliveries(now-60, now), deliveries(now+60, now+90)}, change: role(screening.Service), why: screening.TooEarly, outcome: screening.Refuse},
		"deliveries with no pupils, rule 52":       {row: window, windows: []screening.ArrivalWindow{deliveries(now, now+60)}, change: role(screening.Service), why: held, outcome: admit},
	})
}

func TestCasesAndComingAgain(t *testing.T) {
	returning, once := refuses(asks(screening.Ask{Evidence: screening.ReturnProof})), refuses(asks(screening.Ask{Evidence: screening.Once}))
	state := func(c screening.CaseState) func(*screening.Arrival) {
		return func(a *screening.Arrival) { a.Case = c }
	}
	again := func(x screening.Again) func(*screening.Arrival) { return func(a *screening.Arrival) { a.Again = x } }
	tryAll(t, map[string]rule{
		"no case":                        {row: returning, why: held, outcome: admit},
		"an open case (rule 87)":         {row: returning, change: state(screening.CaseOpen), why: screening.OpenCase, outcome: screening.Refuse},
		"a proof that is owed (rule 87)": {row: returning, change: state(screening.ReturnOwed), why: screening.ReturnNotProven, outcome: screening.Refuse},
		"a state of the future is open":  {row: returning, change: state(9), why: screening.OpenCase, outcome: screening.Refuse},
		"the first time (rule 60)":       {row: once, why: held, outcome: admit},
		"inside already (rule 60)":       {row: once, change: again(screening.AgainInside), why: screening.StillInside, outcome: screening.Refuse},
		"at another lane just now":       {row: once, change: again(screening.AgainElsewhere), why: screening.SeenElsewhere, outcome: screening.Refuse},
	})
	for _, c := range []screening.CaseState{screening.CaseOpen, screening.ReturnOwed, 9} {
		a := whole(screening.Student)
		a.Case = c
		if d := compiled(t, nil).Decide(a); d.Outcome != refer || d.Overridable() || !d.Lasting() {
			t.Errorf("case %d under a policy without a row for it: %+v", c, d)
		}
	}
}

func TestARowIsAskedWhereWhenAndOfWhomItSays(t *testing.T) {
	row := func(change func(*screening.Requirement)) screening.Requirement {
		r := asks(screening.Ask{Evidence: screening.Seen, Name: "card"})
		change(&r)
		return r
	}
	day := time.Date(2026, 12, 7, 0, 0, 0, 0, time.UTC)
	at := func(h, m int) func(*screening.Arrival) {
		return func(a *screening.Arrival) { a.Now = day.Add(time.Duration(h*60+m) * time.Minute) }
	}
	hours := row(func(r *screening.Requirement) { r.After, r.Before = 6*60+30, 8*60 })
	dated := row(func(r *screening.Requirement) { r.From, r.Until = day, day })
	asked, free := screening.NotShown, held
	grade := func(g string) func(*screening.Arrival) {
		return func(a *screening.Arrival) { a.Subject.Grade = g }
	}
	for name, c := range map[string]struct {
		row    screening.Requirement
		change func(*screening.Arrival)
		why    screening.Reason
	}{
		"before its hours":                  {hours, at(6, 29), free},
		"as its hours begin":                {hours, at(6, 30), asked},
		"as its hours end":                  {hours, at(8, 0), free},
		"by an untrusted clock at any hour": {hours, all(at(12, 0), untrusted), asked},
		"on its only day":                   {dated, at(23, 59), asked},
		"on the day after":                  {dated, at(24, 0), free},
		"on the day before":                 {dated, at(0, -1), free},
		"on a school day":                   {row(func(r *screening.Requirement) { r.SchoolDays = true }), nil, asked},
		"not on a holiday":                  {row(func(r *screening.Requirement) { r.SchoolDays = true }), func(a *screening.Arrival) { a.NoSchool = true }, free},
		"of its grade":                      {row(func(r *screening.Requirement) { r.Grades = []string{"初三"} }), grade("初三"), asked},
		"not of another grade":              {row(func(r *screening.Requirement) { r.Grades = []string{"初三"} }), grade("初二"), free},
		"of a grade that nobody knows":      {row(func(r *screening.Requirement) { r.Grades = []string{"初三"} }), nil, asked},
		"of boarders":                       {row(func(r *screening.Requirement) { r.Boarding = screening.Boarder }), func(a *screening.Arrival) { a.Subject.Boarding = screening.Boarder }, asked},
		"not of day pupils":                 {row(func(r *screening.Requirement) { r.Boarding = screening.Boarder }), func(a *screening.Arrival) { a.Subject.Boarding = screening.DayPupil }, free},
		"of who sleeps nobody knows where":  {row(func(r *screening.Requirement) { r.Boarding = screening.Boarder }), nil, asked},
		"at its place":                      {row(func(r *screening.Requirement) { r.Place = screening.Bus }), func(a *screening.Arrival) { a.Place = screening.Bus }, asked},
		"not at another place":              {row(func(r *screening.Requirement) { r.Place = screening.Bus }), nil, free},
		"on the way in and out":             {row(func(r *screening.Requirement) { r.Direction = screening.Both }), nil, asked},
	} {
		t.Run(name, func(t *testing.T) {
			a := whole(screening.Student)
			if c.change != nil {
				c.change(&a)
			}
			if got := under(t, c.row).Decide(a); got.Has(screening.NotShown) != (c.why == asked) {
				t.Errorf("got %+v", got)
			}
		})
	}
	out := row(func(r *screening.Requirement) { r.Direction = screening.Both })
	a := whole(screening.Student)
	a.Direction = screening.Out
	if d := under(t, out).Decide(a); d.Outcome != refer {
		t.Errorf("on the way out: %+v", d)
	}
}

func TestARowThatOnlyWarnsIsListedAndDecidesNothing(t *testing.T) {
	row := asks(screening.Ask{Evidence: screening.Approval})
	row.Warn = true
	d := under(t, row).Decide(whole(screening.Student))
	if want := []string{"row:not-shown!"}; d.Outcome != admit || !slices.Equal(d.Rows(), want) {
		t.Errorf("got %+v", d)
	}
}

func TestEvidenceAndPlacesHaveWordsThatAreReadBack(t *testing.T) {
	for e := screening.Identity; e <= screening.RiskArea; e++ {
		if got, ok := screening.ParseEvidence(e.String()); got != e || !ok {
			t.Errorf("%v: %v, %v", e, got, ok)
		}
	}
	for p := screening.Gate; p <= screening.Classroom; p++ {
		if got, ok := screening.ParsePlace(p.String()); got != p || !ok {
			t.Errorf("%v: %v, %v", p, got, ok)
		}
	}
	for _, word := range []string{"", "unknown", "aura"} {
		if e, ok := screening.ParseEvidence(word); ok {
			t.Errorf("%q is %v", word, e)
		}
	}
	if _, ok := screening.ParsePlace("roof"); ok || screening.Evidence(99).String() != "unknown" || screening.Place(99).String() != "unknown" {
		t.Error("a roof is no place, and 99 is nothing")
	}
}

func TestARowSaysWhatIsWrongWithIt(t *testing.T) {
	long := strings.Repeat("x", 41)
	for fault, ask := range map[string]screening.Ask{
		"needs a name":      {Evidence: screening.Document},
		"nothing else has":  {Evidence: screening.Mask, Name: "mask"},
		"at most 40 bytes":  {Evidence: screening.Seen, Name: long},
		"tests: 1 to 4":     {Evidence: screening.Tests, Count: 5, Within: time.Hour},
		"stand apart":       {Evidence: screening.Tests, Count: 3, Within: 47 * time.Hour, Apart: 24 * time.Hour},
		"has no count":      {Evidence: screening.Mask, Count: 1},
		"1 to 30 days":      {Evidence: screening.History, Days: 31},
		"nothing else":      {Evidence: screening.Mask, Days: 1},
		"has no age":        {Evidence: screening.Temperature, Within: time.Hour},
		"may be 0 to":       {Evidence: screening.Document, Name: "x", Within: 15 * 24 * time.Hour},
		"names colours":     {Evidence: screening.Mask, Colours: screening.ColoursOf(screening.Red)},
		"yellow, red and":   {Evidence: screening.NotBarred, Colours: screening.ColoursOf(screening.Green)},
		"seen printed":      {Evidence: screening.NotBarred, Paper: true},
		"evidence 20 is un": {Evidence: 20},
	} {
		r := screening.Requirement{ID: "row", Ask: ask, Fail: screening.Refer}
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%+v: %v", ask, err)
		}
	}
	for fault, change := range map[string]func(*screening.Requirement){
		"serves for a temperature": func(r *screening.Requirement) { r.Or = []screening.Ask{{Evidence: screening.Temperature}} },
		"40 Chinese characters":    func(r *screening.Requirement) { r.Say.Zh = strings.Repeat("字", 41) },
		"ends before it begins":    func(r *screening.Requirement) { r.After, r.Before = 60, 60 },
		"more than 32 grades":      func(r *screening.Requirement) { r.Grades = make([]string, 33) },
	} {
		r := screening.Requirement{ID: "row", Ask: screening.Ask{Evidence: screening.Mask}, Fail: screening.Refer}
		if err := r.Check(); err != nil {
			t.Fatal(err)
		}
		change(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v", fault, err)
		}
	}
}
