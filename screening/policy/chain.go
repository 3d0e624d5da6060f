package policy

import (
	"strings"
	"time"

	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/watch"
	"github.com/menshen/menshen/tomlfile"
)

// Words of a case, by the number that each stands for.
func triggerWords() []string { return []string{"any", "fever", "suspected"} }
func startWords() []string   { return []string{"none", "symptoms-end", "onset", "diagnosis"} }
func proofWords() []string   { return []string{"", "none", "nurse", "certificate", "release"} }

// readChain reads what follows on a decision: cases, clusters and reports.
func readChain(t *tomlfile.Table, d *Document) {
	d.Cases = casefile.DefaultRules()
	if cases := t.Table("cases"); cases != nil {
		readCases(cases, d)
	}
	before := t.Faults()
	d.Clusters = watch.DefaultRules()
	if t.Has("cluster") {
		d.Clusters = nil
	}
	for _, cluster := range t.Tables("cluster") {
		d.Clusters = append(d.Clusters, readCluster(cluster))
	}
	if err := watch.Check(d.Clusters); err != nil && t.Faults() == before {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			t.Fault("cluster", line, "correct it")
		}
	}
	for _, deadline := range t.Tables("deadline") {
		d.Deadlines = append(d.Deadlines, readDeadline(deadline))
	}
	if len(d.Deadlines) > maxDeadlines {
		t.Fault("deadline", "there are too many", "write at most 16")
	}
}

const maxDeadlines = 16

// readCases reads [cases]. Of rounds, duties and returns each keeps its default
// where it is left out.
func readCases(t *tomlfile.Table, d *Document) {
	defer t.End()
	before := t.Faults()
	d.Cases.Rounds = uint8(t.Number("rounds", int(d.Cases.Rounds), 1, 3))
	d.IsolationInside = t.Choice("isolation", "outside", "outside", "inside") == "inside"
	if t.Has("duty") {
		d.Cases.Duties = nil
	}
	for _, duty := range t.Tables("duty") {
		d.Cases.Duties = append(d.Cases.Duties, readDuty(duty))
	}
	if t.Has("return") {
		d.Cases.Returns = nil
	}
	for _, back := range t.Tables("return") {
		d.Cases.Returns = append(d.Cases.Returns, readReturn(back))
	}
	if err := d.Cases.Check(); err != nil && t.Faults() == before {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			t.Fault("", line, "correct it")
		}
	}
}

func readDuty(t *tomlfile.Table) casefile.Duty {
	defer t.End()
	return casefile.Duty{
		ID: t.Required("id", "name the duty by a word such as leader"), Name: readText(t.Table("name")), Phone: t.Text("phone", ""),
		On:     casefile.Trigger(word(t, "on", 0, triggerWords())),
		Within: t.Duration("within", 2*time.Hour, time.Minute, casefile.MaxWithin),
		After:  t.Text("after", ""), Source: t.Text("source", ""),
	}
}

func readReturn(t *tomlfile.Table) casefile.Return {
	defer t.End()
	t.Require("proof", "set none, nurse, certificate or release")
	return casefile.Return{
		Diagnosis: t.Required("diagnosis", "name the diagnosis by a word such as influenza"), Name: readText(t.Table("name")),
		Wait:       t.Duration("wait", 0, 0, 60*24*time.Hour),
		From:       casefile.Start(word(t, "from", 0, startWords())),
		Proof:      casefile.Proof(word(t, "proof", int(casefile.Certificate), proofWords())),
		Unreported: t.Choice("reported", "yes", "yes", "no") == "no",
		Source:     t.Text("source", ""),
	}
}

func scopeWords() []string { return []string{"class", "dormitory", "school"} }

func readCluster(t *tomlfile.Table) watch.Rule {
	defer t.End()
	for _, key := range []string{"scope", "cases", "days"} {
		t.Require(key, "say how many people of which group, within how many school days")
	}
	return watch.Rule{
		Syndrome: t.Required("syndrome", "name the syndrome, or any"), Scope: watch.Scope(word(t, "scope", 0, scopeWords())),
		Cases: t.Number("cases", 1, 1, 1000), Days: t.Number("days", 1, 1, 14), Source: t.Text("source", ""),
	}
}

func readDeadline(t *tomlfile.Table) Deadline {
	defer t.End()
	return Deadline{Report: t.Choice("report", "", Reports()...), At: readMinutes(t, "at"), Source: readSource(t)}
}
