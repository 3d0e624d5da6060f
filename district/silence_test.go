package district

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/district/broker"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/wire"
	"github.com/menshen/menshen/web"
	page "github.com/menshen/menshen/web/district"
)

// morning has school on every day but 8 December 2020, and people come from
// 6:50 to 8:20.
func morning() calendar.Calendar {
	return calendar.Calendar{Holidays: []calendar.Days{{Span: calendar.Span{First: "2020-12-08", Last: "2020-12-08"}}}, Windows: []calendar.Window{{From: 6*60 + 50, To: 8*60 + 20}}}
}

// december returns a time of 7 December 2020, or of a day near it.
func december(day, hour, minute int) time.Time {
	return time.Date(2020, 12, day, hour, minute, 0, 0, time.UTC)
}

// size returns a journal of some entries, of which the last came at a time.
func size(n int, received time.Time) store.Stream {
	s := store.Stream{Epoch: 1, Received: received}
	for range n {
		s.Tree.Append([]byte("a"))
	}
	return s
}

func TestSilenceHasItsKind(t *testing.T) {
	evening, early, rush, noon := december(6, 17, 0), december(7, 6, 30), december(7, 7, 12), december(7, 12, 0)
	there := seen{told: true, online: true, epoch: 1, size: 1, began: 10}
	gone := seen{told: true, began: 10, left: 5}
	farewell := seen{told: true, began: 10, left: 11}
	at := func(s seen, turned time.Time) seen { s.turned = turned; return s }
	for rule, tt := range map[string]struct {
		k    known
		now  time.Time
		want standing
	}{
		"connected and whole":                {known{journal: size(1, rush), seen: there, arrived: true}, rush, standing{page.Up, time.Time{}, false}},
		"connected, and more to come":        {known{journal: size(1, rush), seen: seen{told: true, online: true, epoch: 1, size: 2}}, rush, standing{page.Behind, rush, false}},
		"what was stopped and is back":       {known{journal: size(1, noon), seen: there, last: entry.Entry{Kind: entry.KindStop}}, noon, standing{state: page.Up}},
		"another journal than is announced":  {known{journal: store.Stream{Epoch: 2, Received: noon}, seen: there}, noon, standing{state: page.Up}},
		"connected, and nobody comes":        {known{journal: size(1, rush), seen: there}, december(7, 7, 1), standing{page.Idle, december(7, 6, 50), true}},
		"connected, and nobody has come yet": {known{journal: size(1, early), seen: there}, december(7, 7, 0), standing{page.Quiet, early, false}},
		"heard, and nobody has come yet":     {known{journal: size(1, december(7, 6, 58)), seen: there}, december(7, 7, 0), standing{state: page.Up}},
		"nobody comes at noon":               {known{journal: size(1, noon), seen: there}, noon, standing{state: page.Up}},
		"nobody comes on a day off":          {known{journal: size(1, december(8, 7, 30)), seen: there}, december(8, 7, 30), standing{state: page.Up}},

		"connected, no heartbeat at night":     {known{journal: size(1, evening), seen: there}, december(6, 17, 12), standing{page.Quiet, evening, false}},
		"connected, no heartbeat in a window":  {known{journal: size(1, december(7, 7, 0)), seen: there}, rush, standing{page.Quiet, december(7, 7, 0), true}},
		"just connected, not heard yet":        {known{journal: size(1, evening), seen: at(there, early)}, early, standing{state: page.Up}},
		"connected, never a signed word":       {known{seen: at(there, rush)}, rush, standing{page.Quiet, time.Time{}, false}},
		"connected long, never a signed word":  {known{seen: at(there, early)}, rush, standing{page.Quiet, time.Time{}, true}},
		"never heard of at night":              {known{gate: store.Gate{Admitted: evening}}, early, standing{page.Never, evening, false}},
		"never heard of when people come":      {known{gate: store.Gate{Admitted: evening}}, rush, standing{page.Never, evening, true}},
		"heard before the collector began":     {known{journal: size(1, december(7, 7, 5))}, rush, standing{page.Unknown, december(7, 7, 5), false}},
		"heard long before it":                 {known{journal: size(1, evening)}, rush, standing{page.Unknown, evening, true}},
		"gone by its will, a moment ago":       {known{journal: size(1, december(7, 7, 11)), seen: at(gone, rush)}, rush, standing{page.Lost, rush, false}},
		"gone by its will for ten minutes":     {known{journal: size(1, december(7, 7, 11)), seen: at(gone, rush)}, december(7, 7, 22), standing{page.Lost, rush, false}},
		"gone by its will for longer":          {known{journal: size(1, december(7, 7, 11)), seen: at(gone, rush)}, december(7, 7, 23), standing{page.Lost, rush, true}},
		"gone since the window, at noon":       {known{journal: size(1, december(7, 7, 11)), seen: at(gone, rush)}, noon, standing{page.Lost, rush, true}},
		"gone at the window's end, at noon":    {known{journal: size(1, rush), seen: at(gone, december(7, 8, 15))}, noon, standing{page.Lost, december(7, 8, 15), false}},
		"gone before anybody could see it":     {known{journal: size(1, rush), seen: gone}, december(7, 7, 23), standing{page.Lost, rush, true}},
		"gone by its will, next morning":       {known{journal: size(1, rush), seen: at(gone, rush)}, december(9, 6, 40), standing{page.Lost, rush, true}},
		"gone by its will, on a day off":       {known{journal: size(1, rush), seen: at(gone, rush)}, december(8, 7, 30), standing{page.Closed, rush, false}},
		"gone in the evening":                  {known{journal: size(1, evening), seen: at(gone, evening)}, early, standing{page.Stopped, evening, false}},
		"gone in the evening, not there again": {known{journal: size(1, evening), seen: at(gone, evening)}, rush, standing{page.Stopped, evening, true}},
		"gone with a farewell":                 {known{journal: size(1, evening), seen: at(farewell, evening)}, early, standing{page.Stopped, evening, false}},
		"gone with a farewell in a window":     {known{journal: size(1, rush), seen: at(farewell, rush)}, december(7, 7, 15), standing{page.Stopped, rush, false}},
		"gone after its stop was recorded":     {known{journal: size(1, rush), seen: at(gone, rush), last: entry.Entry{Kind: entry.KindStop}}, december(7, 7, 15), standing{page.Stopped, rush, false}},
		"not there on a day off":               {known{journal: size(1, december(7, 17, 0)), seen: at(farewell, december(7, 17, 0))}, december(8, 7, 30), standing{page.Closed, december(7, 17, 0), false}},
		"not told of on a day off":             {known{journal: size(1, noon)}, december(8, 7, 30), standing{page.Closed, noon, false}},

		"differs, whatever else":  {known{journal: size(1, rush), seen: gone, diverged: noon}, december(8, 7, 30), standing{page.Diverged, noon, true}},
		"shut out, whatever else": {known{gate: store.Gate{Revoked: noon}, diverged: noon}, rush, standing{page.Revoked, noon, false}},
	} {
		t.Run(rule, func(t *testing.T) {
			tt.k.now, tt.k.calendar, tt.k.connected = tt.now, morning(), true
			if got := tt.k.stand(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestACollectorWithoutABrokerBlamesNoGateForTheSilence(t *testing.T) {
	k := known{journal: size(1, december(6, 17, 0)), now: december(7, 7, 12), calendar: morning()}
	if got := k.stand(); got.urgent || got.state != page.Unknown {
		t.Errorf("got %+v", got)
	}
}

// What a gate recorded before a window is no arrival in it, and of a window
// whose beginning is too far back nothing is claimed.
func TestAnArrivalIsLookedForInTheNewestEntries(t *testing.T) {
	wall := func(minute int) int64 { return december(7, 6, 50).Add(time.Duration(minute) * time.Minute).UnixMilli() }
	arrival := func(minute int) entry.Entry { return entry.Entry{Kind: entry.KindArrival, Wall: wall(minute)} }
	beat := func(minute int) entry.Entry { return entry.Entry{Kind: entry.KindHeartbeat, Wall: wall(minute)} }
	many := []entry.Entry{beat(-5)}
	for range maxBack {
		many = append(many, beat(1))
	}
	for rule, tt := range map[string]struct {
		entries []entry.Entry
		want    bool
	}{
		"no entry":                   {nil, false},
		"the newest":                 {[]entry.Entry{beat(1), arrival(2)}, true},
		"behind others":              {[]entry.Entry{arrival(0), beat(1), beat(6)}, true},
		"before the window":          {[]entry.Entry{arrival(-1), beat(1), beat(6)}, false},
		"nothing but heartbeats":     {[]entry.Entry{beat(1), beat(6)}, false},
		"a window of very many":      {many[1:], false},
		"a beginning too far back":   {append([]entry.Entry{arrival(0)}, many...), true},
		"an older arrival than that": {[]entry.Entry{arrival(3), beat(-5), beat(1)}, false},
	} {
		t.Run(rule, func(t *testing.T) {
			s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "district.db")})
			must(t, err)
			t.Cleanup(func() { s.Close() })
			g := newGate(t, "east")
			must(t, s.Admit(t.Context(), store.Gate{Name: g.name, Key: g.public(), Admitted: december(6, 12, 0)}))
			k := known{gate: store.Gate{Name: g.name}, now: december(7, 7, 20), calendar: morning()}
			k.journal.Epoch = 1
			a := store.Append{Gate: g.name, Epoch: 1, Checkpoint: []byte("signed"), Received: k.now}
			for _, e := range tt.entries {
				e.Body = []byte{0x80}
				leaf, err := e.Marshal()
				must(t, err)
				k.journal.Tree.Append(leaf)
				a.Leaves = append(a.Leaves, leaf)
			}
			a.Tree = k.journal.Tree
			if len(a.Leaves) > 0 {
				must(t, s.NewEpoch(t.Context(), store.Epoch{Gate: g.name, Epoch: 1, Began: k.now}))
				_, err := s.Commit(t.Context(), a)
				must(t, err)
			}
			must(t, k.lookForArrival(t.Context(), s))
			if k.arrived != tt.want {
				t.Errorf("got %v", k.arrived)
			}
		})
	}
}

func TestTheCollectorKnowsWhenAGateWentOnlyIfItSawIt(t *testing.T) {
	status := func(at time.Time, online bool) collect.Event {
		return collect.Event{Kind: collect.EventStatus, Gate: "east", At: at, Status: wire.Status{Online: online}}
	}
	l := live{gates: map[string]seen{}}
	step := func(what string, want time.Time) {
		t.Helper()
		if got := l.gates["east"].turned; !got.Equal(want) {
			t.Errorf("%s: turned at %v, want %v", what, got, want)
		}
	}
	l.connect(true)
	l.observe(status(december(7, 7, 0), false))
	step("a retained farewell", time.Time{})
	l.observe(status(december(7, 7, 1), true))
	step("it came", december(7, 7, 1))
	l.observe(collect.Event{Kind: collect.EventHello, Gate: "east", At: december(7, 7, 2)})
	step("it says hello", december(7, 7, 1))
	l.observe(status(december(7, 7, 12), false))
	step("it went", december(7, 7, 12))
	l.observe(status(december(7, 7, 13), false))
	step("that is repeated", december(7, 7, 12))
	l.connect(false)
	l.connect(true)
	l.observe(status(december(7, 7, 20), false))
	step("a retained farewell again", time.Time{})
}

func TestWhatTheBrokerRefusesHasWords(t *testing.T) {
	for kind := broker.RefusedLogin; kind <= broker.RefusedLength; kind++ {
		if !web.Known("attempt." + kind.String()) {
			t.Errorf("no words for %v", kind)
		}
	}
}

func TestTheOldestFiftyAlarmsAreShown(t *testing.T) {
	var all []store.Alarm
	for seq := range uint64(53) {
		all = append(all, store.Alarm{Gate: "east", Seq: seq, Received: december(7, 7, 12)})
	}
	gates := map[string]store.Gate{"east": {School: "育才小学", Duty: "6123"}}
	shown, more := announced(all, gates)
	if len(shown) != 50 || more != 3 || shown[0].Seq != 0 || shown[49].Seq != 49 || shown[0].School != "育才小学" || shown[0].Duty != "6123" {
		t.Errorf("got %d and %d more, the first %+v", len(shown), more, shown[0])
	}
	if shown, more := announced(all[:50], gates); len(shown) != 50 || more != 0 {
		t.Errorf("got %d and %d more", len(shown), more)
	}
}

func TestWhatAGateHasOfWhatWasSentIsShown(t *testing.T) {
	posted, refused := december(6, 17, 20), december(6, 17, 21)
	for rule, tt := range map[string]struct {
		d    Documents
		want page.Documents
	}{
		"nothing was sent":         {Documents{Roster: entry.Roster{Version: 3}}, page.Documents{Roster: 3}},
		"the list is there":        {Documents{Posted: posted, Taken: true, Roster: entry.Roster{Version: 4}}, page.Documents{Roster: 4}},
		"the list is not there":    {Documents{Posted: posted, Roster: entry.Roster{Version: 3}}, page.Documents{Roster: 3, Missing: posted}},
		"a document was refused":   {Documents{Policy: 5, Refused: "hold/east 8", RefusedAt: refused}, page.Documents{Policy: 5, Refused: "hold/east 8", RefusedAt: refused}},
		"nothing is known of that": {Documents{}, page.Documents{}},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := tt.d.page(); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestGatesThatSomebodyMustSeeToComeFirst(t *testing.T) {
	urgent, calm := page.Gate{State: page.Stopped, Urgent: true}, page.Gate{State: page.Lost}
	if urgentFirst(urgent, calm) >= 0 || urgentFirst(calm, urgent) <= 0 || urgentFirst(calm, calm) != 0 || urgentFirst(urgent, urgent) != 0 {
		t.Error("a gate that nobody must see to stands above one that somebody must")
	}
}
