package watch_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/watch"
)

// monday is the last of the days on which the tests fall ill.
var monday = time.Date(2020, 12, 7, 7, 0, 0, 0, time.UTC)

// since counts every day for a school day.
func since(days int) string { return monday.AddDate(0, 0, 1-days).Format(time.DateOnly) }

// ill is somebody of a class who fell ill so many days ago.
func ill(subject uint64, class string, ago int, syndromes ...string) watch.Event {
	at := monday.AddDate(0, 0, -ago).Add(time.Duration(subject) * time.Minute)
	return watch.Event{Subject: subject, Class: class, Day: at.Format(time.DateOnly), At: at, Syndromes: syndromes}
}

// several are so many of one class on one day, with roster numbers from first.
func several(n int, first uint64, class string, ago int, syndromes ...string) (list []watch.Event) {
	for i := range n {
		list = append(list, ill(first+uint64(i), class, ago, syndromes...))
	}
	return list
}

func TestTheDefaultTableOfClusters(t *testing.T) {
	across := func(n int, ago int, syndrome string) (list []watch.Event) {
		for i := range n {
			list = append(list, ill(uint64(i+1), fmt.Sprintf("%d班", i+1), ago, syndrome))
		}
		return list
	}
	for rule, tt := range map[string]struct {
		events []watch.Event
		want   string // syndrome/scope/place/people/step of each
	}{
		"three alike in a class on one day":            {several(3, 1, "1班", 0, "fever"), "fever/class/1班/3/1"},
		"two are none":                                 {several(2, 1, "1班", 0, "fever"), ""},
		"three who have nothing in common are none":    {[]watch.Event{ill(1, "1班", 0, "fever"), ill(2, "1班", 0, "vomiting"), ill(3, "1班", 0, "rash")}, ""},
		"three of different classes are none":          {across(3, 0, "fever"), ""},
		"three in two days are none":                   {append(several(2, 1, "1班", 0, "fever"), ill(3, "1班", 1, "fever")), ""},
		"five in three days":                           {append(several(2, 1, "1班", 0, "fever"), several(3, 3, "1班", 2, "fever")...), "fever/class/1班/5/1"},
		"five in four days are none":                   {append(several(2, 1, "1班", 0, "fever"), several(3, 3, "1班", 3, "fever")...), ""},
		"one who is found three times is one":          {[]watch.Event{ill(1, "1班", 0, "fever"), ill(1, "1班", 0, "fever"), ill(1, "1班", 0, "fever")}, ""},
		"whom nobody knows counts for nothing":         {append(several(2, 1, "1班", 0, "fever"), ill(0, "1班", 0, "fever")), ""},
		"staff are no class":                           {several(3, 1, "", 0, "fever"), ""},
		"six alike are the second step":                {several(6, 1, "1班", 0, "fever"), "fever/class/1班/6/2"},
		"ten with influenza in a week":                 {across(10, 6, watch.ILI), "ili/school//10/1"},
		"nine are none":                                {across(9, 6, watch.ILI), ""},
		"ten over more than a week are none":           {across(10, 7, watch.ILI), ""},
		"ten with norovirus":                           {across(10, 6, "norovirus"), "norovirus/school//10/1"},
		"five with hand, foot and mouth":               {across(5, 6, "hand-foot-mouth"), "hand-foot-mouth/school//5/1"},
		"two of them in a class":                       {several(2, 1, "1班", 6, "hand-foot-mouth"), "hand-foot-mouth/class/1班/2/1"},
		"five with varicella":                          {across(5, 6, "varicella"), "varicella/school//5/1"},
		"five with mumps":                              {across(5, 6, "mumps"), "mumps/school//5/1"},
		"two with measles in ten days":                 {across(2, 9, "measles"), "measles/school//2/1"},
		"two with measles in eleven days are none":     {across(2, 10, "measles"), ""},
		"a diagnosis is no sign that is counted alike": {several(4, 1, "1班", 0, "measles"), "measles/school//4/2"},
	} {
		t.Run(rule, func(t *testing.T) {
			var got []string
			for _, c := range watch.Clusters(tt.events, watch.DefaultRules(), since) {
				got = append(got, fmt.Sprintf("%s/%s/%s/%d/%d", c.Syndrome, c.Scope, c.Place, len(c.People), c.Step))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAClusterIsKnownWithThePersonWhoReachedItsStep(t *testing.T) {
	got := watch.Clusters(several(5, 1, "1班", 0, "fever"), watch.DefaultRules(), since)
	if len(got) != 1 || !got[0].At.Equal(monday.Add(3*time.Minute)) {
		t.Errorf("got %+v", got)
	}
	if !slices.Equal(got[0].People, []uint64{1, 2, 3, 4, 5}) {
		t.Errorf("people %v", got[0].People)
	}
}

func TestADormitoryIsCountedByItself(t *testing.T) {
	rules := []watch.Rule{{Syndrome: "diarrhoea", Scope: watch.Dormitory, Cases: 2, Days: 1}}
	list := several(2, 1, "1班", 0, "diarrhoea")
	list = append(list, ill(3, "2班", 0, "diarrhoea"))
	list[0].Dormitory, list[2].Dormitory = "3-201", "3-201"
	got := watch.Clusters(list, rules, since)
	if len(got) != 1 || got[0].Place != "3-201" || !slices.Equal(got[0].People, []uint64{1, 3}) {
		t.Errorf("got %+v", got)
	}
}

// The same events tell the same, in whatever order a journal was merged.
func TestTheOrderOfEventsDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var events []watch.Event
	for range 200 {
		s := watch.Syndromes([]string{watch.Signs()[r.IntN(6)], watch.Signs()[r.IntN(6)]}, false)
		events = append(events, ill(uint64(r.IntN(80)), fmt.Sprintf("%d班", r.IntN(6)), r.IntN(9), s...))
	}
	want := watch.Clusters(events, watch.DefaultRules(), since)
	if len(want) < 5 {
		t.Fatalf("only %d clusters: nothing is proved", len(want))
	}
	for range 20 {
		r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		if got := watch.Clusters(events, watch.DefaultRules(), since); !reflect.DeepEqual(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	}
}

func TestAClusterIsToldOnceAndAgainAtItsNextStep(t *testing.T) {
	told := watch.Told{}
	for _, tt := range []struct {
		rule   string
		people int
		want   int
	}{
		{"two are nothing", 2, 0}, {"the third is told", 3, 1}, {"it is not told again", 3, 0}, {"nor with a fourth", 4, 0},
		{"the sixth is another step", 6, 1}, {"not with fewer", 3, 0}, {"nor when they come back", 6, 0}, {"it is over", 0, 0}, {"another one is told", 3, 1},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			now := watch.Clusters(several(tt.people, 1, "1班", 0, "vomiting"), watch.DefaultRules()[:1], since)
			if got := told.News(now); len(got) != tt.want {
				t.Errorf("told %+v", got)
			}
		})
	}
}

func TestWhatWasFoundAsSyndromes(t *testing.T) {
	for rule, tt := range map[string]struct {
		found []string
		fever bool
		want  []string
	}{
		"signs in their order":                  {[]string{"vomiting", "fever"}, false, []string{"fever", "vomiting"}},
		"a fever that was measured":             {nil, true, []string{"fever"}},
		"fever and cough are influenza-like":    {[]string{"cough"}, true, []string{"fever", "cough", "ili"}},
		"so are fever and a sore throat":        {[]string{"sore-throat", "fever"}, false, []string{"fever", "sore-throat", "ili"}},
		"a cough alone is not":                  {[]string{"cough"}, false, []string{"cough"}},
		"what speaks of no illness is left out": {[]string{"red-code", "injury", "other", "drill"}, false, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := watch.Syndromes(tt.found, tt.fever); !slices.Equal(got, tt.want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestATableOutsideItsBoundsIsRefused(t *testing.T) {
	if err := watch.Check(watch.DefaultRules()); err != nil {
		t.Errorf("the default table: %v", err)
	}
	good := watch.Rule{Syndrome: "fever", Cases: 3, Days: 1}
	for rule, tt := range map[string]struct {
		change func(*watch.Rule)
		want   string
	}{
		"no syndrome":      {func(r *watch.Rule) { r.Syndrome = "" }, "syndrome"},
		"no word":          {func(r *watch.Rule) { r.Syndrome = "Fieber 1" }, "syndrome"},
		"a long word":      {func(r *watch.Rule) { r.Syndrome = strings.Repeat("x", 33) }, "syndrome"},
		"an unknown scope": {func(r *watch.Rule) { r.Scope = 3 }, "scope 3"},
		"no case":          {func(r *watch.Rule) { r.Cases = 0 }, "0 cases"},
		"too many cases":   {func(r *watch.Rule) { r.Cases = 1001 }, "1001 cases"},
		"no day":           {func(r *watch.Rule) { r.Days = 0 }, "0 days"},
		"too many days":    {func(r *watch.Rule) { r.Days = 15 }, "15 days"},
		"a long source":    {func(r *watch.Rule) { r.Source = strings.Repeat("x", 201) }, "source"},
	} {
		t.Run(rule, func(t *testing.T) {
			bad := good
			tt.change(&bad)
			if err := watch.Check([]watch.Rule{good, bad}); err == nil || !strings.HasPrefix(err.Error(), "rule 2: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	if err := watch.Check(slices.Repeat([]watch.Rule{good}, 65)); err == nil {
		t.Error("65 rules are taken")
	}
}

// passes are n people who were measured, half a minute apart, each a little
// different.
func passes(n int) (list []watch.Pass) {
	for i := range n {
		list = append(list, watch.Pass{Lane: 1, Subject: uint64(i + 1), At: monday.Add(time.Duration(i) * 30 * time.Second), Asked: true, Measured: true,
			Value: screening.MilliC(36_200 + i%7*100)})
	}
	return list
}

func TestWhatIsWavedThrough(t *testing.T) {
	with := func(n int, change func(i int, p *watch.Pass)) []watch.Pass {
		list := passes(40)
		for i := range n {
			change(i, &list[10+i])
		}
		return list
	}
	same := func(_ int, p *watch.Pass) { p.Value = 36_510 }
	low := func(_ int, p *watch.Pass) { p.Low = true }
	override := func(_ int, p *watch.Pass) { p.Override, p.By = true, 7 }
	typed := func(_ int, p *watch.Pass) { p.Typed, p.By, p.Value = true, 7, 36_500 }
	for rule, tt := range map[string]struct {
		list []watch.Pass
		want []watch.Finding
	}{
		"an honest morning":                     {passes(40), nil},
		"somebody without a measurement":        {with(1, func(_ int, p *watch.Pass) { p.Measured = false }), []watch.Finding{{Kind: watch.Unmeasured, N: 1, Of: 40}}},
		"nobody asks for one":                   {with(9, func(_ int, p *watch.Pass) { p.Asked, p.Measured = false, false }), nil},
		"five with the same value":              {with(5, same), []watch.Finding{{Kind: watch.Frozen, Lane: 1, N: 5, Value: 36_510}}},
		"four with the same value":              {with(4, same), nil},
		"the same to a tenth":                   {with(5, func(i int, p *watch.Pass) { p.Value = screening.MilliC(36_460 + 10*i) }), []watch.Finding{{Kind: watch.Frozen, Lane: 1, N: 5, Value: 36_500}}},
		"one who comes again and again":         {with(6, func(i int, p *watch.Pass) { p.Value, p.Subject = 36_510, 99 }), nil},
		"five who were too cold":                {with(5, low), []watch.Finding{{Kind: watch.LowShare, Lane: 1, N: 5, Of: 40}}},
		"four who were too cold":                {with(4, low), nil},
		"five overrides by one person":          {with(5, override), []watch.Finding{{Kind: watch.Overrides, By: 7, N: 5}}},
		"four overrides by one person":          {with(4, override), nil},
		"five overrides by different people":    {with(5, func(i int, p *watch.Pass) { p.Override, p.By = true, uint64(i+1) }), nil},
		"36.5 typed for all":                    {with(5, typed), []watch.Finding{{Kind: watch.TypedAlike, By: 7, N: 5, Value: 36_500}}},
		"36.5 typed for four":                   {with(4, typed), nil},
		"what is typed is no reading of a lens": {with(8, func(i int, p *watch.Pass) { typed(i, p); p.By = uint64(i + 1) }), nil},
		"two lanes are two lenses":              {with(8, func(i int, p *watch.Pass) { same(i, p); p.Lane = uint8(1 + i%2) }), nil},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := watch.Waved(tt.list, watch.DefaultLimits()); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
