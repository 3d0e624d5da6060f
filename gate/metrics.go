package gate

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// metrics answers GET /metrics with what gatectl status shows, in figures. No
// person is in them; that an alarm stands open may be, so they are for the gate's
// own machine.
func (g *Gate) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, g.now().exposition()) // whoever asked may have gone
}

// exposition returns the status in the text format of Prometheus, version 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats).
func (s Status) exposition() string {
	m := families{said: map[string]bool{}}
	m.text.Grow(8 << 10)
	m.family("menshen_build_info", "gauge", "The program that runs; always 1.")
	m.sample(1, "version", s.Version)
	m.family("menshen_clock", "gauge", "How good the clock is; always 1.")
	m.sample(1, "quality", s.Clock)

	m.family("menshen_journal_entries", "gauge", "Entries in the journal.")
	m.sample(float64(s.Entries))
	m.family("menshen_journal_commits_total", "counter", "Commits since the start.")
	m.sample(float64(s.Commits.Commits))
	m.family("menshen_journal_commit_seconds_total", "counter", "What those commits have taken together.")
	m.sample(s.Commits.Took.Seconds())
	m.family("menshen_journal_waiting_entries", "gauge", "Entries that the journal does not store yet.")
	m.sample(float64(s.Waiting))
	m.family("menshen_journal_lost_entries", "gauge", "Entries that were lost because it never did.")
	m.sample(float64(s.Lost))

	m.family("menshen_part_lost", "gauge", "1 for a part that is gone now; a part is listed from its first outage. Lane 0 is the gate.")
	for _, o := range s.Outages {
		m.sample(number(o.Lost), "lane", fmt.Sprint(o.Lane), "part", o.Part)
	}
	m.family("menshen_part_outages_total", "counter", "How often a part was lost since the start.")
	for _, o := range s.Outages {
		m.sample(float64(o.Times), "lane", fmt.Sprint(o.Lane), "part", o.Part)
	}
	m.family("menshen_lane_fault", "gauge", "1 for each fault that a lane shows now.")
	for _, l := range s.Lanes {
		for _, f := range l.Faults {
			m.sample(1, "lane", fmt.Sprint(l.Number), "fault", f.Key)
		}
	}
	m.family("menshen_problem", "gauge", "1 for each line on the gate's strip now.")
	for _, p := range s.Problems {
		m.sample(1, "problem", p.Key)
	}

	m.family("menshen_collector_unsent_entries", "gauge", "Entries that a collector has not said it has.")
	for _, c := range s.Collectors {
		m.sample(float64(c.Size-min(c.Size, c.Acked)), "collector", c.Name)
	}
	m.family("menshen_collector_heard_timestamp_seconds", "gauge", "When a collector last said what it has; 0 before it has since the start.")
	for _, c := range s.Collectors {
		m.sample(seconds(c.Heard), "collector", c.Name)
	}
	return m.text.String()
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

// families are metrics with their samples, as text.
type families struct {
	text strings.Builder
	name string // of the family that was begun last
	said map[string]bool
}

// family begins a family; its samples follow.
func (f *families) family(name, kind, help string) {
	f.name = name
	f.text.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

// sample adds one sample with its labels, names and values in turn, once: the strip
// may say the same of two visitors.
func (f *families) sample(value float64, labels ...string) {
	series, between := f.name, "{"
	for pair := range slices.Chunk(labels, 2) {
		series += between + pair[0] + `="` + escaped(pair[1]) + `"`
		between = ","
	}
	if len(labels) > 0 {
		series += "}"
	}
	if f.said[series] {
		return
	}
	f.said[series] = true
	f.text.WriteString(series + " " + strconv.FormatFloat(value, 'f', -1, 64) + "\n")
}

func escaped(label string) string {
	label = strings.ReplaceAll(label, `\`, `\\`)
	label = strings.ReplaceAll(label, `"`, `\"`)
	return strings.ReplaceAll(label, "\n", `\n`)
}
