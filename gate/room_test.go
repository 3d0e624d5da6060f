package gate

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/guard"
	"github.com/menshen/menshen/web/isolation"
)

// The channels of the room's beacon and buzzer on the board that build makes.
const beaconChannel, buzzerChannel = 7, 8

// strip returns what the strip says about the isolation room.
func strip(r roomPage) (list []string) {
	for _, p := range r.Gate.View().Problems {
		if slices.Contains([]string{"not-arrived", "nobody-arrived", "room-silent", "room-go", "room-leader"}, p.Key) {
			text := p.Key
			for _, a := range p.Args {
				text += " " + a.(string)
			}
			list = append(list, text)
		}
	}
	return list
}

func TestTheGateSaysWhenTheRoomDoesNotAnswerAndTheChildDoesNotCome(t *testing.T) {
	both := config.Phones{Phone: "6123", LeaderPhone: "138 0013 8000"}
	for rule, tt := range map[string]struct {
		phones config.Phones
		after  time.Duration
		want   []string
	}{
		"before half a minute, nothing":             {both, silentAfter - time.Second, nil},
		"after half a minute, the room's number":    {both, silentAfter, []string{"room-silent 6123"}},
		"after two minutes, the leader's":           {both, leaderAfter, []string{"room-leader 138 0013 8000"}},
		"without the leader's, the room's":          {config.Phones{Phone: "6123"}, leaderAfter, []string{"room-silent 6123"}},
		"without any, go there":                     {config.Phones{}, leaderAfter, []string{"room-go"}},
		"after five minutes, who is missing, first": {both, 5 * time.Minute, []string{"not-arrived 李*涵", "room-leader 138 0013 8000"}},
		"a second before, not yet":                  {both, 5*time.Minute - time.Second, []string{"room-leader 138 0013 8000"}},
	} {
		t.Run(rule, func(t *testing.T) {
			dir, c := t.TempDir(), newClockAt(sevenNineteen)
			guarded(t, dir)
			r := inRoom(t, dir, c)
			r.o.Config.Isolation = tt.phones
			r.isolate(t, 1, pupilID, screening.HighTwice)
			c.wall.Add(int64(tt.after / time.Second))
			if got := strip(r); !slices.Equal(got, tt.want) {
				t.Errorf("told %q", got)
			}
			if late := r.only(t).Late; late != (tt.after >= 5*time.Minute) {
				t.Errorf("the room says late: %v", late)
			}
			r = r.again(t, dir, c)
			r.o.Config.Isolation = tt.phones
			if got := strip(r); !slices.Equal(got, tt.want) {
				t.Errorf("after a restart: told %q", got)
			}
			r.must(t, received)
			if got := strip(r); len(got) != 0 {
				t.Errorf("received, and told %q", got)
			}
			shut(t, r.Gate)
		})
	}
}

func TestWhoIsUnknownIsMissedByTheTicket(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer shut(t, r.Gate)
	r.isolate(t, 1, 0, screening.HardFeverSeen)
	c.wall.Add(300)
	if p := r.Gate.View().Problems[0]; p.Key != "nobody-arrived" || p.Args[0] != r.cases.list()[0].file.Number {
		t.Errorf("told %+v", p)
	}
}

// TestThePagesAreWokenWhenSomethingIsDue runs a gate in a bubble: nobody touches
// anything after the alarm.
func TestThePagesAreWokenWhenSomethingIsDue(t *testing.T) {
	dir := t.TempDir()
	guarded(t, dir)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		g, _ := build(t, dir, func() entry.Stamp {
			gone := time.Since(begin)
			return entry.Stamp{Mono: gone + time.Hour, Wall: sevenNineteen.Add(gone), Clock: entry.ClockSynced}
		})
		g.o.Config.Isolation = config.Phones{Phone: "6123", LeaderPhone: "7001"}
		stop := run(t, g)
		r := roomPage{g}
		alarmed := entry.ArrivalID{Boot: g.journal.Boot(), Counter: 900}
		g.alarms.raise(alarmed, pupilID, g.o.Now().Wall)
		if _, _, err := g.cases.begin(opening{subject: pupilID, arrival: alarmed, origin: "gate"}, 1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		ticks := g.Watch(t.Context())
		last := time.Duration(0)
		for _, moment := range []time.Duration{silentAfter, leaderAfter, 5 * time.Minute} {
			for len(ticks) > 0 {
				<-ticks
			}
			before := strip(r)
			<-time.After(moment - last)
			synctest.Wait()
			if after := strip(r); len(ticks) == 0 || slices.Equal(after, before) {
				t.Errorf("after %v: woken %d, told %q", moment, len(ticks), after)
			}
			last = moment
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestAMuteIsShortAndOfTheBuzzerAlone runs a gate in a bubble.
func TestAMuteIsShortAndOfTheBuzzerAlone(t *testing.T) {
	dir := t.TempDir()
	guarded(t, dir)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		now := func() entry.Stamp {
			gone := time.Since(begin)
			return entry.Stamp{Mono: gone + time.Hour, Wall: sevenNineteen.Add(gone), Clock: entry.ClockSynced}
		}
		g, board := build(t, dir, now)
		stop := run(t, g)
		shows := func(when string, beacon, buzzer bool) {
			t.Helper()
			synctest.Wait()
			if board.On(beaconChannel) != beacon || board.On(buzzerChannel) != buzzer {
				t.Errorf("%s: beacon %v, buzzer %v", when, board.On(beaconChannel), board.On(buzzerChannel))
			}
		}
		raise := func(g *Gate, counter uint32) {
			rec := stopped(screening.Isolate, screening.HardFeverSeen)
			rec.Arrival, rec.Subject.ID = counter, 0
			store(t, g, body(g.journal.Boot(), rec, 1, nil))
			g.alarms.raise(entry.ArrivalID{Boot: g.journal.Boot(), Counter: counter}, 0, g.o.Now().Wall)
		}
		mute := func() error { return (roomPage{g}).Mute(t.Context(), web.Person{ID: nurseID}) }

		if err := mute(); !errors.Is(err, isolation.ErrStale) {
			t.Errorf("nothing sounds, and is muted: %v", err)
		}
		raise(g, 800)
		shows("an alarm", true, true)
		if err := mute(); err != nil {
			t.Error(err)
		}
		shows("muted", true, false)
		<-time.After(muteFor - time.Second)
		shows("a second before its end", true, false)
		<-time.After(2 * time.Second)
		shows("at its end", true, true)
		if err := mute(); err != nil {
			t.Error(err)
		}
		shows("muted again", true, false)
		raise(g, 801)
		shows("another alarm", true, true)
		if err := mute(); err != nil {
			t.Error(err)
		}
		shows("muted once more", true, false)
		if err := stop(); err != nil {
			t.Error(err)
		}

		var again *sim.RelayBoard
		g, again = build(t, dir, now)
		board = again
		stop = run(t, g)
		shows("after a restart", true, true)
		var muted []entry.Case
		for _, s := range (roomPage{g}).steps(t) {
			if s.Step == entry.CaseMuted {
				muted = append(muted, s)
			}
		}
		if len(muted) != 3 || !slices.Equal(muted[0].By, []uint64{nurseID}) || muted[0].Number != 0 {
			t.Errorf("entries %+v", muted)
		}
		for _, a := range (roomPage{g}).View().Alarms {
			if err := (roomPage{g}).Answer(t.Context(), a.Arrival, web.Person{ID: nurseID}); err != nil {
				t.Error(err)
			}
		}
		shows("answered", false, false)
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestOneAlarmIsAnsweredAtATime(t *testing.T) {
	dir, c := t.TempDir(), newClockAt(sevenNineteen)
	guarded(t, dir)
	r := inRoom(t, dir, c)
	defer shut(t, r.Gate)
	r.isolate(t, 1, pupilID, screening.HighTwice)
	r.isolate(t, 2, 0, screening.HardFeverSeen)
	by := web.Person{ID: nurseID}
	for _, wrong := range []string{"", "0-0", "0-9", "x"} {
		if err := r.Answer(t.Context(), wrong, by); !errors.Is(err, isolation.ErrStale) || len(r.View().Alarms) != 2 {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if err := r.Do(t.Context(), guard.Act{Arrival: "0-0", Kind: guard.KindSilence, By: by}); !errors.Is(err, guard.ErrStale) || len(r.View().Alarms) != 2 {
		t.Errorf("nobody's alarm: %v", err)
	}
	if err := r.Answer(t.Context(), r.View().Alarms[0].Arrival, by); err != nil || len(r.View().Alarms) != 1 {
		t.Errorf("%v, %+v", err, r.View().Alarms)
	}
}
