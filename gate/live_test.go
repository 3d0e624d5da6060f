package gate

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

func stampNow() entry.Stamp { return entry.Stamp{Wall: time.Unix(1600000000, 0)} }

func TestOfACodeTooLittleIsShownToPrintABadgeFrom(t *testing.T) {
	for code, prefix := range map[string]string{
		"2026000000000001": "2026", "1234": "1234", "12": "12", "": "", "张三 2026": "", "ab张三": "ab", "{\"name\":1}": "", "\x1b[2J": "",
	} {
		got := ScanShown([]byte(code))
		if got.Prefix != prefix || got.Length != len(code) || len(got.Digest) != 16 {
			t.Errorf("%q: got %+v", code, got)
		}
	}
	if ScanShown([]byte("2026000000000001")).Digest == ScanShown([]byte("2026000000000002")).Digest {
		t.Error("two codes have one digest")
	}
}

func TestWhoeverWatchesTooSlowlyIsToldHowManyAreMissed(t *testing.T) {
	var v live
	v.saw(1, scanned{[]byte("nobody watches")}, stampNow)
	w, end, ok := v.watch()
	if !ok {
		t.Fatal("refused")
	}
	for range liveQueue + 7 {
		v.saw(2, lane.Sample{Sample: screening.Sample{Object: 36600, Ambient: 25300}}, stampNow)
	}
	v.saw(2, lane.Presence{On: true}, stampNow) // nothing that is shown
	for range liveQueue {
		if e := <-w.events; e.Missed != 0 || e.Lane != 2 || *e.Sample != (LiveSample{36600, 25300, "ok"}) {
			t.Fatalf("got %+v", e)
		}
	}
	v.saw(3, lane.Sample{Fault: true}, stampNow)
	if e := <-w.events; e.Missed != 7 || e.Sample.Quality != "fault" {
		t.Errorf("got %+v", e)
	}
	end()
	if v.saw(3, scanned{}, stampNow); len(w.events) != 0 || len(v.list) != 0 {
		t.Error("still handed on after the end")
	}
}

func TestOnlySoManyMayWatch(t *testing.T) {
	var g Gate
	for range liveWatchers {
		if _, _, ok := g.live.watch(); !ok {
			t.Fatal("refused")
		}
	}
	answer := httptest.NewRecorder()
	g.showLive(answer, httptest.NewRequest("GET", "/v1/live", nil))
	if answer.Code == 200 || !strings.Contains(answer.Body.String(), "too many") {
		t.Errorf("got %d %s", answer.Code, answer.Body)
	}
}

func TestAStreamEndsWithWhoeverReadsIt(t *testing.T) {
	var g Gate
	ctx, leave := context.WithCancel(t.Context())
	answer, ended := httptest.NewRecorder(), make(chan struct{})
	go func() {
		defer close(ended)
		g.showLive(answer, httptest.NewRequestWithContext(ctx, "GET", "/v1/live", nil))
	}()
	leave()
	<-ended
	if len(g.live.list) != 0 {
		t.Error("still on the list")
	}
}

// What leaves the gate holds no more of a code than what may be shown.
func TestNoCodeLeavesTheGateWhole(t *testing.T) {
	var v live
	w, end, _ := v.watch()
	defer end()
	v.saw(1, scanned{[]byte("2026000000000001")}, stampNow)
	b, err := json.Marshal(<-w.events)
	if err != nil || strings.Contains(string(b), "20260") {
		t.Errorf("got %s, %v", b, err)
	}
}
