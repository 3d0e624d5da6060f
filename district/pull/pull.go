// Package pull hands the collected record to other programs, in the order in
// which it was committed, from wherever they left off.
//
// It knows tokens, cursors and the forms of an answer; docs/pull-api.md and
// openapi.yaml beside this file are its contract. It does not know what was
// not committed (alarms that are only announced, what was refused), who reads,
// or by itself whose number a subject is.
package pull

import (
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/menshen/menshen/district/store"
)

// CursorHeader carries the cursor behind the last entry of an answer.
const CursorHeader = "Menshen-Cursor"

const (
	// maxPulls is how many answers are made at the same time: each holds its
	// entries in memory.
	maxPulls = 4
	// maxBytes ends an answer early, by the size of its entries.
	maxBytes = 4 << 20
	// writeWithin is how long a reader may take for an answer.
	writeWithin = 5 * time.Minute
)

//go:embed openapi.yaml
var openAPI []byte

// NewToken returns a bearer token of 130 random bits. Only its Hash is kept.
func NewToken() string { return rand.Text() }

// Hash is how a token is kept. Its text is random and long enough that nothing
// slower than SHA-256 is needed.
func Hash(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }

// Person is who a roster number is; empty is nobody known.
type Person struct {
	Name, Class string
	// Number is the school's own.
	Number string
}

// Names returns, for one answer, who is meant by a roster number in one journal
// of a gate; the zero Person where that is not known.
type Names func(context.Context) (func(gate string, epoch uint32, subject uint64) (Person, error), error)

type handler struct {
	store *store.Store
	names Names
	log   *slog.Logger
	pulls chan struct{} // one place per answer
}

// New returns the handler of everything below /api/.
func New(s *store.Store, names Names, log *slog.Logger) http.Handler {
	h := &handler{store: s, names: names, log: log.With("component", "pull"), pulls: make(chan struct{}, maxPulls)}
	mux := http.NewServeMux()
	for pattern, serve := range h.routes() {
		mux.HandleFunc(pattern, serve)
	}
	return mux
}

// routes are what openapi.yaml describes.
func (h *handler) routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/v1/entries": h.entries,
		"GET /api/v1/openapi.yaml": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/yaml")
			w.Write(openAPI) // whoever asked may have gone; nobody else is concerned
		},
	}
}

// entries answers one pull. The entries are read before the first byte is
// sent, so that the header can say where to go on and a fault has its status.
func (h *handler) entries(w http.ResponseWriter, r *http.Request) {
	token, ok := h.authorize(w, r)
	if !ok {
		return
	}
	q, status, err := parseQuery(r)
	switch {
	case err != nil:
		refuse(w, status, err.Error())
		return
	case q.names && !token.Names:
		refuse(w, http.StatusForbidden, "this token may not read names")
		return
	}
	select {
	case h.pulls <- struct{}{}:
		defer func() { <-h.pulls }()
	default:
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "too many pulls at the same time")
		return
	}
	rows, err := h.read(r, q)
	switch {
	case errors.Is(err, store.ErrForeign):
		refuse(w, http.StatusGone, "the cursor is of another store, or the store was put back from a copy: begin without a cursor")
	case err != nil && r.Context().Err() != nil: // nobody is left to be told
	case err != nil:
		h.log.Error("pull", "err", err)
		refuse(w, http.StatusInternalServerError, "the store cannot be read")
	default:
		h.write(w, r, q, rows)
	}
}

// authorize returns what the request's bearer token allows, or refuses.
func (h *handler) authorize(w http.ResponseWriter, r *http.Request) (store.Token, bool) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || text == "" {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "send Authorization: Bearer and a token")
		return store.Token{}, false
	}
	token, err := h.store.Token(r.Context(), Hash(text))
	switch {
	case errors.Is(err, store.ErrUnknown):
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		refuse(w, http.StatusUnauthorized, "the token is not known, or was revoked")
	case err != nil:
		h.log.Error("pull", "err", err)
		refuse(w, http.StatusInternalServerError, "the store cannot be read")
	}
	return token, err == nil
}

// named is an entry with whom it is about, where names are asked for and known.
type named struct {
	store.Row
	Person
}

// read returns the entries of an answer, of bounded size.
func (h *handler) read(r *http.Request, q query) (rows []named, err error) {
	who := func(string, uint32, uint64) (Person, error) { return Person{}, nil }
	if q.names {
		if who, err = h.names(r.Context()); err != nil {
			return nil, err
		}
	}
	size := 0
	for row, err := range h.store.Entries(r.Context(), q.after, q.limit) {
		if err != nil {
			return nil, err
		}
		one := named{Row: row}
		if q.names {
			if one.Person, err = who(row.Gate, row.Epoch, subject(row.Leaf)); err != nil {
				return nil, err
			}
		}
		rows = append(rows, one)
		if size += len(row.Leaf); size >= maxBytes {
			break
		}
	}
	return rows, nil
}

// write sends the rows in the form that was asked for.
func (h *handler) write(w http.ResponseWriter, r *http.Request, q query, rows []named) {
	end := q.after
	if len(rows) > 0 {
		end = rows[len(rows)-1].Cursor
	}
	cursor, err := end.MarshalText()
	if err != nil {
		h.log.Error("pull", "err", err)
		refuse(w, http.StatusInternalServerError, "the cursor cannot be written")
		return
	}
	header := w.Header()
	header.Set(CursorHeader, string(cursor))
	header.Set("Content-Type", q.form.contentType())
	header.Set("Vary", "Accept, Accept-Encoding")
	header.Set("Cache-Control", "no-store") // nobody on the way keeps who was where
	// The server has no limit of its own; not every test's writer has one.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeWithin))

	var out io.Writer = w
	var packed *gzip.Writer
	if accepts(r, "Accept-Encoding", "gzip") {
		header.Set("Content-Encoding", "gzip")
		packed = gzip.NewWriter(w)
		out = packed
	}
	err = q.write(out, rows)
	if err == nil && packed != nil {
		err = packed.Close()
	}
	if err != nil && r.Context().Err() == nil {
		h.log.Warn("pull cut off", "err", err)
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
}

// refuse answers that there will be no entries, and why.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct{ Error string }{why}) // a caller that left needs no answer
}
