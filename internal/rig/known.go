package rig

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/menshen/menshen/entry"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/screening/policy"
)

// badgeAndTemperature is the policy of a scenario that has rows of its own.
const badgeAndTemperature = `format = 1
number = 7
name = "scenario"
title = { zh = "场景", en = "scenario" }
kind = "entry"
date = 2000-01-01
[temperature]
threshold = "37.3"
boundary = "reaches"
low = "35.0"
wrist_threshold = "36.7"
wrist_low = "35.0"
[code]
max_age = "24h"
[[row]]
id = "identity"
ask = "identity"
fail = "refer"
[[row]]
id = "temperature"
ask = "temperature"
fail = "recheck"
`

// bringIntoForce lets the journal begin with the policy of a scenario, as it
// stands there once a gate has taken one.
func (s Scenario) bringIntoForce(ctx context.Context, st *stage) (err error) {
	body := []byte(badgeAndTemperature + s.rows)
	switch {
	case s.preset != "" && s.rows != "":
		return errors.New("a scenario has a preset or rows")
	case s.preset != "":
		if body, err = fs.ReadFile(firmwareconfig.Policies(), s.preset+".toml"); err != nil {
			return err
		}
	case s.rows == "":
		return nil
	}
	d, err := policy.Parse(s.Name, body)
	if err != nil {
		return err
	}
	st.clock.begin()
	j, err := journal.Open(ctx, journal.Options{Path: filepath.Join(st.o.Dir, "journal.db"), Boot: entry.Boot{Version: "scenario"}, Now: st.clock.Now, Log: st.o.Log})
	if err != nil {
		return err
	}
	_, err = j.Append(ctx, journal.Draft{Kind: entry.KindPolicy, Stamp: st.clock.Now(), Body: entry.Policy{Number: d.Spec.Number, Name: d.Spec.Name, Text: body}})
	return errors.Join(err, j.Close())
}

// readKnown reads the section "roster" of a scenario.
func readKnown(lines []string) (map[string]roster.Evidence, error) {
	known := map[string]roster.Evidence{}
	for _, line := range lines {
		who, rest, _ := strings.Cut(line, " ")
		head, row := []string{"number", "name", "class", "role"}, []string{who, who, "1年级1班", "student"}
		for _, field := range strings.Fields(rest) {
			column, value, _ := strings.Cut(field, "=")
			head, row = append(head, column), append(row, dated(value))
		}
		var text strings.Builder
		if err := csv.NewWriter(&text).WriteAll([][]string{head, row}); err != nil {
			return nil, err
		}
		people, err := roster.Parse(strings.NewReader(text.String()))
		if err != nil {
			return nil, fmt.Errorf("what the roster knows of %s: %w", who, err)
		}
		known[who] = people[0].Evidence
	}
	return known, nil
}

// dated writes times in place of the ages of a cell.
func dated(cell string) string {
	parts := strings.Split(cell, ";")
	for i, part := range parts {
		name, age, named := strings.Cut(part, "@")
		if !named {
			name, age = "", part
		}
		positive := strings.HasPrefix(age, "+")
		d, err := time.ParseDuration(strings.TrimPrefix(age, "+"))
		if err != nil {
			continue
		}
		at := time.Now().Add(d).UTC().Format(time.RFC3339)
		if positive {
			at = "+" + at
		}
		if named {
			at = name + "@" + at
		}
		parts[i] = at
	}
	return strings.Join(parts, ";")
}

// actOf is what a script calls an act of somebody.
func actOf(a entry.Answer) string {
	switch a.Act {
	case entry.ActLooked:
		if s, _ := lane.ParseLooked(a.Reason); s.InOrder {
			return "in-order"
		}
		return "not-in-order"
	case entry.ActNoted:
		return "noted"
	case entry.ActVisitIn:
		return "visit"
	case entry.ActVisitOut:
		return "visit-out"
	}
	names := []string{"none", "colour", "typed", "turned-away", "override", "aside", "acknowledge", "withheld"}
	if int(a.Act) < len(names) {
		return names[a.Act]
	}
	return strconv.Itoa(int(a.Act))
}

// post sends a form as the page does, in the name of who is signed on.
func (st *stage) post(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	stand, err := st.placeholders()
	if err != nil {
		return err
	}
	form := url.Values{}
	for _, field := range args[1:] {
		key, value, ok := strings.Cut(stand.Replace(field), "=")
		if !ok {
			return errUsage
		}
		form.Add(key, value)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1"+args[0], strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := st.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said := resp.Request.URL.Query().Get("said")
	if resp.StatusCode != http.StatusOK || slices.Contains([]string{"stale", "not-allowed", "failed", "busy"}, said) {
		return fmt.Errorf("post: %s %s", resp.Status, said)
	}
	return nil
}

// placeholders are the words of a form that only the run can know.
func (st *stage) placeholders() (*strings.Replacer, error) {
	var pairs []string
	for letter, p := range st.people {
		pairs = append(pairs, "{"+letter+"}", strconv.FormatUint(p.ID, 10))
	}
	rows, err := read(st.record.path)
	if err != nil {
		return nil, err
	}
	var number uint16
	steps := map[uint16]int{}
	for _, r := range rows {
		var c entry.Case
		if r.Entry.Kind == entry.KindCase && r.Entry.Decode(&c) == nil {
			number = c.Number
			steps[number]++
		}
	}
	return strings.NewReplacer(append(pairs, "{case}", fmt.Sprint(number), "{version}", fmt.Sprint(steps[number]))...), nil
}
