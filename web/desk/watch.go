package desk

import "github.com/menshen/menshen/web"

// Watchers know what a leader should be told of many records at once.
type Watchers interface {
	// Watched returns what there is to tell now. It waits for nothing.
	Watched() Watched
}

// Watched is what a leader is shown. The zero value shows nothing.
type Watched struct {
	// Closed is what the calendar calls a day without school, or "-" where it has no
	// name for it; empty of a school day.
	Closed string
	// Missing are the pupils who were expected and have not come by the end of the
	// first arrival window, Late those who came after it. Counted says that the
	// window is over.
	Counted       bool
	Missing, Late int
	Clusters      []web.Cluster
	Signs         []Sign
	// Warned are rows that only warn, with whom they would have stopped today.
	Warned []Warned
}

// Sign is one reason to look whether people are waved through.
type Sign struct {
	// Kind stands in web's words behind "waved.".
	Kind string
	// Lane of what one lane shows, Name of what one person does; otherwise zero.
	Lane int
	Name string
	N    int
	Of   int
	// Value that comes again and again, "36.5".
	Value string
}

// Warned is one row of a policy that only warns.
type Warned struct {
	Policy uint32
	Row    string
	// People who passed today whom the row would have stopped.
	People int
}

// Sign is one line about a reason to look.
func (s screen) Sign(x Sign) string {
	switch {
	case x.Lane != 0:
		return s.T("waved."+x.Kind, x.Lane, x.N, x.Of, x.Value)
	case x.Name != "":
		return s.T("waved."+x.Kind, x.Name, x.N, x.Of, x.Value)
	}
	return s.T("waved."+x.Kind, x.N, x.Of)
}

// Row is what a row of a policy is called.
func (s screen) Row(w Warned) string {
	if key := "row." + w.Row; web.Known(key) {
		return s.T(key)
	}
	return w.Row
}
