package vmrig

import (
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/internal/e2e"
)

func TestTheAuditCatchesWhatWasPlanted(t *testing.T) {
	up := func(lane int) []edge {
		return []edge{{line: barrierLine(lane), high: true}, {line: barrierLine(lane)}}
	}
	came := func(lane, pupil int, n uint32, outcome uint8) e2e.Entry {
		return e2e.Entry{Lane: lane, ID: entry.ArrivalID{Counter: n},
			Arrival: &entry.Arrival{Counter: n, End: entry.EndDecided, Outcome: outcome, Subject: e2e.Subject(pupil)}}
	}
	for _, c := range []struct {
		rule  string
		edges []edge
		rises []rise
		list  []e2e.Entry
		wrong int
	}{
		{"who was admitted lets the barrier rise", up(1), []rise{{1, 4}}, []e2e.Entry{came(1, 4, 1, e2e.Admit)}, 0},
		{"an admission may come to nothing", nil, nil, []e2e.Entry{came(1, 4, 1, e2e.Admit)}, 0},
		{"a lamp is no barrier", []edge{{line: redLine(1), high: true}}, nil, nil, 0},
		{"a rise whose entry is lost", up(1), []rise{{1, 4}}, nil, 2},
		{"a rise for somebody else's entry", up(1), []rise{{1, 4}}, []e2e.Entry{came(1, 5, 1, e2e.Admit)}, 1},
		{"a rise at the other lane", up(2), []rise{{2, 4}}, []e2e.Entry{came(1, 4, 1, e2e.Admit)}, 2},
		{"a rise for who was stopped", up(1), []rise{{1, 4}}, []e2e.Entry{came(1, 4, 1, e2e.Recheck)}, 2},
		{"a rise while nobody stands there", up(1), []rise{{1, 0}}, []e2e.Entry{came(1, 4, 1, e2e.Admit)}, 1},
		{"two rises of one admission", append(up(1), up(1)...), []rise{{1, 4}, {1, 4}}, []e2e.Entry{came(1, 4, 1, e2e.Admit)}, 1},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if wrong := audit(c.edges, c.rises, c.list); len(wrong) != c.wrong {
				t.Errorf("found %v", wrong)
			}
		})
	}
}
