package wire_test

import (
	"strings"
	"testing"

	"github.com/menshen/menshen/sync/wire"
)

func TestEveryKindHasItsTopic(t *testing.T) {
	want := map[wire.Kind]string{
		wire.KindAnnounce: "menshen/v1/-/collector",
		wire.KindHello:    "menshen/v1/gate-0001/up/hello",
		wire.KindBatch:    "menshen/v1/gate-0001/up/batch",
		wire.KindAlarm:    "menshen/v1/gate-0001/up/alarm",
		wire.KindStatus:   "menshen/v1/gate-0001/up/status",
		wire.KindHave:     "menshen/v1/gate-0001/down/have",
		wire.KindPolicy:   "menshen/v1/gate-0001/down/policy",
		wire.KindRoster:   "menshen/v1/gate-0001/down/roster",
		wire.KindHold:     "menshen/v1/gate-0001/down/hold",
	}
	for k := wire.KindAnnounce; k <= wire.KindHold; k++ {
		topic := wire.Topic(gate, k)
		if topic != want[k] {
			t.Errorf("%v: %q, want %q", k, topic, want[k])
		}
		from := gate
		if k == wire.KindAnnounce {
			from = ""
		}
		if g, back, err := wire.ParseTopic(topic); err != nil || g != from || back != k {
			t.Errorf("%q: read as %q, %v, %v", topic, g, back, err)
		}
	}
	if got := wire.FilterDown(gate); got != "menshen/v1/gate-0001/down/+" {
		t.Errorf("a gate subscribes to %q", got)
	}
}

func TestAnyOtherTopicIsRefused(t *testing.T) {
	for _, topic := range []string{"", "menshen/v1/", "menshen/v1/g", "menshen/v1/g/up", "menshen/v1/g/up/", "menshen/v1/g/up/have",
		"menshen/v1/g/down/hello", "menshen/v1/g/up/hello/", "menshen/v1//up/hello", "menshen/v1/G/up/hello", "menshen/v1/+/up/hello",
		"menshen/v2/g/up/hello", "v1/g/up/hello", "menshen/v1/g/collector", "menshen/v1/g/up/kind 10",
		"menshen/v1/" + strings.Repeat("g", 33) + "/up/hello"} {
		if gate, k, err := wire.ParseTopic(topic); err == nil {
			t.Errorf("%q: accepted as %q, %v", topic, gate, k)
		}
	}
}

func TestNamesAreShortAndOfOneCase(t *testing.T) {
	for _, s := range []string{"g", "gate-0001", "-", strings.Repeat("z", 32)} {
		if !wire.ValidName(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{"", strings.Repeat("z", 33), "G", "a b", "a/b", "+", "#", "门", "a.b", "a\x00", "*"} {
		if wire.ValidName(s) {
			t.Errorf("%q is accepted", s)
		}
	}
}

func TestEveryKindHasAName(t *testing.T) {
	if got := wire.KindHave.String(); got != "have" {
		t.Errorf("have is called %q", got)
	}
	for _, k := range []wire.Kind{0, 10} {
		if got := k.String(); !strings.HasPrefix(got, "kind ") {
			t.Errorf("an unknown kind is called %q", got)
		}
	}
}

func FuzzParseTopic(f *testing.F) {
	f.Add(wire.TopicAnnounce)
	for k := wire.KindHello; k <= wire.KindHold; k++ {
		f.Add(wire.Topic(gate, k))
	}
	f.Fuzz(func(t *testing.T, topic string) {
		if gate, k, err := wire.ParseTopic(topic); err == nil && wire.Topic(gate, k) != topic {
			t.Errorf("%q is accepted and spelled %q", topic, wire.Topic(gate, k))
		}
	})
}
