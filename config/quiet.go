package config

import (
	"strings"
	"time"

	"github.com/menshen/menshen/tomlfile"
)

// Quiet is one part of every day in which lanes make no noise. The alarm of an
// isolation is never quiet, and no lamp is dark for it.
type Quiet struct {
	// From and To are since midnight, in minutes. A part whose To is not after
	// From goes on over midnight.
	From, To time.Duration
}

// Has reports whether a time of day, since midnight, lies in it.
func (q Quiet) Has(at time.Duration) bool {
	if q.From < q.To {
		return q.From <= at && at < q.To
	}
	return q.From <= at || at < q.To
}

// maxQuiet is how many parts a day may have.
const maxQuiet = 8

// readQuiet reads [quiet]; t is nil where it is left out.
func readQuiet(t *tomlfile.Table) (all []Quiet) {
	if t == nil {
		return nil
	}
	defer t.End()
	for _, text := range t.Words("hours", maxQuiet) {
		from, to, _ := strings.Cut(text, "-")
		begins, ok := timeOfDay(from)
		ends, good := timeOfDay(to)
		if !ok || !good || begins == ends {
			t.Fault("hours", tomlfile.Quote(text)+" is no part of a day", `write it as "12:30-14:00", or "21:30-06:00" over midnight`)
			continue
		}
		all = append(all, Quiet{From: begins, To: ends})
	}
	if !t.Has("hours") {
		t.Fault("hours", "missing", `write hours = ["12:30-14:00"], or remove [quiet]`)
	}
	return all
}

// timeOfDay reads hours and minutes as since midnight.
func timeOfDay(text string) (time.Duration, bool) {
	at, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, false
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, true
}
