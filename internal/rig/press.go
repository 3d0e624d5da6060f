package rig

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
)

// errNothing is a press on a page that shows nothing to answer.
var errNothing = errors.New("nothing is there to answer")

// press answers a stop in a lane, one that was set aside, or an alarm, in the
// guard's name. Which arrival that is, and its version, it reads from the page.
func (st *stage) press(ctx context.Context, verb string, args []string) error {
	if verb == "silence" && slices.Equal(args, []string{"board"}) {
		return st.board.silence()
	}
	target, args, err := st.target(verb, args)
	if err != nil {
		return err
	}
	a, err := act(args)
	if verb == "silence" {
		a, err = guard.Act{Kind: guard.KindSilence}, nil
	}
	if err != nil {
		return err
	}
	a.Arrival, a.Version, a.By = target.Arrival, target.Version, web.Person{ID: st.people["G"].ID}
	return st.gate.Do(ctx, a)
}

// target returns what the page shows under a number.
func (st *stage) target(verb string, args []string) (guard.Act, []string, error) {
	v := st.gate.View()
	if verb == "silence" && len(args) == 0 {
		if len(v.Alarms) == 0 {
			return guard.Act{}, nil, errNothing
		}
		return guard.Act{Arrival: v.Alarms[0].Arrival}, nil, nil
	}
	if len(args) < 2 {
		return guard.Act{}, nil, errUsage
	}
	number, err := strconv.Atoi(args[0])
	if err != nil {
		return guard.Act{}, nil, errUsage
	}
	for _, l := range v.Lanes {
		if verb == "press" && l.Number == number && l.Arrival != "" {
			return guard.Act{Arrival: l.Arrival, Version: l.Version}, args[1:], nil
		}
	}
	for _, a := range v.Asides {
		if verb == "ticket" && a.Ticket == number {
			return guard.Act{Arrival: a.Arrival, Version: a.Version}, args[1:], nil
		}
	}
	return guard.Act{}, nil, errNothing
}

// act reads what is pressed.
func act(words []string) (guard.Act, error) {
	if len(words) == 3 && words[0] == "type" {
		v, err := strconv.ParseFloat(words[1], 64)
		if err != nil {
			return guard.Act{}, errUsage
		}
		return guard.Act{Kind: guard.KindType, Value: int32(v*1000 + 0.5), Instrument: words[2]}, nil
	}
	if len(words) == 3 && words[0] == guard.KindLook {
		return guard.Act{Kind: guard.KindLook, Row: words[1], InOrder: words[2] == "yes"}, nil
	}
	if len(words) == 2 && words[0] == guard.KindNote {
		return guard.Act{Kind: guard.KindNote, Note: words[1]}, nil
	}
	if len(words) != 1 {
		return guard.Act{}, errUsage
	}
	switch w := words[0]; w {
	case "green", "yellow", "red", guard.Printed, guard.PopUp:
		return guard.Act{Kind: guard.KindColour, Colour: w}, nil
	case guard.KindAside, guard.KindAcknowledge, guard.KindTurnAway:
		return guard.Act{Kind: w}, nil
	case guard.KindOverride:
		return guard.Act{Kind: w, Reason: "identity-checked", PIN: guardPIN}, nil
	}
	return guard.Act{}, errUsage
}
