package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
)

// checkDevices says whether every device of the profile opens and answers: by
// the running gate's own word, or by opening each for a moment. Outputs are
// left alone, because opening one drives it.
func checkDevices(ctx context.Context, p Patient) []Finding {
	if p.Config == nil {
		return nil
	}
	if p.Gate != nil {
		return lostDevices(p.Gate)
	}
	var all []Finding
	tried := func(chinese, english, path string, err error) {
		if err == nil {
			all = append(all, good(chinese+" 有应答", english+" is there"))
			return
		}
		all = append(all, notAnswering(chinese, english, path, err))
	}
	b := p.Config.Board
	for _, lane := range b.Lanes {
		if s := lane.Scanner; s != nil {
			tried(fmt.Sprintf("通道 %d 扫码器", lane.Number), fmt.Sprintf("scanner of lane %d", lane.Number), b.Ports[s.Port].Path, openStream(p.Opener, s.Port))
		}
		if t := lane.Thermometer; t != nil {
			where := b.Ports[t.Port].Path + b.Buses[t.Bus].Path + b.Buses[t.Bus].Adapter
			tried(fmt.Sprintf("通道 %d 测温", lane.Number), fmt.Sprintf("thermometer of lane %d", lane.Number), where, p.Sense(ctx, t))
		}
		if in := lane.Presence; in != nil {
			tried(fmt.Sprintf("通道 %d 人体感应", lane.Number), fmt.Sprintf("presence input of lane %d", lane.Number), "pin "+in.Pin, openInput(p.Opener, in.Pin))
		}
		if in := lane.Button; in != nil {
			tried(fmt.Sprintf("通道 %d 按钮", lane.Number), fmt.Sprintf("button of lane %d", lane.Number), "pin "+in.Pin, openInput(p.Opener, in.Pin))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Relays)) {
		if r := b.Relays[name]; r.Kind == config.RelayLCUS {
			tried("继电器板 "+name, "relay board "+name, b.Ports[r.Port].Path, openStream(p.Opener, r.Port))
		}
	}
	return all
}

func openStream(o device.Opener, name string) error {
	stream, err := o.Stream(name)
	if err != nil {
		return err
	}
	return stream.Close()
}

func openInput(o device.Opener, name string) error {
	line, err := o.Line(name, device.LineOpts{})
	if err != nil {
		return err
	}
	_, err = line.Get()
	return errors.Join(err, line.Close())
}

// notAnswering is the finding of a device that does not open or answer.
func notAnswering(chinese, english, path string, err error) Finding {
	found := Finding{
		What: Text{chinese + " 没有应答(" + path + ")", fmt.Sprintf("%s does not answer (%s): %v", english, path, err)},
		Why:  Text{"这条通道会少一样证据,每个人都要人看", "the lane lacks it, and everybody goes to a person"},
		Fix:  Text{"查线和电源,再看它在哪个名字下", "see cable and supply, then under which name it is"}, Commands: []string{"gatectl scan"},
	}
	if !errors.Is(err, device.ErrAbsent) {
		found.Fix = Text{"看是谁占着它,或者没有权限", "see who has it, or whether you may open it"}
		found.Commands = []string{"sudo fuser -v " + path, "sudo gatectl doctor"}
	}
	return found
}

func lostDevices(g *Gate) []Finding {
	if len(g.Faults) == 0 {
		return []Finding{good("gated 报告设备都在", "gated says that every device is there")}
	}
	var all []Finding
	for _, fault := range g.Faults {
		all = append(all, Finding{
			What: Text{"gated 报告:" + fault.Text, "gated says: " + fault.Text}, Why: Text{"校门照常开,只是少了它", "the gate goes on without it"},
			Fix: Text{"照 gatectl status 说的做", fault.Remedy}, Commands: []string{"gatectl status"},
		})
	}
	return all
}

// checkGate says whether a gate that runs knows its people, its rules and whom
// to tell.
func checkGate(_ files, p Patient) []Finding {
	if p.Config != nil && len(p.Config.Follow) > 0 {
		return nil // a board that follows gates has neither people nor rules
	}
	g := p.Gate
	if g == nil {
		return []Finding{{Mark: Remind, What: Text{"名册、值班、规则、汇集端:gated 运行后再看", "roster, duty, policy, collectors: look again when gated runs"}, Commands: []string{"gatectl doctor"}}}
	}
	all := []Finding{{Mark: Remind, What: Text{"未验收:照常开门,只是没有人试过一遍", "not accepted: it works all the same, and nobody has tried it through"},
		Fix: Text{"两个人,约十分钟", "two people, about ten minutes"}, Commands: []string{"gatectl accept"}}}
	if !g.Accepted.IsZero() {
		all[0] = good("已验收 "+g.Accepted.Format(time.DateOnly), "accepted "+g.Accepted.Format(time.DateOnly))
	}
	if g.People > 0 {
		all = append(all, good(fmt.Sprintf("名册 %d 人", g.People), fmt.Sprintf("%d people on the roster", g.People)))
	} else {
		all = append(all, Finding{Large: true,
			What: Text{"名册 0 人", "0 people on the roster"}, Why: Text{"星期一每个学生都会被拦下", "on Monday every pupil would be stopped"},
			Fix: Text{"导入名册", "import the roster"}, Commands: []string{"gatectl roster import list.csv"},
		})
	}
	if g.OnDuty > 0 {
		all = append(all, good(fmt.Sprintf("值班 %d 人", g.OnDuty), fmt.Sprintf("%d on duty", g.OnDuty)))
	} else {
		all = append(all, Finding{
			What: Text{"无人值班", "nobody is on duty"}, Why: Text{"被拦下的人没有人能处理", "nobody can answer for whoever is stopped"},
			Fix:      Text{"给值班人定职责和密码,再到页面上刷卡", "give somebody duties and a PIN; then a scan of their badge at the page"},
			Commands: []string{"gatectl roster duty NUMBER guard,desk", "gatectl roster pin NUMBER"},
		})
	}
	if g.Policy != "" {
		all = append(all, good("现行规则:"+g.Policy, "policy in force: "+g.Policy))
	} else {
		all = append(all, Finding{
			What: Text{"没有现行规则", "no policy is in force"}, Why: Text{"只按内置的默认规则检查", "the built-in default is all that is checked"},
			Fix: Text{"装上区县签发的规则", "load what the district signed"}, Commands: []string{"gatectl policy load FILE"},
		})
	}
	return append(all, collectors(g)...)
}

func collectors(g *Gate) []Finding {
	if len(g.Collectors) == 0 {
		return []Finding{{Mark: Remind, What: Text{"未接入区县,本机照常记录", "no collector: the gate records as always"}, Commands: []string{"gatectl key show"}}}
	}
	var all []Finding
	for _, c := range g.Collectors {
		if c.Cause == (Text{}) {
			all = append(all, good("汇集端 "+c.Name+" 正常", "collector "+c.Name+" is met"))
			continue
		}
		all = append(all, Finding{
			What: Text{"汇集端 " + c.Name + ":" + c.Cause.Chinese, "collector " + c.Name + ": " + c.Cause.English},
			Why:  Text{"本机照常记录,但什么也不上传", "the gate records, and nothing is sent"}, Fix: c.Remedy, Commands: c.Commands,
		})
	}
	return all
}

// reminders are what no program sees.
func reminders(_ files, p Patient) []Finding {
	all := []Finding{{Mark: Remind,
		What: Text{"消防放行必须是单独的线,不经过本机;请按一次消防按钮看门开", "fire release must be a wire of its own past this machine: press it once and see the barrier open"}}}
	if p.Config == nil {
		return all
	}
	for _, lane := range p.Config.Board.Lanes {
		if lane.Barrier != nil {
			all = append(all, Finding{Mark: Remind,
				What: Text{fmt.Sprintf("通道 %d 的道闸断电时是关的:请拔电源看一次", lane.Number), fmt.Sprintf("the barrier of lane %d is shut without power: pull its plug once and see", lane.Number)}})
		}
		if lane.Thermometer != nil && lane.Presence == nil {
			all = append(all, Finding{Mark: Remind,
				What: Text{fmt.Sprintf("通道 %d 没有人体感应:热墙会被当成额头,请加装", lane.Number), fmt.Sprintf("lane %d has no presence input: a warm wall would be taken for a forehead; add one", lane.Number)}})
		}
	}
	return all
}
