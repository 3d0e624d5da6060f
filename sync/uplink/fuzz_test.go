package uplink

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"time"

	"context"
	"iter"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/sync/wire"
)

// none is a source without entries.
type none struct{}

func (none) Epoch() uint32    { return 1 }
func (none) Head() entry.Head { var t entry.Tree; return t.Head() }
func (n none) HeadAt(context.Context, uint64) (entry.Head, error) {
	return n.Head(), nil
}
func (none) Leaves(context.Context, uint64) iter.Seq2[[]byte, error] {
	return func(func([]byte, error) bool) {}
}

func fuzzKey(b byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, ed25519.SeedSize))
}

// Nothing that the collector has not signed moves anything but the time of the
// next hello.
func FuzzAStrangersMessageMovesNothing(f *testing.F) {
	collector := fuzzKey(2).Public().(ed25519.PublicKey)
	have := wire.Have{Collector: "district", Checkpoint: wire.Checkpoint{Origin: "gate-0001", Epoch: 1, Head: none{}.Head()}}
	ahead := have
	ahead.Size = 5
	seeds := map[wire.Kind][]byte{}
	seeds[wire.KindAnnounce], _ = wire.Announce{Collector: "district"}.Encode()
	seeds[wire.KindHave], _ = ahead.Sign(fuzzKey(3))
	seeds[wire.KindPolicy], _ = wire.Down{Kind: wire.KindPolicy, Number: 1, Scope: "gate-0001"}.Sign(fuzzKey(3))
	seeds[wire.KindStatus], _ = wire.Status{}.Encode()
	for k, b := range seeds {
		f.Add(wire.Topic("gate-0001", k), b)
	}
	f.Add("menshen/v1/gate-0002/down/have", seeds[wire.KindHave])
	f.Add("", []byte{})
	f.Fuzz(func(t *testing.T, topic string, payload []byte) {
		u, err := New(Options{Gate: "gate-0001", Key: fuzzKey(1), Collector: Collector{"district", collector}, Source: none{},
			Now:  func() entry.Stamp { return entry.Stamp{Mono: time.Minute} },
			Down: func(wire.Down) error { t.Error("a document was taken"); return nil }})
		if err != nil {
			t.Fatal(err)
		}
		l := newLink(u, nil)
		before := u.State()
		if err := l.take(context.Background(), Message{topic, payload}); err != nil {
			t.Error(err)
		}
		if l.begun || l.acked != 0 || l.sent != 0 || len(u.taken) > 0 || u.State() != before {
			t.Errorf("%+v, %+v", l, u.State())
		}
		genuine, err := have.Sign(fuzzKey(2))
		if err != nil {
			t.Fatal(err)
		}
		if err := l.take(context.Background(), Message{wire.Topic("gate-0001", wire.KindHave), genuine}); err != nil || !l.begun {
			t.Errorf("the collector is not heard afterwards: %v", err)
		}
	})
}
