package guard

import (
	"net/http"
	"slices"
	"strconv"
)

// told is what one page says of new rules, in Latin letters as changesWide is.
const told = 3 * changesWide

// rules returns the question about new rules, or about an order of them.
func (s sheet) rules() (Question, bool) {
	i := slices.IndexFunc(s.View.Questions, func(q Question) bool { return q.Kind == AskRules || q.Kind == AskOrder })
	if i < 0 {
		return Question{}, false
	}
	return s.View.Questions[i], true
}

// New is the question about new rules, or one without a number.
func (s sheet) New() Question {
	q, _ := s.rules()
	return q
}

// Told says what is new in the rules from the sheet's first on, each whole.
func (s sheet) Told() (list []string) {
	on, room := screen{Page: s.Page, View: s.View}, told
	for i, c := range s.New().Changes[s.From:] {
		_, left := within(on.Change(c), room)
		if left < 0 && i > 0 {
			break
		}
		list, room = append(list, on.Change(c)), left
	}
	return list
}

// Next is where the next page begins, 0 where nothing is left to say.
func (s sheet) Next() int {
	if next := s.From + len(s.Told()); next < len(s.New().Changes) {
		return next
	}
	return 0
}

// showRules says all that is new in the rules, a page at a time.
func (p *page) showRules(w http.ResponseWriter, r *http.Request) {
	s := sheet{Page: p.site.Page(r, pageTitle), View: p.gate.View()}
	from, err := strconv.Atoi(r.URL.Query().Get("from"))
	q, waits := s.rules()
	if err != nil || !waits || from < 0 || from >= len(q.Changes) {
		p.back(w, r, ErrStale)
		return
	}
	s.From = from
	p.site.Show(w, http.StatusOK, p.sheets()["rules"], s)
}
