package casefile_test

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening/casefile"
)

var (
	opened = time.Date(2020, 12, 7, 7, 19, 0, 0, time.UTC)
	today  = time.Date(2020, 12, 7, 0, 0, 0, 0, time.UTC)
	nurse  = []uint64{3}
)

// begin opens the case of a pupil who was measured high twice at the gate.
func begin(t *testing.T, change ...func(*casefile.Opening)) casefile.Case {
	t.Helper()
	o := casefile.Opening{Number: 12, Origin: casefile.FromGate, Subject: 4, Found: []string{"high-twice"}, At: opened}
	for _, f := range change {
		f(&o)
	}
	c, err := casefile.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func unknown(o *casefile.Opening) { o.Subject = 0 }
func red(o *casefile.Opening)     { o.Found = []string{"red-code"} }
func inRoom(o *casefile.Opening)  { o.Origin, o.Found = casefile.FromRoom, []string{"headache"} }

// The steps as somebody in the room takes them.
var (
	escorted   = casefile.Event{Step: casefile.Escorted}
	arrived    = casefile.Event{Step: casefile.Arrived}
	normal     = casefile.Event{Step: casefile.Measured, Value: 36_500, Limit: 37_300}
	fever      = casefile.Event{Step: casefile.Measured, Value: 37_300, Limit: 37_300}
	under      = casefile.Event{Step: casefile.Measured, Value: 37_299, Limit: 37_300}
	noAnswer   = casefile.Event{Step: casefile.Called, Call: casefile.NoAnswer, Guardian: 1}
	reached    = casefile.Event{Step: casefile.Called, Call: casefile.Reached, Guardian: 2}
	back       = casefile.Event{Step: casefile.BackToClass}
	notThis    = casefile.Event{Step: casefile.NotThisPerson, Reason: "wrong-badge"}
	home       = casefile.Event{Step: casefile.HomeWithGuardian, Relation: casefile.Mother, Reason: "phone"}
	hospital   = casefile.Event{Step: casefile.ToHospital}
	identified = casefile.Event{Step: casefile.Identified, Subject: 4}
	cold       = casefile.Event{Step: casefile.Diagnosed, Reason: "cold"}
	cleared    = casefile.Event{Step: casefile.ReturnCleared, Asked: casefile.GuardiansWord, Proof: casefile.NursesLook, On: today}
	returned   = casefile.Event{Step: casefile.Returned}
)

func TestACaseTakesWhatComesNextAndNothingElse(t *testing.T) {
	for rule, tt := range map[string]struct {
		opening func(*casefile.Opening)
		steps   []casefile.Event
		want    casefile.Phase
		err     error // of the last step
	}{
		"opened at the gate, the person is on the way":        {want: casefile.Coming},
		"opened in the room, the person is there":             {opening: inRoom, want: casefile.Here},
		"a normal recheck leads back to class":                {steps: []casefile.Event{escorted, arrived, normal, back}, want: casefile.Closed},
		"just below the limit is normal":                      {steps: []casefile.Event{arrived, under, back}, want: casefile.Closed},
		"at the limit it is a fever":                          {steps: []casefile.Event{arrived, fever, back}, want: casefile.Here, err: casefile.ErrFever},
		"a lower reading takes no fever back":                 {steps: []casefile.Event{arrived, fever, normal, back}, want: casefile.Here, err: casefile.ErrFever},
		"nobody goes back unmeasured":                         {steps: []casefile.Event{arrived, back}, want: casefile.Here, err: casefile.ErrOrder},
		"nobody goes back who never came":                     {steps: []casefile.Event{back}, want: casefile.Coming, err: casefile.ErrOrder},
		"no thermometer answers a red code":                   {opening: red, steps: []casefile.Event{arrived, normal, back}, want: casefile.Here, err: casefile.ErrFever},
		"nobody is measured on the way":                       {steps: []casefile.Event{normal}, want: casefile.Coming, err: casefile.ErrOrder},
		"nobody arrives twice":                                {steps: []casefile.Event{arrived, arrived}, want: casefile.Here, err: casefile.ErrOrder},
		"nobody is fetched who is there":                      {steps: []casefile.Event{arrived, escorted}, want: casefile.Here, err: casefile.ErrOrder},
		"a call may come before the person":                   {steps: []casefile.Event{noAnswer, arrived, reached}, want: casefile.Here},
		"a child goes home from the room":                     {steps: []casefile.Event{arrived, fever, reached, home}, want: casefile.Away},
		"a child goes home from the gate":                     {steps: []casefile.Event{home}, want: casefile.Away},
		"an adult without a relation takes nobody":            {steps: []casefile.Event{{Step: casefile.HomeWithGuardian, Reason: "phone"}}, want: casefile.Coming, err: casefile.ErrEvent},
		"an adult of whom nothing is known takes nobody":      {steps: []casefile.Event{{Step: casefile.HomeWithGuardian, Relation: casefile.Father}}, want: casefile.Coming, err: casefile.ErrEvent},
		"nobody unknown is handed over":                       {opening: unknown, steps: []casefile.Event{home}, want: casefile.Coming, err: casefile.ErrOrder},
		"nobody is called for somebody unknown":               {opening: unknown, steps: []casefile.Event{reached}, want: casefile.Coming, err: casefile.ErrOrder},
		"who was unknown goes home once it is said who it is": {opening: unknown, steps: []casefile.Event{identified, home}, want: casefile.Away},
		"who is known is nobody else":                         {steps: []casefile.Event{{Step: casefile.Identified, Subject: 5}}, want: casefile.Coming, err: casefile.ErrOrder},
		"nobody is no name":                                   {opening: unknown, steps: []casefile.Event{{Step: casefile.Identified}}, want: casefile.Coming, err: casefile.ErrEvent},
		"to hospital from anywhere":                           {steps: []casefile.Event{hospital}, want: casefile.Away},
		"the wrong person leaves at once":                     {steps: []casefile.Event{notThis}, want: casefile.Closed},
		"even after a fever, which was somebody else's":       {steps: []casefile.Event{arrived, fever, notThis}, want: casefile.Closed},
		"the wrong person needs a reason":                     {steps: []casefile.Event{{Step: casefile.NotThisPerson}}, want: casefile.Coming, err: casefile.ErrEvent},
		"what is closed takes nothing":                        {steps: []casefile.Event{notThis, arrived}, want: casefile.Closed, err: casefile.ErrOver},
		"who is away leaves no second time":                   {steps: []casefile.Event{home, hospital}, want: casefile.Away, err: casefile.ErrOrder},
		"a case is opened once":                               {steps: []casefile.Event{{Step: casefile.Opened}}, want: casefile.Coming, err: casefile.ErrEvent},
		"a step of a newer program is refused":                {steps: []casefile.Event{{Step: 99}}, want: casefile.Coming, err: casefile.ErrEvent},
		"a slip of the finger is no temperature":              {steps: []casefile.Event{arrived, {Step: casefile.Measured, Value: 3_650, Limit: 37_300}}, want: casefile.Here, err: casefile.ErrEvent},
		"a temperature without a limit is judged by nobody":   {steps: []casefile.Event{arrived, {Step: casefile.Measured, Value: 36_500}}, want: casefile.Here, err: casefile.ErrEvent},
		"a call to nobody is none":                            {steps: []casefile.Event{{Step: casefile.Called, Call: casefile.Busy}}, want: casefile.Coming, err: casefile.ErrEvent},
		"a call of which nothing came is none":                {steps: []casefile.Event{{Step: casefile.Called, Guardian: 1}}, want: casefile.Coming, err: casefile.ErrEvent},
	} {
		t.Run(rule, func(t *testing.T) {
			c := begin(t)
			if tt.opening != nil {
				c = begin(t, tt.opening)
			}
			var err error
			for i, e := range tt.steps {
				if err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				e.By, e.At = nurse, opened.Add(time.Minute)
				c, err = c.Step(e)
			}
			if c.Phase() != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("phase %v, %v; want %v, %v", c.Phase(), err, tt.want, tt.err)
			}
		})
	}
}

func TestEveryStepIsTakenInSomebodysName(t *testing.T) {
	for rule, by := range map[string][]uint64{"nobody": nil, "three": {1, 2, 3}} {
		e := arrived
		e.By = by
		if _, err := begin(t).Step(e); !errors.Is(err, casefile.ErrEvent) {
			t.Errorf("%s: %v", rule, err)
		}
	}
	if _, err := (casefile.Case{}).Step(arrived); !errors.Is(err, casefile.ErrOver) {
		t.Errorf("no case takes a step: %v", err)
	}
}

func TestACaseBeginsWithANumberAndClosedWords(t *testing.T) {
	for rule, change := range map[string]func(*casefile.Opening){
		"no number":         func(o *casefile.Opening) { o.Number = 0 },
		"four digits":       func(o *casefile.Opening) { o.Number = 1000 },
		"no origin":         func(o *casefile.Opening) { o.Origin = 0 },
		"an unknown origin": func(o *casefile.Opening) { o.Origin = 9 },
		"a name":            func(o *casefile.Opening) { o.Found = []string{"李一涵"} },
		"a sentence":        func(o *casefile.Opening) { o.Found = []string{"looks ill"} },
		"an empty word":     func(o *casefile.Opening) { o.Found = []string{""} },
		"too long a word":   func(o *casefile.Opening) { o.Found = []string{strings.Repeat("a", 33)} },
		"too many words":    func(o *casefile.Opening) { o.Found = slices.Repeat([]string{"cough"}, 17) },
		"three names":       func(o *casefile.Opening) { o.By = []uint64{1, 2, 3} },
	} {
		o := casefile.Opening{Number: 12, Origin: casefile.FromGate, Found: []string{"cough"}}
		change(&o)
		if _, err := casefile.Open(o); !errors.Is(err, casefile.ErrEvent) {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

func TestTheNextStepIsTheOneMainButton(t *testing.T) {
	for rule, tt := range map[string]struct {
		opening func(*casefile.Opening)
		steps   []casefile.Event
		want    casefile.Step
	}{
		"on the way":                    {want: casefile.Arrived},
		"fetched":                       {steps: []casefile.Event{escorted}, want: casefile.Arrived},
		"there":                         {steps: []casefile.Event{arrived}, want: casefile.Measured},
		"there and unknown":             {opening: unknown, steps: []casefile.Event{arrived}, want: casefile.Identified},
		"normal":                        {steps: []casefile.Event{arrived, normal}, want: casefile.BackToClass},
		"a fever":                       {steps: []casefile.Event{arrived, fever}, want: casefile.Called},
		"a fever and nobody answers":    {steps: []casefile.Event{arrived, fever, noAnswer}, want: casefile.Called},
		"a fever and somebody answers":  {steps: []casefile.Event{arrived, fever, noAnswer, reached}, want: casefile.HomeWithGuardian},
		"a red code, no fever":          {opening: red, steps: []casefile.Event{arrived, normal}, want: casefile.Called},
		"at home, nobody knows of what": {steps: []casefile.Event{home}, want: casefile.Diagnosed},
		"at home with a cold":           {steps: []casefile.Event{home, cold}, want: casefile.ReturnCleared},
		"cleared":                       {steps: []casefile.Event{home, cold, cleared}, want: casefile.Returned},
		"ended":                         {steps: []casefile.Event{notThis}, want: 0},
	} {
		t.Run(rule, func(t *testing.T) {
			c := begin(t)
			if tt.opening != nil {
				c = begin(t, tt.opening)
			}
			for _, e := range tt.steps {
				var err error
				e.By = nurse
				if c, err = c.Step(e); err != nil {
					t.Fatal(err)
				}
			}
			if got := c.Next(); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestTheWayOutStandsOpenForHalfAnHourAfterTheHandOver(t *testing.T) {
	c := begin(t)
	if !c.ExitUntil().IsZero() {
		t.Error("it stands open to somebody in the room")
	}
	e := home
	e.By, e.At = nurse, opened.Add(40*time.Minute)
	c, err := c.Step(e)
	if want := opened.Add(70 * time.Minute); err != nil || !c.ExitUntil().Equal(want) {
		t.Errorf("until %v, %v", c.ExitUntil(), err)
	}
}

func TestAStepLeavesTheCaseBeforeItAsItWas(t *testing.T) {
	before := begin(t)
	e := arrived
	e.By = nurse
	one, err := before.Step(e)
	if err != nil {
		t.Fatal(err)
	}
	e = home
	e.By = nurse
	if _, err := before.Step(e); err != nil {
		t.Fatal(err)
	}
	if before.Version() != 1 || one.Version() != 2 || one.Phase() != casefile.Here || one.Events[1].Step != casefile.Arrived {
		t.Errorf("before %+v\nafter %+v", before, one)
	}
}

func TestEveryWordIsReadBack(t *testing.T) {
	for o := casefile.FromGate; o <= casefile.FromOffice; o++ {
		if got, ok := casefile.ParseOrigin(o.String()); got != o || !ok {
			t.Errorf("%v: %v, %v", o, got, ok)
		}
	}
	for c := casefile.Reached; c <= casefile.Busy; c++ {
		if got, ok := casefile.ParseCall(c.String()); got != c || !ok {
			t.Errorf("%v: %v, %v", c, got, ok)
		}
	}
	for r := casefile.Mother; r <= casefile.Other; r++ {
		if got, ok := casefile.ParseRelation(r.String()); got != r || !ok {
			t.Errorf("%v: %v, %v", r, got, ok)
		}
	}
	if _, ok := casefile.ParseOrigin(""); ok {
		t.Error("nothing is an origin")
	}
	for p := casefile.GuardiansWord; p <= casefile.IsolationRelease; p++ {
		if got, ok := casefile.ParseProof(p.String()); got != p || !ok {
			t.Errorf("%v: %v, %v", p, got, ok)
		}
	}
	if _, ok := casefile.ParseProof(""); ok {
		t.Error("nothing is a proof")
	}
	if got := casefile.Step(99).String() + casefile.Origin(99).String() + casefile.Call(99).String() + casefile.Relation(99).String(); got != "unknown" {
		t.Errorf("got %q", got)
	}
}

// FuzzACaseKeepsItsPromises walks at random: whatever is pressed, a case never
// panics, takes nothing once it has ended, forgets nothing, and sends nobody
// back to class after a fever.
func FuzzACaseKeepsItsPromises(f *testing.F) {
	f.Add(uint64(1), uint8(1), uint8(40))
	f.Add(uint64(2), uint8(3), uint8(255))
	f.Fuzz(func(t *testing.T, seed uint64, origin, steps uint8) {
		r := rand.New(rand.NewPCG(seed, 7))
		c, err := casefile.Open(casefile.Opening{Number: 7, Origin: casefile.Origin(origin), Subject: r.Uint64N(2) * 4, Found: [][]string{nil, {"red-code"}, {"cough"}}[r.IntN(3)]})
		if err != nil {
			return
		}
		for range steps {
			walk(t, r, &c)
		}
	})
}

func walk(t *testing.T, r *rand.Rand, c *casefile.Case) {
	e := casefile.Event{
		Step: casefile.Step(r.UintN(21)), By: make([]uint64, r.IntN(4)), Value: [...]casefile.Event{normal, fever, under, {}}[r.IntN(4)].Value, Limit: 37_300,
		Call: casefile.Call(r.UintN(5)), Guardian: uint8(r.UintN(4)), Relation: casefile.Relation(r.UintN(6)), Reason: []string{"", "cold", casefile.Onset}[r.IntN(3)], Subject: r.Uint64N(3),
		Proof: casefile.Proof(r.UintN(6)), Asked: casefile.Proof(r.UintN(6)), On: []time.Time{{}, today}[r.IntN(2)], From: []time.Time{{}, today}[r.IntN(2)],
		Wait: time.Duration(r.IntN(3)) * 12 * time.Hour, Place: uint8(r.UintN(25)), Corrects: uint16(r.UintN(9)),
	}
	was := *c
	next, err := c.Step(e)
	switch {
	case err != nil && !reflect.DeepEqual(next, was):
		t.Fatalf("a refused step has changed %+v into %+v", was, next)
	case err != nil:
	case !was.Open() && !was.Owing():
		t.Fatalf("%+v took %+v", was, e)
	case next.Version() != was.Version()+1 || !reflect.DeepEqual(next.Events[:was.Version()], was.Events):
		t.Fatalf("%+v forgot something: %+v", was, next)
	case e.Step == casefile.BackToClass && (was.Fever() || was.Barred() || was.Phase() != casefile.Here):
		t.Fatalf("%+v goes back to class", was)
	case e.Step == casefile.HomeWithGuardian && was.Subject == 0:
		t.Fatalf("somebody unknown is handed over: %+v", was)
	case e.Step == casefile.ReturnCleared && (e.Proof < e.Asked || was.Phase() != casefile.Away):
		t.Fatalf("%+v may come back by %+v", was, e)
	case next.Phase() == casefile.Cleared && was.Phase() != casefile.Cleared && e.Step != casefile.ReturnCleared:
		t.Fatalf("%v clears the return of %+v", e.Step, was)
	case next.Phase() < was.Phase() && (e.Step != casefile.Corrected || was.Phase() != casefile.Cleared), next.Subject != was.Subject && e.Step != casefile.Identified:
		t.Fatalf("%+v became %+v", was, next)
	}
	if (next.Next() == 0) != (next.Phase() == casefile.Closed) {
		t.Fatalf("next of %+v is %v", next, next.Next())
	}
	*c = next
}
