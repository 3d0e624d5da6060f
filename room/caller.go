package room

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/menshen/menshen/room/feed"
	"github.com/menshen/menshen/web"
)

const (
	// askWithin bounds one request to a gate, PIN and all.
	askWithin = 5 * time.Second
	// againFirst and againMost bound the wait before a gate is tried again.
	againFirst = 250 * time.Millisecond
	againMost  = 2 * time.Second
	// owedAgain is how often an answer is tried that a gate did not take.
	owedAgain = time.Second
)

// caller speaks with one gate.
type caller struct {
	gate   Gate
	ward   *ward
	log    *slog.Logger
	client *http.Client
}

func newCaller(b *Board, g Gate) (*caller, error) {
	trust, err := feed.Client(b.o.Key, g.Key)
	if err != nil {
		return nil, err
	}
	return &caller{gate: g, ward: b.ward, log: b.log.With("gate", g.Name), client: &http.Client{
		Transport: &http.Transport{DialContext: b.o.Dial, TLSClientConfig: trust, TLSHandshakeTimeout: askWithin, ResponseHeaderTimeout: askWithin},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a gate sends nobody elsewhere
		},
	}}, nil
}

// follow listens to the gate until the context ends.
func (c *caller) follow(ctx context.Context) error {
	pause, said := againFirst, false
	for {
		err := c.listen(ctx, func() { pause, said = againFirst, false })
		if ctx.Err() != nil {
			return nil
		}
		if !said { // once, however often it is tried
			said = true
			c.log.Warn("gate not heard", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, againMost)
	}
}

// listen takes the gate's messages until one does not come in time.
func (c *caller) listen(ctx context.Context, heard func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(feed.LostAfter, func() { cancel(errors.New("gate is silent")) })
	defer silence.Stop()
	resp, err := c.ask(ctx, http.MethodGet, feed.Events+"?after="+url.QueryEscape(c.ward.next(c.gate.Name)), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("gate answers %s", resp.Status)
	}
	for in := feed.NewReader(resp.Body); ; {
		m, err := in.Next()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		case m.Gate != c.gate.Name:
			return fmt.Errorf("gate calls itself %s", m.Gate)
		}
		silence.Reset(feed.LostAfter)
		heard()
		c.ward.hear(m)
	}
}

// ask sends one request with a value of JSON, if there is one.
func (c *caller) ask(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		text = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "https://"+c.gate.Address+path, text)
	if err != nil {
		return nil, err
	}
	return c.client.Do(req)
}

// deliver hands the answers that were given here to the gate until it has them.
func (c *caller) deliver(ctx context.Context) error {
	ticks := c.ward.watch(ctx)
	for {
		var again <-chan time.Time
		for _, a := range c.ward.owed(c.gate.Name) {
			if !c.tell(ctx, a) {
				again = time.After(owedAgain)
				break
			}
			c.ward.sent(c.gate.Name, a.Arrival)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks:
		case <-again:
		}
	}
}

// tell reports whether the gate has an answer, or nothing to answer. Why not,
// follow says.
func (c *caller) tell(ctx context.Context, a feed.Answer) bool {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	resp, err := c.ask(ctx, http.MethodPost, feed.Answers, a)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotFound
}

// signOn asks the gate whose badge and PIN these are.
func (c *caller) signOn(ctx context.Context, badge, pin string) (p feed.Person, err error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	resp, err := c.ask(ctx, http.MethodPost, feed.SignsOn, feed.SignOn{Badge: badge, PIN: pin})
	if err != nil {
		return feed.Person{}, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		if err := feed.Body(resp.Body, &p); err != nil {
			return feed.Person{}, fmt.Errorf("sign on at gate %s: %w", c.gate.Name, err)
		}
		return p, nil
	case http.StatusForbidden:
		return feed.Person{}, web.ErrPIN
	case http.StatusTooManyRequests:
		return feed.Person{}, web.ErrLocked
	case http.StatusConflict:
		return feed.Person{}, web.ErrNoDuty
	}
	return feed.Person{}, fmt.Errorf("sign on at gate %s: %s", c.gate.Name, resp.Status)
}

// next returns where a gate is to go on.
func (w *ward) next(gate string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.of(gate).Next
}
