package main

import (
	"context"

	"github.com/menshen/menshen/internal/rig"
)

// yours are the people that are for whoever watches.
func (c cast) yours() []rig.Person { return []rig.Person{c.you, c.desk, c.nurse, c.leader} }

// guide prints one page: where to look, who you may be, and what to try.
func (d *day) guide(ctx context.Context, web pages) error {
	school, err := d.school.School.Grant(ctx, "demo")
	if err != nil {
		return err
	}
	district, err := d.school.District.Grant(ctx, "demo")
	if err != nil {
		return err
	}
	urls, c := web.urls(), d.cast
	d.tell(`
  门神 Menshen · 冬天的一个周一 / a winter Monday    --seed %d --speed %g

  页面 / pages
    东门 east, 2 lanes     %s
    西门 west, 1 lane      %s
    学校 school            %s   口令 token %s
    区里 district          %s   口令 token %s

  上岗 / sign on           卡号 badge            PIN
    保卫 guard             %s      %s
    值班桌 desk            %s      %s
    校医 nurse             %s      %s
    值班领导 leader        %s      %s

  试试 / try
    上岗,把停下的孩子「移到一边」:通道马上空出来
      sign on and set a stopped pupil aside: the lane is free at once
    在东门 /desk/ 给移到一边的孩子输入耳温 36.9:十分钟内刷卡就进
      type 36.9 with an ear thermometer at the east gate's /desk/: the badge opens any lane for ten minutes
    在西门 /desk/ 拦一个孩子:过一会儿东门也拦下
      hold a pupil at the west gate's /desk/: soon the east gate stops the badge too
    在 /desk/ 点「忘带卡」「来访」「有症状」,一分钟内可撤销自己按的
      name a child without a badge, lend a visitor a card, say who looks ill; take back within a minute what you pressed
    用校医的卡上岗,打开东门 /isolation/:个案从报警到家长接走
      sign on as the nurse and open the east gate's /isolation/: a case from its alarm to the parent
    用值班领导的 PIN 按「应急放行」:十五分钟只测温
      press emergency passage with the leader's PIN: temperature only, for fifteen minutes
    断网、停电、拔扫码器时看两个校门和区里的页面;没人按,八秒后同事按
      watch the gates and the district while cable, power or scanner is out; if nobody presses, a colleague does after eight seconds
    取走区里收到的记录 / pull what the district has collected
      curl -H 'Authorization: Bearer %s' '%sapi/v1/entries?format=csv'

  Ctrl-C 结束 / ends it
`, d.seed, d.speed, urls[0], urls[1], urls[2], school, urls[3], district,
		c.you.Badge, demoPIN, c.desk.Badge, demoPIN, c.nurse.Badge, demoPIN, c.leader.Badge, demoPIN, district, urls[3])
	return nil
}
