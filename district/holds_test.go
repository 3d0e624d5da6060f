package district

import (
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
)

func leafOf(t *testing.T, body any) []byte {
	t.Helper()
	kind, _ := entry.KindOf(body)
	b, err := entry.Encode(body)
	must(t, err)
	leaf, err := entry.Entry{Kind: kind, Wall: 1_600_000_000_000, Body: b}.Marshal()
	must(t, err)
	return leaf
}

// The rule is the gate's own: package lane's.
func TestWhatAnEntryDoesToHolds(t *testing.T) {
	const refer, admit, isolate = uint8(screening.Refer), uint8(screening.Admit), uint8(screening.Isolate)
	red, held := []string{"code:red-code"}, []string{"bound/hold:on-hold"}
	placed, lifted := store.HoldChange{Act: store.PlaceHold, Subject: 7}, store.HoldChange{Act: store.LiftHold, Subject: 7}
	from := func(h store.HoldChange, source string) store.HoldChange {
		h.Source = source
		return h
	}
	for rule, tt := range map[string]struct {
		body any
		want store.HoldChange
	}{
		"a stop places":                          {entry.Arrival{End: entry.EndDecided, Outcome: isolate, Subject: 7, Rows: red}, placed},
		"a stop by a standing hold changes none": {entry.Arrival{End: entry.EndDecided, Outcome: refer, Subject: 7, Rows: held}, store.HoldChange{}},
		"an admission lifts":                     {entry.Arrival{End: entry.EndDecided, Outcome: admit, Subject: 7}, lifted},
		"who went on changes nothing":            {entry.Arrival{End: entry.EndIncomplete, Subject: 7}, store.HoldChange{}},
		"nobody known is held":                   {entry.Arrival{End: entry.EndOrphan, Outcome: isolate, Rows: red}, store.HoldChange{}},
		"turned away, what is over is over":      {entry.Answer{Act: entry.ActTurnedAway, Outcome: refer, Subject: 7, Rows: []string{"green:no-green"}}, lifted},
		"turned away with red, it stays":         {entry.Answer{Act: entry.ActTurnedAway, Outcome: isolate, Subject: 7, Rows: red}, placed},
		"admitted at the desk":                   {entry.Answer{Act: entry.ActTemperatureTyped, Outcome: admit, Subject: 7, By: []uint64{1}}, lifted},
		"a look that lets in":                    {entry.Answer{Act: entry.ActLooked, Outcome: admit, Subject: 7, By: []uint64{1}, Reason: "tests:in-order"}, lifted},
		"a look that does not":                   {entry.Answer{Act: entry.ActLooked, Outcome: refer, Subject: 7, By: []uint64{1}, Rows: []string{"tests:shown-bad"}, Reason: "tests:not-in-order"}, placed},
		"symptoms that were noted in a lane":     {entry.Answer{Act: entry.ActNoted, Outcome: isolate, Subject: 7, By: []uint64{1}, Rows: []string{"ill:symptoms"}, Reason: "symptoms"}, placed},
		"a collector places":                     {entry.Answer{Act: entry.ActHoldPlaced, Subject: 7, Reason: "collector:yucai"}, from(placed, "collector:yucai")},
		"a collector lifts its own":              {entry.Answer{Act: entry.ActHoldLifted, Subject: 7, Reason: "collector:yucai"}, from(lifted, "collector:yucai")},
		"a person lifts all":                     {entry.Answer{Act: entry.ActHoldLifted, Subject: 7, By: []uint64{1}}, store.HoldChange{Act: store.LiftHolds, Subject: 7}},
		"somebody looks ill":                     {entry.Answer{Act: entry.ActSymptoms, Subject: 7, By: []uint64{1}, Reason: "cough"}, from(placed, byName)},
		"a case holds who looks ill":             {entry.Answer{Act: entry.ActSymptoms, Subject: 7, By: []uint64{1}, Reason: "cough", Ticket: 3}, store.HoldChange{}},
		"somebody is named":                      {entry.Answer{Act: entry.ActNamed, Subject: 7, By: []uint64{1}}, store.HoldChange{}},
		"a hold is undone":                       {entry.Answer{Act: entry.ActUndo, Subject: 7, By: []uint64{1}, Reason: "hold"}, from(lifted, byName)},
		"an admission is undone":                 {entry.Answer{Act: entry.ActUndo, Subject: 7, By: []uint64{1}, Reason: "admit"}, from(placed, byName)},
		"a recheck is undone":                    {entry.Answer{Act: entry.ActUndo, Outcome: uint8(screening.Recheck), Rows: []string{"temperature:high-once"}, Subject: 7, Ticket: 3, Reason: "typed"}, placed},
		"a class was checked":                    {entry.Answer{Act: entry.ActChecked, By: []uint64{1}, Reason: "noon:class:42:三年级1班", Rows: []string{"7:cough"}}, store.HoldChange{}},
		"somebody is ill at home":                {entry.Answer{Act: entry.ActSick, Subject: 7, By: []uint64{1}, Reason: "vomiting"}, store.HoldChange{}},
		"the word of another gate holds nobody":  {entry.Answer{Act: entry.ActSeenAtGate, Outcome: refer, Subject: 7, Reason: "west:in"}, store.HoldChange{}},
		"a report of that is undone":             {entry.Answer{Act: entry.ActUndo, Subject: 7, By: []uint64{1}, Reason: "sick"}, store.HoldChange{}},
		"people place":                           {entry.Answer{Act: entry.ActHoldPlaced, Subject: 7, By: []uint64{1}, Reason: "yellow-code", Until: 1_600_000_000_000}, from(placed, byName)},
		"its time is over":                       {entry.Answer{Act: entry.ActHoldLifted, Subject: 7, Reason: "over"}, from(lifted, byName)},
		"a case of an arrival holds as the gate": {entry.Case{Number: 3, Step: entry.CaseOpened, Subject: 7, Arrival: entry.ArrivalID{Counter: 1}}, placed},
		"its end lifts the arrival's hold":       {entry.Case{Number: 3, Step: entry.CaseBackToClass, Subject: 7, Arrival: entry.ArrivalID{Counter: 1}}, lifted},
		"a case without an arrival holds too":    {entry.Case{Number: 3, Step: entry.CaseOpened, Subject: 7}, from(placed, inCase)},
		"its end lifts its own hold alone":       {entry.Case{Number: 3, Step: entry.CaseNotThisPerson, Subject: 7}, from(lifted, inCase)},
		"who turns out to be somebody is held":   {entry.Case{Number: 3, Step: entry.CaseIdentified, Subject: 7}, from(placed, inCase)},
		"a case of nobody known holds nobody":    {entry.Case{Number: 3, Step: entry.CaseOpened, Arrival: entry.ArrivalID{Counter: 1}}, store.HoldChange{}},
		"who went home stays held":               {entry.Case{Number: 3, Step: entry.CaseHome, Subject: 7}, store.HoldChange{}},
		"who may come back is held no more":      {entry.Case{Number: 3, Step: entry.CaseCleared, Subject: 7, Proof: 3}, from(lifted, inCase)},
		"unless that was not so":                 {entry.Case{Number: 3, Step: entry.CaseCorrected, Subject: 7, Proof: 3}, from(placed, inCase)},
		"another correction changes nothing":     {entry.Case{Number: 3, Step: entry.CaseCorrected, Subject: 7}, store.HoldChange{}},
		"a call changes nothing":                 {entry.Case{Number: 3, Step: entry.CaseCalled, Subject: 7}, store.HoldChange{}},
		"a hold is carried over":                 {entry.Answer{Act: entry.ActHoldPlaced, Subject: 7, Reason: "rebase"}, placed},
		"no record of a lane":                    {entry.Heartbeat{}, store.HoldChange{}},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := (reader{"yucai"}).stored(leafOf(t, tt.body)).Hold; got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestOfWhatAnEntryIsTheNewest(t *testing.T) {
	for rule, tt := range map[string]struct {
		body any
		want []string
	}{
		"a list of a collector's numbers people":    {entry.Roster{By: "collector:yucai"}, []string{topicRoster, topicNumbering}},
		"whoever adds people numbers them":          {entry.Roster{By: "gatectl", Added: 1}, []string{topicRoster, topicNumbering}},
		"a badge that is bound numbers nobody":      {entry.Roster{By: "gatectl", Changed: 1}, []string{topicRoster}},
		"a policy":                                  {entry.Policy{Number: 3}, []string{topicPolicy, "policy/3"}},
		"a document of ours that was refused":       {entry.Device{Role: "document", Event: entry.DeviceFault, Detail: "yucai/hold/east 7 refused: no"}, []string{topicRefused}},
		"a list of ours that was refused":           {entry.Device{Role: "document", Event: entry.DeviceFault, Detail: "yucai/roster/east 7 refused: no"}, []string{topicRefused, "refused/roster"}},
		"a document of others that was refused":     {entry.Device{Role: "document", Event: entry.DeviceFault, Detail: "yucai-2/hold/east 7 refused: no"}, nil},
		"another part of the gate that is at fault": {entry.Device{Role: "scanner", Event: entry.DeviceFault, Detail: "yucai/"}, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			if got := (reader{"yucai"}).stored(leafOf(t, tt.body)).Topics; !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func subjects(of ...uint64) map[uint64]bool {
	m := map[uint64]bool{}
	for _, s := range of {
		m[s] = true
	}
	return m
}

func TestWhichHoldsAreDueAtAGate(t *testing.T) {
	other := site{gate: "east", admitted: true, ours: true, own: subjects(7)}
	foreign, revoked := other, other
	foreign.ours, revoked.admitted = false, false
	place, lift := order{"west", 7, true}, order{"west", 7, false}
	for rule, tt := range map[string]struct {
		passed []uint64
		own    []uint64
		others []site
		want   []order
	}{
		"what another gate holds is placed":               {others: []site{other}, want: []order{place}},
		"its own does not stand for it":                   {own: []uint64{7}, others: []site{other}, want: []order{place}},
		"what is placed is not placed again":              {passed: []uint64{7}, others: []site{other}},
		"what nobody holds any more is lifted":            {passed: []uint64{7}, others: []site{{admitted: true, ours: true, passed: subjects(7)}}, want: []order{lift}},
		"what one of two still holds stays":               {passed: []uint64{7}, others: []site{{admitted: true, ours: true}, other}},
		"its own does not keep what was placed":           {passed: []uint64{7}, own: []uint64{7}, others: []site{{admitted: true, ours: true}}, want: []order{lift}},
		"numbers that mean others are not passed on":      {others: []site{foreign}},
		"but do not lift what was placed before":          {passed: []uint64{7}, others: []site{foreign}},
		"nor does a gate that was shut out":               {passed: []uint64{7}, others: []site{revoked}},
		"from which nothing more is passed on":            {others: []site{revoked}},
		"what was passed on to another is not its own":    {others: []site{{admitted: true, ours: true, passed: subjects(7)}}},
		"a school of one gate has nobody to hear it from": {own: []uint64{7}},
	} {
		t.Run(rule, func(t *testing.T) {
			at := site{gate: "west", admitted: true, ours: true, passed: subjects(tt.passed...), own: subjects(tt.own...)}
			if got := due(at, tt.others); !slices.Equal(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			at.ours = false
			if got := due(at, tt.others); got != nil {
				t.Errorf("a gate with other numbers was ordered %+v", got)
			}
			at.ours, at.admitted = true, false
			if got := due(at, tt.others); got != nil {
				t.Errorf("a gate that was shut out was ordered %+v", got)
			}
		})
	}
}

func TestAnOrderIsRepeatedSeldomUnlessSomethingChanged(t *testing.T) {
	d := New(Options{Config: &config.District{Name: "yucai"}, Log: slog.New(slog.DiscardHandler)})
	s := &sender{d: d, tried: map[order]trial{}}
	one := keyed{order: order{"west", 7, true}, from: place{1, 5}}
	at := time.Date(2022, 9, 15, 7, 0, 0, 0, time.UTC)
	for i, step := range []struct {
		after time.Duration
		due   []keyed
		hello string
		sent  bool
	}{
		{0, []keyed{one}, "", true},
		{29 * time.Second, []keyed{one}, "", false},
		{time.Second, []keyed{one}, "", true},
		{59 * time.Second, []keyed{one}, "east", false},
		{time.Second, []keyed{one}, "", true},
		{time.Second, []keyed{one}, "west", true}, // it was away
		{29 * time.Second, []keyed{one}, "", false},
		{0, []keyed{{order: one.order, from: place{1, 9}}}, "", true}, // it has taken a list
		{0, []keyed{{order: order{"west", 7, false}}}, "", true},      // another order
		{0, nil, "", false},
		{0, []keyed{one}, "", true}, // it was answered, and is due again
	} {
		at = at.Add(step.after)
		if step.hello != "" {
			d.nudges.greet(step.hello)
		}
		if got := s.timely(step.due, at); (len(got) == 1) != step.sent {
			t.Errorf("step %d: sent %+v, want %v", i, got, step.sent)
		}
	}
	sent := 0
	for range 24 * 60 {
		at = at.Add(time.Minute)
		sent += len(s.timely([]keyed{one}, at))
	}
	if sent < 24 || sent > 24+8 {
		t.Errorf("a gate that refuses an order got it %d times in a day", sent)
	}
}

func TestOnlyWhoIsTheSameForBothGatesIsPassedOn(t *testing.T) {
	r, east, west, north := start(t), newGate(t, "east"), newGate(t, "west"), newGate(t, "north")
	r.admit(east)
	r.admit(west)
	r.importList(3)
	// The gate north came from a school where number 2 is somebody else.
	g := store.Gate{Name: north.name, Key: north.public(), School: "another", Admitted: time.Now()}
	must(t, r.admin.Admit(t.Context(), g))
	others := classOf(t, 3)
	others[1].Number = "X2"
	_, err := r.office().ImportRoster(t.Context(), g.School, others, 0)
	must(t, err)
	g.School = school
	must(t, r.admin.Admit(t.Context(), g))
	heads, err := r.lists.heads(t.Context())
	must(t, err)
	at, from, stranger := site{gate: "west", admitted: true, ours: true, post: heads["west"]},
		site{gate: "east", admitted: true, ours: true, post: heads["east"], own: subjects(2, 9)},
		site{gate: "north", admitted: true, ours: true, post: heads["north"], own: subjects(1, 2)}
	for rule, tt := range map[string]struct {
		order  order
		others []site
		known  bool
	}{
		"the same person":                      {order{"west", 2, true}, []site{from}, true},
		"another person by that number":        {order{"west", 2, true}, []site{stranger}, false},
		"one of the two means the same":        {order{"west", 2, true}, []site{stranger, from}, true},
		"nobody of that number on the list":    {order{"west", 9, true}, []site{from}, false},
		"a hold is lifted by the gate's list":  {order{"west", 2, false}, nil, true},
		"nobody of that number can be lifted":  {order{"west", 9, false}, nil, false},
		"the same, though it once was another": {order{"west", 1, true}, []site{stranger}, true},
	} {
		t.Run(rule, func(t *testing.T) {
			if _, known, err := r.keyOf(t.Context(), tt.order, at, tt.others); err != nil || known != tt.known {
				t.Errorf("got %v, %v, want %v", known, err, tt.known)
			}
		})
	}
}

func TestNamesAreThoseOfTheListThatTheGateNumbersBy(t *testing.T) {
	r, g := start(t), newGate(t, "east")
	r.admit(g)
	who := func(epoch uint32, subject uint64) string {
		t.Helper()
		names, err := r.names(t.Context())
		must(t, err)
		p, err := names("east", epoch, subject)
		must(t, err)
		return p.Name + p.Class + p.Number
	}
	if got := who(1, 2); got != "" {
		t.Errorf("before there is a list: %s", got)
	}
	r.importList(3)
	if got := who(1, 2); got != "" {
		t.Errorf("before the gate has taken it: %s", got)
	}
	r.takeList(g)
	g.stream(r.BrokerAddr(), publicKey(t, r))
	r.awaitDocuments(func(d Documents) bool { return d.Ours && d.Taken })
	if got := who(1, 2); got != "学生21班S2" {
		t.Errorf("got %q", got)
	}
	for rule, got := range map[string]string{"a journal before the list": who(0, 2), "nobody": who(1, 0), "somebody who is not on it": who(1, 4)} {
		if got != "" {
			t.Errorf("%s: %s", rule, got)
		}
	}
	g.record(entry.Roster{Version: 2, Changed: 1, By: "gatectl"}) // a badge
	r.awaitDocuments(func(d Documents) bool { return d.Ours && !d.Taken && d.Roster.Version == 2 })
	if got := who(1, 2); got == "" {
		t.Error("a badge that was bound at the gate hides the names")
	}
	g.record(entry.Roster{Version: 3, Added: 1, By: "gatectl"})
	r.awaitDocuments(func(d Documents) bool { return !d.Ours && d.Roster.Version == 3 })
	if got := who(1, 2); got != "" {
		t.Errorf("by another's numbers: %s", got)
	}
}

// awaitDocuments waits until what is known of the gate east is as wanted.
func (r *running) awaitDocuments(is func(Documents) bool) {
	r.t.Helper()
	r.awaitTrue("the documents of east", func() bool {
		all, err := r.Documents(r.t.Context())
		must(r.t, err)
		return is(all["east"])
	})
}

func TestWhatAGateRefusedIsKnownUntilItTakesAList(t *testing.T) {
	r, g := start(t), newGate(t, "east")
	r.admit(g)
	r.importList(3)
	fault := entry.Device{Role: "document", Event: entry.DeviceFault, Detail: "yucai/roster/east 7 refused: numbers differ"}
	g.record(fault)
	g.record(entry.Policy{Number: 4})
	g.stream(r.BrokerAddr(), publicKey(t, r))
	r.awaitDocuments(func(d Documents) bool {
		return d.Refused == "roster/east 7 refused: numbers differ" && !d.RefusedAt.IsZero() && d.Policy == 4 && !d.Posted.IsZero()
	})
	r.takeList(g)
	r.awaitDocuments(func(d Documents) bool { return d.Taken && d.Refused == "" })
	fault.Detail = "yucai/hold/east 8 refused: nobody"
	g.record(fault)
	r.takeList(g)
	g.record(entry.Policy{Number: 5})
	r.awaitDocuments(func(d Documents) bool { return d.Policy == 5 && d.Refused == "hold/east 8 refused: nobody" })
}

func TestTheOfficeKeepsOneRosterForEachSchool(t *testing.T) {
	r := start(t)
	o := r.office()
	if _, err := o.ImportRoster(t.Context(), school, classOf(t, 3), 0); err == nil {
		t.Error("a school without a gate has a roster")
	}
	r.admit(newGate(t, "east"))
	other := newGate(t, "west")
	must(t, r.admin.Admit(t.Context(), store.Gate{Name: other.name, Key: other.public(), Admitted: time.Now()}))
	r.importList(3)
	if _, err := o.ImportRoster(t.Context(), "west", classOf(t, 30), 0); err != nil {
		t.Fatal(err)
	}
	all, err := o.Rosters(t.Context())
	must(t, err)
	if len(all) != 2 || all[0].School != "west" || all[0].People != 30 || all[1].People != 3 || all[1].Posted.IsZero() ||
		!slices.Equal(all[1].Others, []string{"east"}) || all[1].Have != nil {
		t.Errorf("got %+v", all)
	}
	if c, err := o.Preview(t.Context(), "west", classOf(t, 10)); err != nil || !c.TooManyLeft() {
		t.Errorf("got %v, %v", c, err)
	}
	if _, err := o.ImportRoster(t.Context(), "west", classOf(t, 10), 0); err == nil {
		t.Error("a part was taken for the whole")
	}
	if c, err := o.ImportRoster(t.Context(), "west", classOf(t, 10), 20); err != nil || len(c.Left) != 20 {
		t.Errorf("got %v, %v", c, err)
	}
	if c, err := o.UndoRoster(t.Context(), "west"); err != nil || len(c.Added) != 20 {
		t.Errorf("got %v, %v", c, err)
	}
	if people := listOf(t, r.body(other)); len(people) != 30 {
		t.Errorf("after the undo %d people were posted", len(people))
	}
	before := r.posted(other).Number
	if _, err := o.ImportRoster(t.Context(), "west", classOf(t, 30), 0); err != nil || r.posted(other).Number <= before {
		t.Errorf("the same list is not posted again: %v", err)
	}
	if _, err := o.UndoRoster(t.Context(), school); !errors.Is(err, ErrNobody) {
		t.Errorf("got %v, want ErrNobody", err)
	}
	if all, err := o.Rosters(t.Context()); err != nil || all[1].Version != 2 || all[1].People != 0 {
		t.Errorf("got %+v, %v", all, err)
	}
}
