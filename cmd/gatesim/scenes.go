package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/internal/rig"

	"github.com/menshen/menshen/web/guard"
)

// scene is something that happens that morning.
type scene struct {
	at     time.Duration // since midnight
	zh, en string        // what is told of it
	play   func(*day, context.Context) error
}

func at(hour, minute int) time.Duration {
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
}

// scenes are the morning, in the order in which they are played. What a scene
// does stands for what people do: it fails only where a gate does not answer.
func scenes() []scene {
	return []scene{
		{at(6, 50), "保卫刷本人卡:测一遍通道,页面上一按上岗", "the guards scan their own badges: it tests the lane, and one press signs on", (*day).signOn},
		{at(6, 51), "高峰开始,三条通道", "the rush begins at three lanes", (*day).rush},
		{at(6, 52), "东门1号:骑车来的两个孩子,额头太凉;一个一直凉", "east 1: two riders with cold foreheads; one stays cold", (*day).riders},
		{at(6, 54), "东门1号:37.4,请到旁边;用耳温枪复测 36.9,再从2号进", "east 1: 37.4, step aside; 36.9 in the ear, then in by lane 2", (*day).recheck},
		{at(6, 56), "西门登记拦人:呕吐;孩子走到东门,也被拦下", "west holds a child by name: vomiting; the child comes to the east gate and is stopped there too", (*day).hold},
		{at(6, 58), "东门2号:扫码器被拔掉,并到1号", "east 2: the scanner is unplugged; use lane 1", (*day).unplug},
		{at(7, 0), "东门:两个孩子忘带卡,值班桌点名字", "east: two children forgot their badges; the desk names them", (*day).forgotten},
		{at(7, 1), "东门:送货门外交接;一位家长领访客卡 V07,看绿码后进", "east: a delivery is handed over outside; a parent gets the card V07 and enters with a green code", (*day).visitors},
		{at(7, 4), "东门1号:37.9,复测仍高,隔离室报警;校医接手,家长接走", "east 1: 37.9 and high again: the isolation room's alarm; the nurse takes over, the parent takes the child home", (*day).fever},
		{at(7, 8), "到区里的网线断了:离线可用,照常进", "the cable to the district is out: the gates go on", (*day).cableOut},
		{at(7, 10), "交班:接班的保卫刷本人卡,页面上「接班」", "shift change: the relief scans the own badge and takes over", (*day).shift},
		{at(7, 12), "西门停电;来电后自己接着干", "power cut at the west gate; it goes on by itself afterwards", (*day).powerCut},
	}
}

func (d *day) signOn(ctx context.Context) error {
	if err := d.relieve(ctx, d.east1, d.cast.east, 0); err != nil {
		return err
	}
	return d.relieve(ctx, d.west1, d.cast.west, 0)
}

// rush sends the crowd to all lanes.
func (d *day) rush(ctx context.Context) error {
	lanes := []*queue{d.east1, d.east2, d.west1}
	for i, q := range lanes {
		var own []rig.Person
		for j := i; j < len(d.cast.crowd); j += len(lanes) {
			own = append(own, d.cast.crowd[j])
		}
		d.crowd.Go(func() { q.run(ctx, visits(d.seed, i+1, own)) })
	}
	return nil
}

func (d *day) riders(ctx context.Context) error {
	d.east1.send(ctx, visit{person: d.cast.rider, forehead: 36.4, tries: 1})
	d.east1.send(ctx, visit{person: d.cast.colder, forehead: cold, tries: 3})
	return nil
}

func (d *day) recheck(ctx context.Context) error {
	arrival, stopped := d.east1.send(ctx, visit{person: d.cast.warm, forehead: 37.4})
	if !stopped {
		return nil
	}
	d.finish(ctx, d.east, arrival, guard.Act{Kind: guard.KindType, Value: 36_900, Instrument: "ear"})
	d.east2.send(ctx, visit{person: d.cast.warm, carried: true})
	return nil
}

// hold places a hold at the west gate's desk. The school's collector passes it
// on to the east gate.
func (d *day) hold(ctx context.Context) error {
	who := d.cast.held
	_, _, err := d.west.browser.Send(ctx, "/desk/hold", "subject", fmt.Sprint(d.ids[who.Badge]), "reason", "vomiting", "until", "lifted")
	if err != nil {
		return ignore(err, rig.ErrRefused) // you are on duty there now
	}
	if err := eventually(ctx, "hold at the other gate", func() (bool, error) {
		holds, err := d.school.East.Rig().Holds(ctx)
		return slices.ContainsFunc(holds, func(h gate.Hold) bool { return h.Number == who.Number && h.Above }), err
	}); err != nil {
		return err
	}
	d.east2.send(ctx, visit{person: who, carried: true})
	return nil
}

func (d *day) unplug(ctx context.Context) error {
	q := d.east2
	q.turn.Lock()
	defer q.turn.Unlock()
	if !q.clear(ctx) {
		return ctx.Err()
	}
	lost := func(l guard.Lane) bool { return slices.Contains(l.Faults, "scanner-lost") }
	r := q.crew.at.Rig()
	q.lane.Scanner.Unplug()
	if !r.Await(ctx, q.lane.Number, limit, lost) {
		return fmt.Errorf("nobody noticed")
	}
	d.pause(ctx, 90*time.Second)
	q.lane.Scanner.Plug()
	if !r.Await(ctx, q.lane.Number, limit, func(l guard.Lane) bool { return !lost(l) }) {
		return fmt.Errorf("it is not back")
	}
	return nil
}

// cableOut pulls what leads to the district out of both gates.
func (d *day) cableOut(ctx context.Context) error {
	for _, h := range d.school.Gates() {
		h.Cables[d.school.District.Name].Unplug()
	}
	if err := d.offline(ctx, true); err != nil {
		return err
	}
	d.east1.send(ctx, visit{person: d.cast.offline, forehead: 36.5})
	d.pause(ctx, 2*time.Minute)
	for _, p := range d.school.East.Rig().Gate.View().Problems {
		if p.Key == "offline" {
			d.tell("       东门:离线可用,待传 %v · east: works offline, %v to send", p.Args[0], p.Args[0])
		}
	}
	for _, h := range d.school.Gates() {
		h.Cables[d.school.District.Name].Plug()
	}
	return d.offline(ctx, false)
}

// offline waits until the pages of both gates say that the district is out of
// reach, or that it is not.
func (d *day) offline(ctx context.Context, want bool) error {
	for _, h := range d.school.Gates() {
		if !h.Rig().Until(ctx, limit, func(v guard.View) bool {
			return want == slices.ContainsFunc(v.Problems, func(p guard.Problem) bool { return p.Key == "offline" })
		}) {
			return fmt.Errorf("gate %s does not say so", h.Name)
		}
	}
	return nil
}

func (d *day) shift(ctx context.Context) error {
	if err := d.relieve(ctx, d.east1, d.cast.relief, d.patience()); err != nil {
		return err
	}
	d.east1.send(ctx, visit{person: d.cast.late, forehead: 36.5})
	return nil
}

// powerCut takes the west gate's power away when nobody stands in its lane.
func (d *day) powerCut(ctx context.Context) error {
	q := d.west1
	q.turn.Lock()
	if !q.clear(ctx) {
		q.turn.Unlock()
		return ctx.Err()
	}
	err := d.dark(ctx)
	q.turn.Unlock()
	if err != nil {
		return err
	}
	q.send(ctx, visit{person: d.cast.after, forehead: 36.5})
	return nil
}

func (d *day) dark(ctx context.Context) error {
	if err := d.school.West.PowerOff(ctx); err != nil {
		return err
	}
	d.pause(ctx, 90*time.Second)
	if err := d.school.West.PowerOn(ctx); err != nil {
		return err
	}
	d.school.West.Plug()
	return d.offline(ctx, false)
}
