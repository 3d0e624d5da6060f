package doctor

import (
	"strings"
	"testing"
	"time"
)

func TestAGateThatWasNotAcceptedIsToldSoAndNoMore(t *testing.T) {
	for rule, c := range map[string]struct {
		at   time.Time
		mark Mark
		says string
	}{
		"never":  {time.Time{}, Remind, "未验收"},
		"it was": {time.Date(2020, 12, 6, 20, 0, 0, 0, time.UTC), Good, "已验收 2020-12-06"},
	} {
		first := checkGate(files{}, Patient{Gate: &Gate{People: 1, Accepted: c.at}})[0]
		if first.Mark != c.mark || !strings.Contains(first.What.Chinese, c.says) {
			t.Errorf("%s: got %+v", rule, first)
		}
	}
}
