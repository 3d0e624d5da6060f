package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/watch"
)

// Diff says in sentences what changes from one policy to another: the rules of
// admission as screening.Compare finds them, then cases, clusters and reports.
// Names, numbers, titles and sources are no change.
func Diff(before, after Document) (out []screening.Text) {
	for _, c := range screening.Compare(before.Spec, after.Spec) {
		out = append(out, sentence(c, before, after))
	}
	add := func(what screening.Text, from, to string) {
		if from != to {
			out = append(out, screening.Text{Zh: fmt.Sprintf("%s:%s 改为 %s", what.Zh, from, to), En: fmt.Sprintf("%s: %s, was %s", what.En, to, from)})
		}
	}
	add(screening.Text{Zh: "生效", En: "begins"}, dayText(before.ValidFrom), dayText(after.ValidFrom))
	add(screening.Text{Zh: "失效", En: "ends"}, dayText(before.ValidUntil), dayText(after.ValidUntil))
	add(screening.Text{Zh: "学校", En: "schools"}, scopeText(before.Schools), scopeText(after.Schools))
	add(screening.Text{Zh: "间距(厘米)", En: "distance in cm"}, fmt.Sprint(before.Flow.SpacingCM), fmt.Sprint(after.Flow.SpacingCM))
	add(screening.Text{Zh: "每口人数", En: "staff at an entrance"}, fmt.Sprint(before.Flow.StaffPerEntrance), fmt.Sprint(after.Flow.StaffPerEntrance))
	add(screening.Text{Zh: "复测次数", En: "measurements in the room"}, fmt.Sprint(max(before.Cases.Rounds, 1)), fmt.Sprint(max(after.Cases.Rounds, 1)))
	add(screening.Text{Zh: "测温仪校准有效(天)", En: "days that a thermometer's calibration is good for"}, fmt.Sprint(before.CalibrationAge()), fmt.Sprint(after.CalibrationAge()))
	if before.IsolationInside != after.IsolationInside {
		out = append(out, isolationText(after.IsolationInside))
	}
	out = append(out, diffLists(screening.Text{Zh: "告知", En: "told"}, before.Cases.Duties, after.Cases.Duties, dutyEntry)...)
	out = append(out, diffLists(screening.Text{Zh: "返校", En: "return"}, before.Cases.Returns, after.Cases.Returns, returnEntry)...)
	out = append(out, diffLists(screening.Text{Zh: "聚集预警", En: "cluster"}, before.Clusters, after.Clusters, clusterEntry)...)
	add(screening.Text{Zh: "每日检查次数", En: "checks a day"}, fmt.Sprint(before.ChecksADay), fmt.Sprint(after.ChecksADay))
	out = append(out, diffLists(screening.Text{Zh: "检查", En: "check"}, before.Checks, after.Checks, checkEntry)...)
	return append(out, diffLists(screening.Text{Zh: "报告", En: "report"}, before.Deadlines, after.Deadlines, deadlineEntry)...)
}

// sentence says one change of the rules of admission.
func sentence(c screening.Change, before, after Document) screening.Text {
	row := rowName(c.Row, after, before)
	say := func(zh, en string) screening.Text {
		fill := strings.NewReplacer("{from}", c.From, "{to}", c.To)
		return screening.Text{
			Zh: strings.ReplaceAll(fill.Replace(zh), "{row}", row.Zh), En: strings.ReplaceAll(fill.Replace(en), "{row}", row.En),
		}
	}
	switch c.Kind {
	case screening.KindChanged:
		return say("用途:{from} 改为 {to}", "purpose: {to}, was {from}")
	case screening.LimitChanged:
		return say("体温:{from} 改为 {to}", "limit: {to}, was {from}")
	case screening.LowChanged:
		return say("太凉的界限:{from} 改为 {to}", "too cold below {to}, was {from}")
	case screening.WristChanged:
		return say("手腕:{from} 改为 {to}", "wrist: {to}, was {from}")
	case screening.WristLowChanged:
		return say("手腕太凉的界限:{from} 改为 {to}", "wrist too cold below {to}, was {from}")
	case screening.CodeAgeChanged:
		return say("绿码有效:{from} 小时改为 {to} 小时", "a green is good for {to} h, was {from} h")
	case screening.WindowsChanged:
		return say("到校或离校时段变了", "the times to come or go are different")
	case screening.RowAdded:
		return say("新增:{row}", "new: {row}")
	case screening.RowRemoved:
		return say("不再要求:{row}", "no more: {row}")
	case screening.RowEnforced:
		return say("提醒改为拦下:{row}", "stops now: {row}")
	case screening.RowWarns:
		return say("拦下改为提醒:{row}", "only warns now: {row}")
	}
	return say("要求变了:{row}", "asked otherwise: {row}")
}

// rowName is what a guard reads out for a row, or its ID, in the first of the
// documents that has it.
func rowName(id string, in ...Document) screening.Text {
	for _, d := range in {
		for _, r := range d.Spec.Requirements {
			if r.ID == id && r.Say.Zh != "" {
				return r.Say
			}
		}
	}
	return screening.Text{Zh: id, En: id}
}

func dayText(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(beijing()).Format("2006-01-02 15:04")
}

func scopeText(schools []string) string {
	if len(schools) == 0 {
		return "*"
	}
	return strings.Join(schools, " ")
}

func isolationText(inside bool) screening.Text {
	if inside {
		return screening.Text{Zh: "隔离室的人算在校内", En: "whoever is in the isolation room counts as in school"}
	}
	return screening.Text{Zh: "隔离室的人算在校外", En: "whoever is in the isolation room counts as outside"}
}

// listing is one element of a list: what it is called, and what it says of itself.
type listing struct {
	key  string
	name screening.Text
	says string
}

func dutyEntry(d casefile.Duty) listing {
	return listing{d.ID, d.Name, fmt.Sprint(d.Phone, " ", triggerWords()[d.On], " ", durationText(d.Within), " ", d.After)}
}

func returnEntry(r casefile.Return) listing {
	return listing{r.Diagnosis, r.Name, fmt.Sprint(durationText(r.Wait), " ", startWords()[r.From], " ", proofWords()[r.Proof], " ", r.Unreported)}
}

func clusterEntry(r watch.Rule) listing {
	key := fmt.Sprintf("%s %v %d", r.Syndrome, r.Scope, r.Days)
	text := fmt.Sprintf("%s, %v: %d / %d d", r.Syndrome, r.Scope, r.Cases, r.Days)
	return listing{key, screening.Text{Zh: text, En: text}, fmt.Sprint(r.Cases)}
}

func deadlineEntry(d Deadline) listing {
	return listing{d.Report, screening.Text{Zh: d.Report + " " + minutesText(d.At), En: d.Report + " " + minutesText(d.At)}, minutesText(d.At)}
}

// diffLists says what came, what is different and what went.
func diffLists[T any](what screening.Text, before, after []T, read func(T) listing) (out []screening.Text) {
	say := func(zh, en string, name screening.Text) {
		out = append(out, screening.Text{Zh: what.Zh + zh + name.Zh, En: what.En + en + name.En})
	}
	old := map[string]listing{}
	for _, x := range before {
		l := read(x)
		old[l.key] = l
	}
	for _, x := range after {
		l := read(x)
		was, stood := old[l.key]
		delete(old, l.key)
		switch {
		case !stood:
			say("新增:", ", new: ", l.name)
		case was.says != l.says:
			say("变了:", ", changed: ", l.name)
		}
	}
	for _, x := range before {
		if l, gone := old[read(x).key]; gone {
			say("取消:", ", no more: ", l.name)
			delete(old, l.key)
		}
	}
	return out
}
