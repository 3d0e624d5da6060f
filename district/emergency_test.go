package district

import (
	"testing"
	"time"

	"github.com/menshen/menshen/entry"
	page "github.com/menshen/menshen/web/district"
)

func TestEmergencyPassageIsShownFromItsStartToItsEnd(t *testing.T) {
	r, east := start(t), newGate(t, "east")
	r.admit(east)
	east.stream(r.BrokerAddr(), publicKey(t, r))
	until := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	shown := func() page.Emergency {
		all, err := readEmergencies(t.Context(), r.store, time.Now())
		must(t, err)
		return all["east"]
	}
	east.record(entry.Answer{Act: entry.ActEmergency, By: []uint64{1}, Until: until.UnixMilli()})
	r.awaitTrue("the start is shown", func() bool { return shown().Until.Equal(until) })
	all, err := readEmergencies(t.Context(), r.store, until)
	must(t, err)
	if len(all) != 0 {
		t.Errorf("after its time, without an entry of its end: %v", all)
	}
	east.record(entry.Answer{Act: entry.ActEmergency})
	r.awaitTrue("the end is not shown any more", func() bool { return shown() == page.Emergency{} })
}
