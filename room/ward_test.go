package room

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/room/feed"
)

func newTestWard(dir string) *ward {
	w := newWard([]Gate{{Name: "east"}, {Name: "west"}}, slog.New(slog.DiscardHandler))
	w.load(filepath.Join(dir, stateFile))
	return w
}

// says is a message of a gate with alarms by their counters.
func says(gate string, open, answered []string) feed.Message {
	m := feed.Message{Gate: gate, Next: "1.1"}
	for _, arrival := range open {
		m.Open = append(m.Open, feed.Alarm{Arrival: arrival, Name: "李一涵"})
	}
	for _, arrival := range answered {
		m.Answered = append(m.Answered, feed.Alarm{Arrival: arrival})
	}
	return m
}

// lists returns a gate's alarms that ring, that are owed to it, and that came and
// went unheard.
func (w *ward) lists(gate string) (ringing, owed, missed []string) {
	for _, x := range w.of(gate).Alarms {
		switch {
		case x.rings():
			ringing = append(ringing, x.Arrival)
		case !x.Open:
			missed = append(missed, x.Arrival)
		case !x.Sent:
			owed = append(owed, x.Arrival)
		}
	}
	return ringing, owed, missed
}

// TestWhatABoardMakesOfMessagesAndPresses plays words in their order: "+1" is a
// message that lists alarm 1 as open, "-1" one that says it was answered, "." one
// that lists nothing, "!1" an answer here, "^1" its arrival at the gate, "*" the
// button, "@" a restart.
func TestWhatABoardMakesOfMessagesAndPresses(t *testing.T) {
	for rule, c := range map[string]struct {
		played                string
		ringing, owed, missed string
	}{
		"an alarm rings":                                             {played: "+1", ringing: "1"},
		"each once, however often it is listed":                      {played: "+1 +1 +1,2 +1,2", ringing: "1,2"},
		"it rings on when the gate has forgotten it":                 {played: "+1 .", ringing: "1"},
		"an answer at the gate ends it":                              {played: "+1 -1"},
		"an answer here silences it and is owed":                     {played: "+1 !1", owed: "1"},
		"a message on its way does not ring it again":                {played: "+1 !1 +1", owed: "1"},
		"what the gate has is not owed":                              {played: "+1 !1 ^1"},
		"what the gate has lost again is owed again":                 {played: "+1 !1 ^1 +1", owed: "1"},
		"what the gate has told is forgotten":                        {played: "+1 !1 ^1 -1"},
		"what came and went unheard is shown":                        {played: "-1", missed: "1"},
		"once":                                                       {played: "-1 . .", missed: "1"},
		"until somebody has read of it":                              {played: "-1 !1"},
		"the button answers what rings, not what was missed":         {played: "+1 +1,2 -3 *", owed: "1,2", missed: "3"},
		"a restart changes none of it":                               {played: "+1 +1,2 -3 !1 @", ringing: "2", owed: "1", missed: "3"},
		"a restart before the gate is heard repeats nothing it told": {played: "+1 !1 ^1 @ ."},
	} {
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			w := newTestWard(dir)
			for word := range strings.FieldsSeq(c.played) {
				list := strings.Split(word[1:], ",")
				for i := range list {
					list[i] = "1-" + list[i]
				}
				switch word[0] {
				case '+':
					w.hear(says("east", list, nil))
				case '-':
					w.hear(says("east", nil, list))
				case '.':
					w.hear(says("east", nil, nil))
				case '!':
					if !w.answer("east", list[0], "T2") || w.answer("west", list[0], "T2") {
						t.Errorf("%s answers nothing, or too much", word)
					}
				case '^':
					if got := w.owed("east"); len(got) != 1 || got[0] != (feed.Answer{Arrival: list[0], By: "T2"}) {
						t.Errorf("owed %+v", got)
					}
					w.sent("east", list[0])
				case '*':
					if !w.answer("", "", "") {
						t.Error("the button answers nothing")
					}
				case '@':
					if err := w.write(); err != nil {
						t.Fatal(err)
					}
					w = newTestWard(dir)
				}
			}
			ringing, owed, missed := w.lists("east")
			for what, list := range map[string]struct {
				got  []string
				want string
			}{"ringing": {ringing, c.ringing}, "owed": {owed, c.owed}, "missed": {missed, c.missed}} {
				if got := strings.ReplaceAll(strings.Join(list.got, ","), "1-", ""); got != list.want {
					t.Errorf("%s: got %q, want %q", what, got, list.want)
				}
			}
			if on, _ := w.turn(); on != (c.ringing != "") {
				t.Errorf("the beacon is %v", on)
			}
			if r, o, m := w.lists("west"); len(r)+len(o)+len(m) != 0 {
				t.Errorf("the other gate has %v %v %v", r, o, m)
			}
		})
	}
}

func TestAGateIsLostAfterSixSecondsAndEachForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWard("/nowhere")
		hear := func() { w.hear(says("west", nil, nil)) }
		hear()
		<-time.After(feed.LostAfter - time.Millisecond)
		hear()
		if _, until := w.turn(); until != time.Millisecond || w.of("east").Lost != nil {
			t.Errorf("lost before its time, or looked at only in %v", until)
		}
		<-time.After(time.Millisecond)
		if on, until := w.turn(); w.of("east").Lost == nil || w.of("west").Lost != nil || until > lostEvery {
			t.Errorf("east %v, west %v, beacon %v, looked at in %v", w.of("east").Lost, w.of("west").Lost, on, until)
		}
		if !w.heardOfLoss("east") || w.heardOfLoss("west") || w.heardOfLoss("north") {
			t.Error("only who is lost can be known to be")
		}
		hear()
		if on, until := w.turn(); on || until != feed.LostAfter {
			t.Errorf("a loss that is known: beacon %v, looked at in %v", on, until)
		}
		w.hear(says("east", nil, nil))
		<-time.After(feed.LostAfter)
		hear()
		if w.turn(); w.of("east").Lost == nil || w.of("east").Lost.Seen {
			t.Error("the second loss is not one of its own")
		}
	})
}

func TestAnAlarmIsSteadyAndALossBlinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTestWard("/nowhere")
		<-time.After(time.Minute)
		var shown []bool
		for range 2 * int(lostEvery/time.Second) {
			on, _ := w.turn()
			shown = append(shown, on)
			<-time.After(time.Second)
		}
		if want := []bool{true, false, false, false, true, false, false, false}; !slices.Equal(shown, want) {
			t.Errorf("both gates lost: got %v, want %v", shown, want)
		}
		w.hear(says("east", []string{"1-1"}, nil))
		for range int(lostEvery / time.Second) {
			if on, _ := w.turn(); !on {
				t.Error("an alarm is not steady while another gate is lost")
			}
			<-time.After(time.Second)
		}
	})
}

func TestWhatIsKeptIsBoundedAndNothingThatRingsIsDropped(t *testing.T) {
	w := newTestWard(t.TempDir())
	w.hear(says("east", []string{"1-1"}, nil))
	for i := range keptMost + 10 {
		w.hear(says("east", nil, []string{fmt.Sprint("2-", i)}))
	}
	ringing, _, missed := w.lists("east")
	if len(w.of("east").Alarms) > keptMost || !slices.Equal(ringing, []string{"1-1"}) || missed[len(missed)-1] != fmt.Sprint("2-", keptMost+9) {
		t.Errorf("%d are kept, %v ring, %d were missed", len(w.of("east").Alarms), ringing, len(missed))
	}
}

func TestAStateThatCannotBeReadIsBegunAnewAndOneThatIsKeptIsTheOwnersOnly(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, stateFile)
	for rule, text := range map[string]string{
		"cut off": `{"Format":1,"Gates":{"east":{"Next":"1`, "another format": `{"Format":2,"Gates":{}}`, "another program's": `{"Format":1,"Gates":{},"More":1}`, "nobody's": "null x",
		"a gate without a state": `{"Format":1,"Gates":{"east":null}}`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if w := newTestWard(dir); w.next("east") != "" || len(w.of("east").Alarms) != 0 {
			t.Errorf("%s: %+v", rule, w.of("east"))
		}
	}
	w := newTestWard(dir)
	w.hear(says("east", []string{"1-1"}, nil))
	if err := w.write(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if again := newTestWard(dir); again.next("east") != "1.1" || !reflect.DeepEqual(again.of("east").Alarms, w.of("east").Alarms) {
		t.Errorf("read again: %+v", again.of("east"))
	}
}

func TestADiskThatDoesNotStoreIsTriedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not-there-yet")
	synctest.Test(t, func(t *testing.T) {
		w := newTestWard(dir)
		ended := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { ended <- w.keep(ctx) }()
		w.hear(says("east", []string{"1-1"}, nil))
		synctest.Wait()
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		<-time.After(keepAgain + time.Second)
		if again := newTestWard(dir); len(again.of("east").Alarms) != 1 {
			t.Error("nothing is kept although the disk is back")
		}
		w.answer("east", "1-1", "T2")
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if again := newTestWard(dir); again.of("east").Alarms[0].By != "T2" {
			t.Error("the last answer is not kept at the end")
		}
	})
}
