package casefile_test

import (
	"errors"
	"testing"
	"time"

	"github.com/menshen/menshen/screening/casefile"
)

const day = 24 * time.Hour

// stepped takes steps a minute apart and returns the case, and what became of
// the last of them.
func stepped(t *testing.T, c casefile.Case, steps ...casefile.Event) (casefile.Case, error) {
	t.Helper()
	var err error
	for i, e := range steps {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		e.At = opened.Add(time.Duration(i+1) * time.Minute)
		if e.By == nil && e.Step != casefile.Returned {
			e.By = nurse
		}
		c, err = c.Step(e)
	}
	return c, err
}

func correct(step uint16) casefile.Event {
	return casefile.Event{Step: casefile.Corrected, Corrects: step, Reason: "not-done"}
}

func TestWhoWentAwayComesBackByTheRuleOfTheDiagnosis(t *testing.T) {
	flu := casefile.Event{Step: casefile.Diagnosed, Reason: "influenza"}
	wait := func(from, on time.Time) casefile.Event {
		return casefile.Event{Step: casefile.ReturnCleared, Asked: casefile.NursesLook, Proof: casefile.NursesLook, From: from, Wait: 2 * day, On: on}
	}
	word := casefile.Event{Step: casefile.ReturnCleared, Asked: casefile.Certificate, Proof: casefile.NursesLook, On: today}
	for rule, tt := range map[string]struct {
		opening func(*casefile.Opening)
		steps   []casefile.Event
		want    casefile.Phase
		err     error // of the last step
	}{
		"a cold on the guardian's word":                 {steps: []casefile.Event{home, cold, cleared}, want: casefile.Cleared},
		"and then is back":                              {steps: []casefile.Event{home, cold, cleared, returned}, want: casefile.Closed},
		"nobody is back who was not cleared":            {steps: []casefile.Event{home, cold, returned}, want: casefile.Away, err: casefile.ErrOrder},
		"less than what is asked is not enough":         {steps: []casefile.Event{home, word}, want: casefile.Away, err: casefile.ErrProof},
		"nothing is asked for: no clearance":            {steps: []casefile.Event{home, {Step: casefile.ReturnCleared, Proof: casefile.Certificate, On: today}}, want: casefile.Away, err: casefile.ErrEvent},
		"a wait that ends on that day is over":          {steps: []casefile.Event{home, flu, wait(today, today.Add(2*day))}, want: casefile.Cleared},
		"in the course of that day too":                 {steps: []casefile.Event{home, flu, wait(today.Add(7*time.Hour), today.Add(2*day))}, want: casefile.Cleared},
		"on the day before it is not":                   {steps: []casefile.Event{home, flu, wait(today, today.Add(day))}, want: casefile.Away, err: casefile.ErrEarly},
		"a wait from nowhere is never over":             {steps: []casefile.Event{home, flu, wait(time.Time{}, today.Add(9*day))}, want: casefile.Away, err: casefile.ErrEarly},
		"nobody is cleared who is in the room":          {steps: []casefile.Event{arrived, cleared}, want: casefile.Here, err: casefile.ErrOrder},
		"nobody is cleared who is not known":            {opening: unknown, steps: []casefile.Event{hospital, cleared}, want: casefile.Away, err: casefile.ErrOrder},
		"nobody is cleared twice":                       {steps: []casefile.Event{home, cold, cleared, cleared}, want: casefile.Cleared, err: casefile.ErrOrder},
		"a clearance is taken back":                     {steps: []casefile.Event{home, cold, cleared, correct(4)}, want: casefile.Away},
		"and given again":                               {steps: []casefile.Event{home, cold, cleared, correct(4), cleared}, want: casefile.Cleared},
		"on a clearance nothing is changed below it":    {steps: []casefile.Event{home, cold, cleared, flu}, want: casefile.Cleared, err: casefile.ErrOrder},
		"nor corrected":                                 {steps: []casefile.Event{home, cold, cleared, correct(3)}, want: casefile.Cleared, err: casefile.ErrOrder},
		"the wrong person owes nothing, found out late": {steps: []casefile.Event{home, notThis}, want: casefile.Closed},
		"who is unknown is named in hospital":           {opening: unknown, steps: []casefile.Event{hospital, identified, cold, cleared}, want: casefile.Cleared},
		"a guardian is called at home":                  {steps: []casefile.Event{home, reached}, want: casefile.Away},
		"nobody is measured at home":                    {steps: []casefile.Event{home, normal}, want: casefile.Away, err: casefile.ErrOrder},
	} {
		t.Run(rule, func(t *testing.T) {
			c := begin(t)
			if tt.opening != nil {
				c = begin(t, tt.opening)
			}
			c, err := stepped(t, c, tt.steps...)
			if c.Phase() != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("phase %v, %v; want %v, %v", c.Phase(), err, tt.want, tt.err)
			}
		})
	}
}

// by is a measurement with an instrument.
func by(instrument string, e casefile.Event) casefile.Event {
	e.Instrument = instrument
	return e
}

func TestTheRoundsOfThePolicyComeBeforeTheWayToClass(t *testing.T) {
	for rule, tt := range map[string]struct {
		rounds uint8
		steps  []casefile.Event
		back   bool
		stood  bool
	}{
		"one is enough where nothing is said": {steps: []casefile.Event{arrived, normal}, back: true},
		"one of two is not":                   {rounds: 2, steps: []casefile.Event{arrived, normal}},
		"two of two are":                      {rounds: 2, steps: []casefile.Event{arrived, normal, by("ear", normal)}, back: true},
		"the same instrument again is none":   {rounds: 2, steps: []casefile.Event{arrived, normal, by("axilla", normal), normal}},
		"a fever of one stands":               {steps: []casefile.Event{arrived, fever}, stood: true},
		"a fever stands with the last round":  {rounds: 3, steps: []casefile.Event{arrived, fever, by("ear", normal), by("mercury", normal)}, stood: true},
		"before it, nothing stands":           {rounds: 3, steps: []casefile.Event{arrived, fever, by("ear", normal)}},
		"a fever that never was stands not":   {steps: []casefile.Event{arrived, fever, {Step: casefile.Corrected, Corrects: 3, Reason: "typed-wrong", Value: 36_500, Limit: 37_300}}, back: true},
		"a normal one that was a fever does":  {steps: []casefile.Event{arrived, normal, {Step: casefile.Corrected, Corrects: 3, Reason: "typed-wrong", Value: 38_500, Limit: 37_300}}, stood: true},
	} {
		t.Run(rule, func(t *testing.T) {
			c, err := stepped(t, begin(t, func(o *casefile.Opening) { o.Rounds = tt.rounds }), tt.steps...)
			if err != nil || c.MayGoBack() != tt.back || c.CountsAsFever() != tt.stood {
				t.Errorf("may go back %v, counts as a fever %v, %v", c.MayGoBack(), c.CountsAsFever(), err)
			}
		})
	}
	if _, err := casefile.Open(casefile.Opening{Number: 1, Origin: casefile.FromGate, Rounds: 4}); !errors.Is(err, casefile.ErrEvent) {
		t.Errorf("four rounds: %v", err)
	}
}

func TestWhoWentBackToClassOrWasNeverMeantIsNoFeverInAnyReport(t *testing.T) {
	for rule, tt := range map[string]struct {
		steps []casefile.Event
		want  bool
	}{
		"back to class":         {[]casefile.Event{arrived, normal, back}, false},
		"not this person":       {[]casefile.Event{arrived, fever, notThis}, false},
		"in the room":           {[]casefile.Event{arrived, fever}, true},
		"home":                  {[]casefile.Event{arrived, fever, home}, true},
		"home, high at gate":    {[]casefile.Event{home}, true},
		"home after normal":     {[]casefile.Event{arrived, normal, home}, false},
		"fever, cold, and back": {[]casefile.Event{arrived, fever, home, cold, cleared, returned}, true},
	} {
		t.Run(rule, func(t *testing.T) {
			if c, err := stepped(t, begin(t), tt.steps...); err != nil || c.CountsAsFever() != tt.want {
				t.Errorf("%v, %v", c.CountsAsFever(), err)
			}
		})
	}
}

func TestACorrectionIsAnEntryOfItsOwnAndEditsNothing(t *testing.T) {
	c, err := stepped(t, begin(t), arrived, fever, noAnswer, casefile.Event{Step: casefile.Placed, Place: 3}, casefile.Event{Step: casefile.Told, Reason: "leader"})
	if err != nil {
		t.Fatal(err)
	}
	for rule, e := range map[string]casefile.Event{
		"no reason":         {Step: casefile.Corrected, Corrects: 4},
		"no step":           {Step: casefile.Corrected, Reason: "not-done"},
		"a step to come":    correct(7),
		"a fever by no one": {Step: casefile.Corrected, Corrects: 3, Reason: "typed-wrong"},
	} {
		if _, err := stepped(t, c, e); !errors.Is(err, casefile.ErrEvent) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	for _, i := range []uint16{1, 2} { // opened, arrived
		if _, err := stepped(t, c, correct(i)); !errors.Is(err, casefile.ErrOrder) {
			t.Errorf("step %d: %v", i, err)
		}
	}
	after, err := stepped(t, c, correct(4), correct(5), correct(6))
	if err != nil || after.LastCall(1) != 0 || after.Place() != 0 || after.Version() != 9 || after.Events[3].Step != casefile.Called {
		t.Errorf("%v: call %v, bed %d, %+v", err, after.LastCall(1), after.Place(), after.Events)
	}
	if c.LastCall(1) != casefile.NoAnswer || c.Place() != 3 {
		t.Error("the case before it has changed")
	}
	if _, err := stepped(t, after, correct(4)); !errors.Is(err, casefile.ErrOrder) {
		t.Errorf("twice: %v", err)
	}
}

func TestWhenSomebodyMayComeBack(t *testing.T) {
	rules := casefile.DefaultRules()
	diagnosed := func(word string) casefile.Event { return casefile.Event{Step: casefile.Diagnosed, Reason: word} }
	dated := func(what string, from time.Time) casefile.Event {
		return casefile.Event{Step: casefile.Dated, Reason: what, From: from}
	}
	for rule, tt := range map[string]struct {
		steps []casefile.Event
		want  time.Time
		ok    bool
	}{
		"nobody knows of what":               {steps: []casefile.Event{home}},
		"suspected is not known":             {steps: []casefile.Event{home, {Step: casefile.Suspected, Reason: "influenza"}}},
		"a cold, at once":                    {steps: []casefile.Event{home, diagnosed("cold")}, ok: true},
		"influenza, still ill":               {steps: []casefile.Event{home, diagnosed("influenza")}},
		"influenza, 48 h after the symptoms": {steps: []casefile.Event{home, diagnosed("influenza"), dated(casefile.SymptomsEnd, today.Add(day))}, want: today.Add(3 * day), ok: true},
		"varicella, 14 d from the opening":   {steps: []casefile.Event{home, diagnosed("varicella")}, want: opened.Add(14 * day), ok: true},
		"or from the day that was said":      {steps: []casefile.Event{home, diagnosed("varicella"), dated(casefile.Onset, today.Add(-day))}, want: today.Add(13 * day), ok: true},
		"what the rules do not name":         {steps: []casefile.Event{home, diagnosed("mumps")}, ok: true},
	} {
		t.Run(rule, func(t *testing.T) {
			c, err := stepped(t, begin(t), tt.steps...)
			if err != nil {
				t.Fatal(err)
			}
			if _, got, ok := c.Earliest(rules); !got.Equal(tt.want) || ok != tt.ok {
				t.Errorf("%v, %v", got, ok)
			}
		})
	}
	if p := rules.Return("mumps").Proof; p != casefile.Certificate {
		t.Errorf("of what the rules do not name %v is asked", p)
	}
}

func TestTheEndOfAFullCaseIsStillTaken(t *testing.T) {
	c := begin(t)
	for {
		next, err := stepped(t, c, noAnswer)
		if err != nil {
			break
		}
		c = next
	}
	if c, err := stepped(t, c, arrived, home, cleared, returned); err != nil || c.Phase() != casefile.Closed {
		t.Errorf("after %d steps: %v, %v", c.Version(), c.Phase(), err)
	}
}
