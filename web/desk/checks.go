package desk

import (
	"strings"

	"github.com/menshen/menshen/web"
)

// Checks knows which checks of classes, dormitories and buses are owed today.
type Checks interface {
	// Reminders returns what somebody should look after. It waits for nothing.
	Reminders() []Reminder
}

// Reminder is a line about the checks of today.
type Reminder struct {
	// Kind is one of the kinds below.
	Kind string
	// Check of CheckLate stands in web's words behind "check.".
	Check string
	// Names are the first of those whom it is about, N how many there are: groups, or
	// people with their class.
	Names []string
	N     int
}

// The kinds of a reminder, as they stand behind "desk.".
const (
	CheckLate  = "checks-late"  // these have not held a check in time
	ChecksFew  = "checks-short" // these classes were checked too seldom today
	NotInClass = "checks-away"  // these came in, and were not in class
)

// dutyChecks is who is reminded, and may check for a teacher who cannot.
const dutyChecks = web.DutyDesk

// Remind returns the sentence of one reminder.
func (s screen) Remind(x Reminder) string {
	names := strings.Join(x.Names, " · ")
	if x.N > len(x.Names) {
		names = s.T("desk.checks-more", names, x.N)
	}
	if x.Kind == CheckLate {
		return s.T("desk.checks-late", s.T("check."+x.Check), names)
	}
	return s.T("desk."+x.Kind, names)
}
