package policy_test

import (
	"strings"
	"testing"

	"github.com/menshen/menshen/screening/policy"
)

func TestDiffSaysEveryChangeInASentence(t *testing.T) {
	before := parse(t, full)
	for name, c := range map[string]struct{ old, new, zh, en string }{
		"a limit":             {`"37.299"`, `"37.2"`, "体温:> 37.299 改为 > 37.2", "limit: > 37.2, was > 37.299"},
		"what is too cold":    {`low = "35"`, `low = "35.05"`, "太凉的界限:35.0 改为 35.05", "too cold below 35.05, was 35.0"},
		"the wrist":           {`"36.7"`, `"36.6"`, "手腕:36.7 改为 36.6", "wrist: 36.6, was 36.7"},
		"how old a green is":  {`max_age = "14d"`, `max_age = "24h"`, "绿码有效:336 小时改为 24 小时", "a green is good for 24 h, was 336 h"},
		"a row that stops":    {"mode = \"warn\"\n", "", "提醒改为拦下:请出示两次核酸证明", "stops now: Show two tests."},
		"a row of others":     {`place = "dormitory"`, `place = "bus"`, "要求变了:请出示两次核酸证明", "asked otherwise: Show two tests."},
		"a row with no say":   {`fail = "isolate"`, `fail = "refuse"`, "要求变了:temperature", "asked otherwise: temperature"},
		"windows":             {`from = "07:50"`, `from = "07:40"`, "到校或离校时段变了", "the times to come or go are different"},
		"when it begins":      {"2020-04-14T00", "2020-04-15T00", "生效:2020-04-14 00:00 改为 2020-04-15 00:00", "begins: 2020-04-15 00:00, was 2020-04-14 00:00"},
		"for which schools":   {`"east-gate", `, "", "学校:east-gate west-gate 改为 west-gate", "schools: west-gate, was east-gate west-gate"},
		"spacing":             {"spacing_cm = 150", "spacing_cm = 100", "间距(厘米):150 改为 100", "distance in cm: 100, was 150"},
		"rounds":              {"rounds = 3", "rounds = 1", "复测次数:3 改为 1", "measurements in the room: 1, was 3"},
		"where isolation is":  {"isolation = \"inside\"\n", "", "隔离室的人算在校外", "whoever is in the isolation room counts as outside"},
		"a telephone":         {"0530-1234567", "0530-7654321", "告知变了:值日领导", "told, changed: Leader on duty"},
		"one who is told":     {`id = "leader"`, `id = "principal"`, "告知新增:值日领导", "told, new: Leader on duty"},
		"one who is not told": {`id = "leader"`, `id = "principal"`, "告知取消:值日领导", "told, no more: Leader on duty"},
		"a return":            {`wait = "2d"`, `wait = "3d"`, "返校变了:流感", "return, changed: Influenza"},
		"a cluster":           {"cases = 3", "cases = 5", "聚集预警变了:any, class: 5 / 1 d", "cluster, changed: any, class: 5 / 1 d"},
		"a check":             {`hours = "18:00-24:00"`, `hours = "19:00-24:00"`, "检查变了:晚检 19:00-24:00", "check, changed: evening 19:00-24:00"},
		"how often a day":     {"checks_a_day = 4\n", "", "每日检查次数:4 改为 0", "checks a day: 0, was 4"},
		"calibration":         {"format = 1\n", "format = 1\ncalibration_days = 180\n", "测温仪校准有效(天):365 改为 180", "days that a thermometer's calibration is good for: 180, was 365"},
		"a report":            {`at = "11:30"`, `at = "11:00"`, "报告变了:zero 11:00", "report, changed: zero 11:00"},
	} {
		t.Run(name, func(t *testing.T) {
			after := parse(t, strings.Replace(full, c.old, c.new, 1))
			for _, s := range policy.Diff(before, after) {
				if s.Zh == c.zh && s.En == c.en {
					return
				}
			}
			t.Errorf("%q is not in %v", c.en, policy.Diff(before, after))
		})
	}
}

func TestANewNumberIsNoChange(t *testing.T) {
	after := parse(t, strings.NewReplacer("number = 12", "number = 13", "全部", "一切", "line = 1320", "line = 1").Replace(full))
	if d := policy.Diff(parse(t, full), after); len(d) != 0 {
		t.Errorf("got %v", d)
	}
}
