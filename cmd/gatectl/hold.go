package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"

	"github.com/menshen/menshen/gate"
)

func (t *tool) hold(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	switch args[0] {
	case "list":
		if len(args) > 1 {
			return errUsage
		}
		var list []gate.Hold
		if err := t.ask(ctx, http.MethodGet, "/v1/holds", nil, &list); err != nil {
			return err
		}
		for _, h := range list {
			how := "a recheck by another instrument, or a lift, ends it"
			if h.Grave {
				how = "only a lift ends it"
			}
			if h.Above {
				how = "placed by a collector, " + how
			}
			since := ""
			if h.Arrival != "" {
				since = " since arrival " + h.Arrival
			}
			fmt.Fprintf(t.stdout, "%s %s%s: %s\n", h.Number, h.Class, since, how)
		}
		return nil
	case "lift":
		var by string
		rest, err := t.flagsOf("lift", args[1:], 1, func(f *flag.FlagSet) { f.StringVar(&by, "by", "", "") })
		if err != nil || by == "" {
			return errUsage
		}
		pin, err := t.line("PIN of " + by + ": ")
		if err != nil {
			return err
		}
		return t.post(ctx, "/v1/holds/lift", struct{ Number, By, PIN string }{rest[0], by, pin})
	}
	return errUsage
}
