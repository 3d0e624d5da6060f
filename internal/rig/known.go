package rig

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/menshen/menshen/entry"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/roster"
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
func readKnown(lines []string) (map[string]roster.Person, error) {
	known := map[string]roster.Person{}
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
		known[who] = people[0]
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
