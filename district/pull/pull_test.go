package pull

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
)

// collected is a store with gates and what a test has committed.
type collected struct {
	*store.Store
	t     *testing.T
	trees map[string]*entry.Tree
}

func open(t *testing.T) *collected {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "district.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c := &collected{s, t, map[string]*entry.Tree{}}
	must(t, s.Grant(t.Context(), store.Token{Name: "bureau", Hash: Hash("secret"), Issued: time.Now()}))
	must(t, s.Grant(t.Context(), store.Token{Name: "office", Hash: Hash("names"), Names: true, Issued: time.Now()}))
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// commit adds n arrivals to a gate's journal in one batch.
func (c *collected) commit(gate string, n int) {
	c.t.Helper()
	tree := c.trees[gate]
	if tree == nil {
		key := sha256.Sum256([]byte(gate))
		must(c.t, c.Admit(c.t.Context(), store.Gate{Name: gate, Key: ed25519.PublicKey(key[:]), Admitted: time.Now()}))
		must(c.t, c.NewEpoch(c.t.Context(), store.Epoch{Gate: gate, Epoch: 1, Began: time.Now()}))
		tree = &entry.Tree{}
		c.trees[gate] = tree
	}
	a := store.Append{Gate: gate, Epoch: 1, First: tree.Size(), Checkpoint: []byte("signed"), Received: time.UnixMilli(1_600_000_100_000)}
	for range n {
		leaf := arrival(c.t, uint32(tree.Size()))
		tree.Append(leaf)
		a.Leaves = append(a.Leaves, leaf)
	}
	a.Tree = *tree
	_, err := c.Commit(c.t.Context(), a)
	must(c.t, err)
}

func arrival(t *testing.T, counter uint32) []byte {
	t.Helper()
	body, err := entry.Encode(entry.Arrival{Counter: counter, End: entry.EndDecided, Outcome: 3, Subject: 17, Rows: []string{"temperature:high-once"},
		Reading: &entry.Reading{Value: 37400, Peak: 37500, Quality: 1}})
	must(t, err)
	leaf, err := entry.Entry{Kind: entry.KindArrival, Boot: 2, Wall: 1_600_000_000_000, Clock: entry.ClockSynced, Lane: 1, Body: body}.Marshal()
	must(t, err)
	return leaf
}

// classList knows subject 17 in the first journal of the gate east.
func classList(context.Context) (func(string, uint32, uint64) (Person, error), error) {
	return func(gate string, epoch uint32, subject uint64) (Person, error) {
		if gate == "east" && epoch == 1 && subject == 17 {
			return Person{Name: "李雷", Class: "3班", Number: "S17"}, nil
		}
		return Person{}, nil
	}, nil
}

// get asks with the token "secret" unless a header says otherwise.
func (c *collected) get(target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(c.t.Context(), http.MethodGet, target, nil)
	r.Header.Set("Authorization", "Bearer secret")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	New(c.Store, classList, slog.New(slog.DiscardHandler)).ServeHTTP(w, r)
	return w
}

// lines reads an answer as NDJSON.
func lines(t *testing.T, body io.Reader) (all []map[string]any) {
	t.Helper()
	for in := bufio.NewScanner(body); in.Scan(); {
		var l map[string]any
		must(t, json.Unmarshal(in.Bytes(), &l))
		all = append(all, l)
	}
	return all
}

func TestPullingToTheEndGivesEveryEntryOnceInCommitOrder(t *testing.T) {
	c := open(t)
	c.commit("west", 3)
	c.commit("east", 4)
	c.commit("west", 2)
	var got []string
	for after, more := "", true; more; {
		w := c.get("/api/v1/entries?limit=2&after=" + after)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/x-ndjson" {
			t.Fatalf("got %d: %s", w.Code, w.Body)
		}
		page := lines(t, w.Body)
		for _, l := range page {
			got = append(got, fmt.Sprint(l["Gate"], l["Seq"]))
			after = l["Cursor"].(string)
		}
		if header := w.Header().Get(CursorHeader); header != after {
			t.Fatalf("header %q, last line %q", header, after)
		}
		more = len(page) > 0
	}
	if want := strings.Fields("west0 west1 west2 east0 east1 east2 east3 west3 west4"); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatIsCommittedLaterStandsBehindTheCursor(t *testing.T) {
	c := open(t)
	c.commit("east", 1)
	cursor := c.get("/api/v1/entries").Header().Get(CursorHeader)
	if w := c.get("/api/v1/entries?after=" + cursor); w.Body.Len() != 0 || w.Header().Get(CursorHeader) != cursor {
		t.Fatalf("at the end: %s, cursor %q", w.Body, w.Header().Get(CursorHeader))
	}
	c.commit("east", 2)
	if got := lines(t, c.get("/api/v1/entries?after="+cursor).Body); len(got) != 2 || got[0]["Seq"] != 1.0 {
		t.Errorf("got %v", got)
	}
}

func TestALineHoldsTheEntryAndItsLeaf(t *testing.T) {
	c := open(t)
	c.commit("east", 1)
	l := lines(t, c.get("/api/v1/entries").Body)[0]
	for key, want := range map[string]any{"Gate": "east", "Epoch": 1.0, "Seq": 0.0, "Received": "2020-09-13T12:28:20Z", "Kind": "arrival", "Clock": "synced",
		"Wall": "2020-09-13T12:26:40Z", "Leaf": fmt.Sprintf("%x", arrival(t, 0))} {
		if l[key] != want {
			t.Errorf("%s: got %v, want %v", key, l[key], want)
		}
	}
	if body := l["Body"].(map[string]any); body["Subject"] != 17.0 {
		t.Errorf("got %v", body)
	}
}

func TestATableHasOneRowAnEntryUnderItsHeader(t *testing.T) {
	c := open(t)
	c.commit("east", 2)
	w := c.get("/api/v1/entries?format=csv")
	rows, err := csv.NewReader(w.Body).ReadAll()
	must(t, err)
	if len(rows) != 3 || !slices.Equal(rows[0], columns()) {
		t.Fatalf("got %q", rows)
	}
	got := map[string]string{}
	for i, name := range rows[0] {
		got[name] = rows[2][i]
	}
	for key, want := range map[string]string{"Gate": "east", "Seq": "1", "Arrival": "2-1", "Direction": "in", "Outcome": "isolate", "Subject": "17",
		"Value": "37400", "Peak": "37500", "Rows": "temperature:high-once", "Cursor": w.Header().Get(CursorHeader)} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(got["Body"]), &body); err != nil || body["Subject"] != 17.0 {
		t.Errorf("body %s: %v", got["Body"], err)
	}
}

func TestNamesAreOnlyThereWhenAskedForAndKnown(t *testing.T) {
	c := open(t)
	c.commit("west", 1)
	c.commit("east", 1)
	asked := lines(t, c.get("/api/v1/entries?names=true", "Authorization", "Bearer names").Body)
	for key, want := range map[string]any{"Name": "李雷", "Class": "3班", "Number": "S17"} {
		if _, known := asked[0][key]; known || asked[1][key] != want {
			t.Errorf("%s: got %v of one whom nobody knows, %v, want %v", key, asked[0][key], asked[1][key], want)
		}
	}
	if plain := c.get("/api/v1/entries", "Authorization", "Bearer names").Body.String(); strings.Contains(plain, "李雷") || strings.Contains(plain, `"Name"`) {
		t.Errorf("not asked for: %s", plain)
	}
	table, err := csv.NewReader(c.get("/api/v1/entries?names=true&format=csv", "Authorization", "Bearer names").Body).ReadAll()
	must(t, err)
	want := [][]string{nameColumns(), {"", "", ""}, {"李雷", "3班", "S17"}}
	for i, row := range table {
		if n := len(columns()); !slices.Equal(row[n:], want[i]) {
			t.Errorf("row %d: got %q, want %q", i, row[n:], want[i])
		}
	}
	none := (&handler{store: c.Store, log: slog.New(slog.DiscardHandler), pulls: make(chan struct{}, 1),
		names: func(context.Context) (func(string, uint32, uint64) (Person, error), error) {
			return nil, errors.New("disk")
		}})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/entries?names=true", nil)
	r.Header.Set("Authorization", "Bearer names")
	w := httptest.NewRecorder()
	if none.entries(w, r); w.Code != http.StatusInternalServerError {
		t.Errorf("a list that cannot be read: got %d", w.Code)
	}
}

func TestFormFollowsTheParameterThenAccept(t *testing.T) {
	c := open(t)
	for rule, tt := range map[string]struct{ query, accept, want string }{
		"neither":                           {"", "", "application/x-ndjson"},
		"anything":                          {"", "*/*", "application/x-ndjson"},
		"a table is accepted":               {"", "text/csv", "text/csv; charset=utf-8; header=present"},
		"a table before anything":           {"", "text/csv, */*;q=0.1", "text/csv; charset=utf-8; header=present"},
		"the parameter counts more":         {"?format=ndjson", "text/csv", "application/x-ndjson"},
		"a form that is refused is not it":  {"", "application/x-ndjson;q=0, text/csv", "text/csv; charset=utf-8; header=present"},
		"the parameter needs no acceptance": {"?format=csv", "text/html", "text/csv; charset=utf-8; header=present"},
	} {
		t.Run(rule, func(t *testing.T) {
			w := c.get("/api/v1/entries"+tt.query, "Accept", tt.accept)
			if got := w.Header().Get("Content-Type"); got != tt.want {
				t.Errorf("got %d, %q, want %q", w.Code, got, tt.want)
			}
		})
	}
}

func TestAnAnswerIsPackedForWhoeverCanUnpack(t *testing.T) {
	c := open(t)
	c.commit("east", 100)
	plain, packed := c.get("/api/v1/entries"), c.get("/api/v1/entries", "Accept-Encoding", "deflate, gzip;q=0.5")
	if packed.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" || packed.Body.Len() > plain.Body.Len()/4 {
		t.Fatalf("%d bytes plain, %d packed", plain.Body.Len(), packed.Body.Len())
	}
	unpack, err := gzip.NewReader(packed.Body)
	must(t, err)
	if got, err := io.ReadAll(unpack); err != nil || string(got) != plain.Body.String() {
		t.Errorf("unpacked is not the same: %v", err)
	}
	if w := c.get("/api/v1/entries", "Accept-Encoding", "gzip;q=0"); w.Header().Get("Content-Encoding") != "" {
		t.Error("packed although that was refused")
	}
}

func TestAnAnswerEndsAtItsBoundOfBytes(t *testing.T) {
	c := open(t)
	for range 3 {
		c.commit("east", 8000)
	}
	each := len(arrival(t, 0))
	got := lines(t, c.get("/api/v1/entries?limit=10000").Body)
	if len(got) != 10_000 {
		t.Errorf("%d entries of %d bytes", len(got), each)
	}
	rows, err := (&handler{store: c.Store}).read(httptest.NewRequestWithContext(t.Context(), "GET", "/", nil), query{limit: 1 << 20})
	if n := len(rows); err != nil || n*each > maxBytes+1<<20 {
		t.Errorf("%d entries of %d bytes, %v", n, each, err)
	}
}

// A refused request has a status that both descriptions name, and no entry.
func TestEveryRefusalHasItsStatusAndSaysWhy(t *testing.T) {
	c, other := open(t), open(t)
	c.commit("east", 1)
	other.commit("east", 1)
	foreign := other.get("/api/v1/entries").Header().Get(CursorHeader)
	must(t, c.Withdraw(t.Context(), "office"))
	must(t, c.Grant(t.Context(), store.Token{Name: "again", Hash: Hash("other"), Names: true, Issued: time.Now()}))
	for rule, tt := range map[string]struct {
		query, authorization string
		status               int
	}{
		"no token":                             {"", "", 401},
		"another scheme":                       {"", "Basic secret", 401},
		"an unknown token":                     {"", "Bearer secre", 401},
		"a revoked token":                      {"", "Bearer names", 401},
		"the hash is not the token":            {"", fmt.Sprintf("Bearer %x", Hash("secret")), 401},
		"a cursor that is none":                {"?after=1", "Bearer secret", 400},
		"the cursor of another store":          {"?after=" + foreign, "Bearer secret", 410},
		"a limit of nothing":                   {"?limit=0", "Bearer secret", 400},
		"a limit beyond the bound":             {"?limit=10001", "Bearer secret", 400},
		"an empty limit":                       {"?limit=", "Bearer secret", 400},
		"an unknown form":                      {"?format=xml", "Bearer secret", 400},
		"an unknown parameter":                 {"?since=1", "Bearer secret", 400},
		"a parameter twice":                    {"?limit=1&limit=2", "Bearer secret", 400},
		"names without the right":              {"?names=true", "Bearer secret", 403},
		"a token does not stand in an address": {"?token=secret", "", 401},
	} {
		t.Run(rule, func(t *testing.T) {
			w := c.get("/api/v1/entries"+tt.query, "Authorization", tt.authorization)
			var why struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &why); err != nil || w.Code != tt.status || why.Error == "" {
				t.Errorf("got %d, %s, want %d", w.Code, w.Body, tt.status)
			}
			if !outline(t)["paths./api/v1/entries.get.responses."+fmt.Sprint(w.Code)] || !strings.Contains(document(t), fmt.Sprint(w.Code)) {
				t.Errorf("status %d stands in neither or one description", w.Code)
			}
			if tt.status == 401 && w.Header().Get("WWW-Authenticate") == "" {
				t.Error("not said how to authenticate")
			}
		})
	}
	if w := c.get("/api/v1/entries", "Accept", "text/html"); w.Code != 406 {
		t.Errorf("a form that is not accepted: got %d", w.Code)
	}
}

func TestTooManyPullsAtOnceAreToldToComeBack(t *testing.T) {
	c := open(t)
	h := &handler{store: c.Store, log: slog.New(slog.DiscardHandler), pulls: make(chan struct{})}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/entries", nil)
	r.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	if h.entries(w, r); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d", w.Code)
	}
}

func TestTokensAreLongAndNeverTheSame(t *testing.T) {
	if a, b := NewToken(), NewToken(); a == b || len(a) < 26 {
		t.Errorf("got %d characters", len(a))
	}
}
