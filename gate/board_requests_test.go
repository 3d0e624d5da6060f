package gate

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/room/feed"
)

// asked sends one request of a board.
func asked(h http.HandlerFunc, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h(w, httptest.NewRequest("POST", "/", strings.NewReader(body)))
	return w
}

func TestABoardSignsOnWhomTheGateKnows(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	g := opened(t, dir)
	defer shut(t, g)
	if err := g.roster.SetPIN(t.Context(), "T2", "618203"); err != nil {
		t.Fatal(err)
	}
	b := boards{g: g}
	for _, c := range []struct {
		rule, body string
		code       int
		answer     string
	}{
		{"the nurse", `{"badge":"` + nurseBadge + `","pin":"618203"}`, http.StatusOK, `{"number":"T2","name":"赵敏","duties":4}`},
		{"nobody's badge", `{"badge":"1","pin":"618203"}`, http.StatusForbidden, ""},
		{"no PIN", `{"badge":"` + nurseBadge + `"}`, http.StatusForbidden, ""},
		{"no form", `badge=1`, http.StatusBadRequest, ""},
		{"more than a form", `{"badge":"1","pin":"1","by":"x"}`, http.StatusBadRequest, ""},
		{"too long a form", `{"badge":"` + strings.Repeat("1", 5000) + `"}`, http.StatusBadRequest, ""},
	} {
		w := asked(b.signOn, c.body)
		if w.Code != c.code || c.answer != "" && strings.TrimSpace(w.Body.String()) != c.answer {
			t.Errorf("%s: got %d %s", c.rule, w.Code, w.Body)
		}
	}
	wrong := `{"badge":"` + nurseBadge + `","pin":"000111"}`
	for range 20 {
		if asked(b.signOn, wrong).Code == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("a board may guess for ever")
}

func TestAnAnswerAtABoardIsAnEntryInTheNameOfWhoGaveIt(t *testing.T) {
	dir := t.TempDir()
	crewed(t, dir)
	g := opened(t, dir)
	defer shut(t, g)
	b := boards{g: g}
	first, second := isolate(g, 1), isolate(g, 2)
	for _, c := range []struct {
		rule, body string
		code       int
	}{
		{"no arrival", `{"by":"T2"}`, http.StatusBadRequest},
		{"every arrival at once", `{"arrival":"0-0","by":"T2"}`, http.StatusBadRequest},
		{"more than an answer", `{"arrival":"` + first.String() + `","all":true}`, http.StatusBadRequest},
		{"nobody's alarm", `{"arrival":"9-9","by":"T2"}`, http.StatusNotFound},
		{"by number", `{"arrival":"` + first.String() + `","by":"T2"}`, http.StatusNoContent},
		{"a second time", `{"arrival":"` + first.String() + `","by":"T2"}`, http.StatusNotFound},
		{"by somebody who is unknown here", `{"arrival":"` + second.String() + `","by":"X9"}`, http.StatusNoContent},
	} {
		if w := asked(b.answer, c.body); w.Code != c.code {
			t.Errorf("%s: got %d %s", c.rule, w.Code, w.Body)
		}
	}
	await(t, "both answers are durable", func() bool {
		_, told := g.alarms.since(0)
		return len(told) == 2
	})
	by := map[entry.ArrivalID][]uint64{}
	for row, err := range g.journal.Rows(t.Context(), 0) {
		var a entry.Answer
		if err != nil {
			t.Fatal(err)
		}
		if row.Entry.Kind == entry.KindAnswer && row.Entry.Decode(&a) == nil && a.Reason == reasonRoom {
			by[a.Arrival] = a.By
		}
	}
	if len(by) != 2 || !slices.Equal(by[first], []uint64{nurseID}) || len(by[second]) != 0 {
		t.Errorf("answered by %v", by)
	}
}

// TestEveryAnswerIsToldOnceWhereverABoardGoesOn reads a gate's answers message by
// message, from every place at which a board may have stopped.
func TestEveryAnswerIsToldOnceWhereverABoardGoesOn(t *testing.T) {
	dir := t.TempDir()
	g := opened(t, dir)
	defer shut(t, g)
	const many = 2*feed.Most + 3
	for i := range uint64(many) {
		g.alarms.answers = append(g.alarms.answers, answered{alarm{id: entry.ArrivalID{Boot: 1, Counter: uint32(i + 1)}, since: time.Unix(0, 0)}, 10 + 3*i})
	}
	end := g.boardCursor("")
	for rule, c := range map[string]struct {
		after string
		want  int
	}{
		"a board that has heard nothing begins with what stands": {"", 0},
		"words that are no place":                                {"x.y", 0},
		"the beginning":                                          {"1.0", many},
		"before the last":                                        {"1.784", 1},
		"between two":                                            {"1.782", 1},
		"the end":                                                {"1.785", 0},
		"behind the end of a journal that was restored": {"1.99999", 0},
		"another journal of this gate":                  {"2.5", many},
	} {
		next, told := g.boardCursor(c.after), map[string]int{}
		for more := true; more; {
			var m feed.Message
			m, more = g.boardMessage(&next)
			if len(m.Answered) > feed.Most {
				t.Errorf("%s: %d in one message", rule, len(m.Answered))
			}
			for _, a := range m.Answered {
				told[a.Arrival]++
			}
			if g.boardCursor(m.Next) != next {
				t.Errorf("%s: %s leads to %d, not to %d", rule, m.Next, g.boardCursor(m.Next), next)
			}
		}
		if len(told) != c.want || next != end {
			t.Errorf("%s: %d answers up to %d, want %d up to %d", rule, len(told), next, c.want, end)
		}
		for arrival, n := range told {
			if n != 1 {
				t.Errorf("%s: %s is told %d times", rule, arrival, n)
			}
		}
	}
}
