package gate

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

var errGone = errors.New("network is unreachable")

// stops ends a gate and wants no error of it.
func stops(t *testing.T, stop func() error) {
	t.Helper()
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestEveryEntryArrivesAtEveryCollector(t *testing.T) {
	school, district := newPeer(t, "school"), newPeer(t, "district")
	g := joined(t, t.TempDir(), school, district)
	stop := run(t, g)
	for n := range 700 {
		g.recorder.note(entry.Heartbeat{Size: uint64(n)}, 0)
	}
	await(t, "both have everything", func() bool {
		size, all := g.journal.Head().Size, g.collectors.status()
		return size > 700 && all[0].Acked == size && all[1].Acked == size
	})
	for row, err := range g.journal.Rows(t.Context(), 0) {
		if err != nil || !bytes.Equal(row.Bytes, school.rows[row.Seq]) || !bytes.Equal(row.Bytes, district.rows[row.Seq]) {
			t.Fatalf("entry %d arrived as another: %v", row.Seq, err)
		}
	}
	for _, s := range g.collectors.status() {
		if s.Phase != "streaming" || s.Cause != "" || s.Text != (Words{}) || s.Heard.IsZero() {
			t.Errorf("%+v", s)
		}
	}
	if says(g, "offline") {
		t.Error("the page says that it is offline")
	}
	stops(t, stop)
}

func TestAnAlarmGoesAheadOfTheBacklog(t *testing.T) {
	p := newPeer(t, "district")
	p.away = errGone
	g := joined(t, t.TempDir(), p)
	stop := run(t, g)
	for n := range 600 {
		g.recorder.note(entry.Heartbeat{Size: uint64(n)}, 0)
	}
	id := isolate(g, 1)
	await(t, "the alarm is recorded", func() bool { a := g.alarms.list(); return len(a) == 1 && a[0].stored })
	p.set(func(p *peer) { p.away = nil })
	await(t, "the alarm is announced", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return len(p.alarms) == 1 && slices.Contains(p.kinds, wire.KindBatch)
	})
	p.set(func(p *peer) {
		if slices.Index(p.kinds, wire.KindAlarm) > slices.Index(p.kinds, wire.KindBatch) {
			t.Errorf("came in the order %v", p.kinds)
		}
		for seq, leaf := range p.alarms {
			e, err := entry.Unmarshal(leaf)
			if err != nil || seq != g.alarms.list()[0].seq {
				t.Fatalf("announced entry %d, %v", seq, err)
			}
			if got, rec, ok := recordOf(e); !ok || got != id || rec.Subject.ID != 7 {
				t.Errorf("announced %v", e)
			}
		}
	})
	stops(t, stop)
}

// What the room has answered is over; what it has not is announced again by
// the next process.
func TestAnAlarmIsAnnouncedAgainAfterARestartUntilTheRoomAnswers(t *testing.T) {
	dir := t.TempDir()
	p := newPeer(t, "district")
	p.away = errGone
	g := joined(t, dir, p)
	stop := run(t, g)
	first, second := isolate(g, 1), isolate(g, 2)
	await(t, "the alarms are recorded", func() bool { a := g.alarms.list(); return len(a) == 2 && a[0].stored && a[1].stored })
	if !g.alarms.acknowledge(first, []uint64{9}) {
		t.Error("not acknowledged")
	}
	stops(t, stop)

	p.away = nil
	g = joined(t, dir, p)
	stop = run(t, g)
	await(t, "an alarm is announced", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.alarms) > 0 })
	open := g.alarms.list()
	p.set(func(p *peer) {
		if len(open) != 1 || open[0].id != second || len(p.alarms) != 1 || p.alarms[open[0].seq] == nil {
			t.Errorf("open %v, announced %d", open, len(p.alarms))
		}
	})
	stops(t, stop)
}

func TestNothingInTheGateWaitsForTheNetwork(t *testing.T) {
	for rule, ail := range map[string]func(*peer){
		"a broker that is not there":       func(p *peer) { p.away = errGone },
		"a connection that takes no bytes": func(p *peer) { p.stuck = true },
	} {
		t.Run(rule, func(t *testing.T) {
			p := newPeer(t, "district")
			ail(p)
			g := joined(t, t.TempDir(), p)
			stop := run(t, g)
			limit, done := context.WithTimeout(t.Context(), 20*time.Second)
			defer done()
			for n := range 200 {
				if err := g.recorder.wait(limit, entry.Heartbeat{Size: uint64(n)}); err != nil {
					t.Fatal(err)
				}
			}
			isolate(g, 1)
			if err := g.Alive(limit); err != nil {
				t.Error(err)
			}
			if p.away != nil {
				await(t, "the page says that it is offline", func() bool { return says(g, "offline") })
				v := g.View()
				last := v.Problems[len(v.Problems)-1]
				if last.Key != "offline" || fmt.Sprint(last.Args) != fmt.Sprint([]any{g.journal.Head().Size}) {
					t.Errorf("last of %v", v.Problems)
				}
				if s := g.collectors.status()[0]; s.Cause != "broker-unreachable" || s.Remedy == (Words{}) {
					t.Errorf("%+v", s)
				}
			}
			stops(t, stop)
		})
	}
}

func TestARefusalAndAnOpenWayAreProblems(t *testing.T) {
	p := newPeer(t, "district")
	p.away = uplink.ErrRefused
	g := joined(t, t.TempDir(), p)
	g.o.Collectors[0].Insecure = true
	stop := run(t, g)
	await(t, "the page says so", func() bool {
		return says(g, "collector-refused") && says(g, "insecure-collector") && !says(g, "offline")
	})
	stops(t, stop)
}

// A gate whose journal is another than the one that a collector has keeps the
// proof, goes on, and says so.
func TestAContradictionIsKeptAndShown(t *testing.T) {
	p := newPeer(t, "district")
	g := joined(t, t.TempDir(), p)
	p.tree.Append([]byte("an entry that this gate never made"))
	stop := run(t, g)
	await(t, "the page says so", func() bool { return says(g, "collector-diverged") })
	dir := filepath.Join(g.o.Config.Data, evidenceDir)
	await(t, "the proof is kept", func() bool { list, _ := os.ReadDir(dir); return len(list) == 2 })
	if err := g.recorder.wait(t.Context(), entry.Heartbeat{}); err != nil {
		t.Error(err)
	}
	stops(t, stop)
}

// No lane stands still for a file that only the network needs.
func TestADamagedKeyStopsSendingAndNothingElse(t *testing.T) {
	for _, name := range []string{keyFile, documentsFile} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, "district")
			g := joined(t, t.TempDir(), p)
			if err := os.WriteFile(filepath.Join(g.o.Config.Data, name), []byte("?"), 0o600); err != nil {
				t.Fatal(err)
			}
			stop := run(t, g)
			if !says(g, "no-collector") {
				t.Errorf("the page says %v", problemKeys(g))
			}
			if s := g.collectors.status(); len(s) != 1 || s[0].Phase != "off" || !strings.Contains(s[0].Remedy.English, name) {
				t.Errorf("%+v", s)
			}
			if err := g.recorder.wait(t.Context(), entry.Heartbeat{}); err != nil {
				t.Error(err)
			}
			if len(p.kinds) > 0 {
				t.Errorf("sent %v", p.kinds)
			}
			stops(t, stop)
		})
	}
}

func TestAGateWithoutCollectorsHasAKeyToShow(t *testing.T) {
	g := joined(t, t.TempDir())
	stop := run(t, g)
	w := httptest.NewRecorder()
	g.showKey(w, nil)
	key, err := ReadIdentity(g.o.Config.Data)
	if want := wire.FormatPublicKey(key.Public().(ed25519.PublicKey)); err != nil || !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), `"test"`) {
		t.Errorf("shows %s, want %s", w.Body, want)
	}
	if says(g, "offline") || says(g, "no-collector") {
		t.Errorf("the page says %v", problemKeys(g))
	}
	stops(t, stop)
}

// causes are all that package uplink declares, and the gate's own.
func causes(t *testing.T) (all []uplink.Cause) {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "sync", "uplink", "state.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^\tCause\w+ +Cause += "([^"]+)"`).FindAllSubmatch(source, -1) {
		all = append(all, uplink.Cause(m[1]))
	}
	if len(all) < 9 || !slices.Contains(all, uplink.CauseAhead) {
		t.Fatalf("found %q", all)
	}
	return append(all, causeFault)
}

func TestEveryCauseIsSaidInBothLanguagesAndWithARemedy(t *testing.T) {
	said := map[Words]uplink.Cause{adviceOn("of the future").Text: "another"}
	for _, c := range causes(t) {
		a := adviceOn(c)
		for _, words := range []Words{a.Text, a.Remedy} {
			if !strings.ContainsFunc(words.Chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || words.English == "" ||
				strings.ContainsFunc(words.English, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
				t.Errorf("%s: says %+v", c, words)
			}
		}
		if other, twice := said[a.Text]; twice {
			t.Errorf("%s and %s are told by the same words", c, other)
		}
		said[a.Text] = c
	}
	if a := adviceOn(uplink.CauseNone); a.Text != (Words{}) || a.Remedy != (Words{}) || a.Commands != nil {
		t.Error("there is a remedy for nothing")
	}
}

func TestWhatHasDivergedIsToldWithTheCommandsThatMendIt(t *testing.T) {
	for _, c := range []uplink.Cause{uplink.CauseRoot, uplink.CauseAhead, uplink.CauseEpoch} {
		if commands := adviceOn(c).Commands; len(commands) != 3 || !strings.HasPrefix(commands[1], "gatectl journal rebase -reason ") {
			t.Errorf("%s: type %q", c, commands)
		}
	}
}

func TestThePagesKnowEveryWordAboutCollectors(t *testing.T) {
	told := map[string]bool{}
	for phase := uplink.Off; phase <= uplink.Refused; phase++ {
		for _, c := range append(causes(t), uplink.CauseNone) {
			if key := problemOf(uplink.State{Phase: phase, Cause: c}); key != "" {
				told[key] = true
				known(t, "problem."+key)
			}
		}
	}
	if len(told) != 4 {
		t.Errorf("told are %v", told)
	}
	known(t, "problem.no-collector")
	known(t, "problem.insecure-collector")
}
