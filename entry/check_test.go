package entry_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
)

// noon is a check with every sort of exception.
func noon() entry.Checked {
	return entry.Checked{Check: "noon", Scope: "class", Group: "三年级:1班", Expected: 42, Exceptions: []entry.Exception{
		{Subject: 7, Absent: true},
		{Subject: 8, Absent: true, Found: []string{"cough"}},
		{Subject: 9, Found: []string{"cough", "sore-throat"}},
		{Subject: 10, Value: 36_400, Instrument: "ear"},
		{Subject: 1042, Found: []string{"fever"}, Value: 37_500, Instrument: "axilla"},
	}}
}

func TestACheckStandsInItsEntryAsTheDocumentSays(t *testing.T) {
	a, err := noon().Answer()
	want := entry.Answer{Act: 24, Reason: "noon:class:42:三年级:1班", Rows: []string{
		"7:absent", "8:absent,cough", "9:cough,sore-throat", "10:ear@36400", "1042:fever,axilla@37500",
	}}
	if err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("%+v, %v", a, err)
	}
	if got, err := entry.ReadChecked(a); err != nil || !reflect.DeepEqual(got, noon()) {
		t.Errorf("%+v, %v", got, err)
	}
	all := entry.Checked{Check: "bus", Scope: "bus", Group: "1号车", Expected: 30}
	if a, err = all.Answer(); err != nil || a.Rows != nil {
		t.Errorf("%+v, %v", a, err)
	}
	if got, err := entry.ReadChecked(a); err != nil || !reflect.DeepEqual(got, all) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestNoCheckIsReadFromAnyOtherSpelling(t *testing.T) {
	for rule, a := range map[string]entry.Answer{
		"nothing":                         {},
		"no group":                        {Reason: "noon:class:42:"},
		"no number of people":             {Reason: "noon:class::1班"},
		"a number with a zero before it":  {Reason: "noon:class:042:1班"},
		"more people than a school has":   {Reason: "noon:class:10001:1班"},
		"a check that is no word":         {Reason: "Noon:class:42:1班"},
		"a group that is no text":         {Reason: "noon:class:42:\xff"},
		"a group without end":             {Reason: "noon:class:42:" + strings.Repeat("x", 201)},
		"nobody":                          {Reason: "noon:class:42:1班", Rows: []string{"0:absent"}},
		"nothing about somebody":          {Reason: "noon:class:42:1班", Rows: []string{"7:"}},
		"the same person twice":           {Reason: "noon:class:42:1班", Rows: []string{"7:absent", "7:cough"}},
		"another order of people":         {Reason: "noon:class:42:1班", Rows: []string{"8:absent", "7:absent"}},
		"another order of words":          {Reason: "noon:class:42:1班", Rows: []string{"7:fever,cough"}},
		"a symptom twice":                 {Reason: "noon:class:42:1班", Rows: []string{"7:cough,cough"}},
		"absent behind a symptom":         {Reason: "noon:class:42:1班", Rows: []string{"7:cough,absent"}},
		"a word that is none":             {Reason: "noon:class:42:1班", Rows: []string{"7:李一涵"}},
		"a temperature of nobody alive":   {Reason: "noon:class:42:1班", Rows: []string{"7:ear@29900"}},
		"a temperature that is none":      {Reason: "noon:class:42:1班", Rows: []string{"7:ear@warm"}},
		"a temperature twice":             {Reason: "noon:class:42:1班", Rows: []string{"7:ear@37500,ear@37500"}},
		"a temperature before a symptom":  {Reason: "noon:class:42:1班", Rows: []string{"7:ear@37500,fever"}},
		"a temperature by no thermometer": {Reason: "noon:class:42:1班", Rows: []string{"7:@37500"}},
		"more exceptions than fit": {Reason: "noon:class:42:1班", Rows: slices.Collect(func(yield func(string) bool) {
			for i := range entry.MaxExceptions + 1 {
				if !yield(fmt.Sprintf("%d:absent", i+1)) {
					return
				}
			}
		})},
	} {
		t.Run(rule, func(t *testing.T) {
			if c, err := entry.ReadChecked(a); err == nil {
				t.Errorf("read as %+v", c)
			}
		})
	}
}

func TestTheLargestCheckFitsAnEntry(t *testing.T) {
	word := func(i int) string { return strings.Repeat("x", 19) + string(rune('a'+i)) }
	c := entry.Checked{Check: word(0), Scope: word(1), Group: strings.Repeat("x", entry.MaxGroup), Expected: 10_000}
	for i := range entry.MaxExceptions {
		x := entry.Exception{Subject: 1<<53 - entry.MaxExceptions + uint64(i), Absent: true, Value: 43_000, Instrument: word(0)}
		for j := range 10 {
			x.Found = append(x.Found, word(j))
		}
		c.Exceptions = append(c.Exceptions, x)
	}
	a, err := c.Answer()
	if err != nil {
		t.Fatal(err)
	}
	a.By = []uint64{1<<64 - 1, 1<<64 - 1}
	if _, err := sample(t, a).Marshal(); err != nil {
		t.Error(err)
	}
}

// FuzzChecked: what is read is written again word for word, and is bounded.
func FuzzChecked(f *testing.F) {
	a, err := noon().Answer()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(a.Reason, strings.Join(a.Rows, "\n"))
	f.Add("morning:dormitory:8:2-305", "")
	f.Add("::::", ",@:\n1:,,")
	f.Fuzz(func(t *testing.T, reason, rows string) {
		a := entry.Answer{Act: entry.ActChecked, Reason: reason}
		if rows != "" {
			a.Rows = strings.Split(rows, "\n")
		}
		c, err := entry.ReadChecked(a)
		if err != nil {
			return
		}
		again, err := c.Answer()
		if err != nil || !reflect.DeepEqual(again, a) || len(c.Exceptions) > entry.MaxExceptions || len(c.Group) > entry.MaxGroup {
			t.Errorf("%+v is written as %+v, %v", a, again, err)
		}
	})
}
