package feed

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// AskWithin bounds one request to a gate, PIN and all.
	AskWithin = 5 * time.Second
	// againFirst and againMost bound the wait before a gate is tried again.
	againFirst = 250 * time.Millisecond
	againMost  = 2 * time.Second
)

// NewClient returns a client that meets one gate as Client says. A nil dial is
// the network's.
func NewClient(key ed25519.PrivateKey, gate ed25519.PublicKey, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*http.Client, error) {
	trust, err := Client(key, gate)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: &http.Transport{DialContext: dial, TLSClientConfig: trust, TLSHandshakeTimeout: AskWithin, ResponseHeaderTimeout: AskWithin},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a gate sends nobody elsewhere
		},
	}, nil
}

// Follower keeps one stream of a gate open.
type Follower struct {
	Client *http.Client
	// URL returns the stream to ask for; it is called before every try.
	URL func() string
	// Take reads one message and takes it. After an error the stream is begun anew.
	Take func(*Reader) error
	Log  *slog.Logger
}

// Run listens until the context ends, and asks again after every fault.
func (f Follower) Run(ctx context.Context) {
	pause, said := againFirst, false
	for {
		err := f.listen(ctx, func() { pause, said = againFirst, false })
		if ctx.Err() != nil {
			return
		}
		if !said { // once, however often it is tried
			said = true
			f.Log.Warn("gate not heard", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, againMost)
	}
}

// listen takes the gate's messages until one does not come in time.
func (f Follower) listen(ctx context.Context, heard func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(LostAfter, func() { cancel(errors.New("gate is silent")) })
	defer silence.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL(), nil)
	if err != nil {
		return err
	}
	resp, err := f.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("gate answers %s", resp.Status)
	}
	for in := NewReader(resp.Body); ; {
		err := f.Take(in)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
		silence.Reset(LostAfter)
		heard()
	}
}
