package gate

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/room/feed"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/web"
)

// Boards are the boards of isolation rooms that follow a gate.
type Boards struct {
	// Listen opens where they and the school's other gates meet the gate; nil for
	// none. It is called again after a fault: an address may only come with the
	// network.
	Listen func() (net.Listener, error)
	// Keys are theirs, as wire.ParsePublicKey returned them.
	Keys []ed25519.PublicKey
}

const (
	// boardStreams bounds the streams of all boards together: one that was cut
	// off may not know yet that its last stream is dead.
	boardStreams = 16
	// boardWait is how long a board may take to accept a message.
	boardWait = 5 * time.Second
)

// boards serves the boards that follow the gate.
type boards struct {
	g       *Gate
	streams chan struct{} // one place per open stream
	// siblings are the same for the school's other gates: neither takes the
	// other's places.
	siblings chan struct{}
}

// serveBoards lets boards, and the school's other gates, follow the gate until
// the context ends. Who shows another key than theirs sees nothing of it, and
// neither sees what is the other's. No lane stands still for it.
func (g *Gate) serveBoards(ctx context.Context) error {
	if g.o.Boards.Listen == nil || g.collectors.key == nil { // the collectors have said why there is no key
		return nil
	}
	keys, siblings := g.o.Boards.Keys, g.o.Siblings.keys()
	trust, err := feed.Server(g.collectors.key, slices.Concat(keys, siblings))
	if err != nil {
		return err
	}
	b := boards{g, make(chan struct{}, boardStreams), make(chan struct{}, siblingStreams)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+feed.Events, only(keys, b.events))
	mux.HandleFunc("POST "+feed.Answers, only(keys, b.answer))
	mux.HandleFunc("POST "+feed.SignsOn, only(keys, b.signOn))
	mux.HandleFunc("GET "+feed.Told, only(siblings, b.tell))
	for said := false; ; {
		l, err := g.o.Boards.Listen()
		if err == nil {
			said = false
			g.log.Info("boards are met", "address", l.Addr())
			err = b.serve(ctx, tls.NewListener(l, trust), mux)
		}
		if ctx.Err() != nil {
			return nil
		}
		if !said { // once, however often it is tried
			said = true
			g.log.Error("no board can follow the gate", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(probeEvery):
		}
	}
}

// serve serves until the context ends. That a stranger was turned away is said
// at the stranger's end: here it would fill the log.
func (b boards) serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: boardWait, ReadTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		BaseContext: func(net.Listener) context.Context { return ctx }, ErrorLog: slog.NewLogLogger(b.g.log.Handler(), slog.LevelDebug),
	}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	return s.Serve(l)
}

// events sends the room's state at once, whenever it has changed, and every
// second.
func (b boards) events(w http.ResponseWriter, r *http.Request) {
	select {
	case b.streams <- struct{}{}:
		defer func() { <-b.streams }()
	default:
		http.Error(w, "too many streams", http.StatusServiceUnavailable)
		return
	}
	ticks := b.g.Watch(r.Context()) // before the first look: no change falls between
	beat := time.NewTicker(feed.BeatEvery)
	defer beat.Stop()
	w.Header().Set("Content-Type", "application/x-ndjson")
	next, due := b.g.boardCursor(r.URL.Query().Get("after")), true
	var last []byte
	for {
		m, more := b.g.boardMessage(&next)
		line, err := m.Line()
		if err == nil && (due || !bytes.Equal(line, last)) {
			err = send(w, line)
		}
		if err != nil {
			if r.Context().Err() == nil {
				b.g.log.Warn("stream to a board ended", "err", err)
			}
			return
		}
		if last, due = line, more; more {
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case <-ticks:
		case <-beat.C:
			due = true
		}
	}
}

// send writes one line, and gives up a board that does not take it.
func send(w http.ResponseWriter, line []byte) error {
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(boardWait)); err != nil {
		return fmt.Errorf("send to board: %w", err)
	}
	if _, err := w.Write(line); err != nil {
		return fmt.Errorf("send to board: %w", err)
	}
	if err := control.Flush(); err != nil {
		return fmt.Errorf("send to board: %w", err)
	}
	return nil
}

// answer silences one alarm in the name of who answered at the board. A board
// whose alarm stands no longer has nothing left to do, and hears so.
func (b boards) answer(w http.ResponseWriter, r *http.Request) {
	var in feed.Answer
	id, err := entry.ArrivalID{}, feed.Body(r.Body, &in)
	if err == nil {
		id, err = entry.ParseArrivalID(in.Arrival)
	}
	if err != nil || id == (entry.ArrivalID{}) { // zero would silence every alarm
		http.Error(w, "no answer to an alarm", http.StatusBadRequest)
		return
	}
	if !b.g.alarms.acknowledge(id, b.g.staffNumber(in.By)) {
		http.Error(w, "no such alarm stands", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// staffNumber returns the roster number of whoever has a number of the school,
// and none where nobody here has it: an alarm that was answered is answered.
func (g *Gate) staffNumber(number string) []uint64 {
	for p := range g.roster.Snapshot().All() {
		if p.Number == number && number != "" && p.Role != roster.Student {
			return []uint64{p.ID}
		}
	}
	return nil
}

// signOn checks badge and PIN for a board, which keeps no roster: what it costs
// to guess is counted here.
func (b boards) signOn(w http.ResponseWriter, r *http.Request) {
	var in feed.SignOn
	if err := feed.Body(r.Body, &in); err != nil {
		http.Error(w, "no badge and PIN", http.StatusBadRequest)
		return
	}
	who, err := staff{b.g.roster}.CheckPIN(r.Context(), in.Badge, in.PIN)
	switch {
	case errors.Is(err, web.ErrPIN):
		http.Error(w, err.Error(), http.StatusForbidden)
	case errors.Is(err, web.ErrLocked):
		http.Error(w, err.Error(), http.StatusTooManyRequests)
	case errors.Is(err, web.ErrNoDuty):
		http.Error(w, err.Error(), http.StatusConflict)
	case err != nil:
		b.g.log.Error("sign on at a board", "err", err)
		http.Error(w, "cannot look", http.StatusServiceUnavailable)
	default:
		p, _ := b.g.roster.Snapshot().ByID(who.ID)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(feed.Person{Number: p.Number, Name: p.Name, Duties: uint8(who.Duties)}) // a board that left needs no answer
	}
}

// boardCursor returns the first entry that a board has not heard of. A board
// that has heard of none, or of another journal of this gate, begins with what
// stands now, or with all that this journal holds.
func (g *Gate) boardCursor(after string) uint64 {
	end := g.alarms.answersEnd()
	epoch, seq, _ := strings.Cut(after, ".")
	e, err1 := strconv.ParseUint(epoch, 10, 32)
	n, err2 := strconv.ParseUint(seq, 10, 64)
	switch {
	case err1 != nil || err2 != nil:
		return end
	case uint32(e) != g.journal.Epoch():
		return 0
	}
	return min(n, end)
}

// boardMessage returns the room's state with the answers from next on, and moves
// next behind them. More says that some are left over.
func (g *Gate) boardMessage(next *uint64) (m feed.Message, more bool) {
	open, told := g.alarms.since(*next)
	if more = len(told) > feed.Most; more {
		told = told[:feed.Most]
	}
	if n := len(told); n > 0 {
		*next = told[n-1].seq + 1
	}
	m = feed.Message{Gate: g.o.Config.Gate, Next: fmt.Sprintf("%d.%d", g.journal.Epoch(), *next)}
	numbers, people := g.cases.numbers(), g.roster.Snapshot()
	line := func(a alarm) feed.Alarm {
		out := feed.Alarm{Arrival: a.id.String(), Number: numbers[a.id], Since: a.since.UnixMilli(), Recorded: a.stored, Drill: a.drill}
		name, class := nameOf(people, a.subject)
		out.Name, out.Class = clip(name, feed.MaxText), clip(class, feed.MaxText)
		return out
	}
	for _, a := range open[:min(len(open), feed.Most)] { // the oldest first; the others follow as they are answered
		m.Open = append(m.Open, line(a))
	}
	for _, a := range told {
		m.Answered = append(m.Answered, line(a.alarm))
	}
	return m, more
}

// numbers returns the numbers of the open cases by their arrivals.
func (c *cases) numbers() map[entry.ArrivalID]uint16 {
	c.mu.Lock()
	defer c.mu.Unlock()
	numbers := make(map[entry.ArrivalID]uint16, len(c.open))
	for number, x := range c.open {
		numbers[x.arrival] = number
	}
	return numbers
}
