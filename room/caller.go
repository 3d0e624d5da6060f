package room

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/menshen/menshen/room/feed"
	"github.com/menshen/menshen/web"
)

// owedAgain is how often an answer is tried that a gate did not take.
const owedAgain = time.Second

// caller speaks with one gate.
type caller struct {
	gate   Gate
	ward   *ward
	log    *slog.Logger
	client *http.Client
}

func newCaller(b *Board, g Gate) (*caller, error) {
	client, err := feed.NewClient(b.o.Key, g.Key, b.o.Dial)
	if err != nil {
		return nil, err
	}
	return &caller{gate: g, ward: b.ward, log: b.log.With("gate", g.Name), client: client}, nil
}

// follow listens to the gate until the context ends.
func (c *caller) follow(ctx context.Context) error {
	feed.Follower{Client: c.client, Log: c.log, Take: c.take, URL: func() string {
		return "https://" + c.gate.Address + feed.Events + "?after=" + url.QueryEscape(c.ward.next(c.gate.Name))
	}}.Run(ctx)
	return nil
}

// take takes one message of the gate.
func (c *caller) take(in *feed.Reader) error {
	m, err := in.Next()
	if err != nil {
		return err
	}
	if m.Gate != c.gate.Name {
		return fmt.Errorf("gate calls itself %s", m.Gate)
	}
	c.ward.hear(m)
	return nil
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
	ctx, cancel := context.WithTimeout(ctx, feed.AskWithin)
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
	ctx, cancel := context.WithTimeout(ctx, feed.AskWithin)
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
