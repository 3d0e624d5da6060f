package export_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/entry/export"
)

func write(t *testing.T, kind entry.Kind, body []byte) map[string]any {
	t.Helper()
	e := entry.Entry{Kind: kind, Boot: 7, Mono: 5, Wall: 1_600_000_000_000, Clock: entry.ClockRTC, Lane: 2, Body: body}
	leaf, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(export.Of(e, leaf))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEveryBodyIsWrittenInFull(t *testing.T) {
	for _, body := range []any{entry.Boot{}, entry.Arrival{Reading: &entry.Reading{Value: 36500}}, entry.Answer{}, entry.Device{},
		entry.ClockStep{Clock: entry.ClockSynced}, entry.Policy{Text: []byte{1, 0xfe}}, entry.Roster{}, entry.Heartbeat{}, entry.Stop{}} {
		kind, _ := entry.KindOf(body)
		t.Run(kind.String(), func(t *testing.T) {
			b, err := entry.Encode(body)
			if err != nil {
				t.Fatal(err)
			}
			got := write(t, kind, b)
			fields, _ := got["Body"].(map[string]any)
			if want := reflect.TypeOf(body).NumField() - 1; got["Kind"] != kind.String() || len(fields) != want {
				t.Errorf("got %v, want %d fields", got, want)
			}
		})
	}
}

func TestBytesAreHexAndWordsAreWords(t *testing.T) {
	b, err := entry.Encode(entry.Answer{Arrival: entry.ArrivalID{Boot: 3, Counter: 4}, Code: &entry.Code{Digest: []byte{1, 0xfe}}})
	if err != nil {
		t.Fatal(err)
	}
	got := write(t, entry.KindAnswer, b)
	body := got["Body"].(map[string]any)
	if body["Arrival"] != "3-4" || body["Code"].(map[string]any)["Digest"] != "01fe" || body["Reading"] != nil {
		t.Errorf("got %v", body)
	}
	if got["Clock"] != "rtc" || got["Wall"] != "2020-09-13T12:26:40Z" {
		t.Errorf("got %v", got)
	}
}

func TestWhatANewerProgramWroteHasItsLeafOnly(t *testing.T) {
	for rule, c := range map[string]struct {
		kind entry.Kind
		body []byte
	}{
		"a kind that is not known": {200, []byte{0x80}},
		"a body with more fields":  {entry.KindStop, []byte{0x82, 0x60, 0x01}},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := write(t, c.kind, c.body); got["Body"] != nil || got["Leaf"] == "" {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestWhatAnExportMayHoldStandsInItsDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/journal-export.md")
	if err != nil {
		t.Fatal(err)
	}
	named := func(name string) {
		if !bytes.Contains(doc, []byte("`"+name+"`")) {
			t.Errorf("docs/journal-export.md does not name %s", name)
		}
	}
	for _, v := range []any{
		export.Fields{}, entry.Boot{}, entry.Arrival{}, entry.Answer{}, entry.Case{}, entry.Device{}, entry.ClockStep{}, entry.Policy{}, entry.Roster{},
		entry.Heartbeat{}, entry.Stop{}, entry.Reading{}, entry.Code{},
	} {
		for f := range reflect.TypeOf(v).Fields() {
			if f.IsExported() {
				named(f.Name)
			}
		}
	}
	for kind := entry.KindBoot; kind <= entry.KindStop; kind++ {
		named(kind.String())
	}
}
