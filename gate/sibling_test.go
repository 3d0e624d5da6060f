package gate

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/room/feed"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/guard"
)

// sister is one of the two gates of a school, with one lane in and one out, under
// rules that ask whether somebody comes again.
type sister struct {
	*Gate
	name, called, dir string
	now               func() entry.Stamp
	lens              *sim.Thermometer
	relay             *sim.RelayBoard
	boards            []ed25519.PublicKey
	cable             atomic.Pointer[network] // on which it is met
	other             *sister
	log               *bytes.Buffer
	stop              func() error
}

// sisters starts both gates of a school at half past seven.
func sisters(t *testing.T, dirs [2]string) (east, west *sister) {
	t.Helper()
	now := since(7, 30)
	east = &sister{name: "east", called: "东门", dir: dirs[0], now: now}
	west = &sister{name: "west", called: "西门", dir: dirs[1], now: now, other: east}
	east.other = west
	east.cable.Store(newNetwork())
	west.cable.Store(newNetwork())
	east.begin(t)
	west.begin(t)
	later(3 * time.Second)
	return east, west
}

func schools(t *testing.T) (dirs [2]string) {
	t.Helper()
	for i := range dirs {
		dirs[i] = t.TempDir()
		schooled(t, dirs[i])
	}
	return dirs
}

func (s *sister) key(t *testing.T) ed25519.PublicKey {
	t.Helper()
	key, err := MakeIdentity(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	return key.Public().(ed25519.PublicKey)
}

// begin runs the gate.
func (s *sister) begin(t *testing.T) {
	t.Helper()
	s.Gate, s.lens, s.relay = withExit(t, s.dir, s.now)
	s.log = &bytes.Buffer{}
	s.Gate.log = slog.New(slog.NewTextHandler(s.log, nil)) // the watcher alone writes to it while nothing fails
	s.o.Config.Gate = s.name
	s.o.Boards = Boards{Listen: func() (net.Listener, error) { return s.cable.Load(), nil }, Keys: s.boards}
	s.o.Siblings = Siblings{
		All: []Sibling{{Gate: s.other.name, Called: s.other.called, Address: "192.0.2.1:8631", Key: s.other.key(t)}},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			return s.other.cable.Load().dial(ctx, network, address)
		},
	}
	s.siblings = newSiblings(s.Gate)
	s.siblings.log = slog.New(slog.DiscardHandler)
	s.stop = run(t, s.Gate)
	doc := s.document()
	doc.Spec.Requirements = append(slices.Clone(doc.Spec.Requirements), row("once", screening.Once))
	compiled, err := screening.Compile(doc.Spec)
	if err != nil {
		t.Fatal(err)
	}
	s.rules.now.Store(&ruling{doc: doc, compiled: compiled})
	for _, l := range s.lanes {
		l.send(lane.PolicyChanged{Policy: s.policy()})
	}
	s.lens.See(20, 22)
}

// end stops the gate; its cable goes with it.
func (s *sister) end(t *testing.T) {
	t.Helper()
	if err := s.stop(); err != nil {
		t.Errorf("%s: %v", s.name, err)
	}
}

// restart stops the gate and starts it anew, with a cable that is out or not.
func (s *sister) restart(t *testing.T, cut bool) {
	t.Helper()
	s.end(t)
	n := newNetwork()
	n.down = cut
	s.cable.Store(n)
	s.begin(t)
}

// comes lets the pupil come to the lane in, and tells what came of it.
func (s *sister) comes(t *testing.T) (in bool, reasons []string) {
	t.Helper()
	before := ons(s.relay)
	scan(t, s.Gate, 0, pupilBadge)
	skin(s.lens)
	later(2 * time.Second)
	in = ons(s.relay) > before
	if v := s.lanes[0].shown.Load().view; v.Phase == lane.Held {
		reasons = v.Decision.Rows()
		limit, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := s.lanes[0].answer(limit, lane.Answer{Arrival: v.Arrival, Version: v.Version, Act: lane.TurnedAway, By: []uint64{teacherID}}); err != nil {
			t.Error(err)
		}
	}
	away(s.lens)
	later(31 * time.Second) // no repeat of an admission
	return in, reasons
}

// goes lets the pupil leave by the lane out.
func (s *sister) goes(t *testing.T) {
	t.Helper()
	scan(t, s.Gate, 1, pupilBadge)
	later(2 * time.Second)
}

// cutOff pulls or plugs the cables of both.
func (s *sister) cutOff(silent bool) {
	s.cable.Load().cut(silent)
	s.other.cable.Load().cut(silent)
}

func (s *sister) plugIn() {
	s.cable.Load().plug()
	s.other.cable.Load().plug()
}

func TestABadgeThatCameInAtTheOtherGateStopsAtAPerson(t *testing.T) {
	dirs := schools(t)
	synctest.Test(t, func(t *testing.T) {
		east, west := sisters(t, dirs)
		if in, why := east.comes(t); !in {
			t.Fatalf("the first is stopped: %v", why)
		}
		if in, why := west.comes(t); in || !slices.Equal(why, []string{"once:elsewhere"}) {
			t.Errorf("within ten minutes: in %v, %v", in, why)
		}
		later(11 * time.Minute)
		if in, why := west.comes(t); in || !slices.Equal(why, []string{"once:still-inside"}) {
			t.Errorf("later: in %v, %v", in, why)
		}
		if in, _ := east.comes(t); in {
			t.Error("the gate's own passage counts no more")
		}
		west.goes(t)
		if in, why := east.comes(t); !in {
			t.Errorf("who went out by the other gate is stopped: %v", why)
		}
		if in, _ := west.comes(t); in {
			t.Error("and is not inside again")
		}
		east.end(t)
		west.end(t)
	})
}

func TestAStopSaysAtWhichGateAndWhenAlsoAfterARestartWithoutTheNetwork(t *testing.T) {
	dirs := schools(t)
	synctest.Test(t, func(t *testing.T) {
		east, west := sisters(t, dirs)
		if in, _ := east.comes(t); !in {
			t.Fatal("the first is stopped")
		}
		later(11 * time.Minute)
		scan(t, west.Gate, 0, pupilBadge)
		skin(west.lens)
		later(2 * time.Second)
		want := []guard.Sentence{{Zh: "07:30 已从东门进校", En: "Came in at 东门 at 07:30"}}
		l := west.View().Lanes[0]
		if !slices.Equal(l.Sentences, want) || len(l.Reasons) != 0 {
			t.Errorf("the lane says %v and %+v", l.Reasons, l.Sentences)
		}
		v := west.lanes[0].shown.Load().view
		if err := west.lanes[0].answer(t.Context(), lane.Answer{Arrival: v.Arrival, Version: v.Version, Act: lane.Aside, Ticket: 7, By: []uint64{teacherID}}); err != nil {
			t.Error(err)
		}
		later(time.Second)
		east.cutOff(false)
		west.restart(t, true)
		later(time.Second)
		if a := west.View().Asides; len(a) != 1 || !slices.Equal(a[0].Sentences, want) || len(a[0].Reasons) != 0 {
			t.Errorf("after the restart: %+v", a)
		}
		var stops []entry.Answer
		for _, a := range answers(t, west.Gate) {
			if a.Act == entry.ActSeenAtGate {
				stops = append(stops, a)
			}
		}
		if len(stops) != 1 || stops[0].Reason != "east:in" || stops[0].Subject != pupilID || time.UnixMilli(stops[0].Until).UTC().Format("15:04") != "07:30" || len(stops[0].By) != 0 {
			t.Errorf("entries %+v", stops)
		}
		east.end(t)
		west.end(t)
	})
}

func TestABadgeThatStandsAtBothGatesStopsAtBoth(t *testing.T) {
	for rule, late := range map[string]bool{"the word comes before the scan": false, "the word comes during the measurement": true} {
		t.Run(rule, func(t *testing.T) {
			dirs := schools(t)
			synctest.Test(t, func(t *testing.T) {
				east, west := sisters(t, dirs)
				if late {
					east.cutOff(false)
				}
				scan(t, east.Gate, 0, pupilBadge)
				later(time.Second)
				scan(t, west.Gate, 0, pupilBadge)
				east.plugIn()
				later(3 * time.Second)
				for _, s := range []*sister{east, west} {
					skin(s.lens)
				}
				later(2 * time.Second)
				for _, s := range []*sister{east, west} {
					l := s.View().Lanes[0]
					if ons(s.relay) != 0 || len(l.Sentences) != 1 || l.Sentences[0].Zh != "此刻也在"+s.other.called {
						t.Errorf("%s: freed %d times, says %+v", s.name, ons(s.relay), l.Sentences)
					}
				}
				east.end(t)
				west.end(t)
			})
		})
	}
}

func TestALostGateIsSaidAndRecordedAndTheLaneGoesOnByWhatItKnows(t *testing.T) {
	for rule, silent := range map[string]bool{"the cable is pulled": false, "a switch swallows everything": true} {
		t.Run(rule, func(t *testing.T) {
			dirs := schools(t)
			synctest.Test(t, func(t *testing.T) {
				east, west := sisters(t, dirs)
				if says(west.Gate, "sibling-lost") {
					t.Error("lost before the cut")
				}
				east.cutOff(silent)
				if in, _ := east.comes(t); !in {
					t.Error("stopped at the first gate")
				}
				if !says(west.Gate, "sibling-lost") || !says(east.Gate, "sibling-lost") {
					t.Error("nobody is told of the loss")
				}
				in, _ := west.comes(t)
				if !in {
					t.Error("the lane does not go on by what it knows")
				}
				west.goes(t)
				later(time.Minute)
				east.plugIn()
				later(10 * time.Second)
				if says(west.Gate, "sibling-lost") || says(east.Gate, "sibling-lost") {
					t.Error("back, and still lost")
				}
				if in, why := east.comes(t); !in {
					t.Errorf("who went out at the other gate during the cut is stopped: %v", why)
				}
				if in, _ := west.comes(t); in {
					t.Error("what came after the cut is not known")
				}
				if got := losses(t, west.Gate); !slices.Equal(got, []uint8{entry.DeviceLost, entry.DeviceBack}) {
					t.Errorf("entries of loss and return: %v", got)
				}
				east.end(t)
				west.end(t)
			})
		})
	}
}

// losses are the entries of another gate's loss and return.
func losses(t *testing.T, g *Gate) (events []uint8) {
	t.Helper()
	for r, err := range g.journal.Rows(t.Context(), 0) {
		var d entry.Device
		if err != nil {
			t.Fatal(err)
		}
		if r.Entry.Kind == entry.KindDevice && r.Entry.Decode(&d) == nil && d.Role == roleSibling {
			events = append(events, d.Event)
		}
	}
	return events
}

func TestWhatAGateHasToldOutlivesARestartOfEither(t *testing.T) {
	dirs := schools(t)
	synctest.Test(t, func(t *testing.T) {
		east, west := sisters(t, dirs)
		if in, _ := east.comes(t); !in {
			t.Fatal("the first is stopped")
		}
		east.restart(t, false)
		west.restart(t, false)
		later(5 * time.Second)
		if in, _ := west.comes(t); in {
			t.Error("nobody knows any more who came in at the other gate")
		}
		east.end(t)
		west.end(t)
	})
}

// TestNeitherABoardNorAGateHearsWhatIsTheOthers asks over TLS for all that a gate
// serves.
func TestNeitherABoardNorAGateHearsWhatIsTheOthers(t *testing.T) {
	dirs := schools(t)
	synctest.Test(t, func(t *testing.T) {
		board := testKey(7)
		s := &sister{name: "east", dir: dirs[0], now: since(7, 30)}
		s.other = &sister{name: "west", dir: dirs[1]}
		s.cable.Store(newNetwork())
		s.other.cable.Store(newNetwork())
		s.other.cable.Load().cut(false)
		sibling, err := MakeIdentity(dirs[1])
		if err != nil {
			t.Fatal(err)
		}
		s.boards = []ed25519.PublicKey{board.Public().(ed25519.PublicKey)}
		s.begin(t)
		for rule, tt := range map[string]struct {
			key  ed25519.PrivateKey
			path string
			want int
		}{
			"a board its events":        {board, feed.Events, http.StatusOK},
			"a board what gates tell":   {board, feed.Told, http.StatusNotFound},
			"a gate the board's events": {sibling, feed.Events, http.StatusNotFound},
			"a gate what gates tell":    {sibling, feed.Told, http.StatusOK},
		} {
			client, err := feed.NewClient(tt.key, s.key(t), s.cable.Load().dial)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Get("https://192.0.2.1:8631" + tt.path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.want {
				t.Errorf("%s: %s", rule, resp.Status)
			}
			client.CloseIdleConnections()
		}
		s.end(t)
	})
}

// enrol adds people to the roster of a gate that is open.
func enrol(t *testing.T, g *Gate, lines string) {
	t.Helper()
	list, err := roster.Parse(strings.NewReader(rosterOfIDs + lines))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.roster.Import(t.Context(), list, roster.ImportOpts{By: "test"}); err != nil {
		t.Fatal(err)
	}
}
