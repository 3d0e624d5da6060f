package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// heartbeat is how often an open page hears from the program; the page
	// greys after two of them were missed.
	heartbeat = time.Second
	// writeLimit is how long a browser may take to accept an event before its
	// stream is given up. It will have greyed long before.
	writeLimit = 5 * time.Second
)

// ErrSame is what a fragment returns that would be the last one again: nothing
// is drawn and nothing sent, and the heartbeat vouches for what the page has.
var ErrSame = errors.New("fragment is the last one again")

// Live keeps one page up to date by server-sent events until the browser
// leaves, which is no error, or ticks is closed. It sends the fragment first
// and then whenever it differs from the last one.
//
// The fragment is also looked at with every heartbeat. So a tick that got lost
// costs a second and not a stale green, and the clock's minute and the end of
// a session reach the page without a timer of their own.
func Live(w http.ResponseWriter, r *http.Request, ticks <-chan struct{}, fragment func(io.Writer) error) error {
	w.Header().Set("Content-Type", "text/event-stream")
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	s := stream{w: w, control: http.NewResponseController(w)}
	for due := false; ; {
		if err := s.update(fragment, due); err != nil {
			if r.Context().Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-r.Context().Done():
			return nil
		case _, ok := <-ticks:
			if !ok {
				return nil
			}
			due = false
		case <-beat.C:
			due = true
		}
	}
}

// stream writes server-sent events to one browser.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	id      uint64
	last    []byte // the fragment that the browser has
}

// update sends the fragment if it has changed, and then a heartbeat if one is
// due: what a heartbeat vouches for is already on its way.
func (s *stream) update(fragment func(io.Writer) error, beat bool) error {
	var now bytes.Buffer
	err := fragment(&now)
	if err != nil && !errors.Is(err, ErrSame) {
		return fmt.Errorf("render fragment: %w", err)
	}
	if err == nil && !bytes.Equal(now.Bytes(), s.last) {
		if err := s.send("view", now.Bytes()); err != nil {
			return err
		}
		s.last = now.Bytes()
	}
	if !beat {
		return nil
	}
	return s.send("beat", nil)
}

// send writes one event. A carriage return ends a line in this format too, so
// a name that holds one would otherwise begin a field of its own.
func (s *stream) send(event string, data []byte) error {
	s.id++
	var out bytes.Buffer
	fmt.Fprintf(&out, "id: %d\nevent: %s\n", s.id, event)
	data = bytes.ReplaceAll(data, []byte("\r"), []byte("\n"))
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		fmt.Fprintf(&out, "data: %s\n", line)
	}
	out.WriteByte('\n')

	err := s.control.SetWriteDeadline(time.Now().Add(writeLimit))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set write limit: %w", err)
	}
	if _, err := s.w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("send %s: %w", event, err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("flush %s: %w", event, err)
	}
	return nil
}
