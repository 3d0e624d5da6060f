package gate

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening/policy"
)

const (
	// calendarFile holds the calendar in force, below the data directory.
	calendarFile = "calendar.toml"
	// calendarMost bounds a calendar that arrives over the socket, in bytes; its own
	// reader is stricter.
	calendarMost = 1 << 20
	// roleCalendar is what a device is called in the entry of a new calendar: it is
	// back under another number. The kinds of entries are fixed, and to a policy's
	// entry everybody who asks what is in force at the lanes would listen.
	roleCalendar = "calendar"
)

// year returns the calendar in force. Where there is none, or none that can be
// used, every day is a school day.
func (g *Gate) year() calendar.Calendar {
	if c := g.calendar.Load(); c != nil {
		return *c
	}
	return calendar.Calendar{}
}

// openCalendar reads the calendar in force. One that cannot be used is shown and
// stops nobody.
func (g *Gate) openCalendar() {
	name := filepath.Join(g.o.Config.Data, calendarFile)
	body, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var c calendar.Calendar
	if err == nil {
		c, err = calendar.Parse(body)
	}
	if err != nil {
		g.log.Error("calendar cannot be used", "file", name, "err", err)
		g.calendarBad.Store(true)
		return
	}
	g.calendar.Store(&c)
}

// counts is how many people of one version of the roster are in each class, as
// classOf has it: every open page asks every second.
type counts struct {
	version uint32
	classes map[string]int
}

func (g *Gate) counts() map[string]int {
	people := g.roster.Snapshot()
	c := g.counted.Load()
	if c == nil || c.version != people.Version {
		c = &counts{people.Version, map[string]int{}}
		for p := range people.All() {
			c.classes[classOf(p)]++
		}
		g.counted.Store(c)
	}
	return c.classes
}

// expected returns how many of the roster are to come on the day of a moment.
func (g *Gate) expected(now time.Time) (n int) {
	year := g.year()
	for class, people := range g.counts() {
		if year.Expected(now, class) {
			n += people
		}
	}
	return n
}

// classOf returns by what a calendar knows somebody: the grade where the list has
// one, or else the class, which begins with it; empty of staff.
func classOf(p roster.Person) string {
	if p.Class != "" && p.Evidence.Grade != "" {
		return p.Evidence.Grade
	}
	return p.Class
}

// CalendarInForce is what gatectl shows of a gate's calendar.
type CalendarInForce struct {
	// Number is 0 where there is none.
	Number uint32
	Issued string
	// Today is what the day is for the school, and Name what it is called.
	Today, Name string
	// Expected of the roster are to come.
	Expected, Roster int
}

func (g *Gate) inForce() CalendarInForce {
	now, year := g.recorder.now().Wall, g.year()
	day := year.Day(now, "")
	return CalendarInForce{Number: year.Number, Issued: year.Issued, Today: day.Kind.String(), Name: day.Name, Expected: g.expected(now), Roster: g.roster.Snapshot().Len()}
}

func (g *Gate) showCalendar(w http.ResponseWriter, _ *http.Request) { answer(w, g.inForce(), nil) }

// loadCalendar puts another calendar in force. A gate that takes policies by
// signature takes its calendar so; at any other, whoever may use the socket may do
// it. The file is there before its entry: a crash in between leaves a calendar in
// force of which no entry tells.
func (g *Gate) loadCalendar(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, calendarMost))
	if err != nil {
		answer(w, nil, fmt.Errorf("read calendar: %w", err))
		return
	}
	var c calendar.Calendar
	if signers := g.rules.o.Signers; len(signers) > 0 {
		_, err = policy.Verify(body, signers)
	}
	if err == nil {
		c, err = calendar.Parse(body) // to which signatures are comments
	}
	if now := g.year().Number; err == nil && c.Number <= now {
		err = fmt.Errorf("calendar %d is in force: give the new one a higher number", now)
	}
	if err == nil {
		err = replaceFile(filepath.Join(g.o.Config.Data, calendarFile), body)
	}
	if err != nil {
		answer(w, nil, err)
		return
	}
	g.calendar.Store(&c)
	g.calendarBad.Store(false)
	detail := fmt.Sprintf("%d %s sha256:%x", c.Number, c.Issued, sha256.Sum256(body))
	g.recorder.note(entry.Device{Role: roleCalendar, Event: entry.DeviceBack, Detail: detail}, 0)
	g.changed()
	answer(w, g.inForce(), nil)
}
