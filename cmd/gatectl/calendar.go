package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/gate"
)

// calendar checks a calendar's file, puts one in force, or shows what a day is.
// Checking asks no gate.
func (t *tool) calendar(ctx context.Context, args []string) error {
	var inForce gate.CalendarInForce
	switch {
	case len(args) == 1 && args[0] == "show":
		if err := t.ask(ctx, http.MethodGet, "/v1/calendar", nil, &inForce); err != nil {
			return err
		}
	case len(args) == 2 && args[0] == "check":
		_, c, err := readYear(args[1])
		if err != nil {
			return err
		}
		fmt.Fprintf(t.stdout, "calendar %d of %s: no fault\n", c.Number, c.Issued)
		for _, list := range []struct {
			what string
			days []calendar.Days
		}{{"term", c.Terms}, {"holiday", c.Holidays}, {"make-up", c.MakeUp}, {"half day", c.HalfDays}, {"away", c.Away}, {"only", c.Only}} {
			for _, d := range list.days {
				fmt.Fprintf(t.stdout, "  %s %s to %s %s\n", list.what, d.First, d.Last, d.Name)
			}
		}
		return nil
	case len(args) == 2 && args[0] == "show": // what the file would make of today
		_, c, err := readYear(args[1])
		if err != nil {
			return err
		}
		day := c.Day(time.Now(), "")
		inForce = gate.CalendarInForce{Number: c.Number, Issued: c.Issued, Today: day.Kind.String(), Name: day.Name}
	case len(args) == 2 && args[0] == "load":
		body, _, err := readYear(args[1])
		if err != nil {
			return err
		}
		if err := t.ask(ctx, http.MethodPost, "/v1/calendar", bytes.NewReader(body), &inForce); err != nil {
			return err
		}
	default:
		return errUsage
	}
	if inForce.Number == 0 {
		fmt.Fprintln(t.stdout, "no calendar: every day is a school day")
		return nil
	}
	fmt.Fprintf(t.stdout, "calendar %d of %s: today %s %s\n", inForce.Number, inForce.Issued, inForce.Today, inForce.Name)
	if inForce.Roster > 0 {
		fmt.Fprintf(t.stdout, "  %d of %d are expected\n", inForce.Expected, inForce.Roster)
	}
	return nil
}

// readYear reads and checks a calendar's file. Each fault stands on a line of its
// own with the file's name.
func readYear(name string) (body []byte, c calendar.Calendar, err error) {
	if body, err = os.ReadFile(name); err != nil {
		return nil, c, err
	}
	if c, err = calendar.Parse(body); err != nil {
		return nil, c, fmt.Errorf("%s has faults, each with its line:\n%w", name, err)
	}
	return body, c, nil
}
