package gate

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/journal"
)

func TestMetricsAreWhatPrometheusReads(t *testing.T) {
	s := Status{
		Version: "1.0", Clock: "confirmed", Entries: 12_345_678, Waiting: 3, Lost: 1,
		Commits:  journal.Effort{Commits: 4, Took: 3500 * time.Microsecond},
		Outages:  []Outage{{Lane: 1, Part: "scanner", Times: 2, Lost: true}, {Part: `relay "left"`, Times: 1}},
		Lanes:    []LaneStatus{{Number: 1, Faults: []Problem{{Key: "scanner-lost"}}}},
		Problems: []Problem{{Key: "offline"}, {Key: "visitor-overstay"}, {Key: "visitor-overstay"}},
		Collectors: []CollectorStatus{
			{Name: "district", Acked: 12_000_000, Size: 12_345_678, Heard: time.UnixMilli(1_663_200_000_500)},
			{Name: "told\\more\nthan there is", Acked: 9, Size: 8},
		},
	}
	text := s.exposition()
	for _, line := range []string{
		`menshen_build_info{version="1.0"} 1`,
		`menshen_clock{quality="confirmed"} 1`,
		`menshen_journal_entries 12345678`,
		`menshen_journal_commits_total 4`,
		`menshen_journal_commit_seconds_total 0.0035`,
		`menshen_journal_waiting_entries 3`,
		`menshen_journal_lost_entries 1`,
		`menshen_part_lost{lane="1",part="scanner"} 1`,
		`menshen_part_lost{lane="0",part="relay \"left\""} 0`,
		`menshen_part_outages_total{lane="1",part="scanner"} 2`,
		`menshen_lane_fault{lane="1",fault="scanner-lost"} 1`,
		`menshen_problem{problem="visitor-overstay"} 1`,
		`menshen_collector_unsent_entries{collector="district"} 345678`,
		`menshen_collector_unsent_entries{collector="told\\more\nthan there is"} 0`,
		`menshen_collector_heard_timestamp_seconds{collector="district"} 1663200000.5`,
	} {
		if strings.Count("\n"+text, "\n"+line+"\n") != 1 {
			t.Errorf("not once: %s", line)
		}
	}
	// Every sample stands below the head of its family, which stands once.
	head := regexp.MustCompile(`^# (HELP|TYPE) (menshen_[a-z_]+) \S.*$`)
	sample := regexp.MustCompile(`^(menshen_[a-z_]+)(\{[a-z]+="([^"\\]|\\["\\n])*"(,[a-z]+="([^"\\]|\\["\\n])*")*\})? [0-9.]+$`)
	family, seen := "", map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if m := head.FindStringSubmatch(line); m != nil {
			if seen[m[1]+m[2]] {
				t.Errorf("again: %s", line)
			}
			family, seen[m[1]+m[2]] = m[2], true
			continue
		}
		if m := sample.FindStringSubmatch(line); m == nil || m[1] != family {
			t.Errorf("below %s: %s", family, line)
		}
	}
}
