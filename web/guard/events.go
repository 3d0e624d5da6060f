package guard

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// heartbeat is how often an open page hears from the gate; the page greys
	// after two of them were missed.
	heartbeat = time.Second
	// writeLimit is how long a browser may take to accept an event before its
	// stream is given up. It will have greyed long before.
	writeLimit = 5 * time.Second
)

// events keeps one page up to date until the browser leaves or the gate stops.
// It sends the fragment first and then whenever it differs from the last one.
//
// The view is also looked at with every heartbeat. So a tick that got lost
// costs a second and not a stale green, and the clock's minute and the end of
// a session reach the page without a timer of their own.
func (p *page) events(w http.ResponseWriter, r *http.Request) {
	select {
	case p.streams <- struct{}{}:
		defer func() { <-p.streams }()
	default:
		p.site.Refuse(w, r, http.StatusServiceUnavailable, "refused.streams")
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	ticks := p.gate.Watch(r.Context()) // before the first view: no change falls between
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()

	s := stream{w: w, control: http.NewResponseController(w)}
	for due := false; ; {
		if err := p.update(&s, r, due); err != nil {
			if r.Context().Err() == nil {
				p.log.Warn("stream ended", "err", err)
			}
			return
		}
		select {
		case <-r.Context().Done():
			return
		case _, ok := <-ticks:
			if !ok {
				return
			}
			due = false
		case <-beat.C:
			due = true
		}
	}
}

// update sends the fragment if it has changed, and then a heartbeat if one is
// due: what a heartbeat vouches for is already on its way.
func (p *page) update(s *stream, r *http.Request, beat bool) error {
	var fragment bytes.Buffer
	if err := p.fragment.Execute(&fragment, p.screen(r)); err != nil {
		return fmt.Errorf("render fragment: %w", err)
	}
	if !bytes.Equal(fragment.Bytes(), s.last) {
		if err := s.send("view", fragment.Bytes()); err != nil {
			return err
		}
		s.last = fragment.Bytes()
	}
	if !beat {
		return nil
	}
	return s.send("beat", nil)
}

// stream writes server-sent events to one browser.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	id      uint64
	last    []byte // the fragment that the browser has
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
