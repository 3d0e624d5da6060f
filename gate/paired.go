package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/web"
)

// pairs keeps paired browsers in the roster's file. Changed hears of each change: the
// code that a browser has used up leaves the gate's screen.
type pairs struct {
	r       *roster.Roster
	changed func()
}

// Paired implements web.PairedKeeper. A place that this program does not know
// is none: the browser is to be paired again.
func (s pairs) Paired(ctx context.Context) ([]web.Paired, error) {
	list, err := s.r.Paired(ctx)
	var out []web.Paired
	for _, k := range list {
		if place, ok := web.ParsePlace(k.Place); ok {
			out = append(out, web.Paired{Number: k.Number, Digest: k.Digest, Place: place, Began: k.Began, Until: k.Until})
		}
	}
	return out, err
}

// KeepPaired implements web.PairedKeeper.
func (s pairs) KeepPaired(ctx context.Context, list []web.Paired) error {
	defer s.changed()
	var out []roster.Paired
	for _, k := range list {
		out = append(out, roster.Paired{Number: k.Number, Digest: k.Digest, Place: k.Place.String(), Began: k.Began, Until: k.Until})
	}
	return s.r.KeepPaired(ctx, out)
}

// outside returns the pairing where browsers of other machines reach the pages.
func (g *Gate) outside() *web.Pairing {
	if g.o.Web == nil || loopback(g.o.Web.Addr()) {
		return nil
	}
	return g.pairing
}

// PairedBrowser is one browser of another machine as gatectl lists it.
type PairedBrowser struct {
	Number int
	// Place is desk, room or guard.
	Place        string
	Began, Until time.Time
}

func (g *Gate) listPaired(w http.ResponseWriter, _ *http.Request) {
	list := []PairedBrowser{}
	for _, p := range g.pairing.List() {
		list = append(list, PairedBrowser{p.Number, p.Place.String(), p.Began, p.Until})
	}
	answer(w, list, nil)
}

func (g *Gate) unpair(w http.ResponseWriter, r *http.Request) {
	var in struct{ Number int }
	if err := json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&in); err != nil {
		answer(w, nil, fmt.Errorf("read request: %w", err))
		return
	}
	found, err := g.pairing.Remove(r.Context(), in.Number)
	if err == nil && !found {
		err = errors.New("no paired browser has this number: see 'gatectl web paired'")
	}
	answer(w, struct{}{}, err)
}

func (g *Gate) setDuty(w http.ResponseWriter, r *http.Request) {
	var in struct{ Number, Duties string }
	if err := json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&in); err != nil {
		answer(w, nil, fmt.Errorf("read request: %w", err))
		return
	}
	d, err := roster.ParseDuty(in.Duties)
	if err == nil {
		err = g.roster.SetDuty(r.Context(), in.Number, d)
	}
	g.changed()
	answer(w, struct{}{}, err)
}
