package web

import "time"

// Cluster is one group of people with a like illness, as pages show it to nurse
// and leader. The guard's page never does.
type Cluster struct {
	// Syndrome stands in the words behind "syndrome.".
	Syndrome string
	// Place is the class or dormitory, empty of the whole school.
	Place string
	// People fell ill within Days school days.
	People, Days int
	// Since is when there were as many as the policy asks for, and New says that
	// this was not long ago.
	Since time.Time
	New   bool
}

// Cluster is one line about a cluster.
func (p Page) Cluster(c Cluster) string {
	if c.Place == "" {
		return p.T("cluster.school", p.T("syndrome."+c.Syndrome), c.People, c.Days, c.Since.Format("01-02 15:04"))
	}
	return p.T("cluster.place", c.Place, p.T("syndrome."+c.Syndrome), c.People, c.Days, c.Since.Format("01-02 15:04"))
}

// Disinfect says that the place is to be closed and disinfected: what spreads so
// stays on tables and taps.
func (c Cluster) Disinfect() bool {
	switch c.Syndrome {
	case "vomiting", "diarrhoea", "norovirus", "hand-foot-mouth":
		return true
	}
	return false
}
