package wire_test

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"github.com/menshen/menshen/sync/wire"
)

func TestADocumentsBodyComesBackAsItWas(t *testing.T) {
	for _, want := range []wire.HoldOrder{{Key: [32]byte{1, 31: 2}, Subject: 42, Place: true}, {Subject: math.MaxInt64}} {
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := wire.ParseHoldOrder(b); err != nil || got != want {
			t.Errorf("%+v came back as %+v, %v", want, got, err)
		}
	}
	for _, want := range []wire.RosterList{{AllowLeft: 3, List: []byte("roster_number,number\n")}, {List: []byte{}}} {
		b, err := want.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := wire.ParseRosterList(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v came back as %+v, %v", want, got, err)
		}
	}
}

func TestABodyThatIsNoneIsRefused(t *testing.T) {
	hold, err := wire.HoldOrder{Subject: 1, Place: true}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	list, err := wire.RosterList{List: []byte("a")}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for rule, b := range map[string][]byte{
		"nothing": nil, "one byte too few": hold[:len(hold)-1], "one too many": append(bytes.Clone(hold), 0),
		"another format": append([]byte{hold[0], 2}, hold[2:]...), "a roster list": list,
	} {
		if o, err := wire.ParseHoldOrder(b); err == nil {
			t.Errorf("%s is read as hold %+v", rule, o)
		}
	}
	if l, err := wire.ParseRosterList(hold); err == nil {
		t.Errorf("a hold is read as list %+v", l)
	}
	if _, err := (wire.HoldOrder{}).Encode(); err == nil {
		t.Error("a hold against nobody is written")
	}
	if _, err := (wire.RosterList{List: make([]byte, wire.MaxPayload)}).Encode(); err == nil {
		t.Error("a list that no message holds is written")
	}
}

// Whatever is read, the same bytes are written for it.
func FuzzDocumentBody(f *testing.F) {
	hold, err := wire.HoldOrder{Key: [32]byte{7}, Subject: 9, Place: true}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	list, err := wire.RosterList{AllowLeft: 2, List: []byte("roster_number,number\n")}.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(hold)
	f.Add(list)
	f.Add([]byte{0x84, 1, 8, 0, 0x5b, 0x10, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, err := wire.ParseHoldOrder(b); err == nil {
			if again, err := o.Encode(); err != nil || !bytes.Equal(again, b) || o.Subject == 0 {
				t.Errorf("%x became %+v and then %x, %v", b, o, again, err)
			}
		}
		if l, err := wire.ParseRosterList(b); err == nil {
			if again, err := l.Encode(); err != nil || !bytes.Equal(again, b) {
				t.Errorf("%x became %d bytes of list and then %x, %v", b, len(l.List), again, err)
			}
		}
	})
}
