package gate

import (
	"testing"
	"time"
)

func TestWhenEverybodyWillBeIn(t *testing.T) {
	now := time.Date(2020, 12, 7, 7, 58, 0, 0, time.UTC)
	tests := map[string]struct {
		expected, in, last int
		want               string // after now; empty: nothing is said
	}{
		"what is missing at the pace of the last minutes": {1093, 861, 129, "8m59.5"},
		"at the fewest arrivals that are a queue":         {1093, 1083, 10, "5m0"},
		"one arrival fewer is no queue":                   {1093, 1083, 9, ""},
		"nobody came at all":                              {1093, 0, 0, ""},
		"everybody is in":                                 {1093, 1093, 100, ""},
		"more came than are on the roster":                {10, 12, 12, ""},
		"the roster is empty":                             {0, 0, 20, ""},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			got := doneAt(now, tt.expected, tt.in, tt.last)
			if tt.want == "" {
				if !got.IsZero() {
					t.Errorf("got %v, want nothing", got)
				}
				return
			}
			want, err := time.ParseDuration(tt.want + "s")
			if err != nil {
				t.Fatal(err)
			}
			if d := got.Sub(now.Add(want)).Abs(); d > 100*time.Millisecond {
				t.Errorf("got %v, want %v", got.Sub(now), want)
			}
		})
	}
}

func TestThePaceCountsTheLastFiveMinutes(t *testing.T) {
	start := time.Date(2020, 12, 7, 7, 0, 0, 0, time.UTC)
	var p pace
	for i := range 600 { // one a second
		p.note(start.Add(time.Duration(i) * time.Second))
	}
	now := start.Add(599 * time.Second)
	tests := map[string]struct {
		now  time.Time
		want int
	}{
		"at the last arrival":         {now, 300},
		"a minute later":              {now.Add(time.Minute), 240},
		"five minutes later":          {now.Add(paceWindow), 0},
		"before a clock was set back": {now.Add(-4 * time.Minute), 60},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			if got := p.within(tt.now); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
	if len(p.came) > 301 {
		t.Errorf("%d arrivals are kept", len(p.came))
	}
}

// A journal that was written under a stopped clock is replayed at every start.
func TestThePaceOfOneInstantIsBounded(t *testing.T) {
	var p pace
	for range 3 * paceMost {
		p.note(time.Date(2020, 12, 7, 7, 0, 0, 0, time.UTC))
	}
	if n := len(p.came); n != paceMost {
		t.Errorf("%d arrivals are remembered, want %d", n, paceMost)
	}
}
