package screening_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

var monday = time.Date(2026, 12, 7, 6, 50, 0, 0, time.UTC)

func compiled(t testing.TB, change func(*screening.Spec)) screening.Policy {
	t.Helper()
	s := screening.Default()
	if change != nil {
		change(&s)
	}
	p, err := screening.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func lens(peak screening.MilliC) screening.Reading {
	return screening.Reading{Value: peak, Peak: peak, Instrument: "lens", Quality: screening.Valid, Samples: 3}
}

func quality(r screening.Reading, q screening.Quality) screening.Reading { r.Quality = q; return r }

func ear(v screening.MilliC) screening.Reading {
	return screening.Typed("ear", screening.Ear, v, 35_000)
}

// whole is an arrival whose evidence is complete for every role.
func whole(role screening.Role) screening.Arrival {
	return screening.Arrival{
		Subject:  screening.Subject{ID: 7, Role: role},
		Readings: []screening.Reading{lens(36_500)},
		Code:     screening.Code{Colour: screening.Green, AsOf: monday.Add(-time.Hour), How: screening.FromRoster},
		Now:      monday, ClockTrusted: true,
	}
}

var roles = map[string]screening.Role{
	"nobody known": screening.RoleUnknown, "student": screening.Student, "staff": screening.Staff,
	"service": screening.Service, "visitor": screening.Visitor, "a role of the future": 9,
}

func TestDefaultPolicyForEveryRole(t *testing.T) {
	p := compiled(t, nil)
	type want struct {
		outcome screening.Outcome
		reason  screening.Reason
	}
	type rule struct {
		change func(*screening.Arrival)
		want   want
		green  bool // the rule is only for those who are asked for a green
	}
	code := func(c screening.Code) func(*screening.Arrival) {
		return func(a *screening.Arrival) { a.Code = c }
	}
	reading := func(r ...screening.Reading) func(*screening.Arrival) {
		return func(a *screening.Arrival) { a.Readings = r }
	}
	admitted := want{screening.Admit, screening.NoReason}
	rules := map[string]rule{
		"complete evidence admits":                         {func(*screening.Arrival) {}, admitted, false},
		"without identity a person looks":                  {func(a *screening.Arrival) { a.Subject.ID = 0 }, want{screening.Refer, screening.NoIdentity}, false},
		"without a temperature a person looks":             {reading(), want{screening.Refer, screening.NoTemperature}, false},
		"a stale temperature is none":                      {reading(quality(lens(36_500), screening.Stale)), want{screening.Refer, screening.NoTemperature}, false},
		"a temperature outside the ambient window is none": {reading(quality(lens(36_500), screening.Ambient)), want{screening.Refer, screening.AmbientOutside}, false},
		"what is too hot to be skin is none":               {reading(quality(lens(45_000), screening.Hot)), want{screening.Refer, screening.NoTemperature}, false},
		"scattered samples are none":                       {reading(quality(lens(36_900), screening.Scattered)), want{screening.Refer, screening.NoTemperature}, false},
		"a quality of the future is none":                  {reading(quality(lens(36_500), 99)), want{screening.Refer, screening.NoTemperature}, false},
		"scattered and high is high":                       {reading(quality(lens(37_400), screening.Scattered)), want{screening.Recheck, screening.HighOnce}, false},
		"too cold is measured again":                       {reading(quality(lens(34_000), screening.Cold)), want{screening.Recheck, screening.TooCold}, false},
		"too cold with a high sample is high":              {reading(quality(lens(37_400), screening.Cold)), want{screening.Recheck, screening.HighOnce}, false},
		"cold, then normal, is normal":                     {reading(quality(lens(34_000), screening.Cold), lens(36_500)), admitted, false},
		"once high is measured again":                      {reading(lens(37_300)), want{screening.Recheck, screening.HighOnce}, false},
		"the same instrument does not contradict itself":   {reading(lens(37_400), lens(36_500)), want{screening.Recheck, screening.HighOnce}, false},
		"no name is no other instrument":                   {reading(lens(37_400), screening.Typed("", screening.Ear, 36_500, 35_000)), want{screening.Recheck, screening.HighOnce}, false},
		"no name does not contradict itself":               {reading(screening.Typed("", screening.Ear, 37_400, 35_000), screening.Typed("", screening.Ear, 36_500, 35_000)), want{screening.Recheck, screening.HighOnce}, false},
		"another instrument answers a high one":            {reading(lens(37_400), ear(36_500)), admitted, false},
		"another instrument answers a scattered high one":  {reading(quality(lens(37_400), screening.Scattered), ear(36_500)), admitted, false},
		"an invalid answer answers nothing":                {reading(lens(37_400), ear(20_000)), want{screening.Recheck, screening.HighOnce}, false},
		"a cold answer answers nothing":                    {reading(lens(37_400), ear(34_000)), want{screening.Recheck, screening.HighOnce}, false},
		"two instruments agree: isolation":                 {reading(lens(37_400), ear(37_400)), want{screening.Isolate, screening.HighTwice}, false},
		"two agree, a third does not undo it":              {reading(lens(37_400), ear(37_400), screening.Typed("gun", screening.Wrist, 36_500, 35_000)), want{screening.Isolate, screening.HighTwice}, false},
		"high after an answer is high again":               {reading(lens(37_400), ear(36_500), lens(37_400)), want{screening.Recheck, screening.HighOnce}, false},
		"38.5 is isolation at once":                        {reading(lens(38_500)), want{screening.Isolate, screening.HardFeverSeen}, false},
		"38.5 stays, whatever is measured next":            {reading(lens(38_500), ear(36_500)), want{screening.Isolate, screening.HardFeverSeen}, false},
		"38.5 in scattered samples is a fever":             {reading(quality(lens(38_500), screening.Scattered), ear(36_500)), want{screening.Isolate, screening.HardFeverSeen}, false},
		"38.5 that is no skin is no fever":                 {reading(quality(lens(50_000), screening.Hot), ear(36_500)), admitted, false},
		"a hold refers":                                    {func(a *screening.Arrival) { a.Held = true }, want{screening.Refer, screening.OnHold}, false},
		"red isolates":                                     {code(screening.Code{Colour: screening.Red, How: screening.SeenByName}), want{screening.Isolate, screening.RedCode}, false},
		"yellow refers":                                    {code(screening.Code{Colour: screening.Yellow, How: screening.SeenByName}), want{screening.Refer, screening.YellowCode}, false},
		"no green refers":                                  {code(screening.Code{}), want{screening.Refer, screening.NoGreen}, true},
		"a green seen by name has no age":                  {code(screening.Code{Colour: screening.Green, How: screening.SeenByName}), admitted, true},
		"a green as old as allowed is fresh":               {code(screening.Code{Colour: screening.Green, AsOf: monday.Add(-24 * time.Hour), How: screening.FromRoster}), admitted, true},
		"a green older than allowed refers":                {code(screening.Code{Colour: screening.Green, AsOf: monday.Add(-24*time.Hour - 1), How: screening.FromRoster}), want{screening.Refer, screening.GreenTooOld}, true},
		"a green without a date refers":                    {code(screening.Code{Colour: screening.Green, How: screening.FromRoster}), want{screening.Refer, screening.GreenTooOld}, true},
		"a green from the future refers":                   {code(screening.Code{Colour: screening.Green, AsOf: monday.Add(1), How: screening.FromRoster}), want{screening.Refer, screening.ClockUntrusted}, true},
		"a green under an untrusted clock refers":          {func(a *screening.Arrival) { a.ClockTrusted = false }, want{screening.Refer, screening.ClockUntrusted}, true},
	}
	for name, r := range rules {
		for who, role := range roles {
			t.Run(name+"/"+who, func(t *testing.T) {
				want := r.want
				if r.green && role == screening.Student {
					want = admitted // pupils carry no phones
				}
				a := whole(role)
				r.change(&a)
				d := p.Decide(a)
				if d.Outcome != want.outcome {
					t.Errorf("outcome %v, want %v (%v)", d.Outcome, want.outcome, d.Failures)
				}
				if want.reason != screening.NoReason && !d.Has(want.reason) {
					t.Errorf("reason %v is not listed in %v", want.reason, d.Failures)
				}
				if d.Outcome == screening.Admit && len(d.Failures) > 0 {
					t.Errorf("admitted with %v", d.Failures)
				}
			})
		}
	}
}

func TestBoundaryReachesOrExceeds(t *testing.T) {
	for _, c := range []struct {
		boundary screening.Boundary
		peak     screening.MilliC
		want     screening.Outcome
	}{
		{screening.Reaches, 37_200, screening.Admit}, {screening.Reaches, 37_299, screening.Admit},
		{screening.Reaches, 37_300, screening.Recheck}, {screening.Reaches, 37_400, screening.Recheck},
		{screening.Exceeds, 37_200, screening.Admit}, {screening.Exceeds, 37_300, screening.Admit},
		{screening.Exceeds, 37_301, screening.Recheck}, {screening.Exceeds, 37_400, screening.Recheck},
	} {
		t.Run(c.boundary.Sign()+c.peak.Near(37_300), func(t *testing.T) {
			p := compiled(t, func(s *screening.Spec) { s.Boundary = c.boundary })
			a := whole(screening.Student)
			a.Readings = []screening.Reading{lens(c.peak)}
			if d := p.Decide(a); d.Outcome != c.want {
				t.Errorf("outcome %v, want %v", d.Outcome, c.want)
			}
		})
	}
}

func TestHardFeverStandsAboveEveryPolicy(t *testing.T) {
	p := compiled(t, func(s *screening.Spec) { s.Threshold, s.Boundary = screening.ThresholdMost, screening.Exceeds })
	if !p.High(38_500) || p.High(38_499) {
		t.Error("38.5 is not where every policy ends")
	}
	attendance := compiled(t, func(s *screening.Spec) {
		s.Kind, s.Requirements = screening.Attendance, s.Requirements[:1]
	})
	a := whole(screening.Student)
	a.Readings = []screening.Reading{lens(38_500)}
	for name, p := range map[string]screening.Policy{"highest threshold": p, "attendance": attendance} {
		if d := p.Decide(a); d.Outcome != screening.Isolate || !d.Has(screening.HardFeverSeen) {
			t.Errorf("%s: %+v", name, d)
		}
	}
	a.Readings = nil
	if d := attendance.Decide(a); d.Outcome != screening.Admit {
		t.Errorf("attendance asks for a temperature: %+v", d)
	}
}

func TestZeroPolicyRefersEverybody(t *testing.T) {
	var p screening.Policy
	d := p.Decide(whole(screening.Student))
	if d.Outcome != screening.Refer || !d.Has(screening.NoPolicy) || !p.High(1) {
		t.Errorf("%+v", d)
	}
	if (screening.Decision{}).Outcome != screening.Refer {
		t.Error("the zero decision is not Refer")
	}
}

func TestWorstOutcomeWinsAndEveryFailedRowIsListed(t *testing.T) {
	p := compiled(t, nil)
	a := whole(screening.Visitor)
	a.Held, a.Subject.ID, a.Readings = true, 0, []screening.Reading{lens(37_300)}
	a.Code = screening.Code{Colour: screening.Red}
	d := p.Decide(a)
	want := []screening.Failure{
		{Row: "bound/hold", Reason: screening.OnHold, Outcome: screening.Refer},
		{Row: "bound/red", Reason: screening.RedCode, Outcome: screening.Isolate},
		{Row: "identity", Reason: screening.NoIdentity, Outcome: screening.Refer},
		{Row: "temperature", Reason: screening.HighOnce, Outcome: screening.Recheck},
		{Row: "colour", Reason: screening.RedCode, Outcome: screening.Refer},
		{Row: "green", Reason: screening.RedCode, Outcome: screening.Refer},
	}
	if d.Outcome != screening.Isolate || !reflect.DeepEqual(d.Failures, want) {
		t.Errorf("%v\n got %+v\nwant %+v", d.Outcome, d.Failures, want)
	}
}

func TestSeverityOrder(t *testing.T) {
	order := []screening.Outcome{screening.Admit, screening.Recheck, screening.Refer, screening.Refuse, screening.Isolate}
	for i, mild := range order {
		for _, severe := range order[i:] {
			if screening.Worse(mild, severe) != severe || screening.Worse(severe, mild) != severe {
				t.Errorf("%v is worse than %v", mild, severe)
			}
		}
	}
	if o := screening.Worse(9, screening.Refuse); o != 9 {
		t.Errorf("an unknown outcome was outvoted by %v", o)
	}
}

func TestWarnRowsAreListedAndDoNotDecide(t *testing.T) {
	p := compiled(t, func(s *screening.Spec) { s.Requirements[2].Warn, s.Requirements[3].Warn = true, true })
	a := whole(screening.Staff)
	a.Code = screening.Code{Colour: screening.Yellow}
	d := p.Decide(a)
	if d.Outcome != screening.Admit || len(d.Failures) != 2 || !d.Failures[0].Warn || !d.Failures[1].Warn {
		t.Errorf("%+v", d)
	}
	if d.Lasting() {
		t.Error("a row that only warns leaves a hold")
	}
	a.Subject.ID = 0
	if d := p.Decide(a); !d.Overridable() {
		t.Error("a row that only warns forbids an override")
	}
}

func TestWhatMayBeOverridden(t *testing.T) {
	p := compiled(t, nil)
	for name, c := range map[string]struct {
		change func(*screening.Arrival)
		want   bool
	}{
		"no identity":     {func(a *screening.Arrival) { a.Subject.ID = 0 }, true},
		"no temperature":  {func(a *screening.Arrival) { a.Readings = nil }, true},
		"no green":        {func(a *screening.Arrival) { a.Code = screening.Code{} }, true},
		"complete":        {func(*screening.Arrival) {}, false},
		"hold":            {func(a *screening.Arrival) { a.Held = true }, false},
		"yellow":          {func(a *screening.Arrival) { a.Code.Colour = screening.Yellow }, false},
		"red":             {func(a *screening.Arrival) { a.Code.Colour = screening.Red }, false},
		"high once":       {func(a *screening.Arrival) { a.Readings = []screening.Reading{lens(37_300)} }, false},
		"high, no badge":  {func(a *screening.Arrival) { a.Readings, a.Subject.ID = []screening.Reading{lens(37_300)}, 0 }, false},
		"high twice":      {func(a *screening.Arrival) { a.Readings = []screening.Reading{lens(37_300), ear(37_300)} }, false},
		"hard fever":      {func(a *screening.Arrival) { a.Readings = []screening.Reading{lens(38_500)} }, false},
		"fever, no green": {func(a *screening.Arrival) { a.Readings, a.Code = []screening.Reading{lens(38_500)}, screening.Code{} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := whole(screening.Staff)
			c.change(&a)
			if d := p.Decide(a); d.Overridable() != c.want {
				t.Errorf("%+v", d)
			}
		})
	}
	lost := screening.Decision{Outcome: screening.Admit}.Stop("lane", screening.LaneAttended, screening.Refer)
	if lost.Overridable() {
		t.Error("a lane that cannot record may be overridden")
	}
}

func TestStopKeepsTheDecisionItIsMadeOf(t *testing.T) {
	failures := make([]screening.Failure, 1, 8)
	d := screening.Decision{Outcome: screening.Refuse, Failures: failures}
	one, two := d.Stop("a", screening.OnHold, screening.Refer), d.Stop("b", screening.HighOnce, screening.Isolate)
	if one.Failures[1].Row != "a" || two.Failures[1].Row != "b" || one.Outcome != screening.Refuse || two.Outcome != screening.Isolate {
		t.Errorf("%+v %+v", one, two)
	}
}

func TestEveryReasonReadsBack(t *testing.T) {
	for r := screening.NoReason; r <= screening.AlreadyIn; r++ {
		if got := screening.ParseReason(r.String()); got != r {
			t.Errorf("%v reads back as %v", r, got)
		}
	}
	if screening.ParseReason("of the future") != screening.NoPolicy {
		t.Error("a word that cannot be read speaks for a person")
	}
}
