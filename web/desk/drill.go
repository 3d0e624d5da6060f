package desk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/menshen/menshen/web"
)

// DrillLongest is how long a drill lasts at most; then it ends by itself.
const DrillLongest = time.Hour

// Drills begin and end drills (rule 98). A drill has the whole chain of alarms,
// and what is made for it is marked and counts nowhere.
type Drills interface {
	// Drill returns for how many minutes one goes on, 0 where there is none.
	Drill() (minutes int)
	// BeginDrill returns when its entry is durable, or guard.ErrStale where there is
	// one, guard.ErrNotAllowed, one of web's PIN errors, or why it failed.
	BeginDrill(ctx context.Context, p DrillPlan) error
	// DrillCase opens a case of somebody who plays a fever at the gate. It returns
	// guard.ErrStale where there is no drill.
	DrillCase(ctx context.Context, by web.Person) (number int, err error)
	// EndDrill ends it with all its cases and alarms.
	EndDrill(ctx context.Context, by web.Person) error
}

// DrillPlan is a drill that is begun.
type DrillPlan struct {
	// Reason is one of the page's closed list.
	Reason string
	// For is how long it lasts, at most DrillLongest.
	For time.Duration
	// PIN of By, a leader, which the gate checks.
	PIN string
	By  web.Person
}

// String names the drill and not the PIN.
func (p DrillPlan) String() string { return p.Reason + " for " + p.For.String() }

// The closed lists, in the order of their buttons.
func drillReasons() []string { return []string{"planned", "training", "inspection"} }
func drillMinutes() []string { return []string{"15", "30", "45", "60"} }

// parseDrill returns as much of a drill as was chosen; it is complete with PIN.
func parseDrill(form url.Values) (DrillPlan, error) {
	plan := DrillPlan{Reason: form.Get("reason"), PIN: form.Get("pin")}
	minutes := form.Get("minutes")
	switch {
	case !web.Once(form), plan.Reason != "" && !slices.Contains(drillReasons(), plan.Reason), minutes != "" && !slices.Contains(drillMinutes(), minutes),
		minutes != "" && plan.Reason == "", plan.PIN != "" && minutes == "", len(plan.PIN) > maxPIN:
		return DrillPlan{}, errMalformed
	case minutes != "":
		n, err := strconv.Atoi(minutes)
		if err != nil {
			return DrillPlan{}, errMalformed
		}
		plan.For = time.Duration(n) * time.Minute
	}
	return plan, nil
}

// drillPage asks for the PIN of a drill that is to begin, or shows the one that
// goes on.
type drillPage struct {
	web.Page
	// On is for how many minutes a drill goes on, 0 before one.
	On      int
	Reason  string
	Minutes int
	Said    string
}

// drill asks why and for how long, and for the PIN, and begins a drill; while
// there is one it opens a case for it.
func (p *page) drill(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	plan, err := parseDrill(form)
	if err != nil {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	if p.drills == nil {
		p.back(w, r, "stale")
		return
	}
	plan.By, _ = p.site.Sessions.Who(r)
	if form.Has("case") {
		said := "drill-case"
		if _, err := p.drills.DrillCase(r.Context(), plan.By); err != nil {
			said = p.answer(err)
		}
		p.back(w, r, said)
		return
	}
	show := drillPage{Page: p.site.Page(r, "page.desk"), On: p.drills.Drill(), Reason: plan.Reason, Minutes: int(plan.For.Minutes())}
	switch {
	case show.On > 0:
	case plan.Reason == "":
		p.askDrill(w, r, "drill.why", "reason", "drill.why-", drillReasons(), nil)
		return
	case plan.For == 0:
		p.askDrill(w, r, "drill.how-long", "minutes", "drill.min-", drillMinutes(), []field{{"reason", plan.Reason}})
		return
	case plan.PIN != "":
		if err := p.drills.BeginDrill(r.Context(), plan); err == nil {
			p.back(w, r, "drill-begun")
			return
		} else {
			show.Said = "said." + p.answer(err)
		}
	}
	p.site.Show(w, http.StatusOK, p.drilling, show)
}

func (p *page) askDrill(w http.ResponseWriter, r *http.Request, ask, name, words string, values []string, chosen []field) {
	next := pick{Page: p.site.Page(r, "page.desk"), Ask: ask, Action: "/desk/drill", Field: name, Chosen: chosen}
	for _, v := range values {
		next.Options = append(next.Options, option{v, next.T(words + v)})
	}
	p.site.Show(w, http.StatusOK, p.pick, next)
}

// endDrill ends the drill.
func (p *page) endDrill(w http.ResponseWriter, r *http.Request) {
	form, ok := p.site.Form(w, r)
	if !ok {
		return
	}
	if !web.Once(form) {
		p.site.Refuse(w, r, http.StatusBadRequest, "refused.malformed")
		return
	}
	if p.drills == nil {
		p.back(w, r, "stale")
		return
	}
	by, _ := p.site.Sessions.Who(r)
	said := "drill-over"
	if err := p.drills.EndDrill(r.Context(), by); err != nil {
		said = p.answer(err)
	}
	p.back(w, r, said)
}
