package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/district/store"
)

func testAlarms(t *testing.T, open func() Store) {
	s := begin(t, open)
	east := letIn(t, s, "east")
	commit(t, s, east.next("a"))
	alarm := store.Alarm{Gate: "east", Epoch: 1, Seq: 2, Leaf: []byte("fever"), Received: moment(3)}
	again := alarm
	again.Received = moment(13)
	must(t, s.Announce(t.Context(), alarm))
	must(t, s.Announce(t.Context(), again))
	if got, err := s.Alarms(t.Context()); err != nil || !reflect.DeepEqual(got, []store.Alarm{alarm}) {
		t.Errorf("got %+v, %v, want the first announcement", got, err)
	}
	if n := len(read(t, s, store.Cursor{}, 10)); n != 1 {
		t.Errorf("with the announcement there are %d entries, want 1", n)
	}
	commit(t, s, east.next("b"))
	if got, err := s.Alarms(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("before its entry came: got %+v, %v", got, err)
	}
	commit(t, s, east.next("fever", "c"))
	must(t, s.Announce(t.Context(), again)) // it was underway when its entry came
	if got, err := s.Alarms(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("after its entry came: got %+v, %v", got, err)
	}
	alarm.Gate = "west"
	if err := s.Announce(t.Context(), alarm); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("from a stranger: got %v, want ErrUnknown", err)
	}
}

func testAlarmsOfAJournalThatParted(t *testing.T, open func() Store) {
	s := begin(t, open)
	east := letIn(t, s, "east")
	commit(t, s, east.next("a", "b"))
	alarm := func(epoch uint32, seq uint64, leaf string) store.Alarm {
		return store.Alarm{Gate: "east", Epoch: epoch, Seq: seq, Leaf: []byte(leaf), Received: moment(int64(seq))}
	}
	check := func(what string, want ...store.Alarm) {
		t.Helper()
		if got, err := s.Alarms(t.Context()); err != nil || len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", what, got, err, want)
		}
	}
	other, far := alarm(1, 1, "fever"), alarm(1, 9, "fever")
	must(t, s.Announce(t.Context(), other))
	must(t, s.Announce(t.Context(), alarm(1, 0, "a")))
	must(t, s.Announce(t.Context(), far))
	check("one in another's place, one that is there, one that is to come", other, far)
	must(t, s.NewEpoch(t.Context(), store.Epoch{Gate: "east", Epoch: 2, Began: moment(10)}))
	check("after a newer journal began")
	next := alarm(2, 3, "fever")
	must(t, s.Announce(t.Context(), next))
	must(t, s.Announce(t.Context(), far))
	check("of the journal that is over", next, far)
	for seq := range uint64(100) {
		must(t, s.Announce(t.Context(), alarm(2, 100+seq, "fever")))
	}
	got, err := s.Alarms(t.Context())
	must(t, err)
	if len(got) != 64 || got[0].Seq != 136 || got[63].Seq != 199 {
		t.Errorf("%d alarms are kept, from %d on", len(got), got[0].Seq)
	}
}

func testFalseAlarm(t *testing.T, open func() Store) {
	s := begin(t, open)
	east := letIn(t, s, "east")
	must(t, s.Announce(t.Context(), store.Alarm{Gate: "east", Epoch: 1, Seq: 1, Leaf: []byte("fever"), Received: moment(3)}))
	commit(t, s, east.next("a", "no fever"))
	if got, err := s.Alarms(t.Context()); err != nil || len(got) != 1 {
		t.Errorf("got %+v, %v, want the announcement", got, err)
	}
}

func testRefusals(t *testing.T, open func() Store) {
	s := begin(t, open)
	message := bytes.Repeat([]byte{7}, 5000)
	must(t, s.Refuse(t.Context(), "west\xff", strings.Repeat("x", 5000), message, moment(1)))
	must(t, s.Refuse(t.Context(), "", "empty", nil, moment(2)))
	got, err := s.Refusals(t.Context())
	must(t, err)
	want := store.Refusal{Number: 1, Gate: "west", Reason: strings.Repeat("x", 200), Received: moment(1),
		Sum: sha256.Sum256(message), Head: message[:1024]}
	if len(got) != 2 || got[0].Reason != "empty" || !reflect.DeepEqual(got[1], want) {
		t.Errorf("got %+v", got)
	}
	for n := range 1000 {
		must(t, s.Refuse(t.Context(), "west", fmt.Sprint(n), message, moment(1)))
	}
	got, err = s.Refusals(t.Context())
	must(t, err)
	if len(got) != 1000 || got[0].Reason != "999" || got[0].Number != 1002 {
		t.Errorf("got %d, the newest %d %q", len(got), got[0].Number, got[0].Reason)
	}
}

func testDivergences(t *testing.T, open func() Store) {
	s := begin(t, open)
	letIn(t, s, "east")
	first := store.Divergence{Gate: "east", Epoch: 1, Noticed: moment(1),
		Held:    store.Signed{Root: sha256.Sum256(nil)},
		Claimed: store.Signed{Size: 4, Root: sha256.Sum256([]byte("other")), Signature: []byte("theirs")}}
	later := first
	later.Noticed, later.Claimed.Size = moment(2), 5
	must(t, s.Diverge(t.Context(), first))
	must(t, s.Diverge(t.Context(), later))
	got, err := s.Divergences(t.Context())
	must(t, err)
	first.Held.Signature = []byte{}
	if !reflect.DeepEqual(got, []store.Divergence{first}) {
		t.Errorf("got %+v, want %+v", got, first)
	}
	first.Gate = "west"
	if err := s.Diverge(t.Context(), first); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("of a stranger: got %v, want ErrUnknown", err)
	}
}

func testTokens(t *testing.T, open func() Store) {
	s := begin(t, open)
	token := store.Token{Hash: sha256.Sum256([]byte("secret")), Name: "office", Names: true, Issued: moment(1)}
	must(t, s.Grant(t.Context(), token))
	for what, again := range map[string]store.Token{
		"the name": {Name: "office", Hash: sha256.Sum256([]byte("other")), Issued: moment(2)},
		"the text": {Name: "other", Hash: token.Hash, Issued: moment(2)},
	} {
		if err := s.Grant(t.Context(), again); err == nil {
			t.Errorf("%s was issued twice", what)
		}
	}
	if got, err := s.Tokens(t.Context()); err != nil || !slices.Equal(got, []store.Token{token}) {
		t.Errorf("got %+v, %v, want %+v", got, err, token)
	}
	if got, err := s.Token(t.Context(), token.Hash); err != nil || got != token {
		t.Errorf("got %+v, %v, want %+v", got, err, token)
	}
	must(t, s.Withdraw(t.Context(), token.Name))
	if err := s.Withdraw(t.Context(), token.Name); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("withdrawn again: got %v, want ErrUnknown", err)
	}
	if got, err := s.Token(t.Context(), token.Hash); !errors.Is(err, store.ErrUnknown) || got != (store.Token{}) {
		t.Errorf("withdrawn: got %+v, %v, want ErrUnknown", got, err)
	}
}

func testGates(t *testing.T, open func() Store) {
	s := begin(t, open)
	east := store.Gate{Name: "east", Key: key("east"), Password: sha256.Sum256([]byte("old")), School: "三小", Duty: "门卫室 8101", Admitted: moment(1)}
	must(t, s.Admit(t.Context(), east))
	for name, g := range map[string]store.Gate{
		"the key of another gate":   {Name: "copy", Key: key("east"), Admitted: moment(1)},
		"a key of another length":   {Name: "west", Key: []byte("short"), Admitted: moment(1)},
		"a name that is no topic":   {Name: "up/#", Key: key("west"), Admitted: moment(1)},
		"a name that is too long":   {Name: strings.Repeat("a", 33), Key: key("west"), Admitted: moment(1)},
		"a gate that is shut out":   {Name: "west", Key: key("west"), Admitted: moment(1), Revoked: moment(2)},
		"no name that could answer": {Key: key("west"), Admitted: moment(1)},
	} {
		if err := s.Admit(t.Context(), g); err == nil {
			t.Errorf("%s was let in", name)
		}
	}
	check := func(want store.Gate) {
		t.Helper()
		if got, err := s.Gates(t.Context()); err != nil || !reflect.DeepEqual(got, []store.Gate{want}) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	check(east)
	if got, err := s.Gate(t.Context(), "east"); err != nil || !reflect.DeepEqual(got, east) {
		t.Errorf("got %+v, %v, want %+v", got, err, east)
	}
	must(t, s.Revoke(t.Context(), "east", moment(2)))
	for what, name := range map[string]string{"shut out": "east", "unknown": "west"} {
		if got, err := s.Gate(t.Context(), name); !errors.Is(err, store.ErrUnknown) {
			t.Errorf("%s: got %+v, %v, want ErrUnknown", what, got, err)
		}
	}
	if err := s.Revoke(t.Context(), "east", moment(3)); !errors.Is(err, store.ErrUnknown) {
		t.Errorf("shut out again: got %v, want ErrUnknown", err)
	}
	east.Revoked = moment(2)
	check(east)
	east.Key, east.Password, east.Admitted, east.Revoked = key("new"), sha256.Sum256([]byte("new")), moment(4), time.Time{}
	must(t, s.Admit(t.Context(), east))
	check(east)
}
