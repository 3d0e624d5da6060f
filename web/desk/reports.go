package desk

import (
	"context"
	"net/http"
	"time"

	"github.com/menshen/menshen/web"
)

// Reports knows the reports that the school owes by the policy in force (rules 72
// to 77). It sends none of them.
type Reports interface {
	// Owed returns those of today, the earliest first. It waits for nothing.
	Owed() []Owed
	// Report says that one has gone out, or that it has not after all. It returns
	// when the entry is durable, or guard.ErrStale, or why it failed.
	Report(ctx context.Context, x Reported) error
}

// Owed is a report that is due today.
type Owed struct {
	// Name tells it from every other of the day; Report stands in web's words behind
	// "report.".
	Name, Report string
	// At is until when it must have gone out.
	At time.Time
	// Soon says that its time is near, Late that it is over.
	Soon, Late bool
	// Sent is when By said that it went out; zero of one that is still owed.
	Sent time.Time
	By   string
}

// Reported is what somebody says of a report.
type Reported struct {
	Name string
	// Undone says that it has not gone out after all.
	Undone bool
	By     web.Person
}

// dutyReports is who owes them.
const dutyReports = web.DutyDesk | web.DutyLeader

// report takes that a report has gone out.
func (p *page) report(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	x := Reported{Name: form.Get("report"), Undone: form.Has("undone")}
	x.By, _ = p.site.Sessions.Who(r)
	said := "report"
	if p.reports == nil || x.Name == "" {
		said = "stale"
	} else if err := p.reports.Report(r.Context(), x); err != nil {
		said = p.answer(err)
	}
	p.back(w, r, said)
}
