package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/menshen/menshen/gate"
)

// web lists the browsers of other machines that may show pages, or ends one.
func (t *tool) web(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "paired":
		var list []gate.PairedBrowser
		if err := t.ask(ctx, http.MethodGet, "/v1/web/paired", nil, &list); err != nil {
			return err
		}
		for _, p := range list {
			fmt.Fprintf(t.stdout, "%d %s, paired %s, until %s\n", p.Number, p.Place,
				p.Began.Local().Format(time.DateTime), p.Until.Local().Format(time.DateOnly))
		}
		return nil
	case len(args) == 2 && args[0] == "unpair":
		number, err := strconv.Atoi(args[1])
		if err != nil {
			return errUsage
		}
		return t.post(ctx, "/v1/web/unpair", struct{ Number int }{number})
	}
	return errUsage
}
