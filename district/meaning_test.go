package district

import (
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
)

func TestAHoldByNameReachesTheSchoolsOtherGatesAndNoAdmissionEndsIt(t *testing.T) {
	r, east, west := start(t), newGate(t, "east"), newGate(t, "west")
	r.admit(east)
	r.admit(west)
	r.importList(3)
	r.takeList(east)
	r.takeList(west)
	east.stream(r.BrokerAddr(), publicKey(t, r))
	east.record(entry.Answer{Act: entry.ActHoldPlaced, Subject: 2, By: []uint64{1}, Reason: "yellow-code", Until: 1_600_000_000_000})
	// An admission that was on its way lifts the hold of an arrival, and not this.
	east.record(entry.Arrival{End: entry.EndDecided, Outcome: uint8(screening.Admit), Subject: 2})
	r.awaitHolds("east 2 by-name")
	west.stream(r.BrokerAddr(), publicKey(t, r))
	_, o := west.order()
	if !o.Place || o.Subject != 2 {
		t.Fatalf("west was ordered %+v", o)
	}
	west.obeys(o)
	r.awaitHolds("east 2 by-name", "west 2 collector:yucai")
	// Its time is long past by the collector's clock; it stands until the gate says so.
	east.record(entry.Answer{Act: entry.ActHoldLifted, Subject: 2, Reason: "over"})
	if _, o = west.order(); o.Place || o.Subject != 2 {
		t.Fatalf("after its time was over, west was ordered %+v", o)
	}
	west.obeys(o)
	r.awaitHolds()
}
