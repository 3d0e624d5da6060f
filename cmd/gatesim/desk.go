package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/menshen/menshen/internal/rig"
	"github.com/menshen/menshen/web/guard"
)

// forgotten lets the desk name two children who have no badge with them.
func (d *day) forgotten(ctx context.Context) error {
	for _, p := range d.cast.forgetful {
		d.east1.send(ctx, visit{person: p, forehead: 36.6, named: true})
	}
	return nil
}

// visitorCard is the card that the script's visitor gets.
const visitorCard = 7

// visitors has something handed over outside, and lends a visitor a card. What
// you have pressed meanwhile comes first: then the script's press is refused.
func (d *day) visitors(ctx context.Context) error {
	b, card, host := d.east.browser, fmt.Sprint(visitorCard), fmt.Sprint(d.ids[d.cast.desk.Badge])
	for _, press := range [][]string{
		{"/desk/goods", "seen", "0"},
		{"/desk/visit", "reason", "parent", "subject", host, "card", card, "name", "访客示范", "phone", "10000000007"},
	} {
		if _, _, err := b.Send(ctx, press[0], press[1:]...); err != nil {
			return ignore(err, rig.ErrRefused)
		}
	}
	d.east2.send(ctx, visit{person: rig.Person{Badge: d.cards[visitorCard]}, forehead: 36.6}, guard.Act{Kind: guard.KindColour, Colour: "green"})
	d.pause(ctx, 30*time.Second)
	page, err := b.Read(ctx, "/desk/")
	if err != nil {
		return ignore(err, rig.ErrRefused)
	}
	if version := find(page, `name="card" value="`+card+`"><input type="hidden" name="version" value="(\d+)"`); version != "" {
		_, _, err = b.Send(ctx, "/desk/visit/out", "card", card, "version", version)
	}
	return ignore(err, rig.ErrRefused)
}

// fever sends a child with a fever through the isolation room and home.
func (d *day) fever(ctx context.Context) error {
	arrival, stopped := d.east1.send(ctx, visit{person: d.cast.feverish, forehead: 37.9})
	if !stopped {
		return nil
	}
	ticket := d.finish(ctx, d.east, arrival, guard.Act{Kind: guard.KindType, Value: 37_900, Instrument: "ear"})
	rings := func(v guard.View) bool {
		return slices.ContainsFunc(v.Alarms, func(a guard.Alarm) bool { return a.Arrival == arrival })
	}
	d.school.East.Rig().Until(ctx, d.patience(), func(v guard.View) bool { return !rings(v) })
	return d.room(ctx, arrival, fmt.Sprint(ticket))
}

// room is the nurse. Two people are on duty at most: if you are one of them the
// case is yours.
func (d *day) room(ctx context.Context, arrival, number string) error {
	b, err := rig.NewBrowser(d.school.East.URL)
	if err != nil {
		return err
	}
	defer b.Close()
	if _, _, err := b.Send(ctx, "/sign-on", "badge", d.cast.nurse.Badge, "pin", demoPIN); err != nil {
		d.tell("       隔离室的个案归你:用校医的卡上岗 · the room's case is yours: sign on as the nurse")
		return ignore(err, rig.ErrRefused)
	}
	phone := d.cast.feverish.Phone
	for _, press := range [][]string{
		{"/isolation/answer", "arrival", arrival},
		{"/isolation/step", "kind", "arrived"},
		{"/isolation/step", "kind", "measured", "value", "381"},
		{"/isolation/step", "kind", "called", "guardian", "1", "call", "reached"},
		{"/isolation/home", "relation", "mother", "digits", phone[len(phone)-4:]},
	} {
		d.pause(ctx, 20*time.Second)
		page, err := b.Read(ctx, "/isolation/case?number="+number)
		if err == nil {
			version := find(page, `name="version" value="(\d+)"`)
			_, _, err = b.Send(ctx, press[0], append(press[1:], "number", number, "version", version)...)
		}
		if err != nil {
			return ignore(err, rig.ErrRefused)
		}
	}
	_, _, err = b.Send(ctx, "/sign-off")
	return ignore(err, rig.ErrRefused)
}

// find returns what the group of a pattern matches in a page, or nothing.
func find(page, pattern string) string {
	if found := regexp.MustCompile(pattern).FindStringSubmatch(page); found != nil {
		return found[1]
	}
	return ""
}

// ignore returns an error unless it is one that you may cause.
func ignore(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}
