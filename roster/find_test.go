package roster

import (
	"slices"
	"strings"
	"testing"
)

func TestANameIsFoundByEveryReadingOfItsCharacters(t *testing.T) {
	for rule, tt := range map[string]struct {
		name    string
		finds   []string
		findNot []string
	}{
		"by all its initials":                    {"李一涵", []string{"lyh", "ly", "l", ""}, []string{"y", "lh", "lyhx"}},
		"a surname that is read unlike the word": {"单于", []string{"s", "d", "c", "sy"}, []string{"z"}},
		"another one":                            {"曾巩", []string{"zg", "cg"}, []string{"g"}},
		"two characters of surname":              {"欧阳娜娜", []string{"oynn"}, []string{"y"}},
		"the dot of a name is not typed":         {"阿卜杜热合曼·艾则孜", []string{"abdrhmazz", "abd"}, []string{"d"}},
		"Latin letters stand for themselves":     {"Anna Ó Li", []string{"anna", "ann"}, []string{"al"}},
		"digits too":                             {"测试07", []string{"cs07"}, []string{"cs7"}},
		"a rare character has its reading":       {"赵𠅤", []string{"zx"}, []string{"zy"}},
		"any letter stands for one without":      {"赵\U000323AF敏", []string{"zam", "zqm"}, []string{"zaa"}},
		"no vowel keeps its tone":                {"安恩鄂", []string{"aee"}, nil},
	} {
		t.Run(rule, func(t *testing.T) {
			f := Found{Initials: initialsOf(tt.name)}
			for _, letters := range tt.finds {
				if !f.Begins(letters) {
					t.Errorf("%q does not find %v", letters, f.Initials)
				}
			}
			for _, letters := range tt.findNot {
				if f.Begins(letters) {
					t.Errorf("%q finds %v", letters, f.Initials)
				}
			}
		})
	}
}

func TestAClassListsWhoIsPresentInTheOrderOfTheList(t *testing.T) {
	s := newSnapshot(1, []Person{
		{ID: 1, Name: "王建国"}, {ID: 2, Name: "赵敏", Class: "2班"}, {ID: 3, Name: "李一涵", Class: "1班"},
		{ID: 4, Name: "周明", Class: "2班"}, {ID: 5, Name: "吴迪", Class: "2班", Left: true}, {ID: 6, Name: "郑爽", Class: "3班", Left: true},
	})
	if got := s.Classes(); !slices.Equal(got, []string{"", "2班", "1班"}) {
		t.Errorf("classes %q", got)
	}
	var names []string
	for _, f := range s.Class("2班") {
		names = append(names, f.Name)
	}
	if !slices.Equal(names, []string{"赵敏", "周明"}) {
		t.Errorf("class %q", names)
	}
	s.Class("2班")[0].Name = "other"
	s.Classes()[0] = "other"
	if s.Class("2班")[0].Name != "赵敏" || s.Classes()[0] != "" || s.Class("9班") != nil {
		t.Error("a snapshot has changed")
	}
}

// FuzzInitials: whatever stands in a list for a name, each character has small
// letters and digits only, once each, and the name is found by the first of all.
func FuzzInitials(f *testing.F) {
	for _, name := range []string{"李一涵", "单于", "阿卜杜热合曼·艾则孜", "Anna 07", "\xff·ḿ", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		list, letters := initialsOf(name), ""
		if len(list) > len(name) {
			t.Fatalf("%d characters of %d bytes", len(list), len(name))
		}
		for _, of := range list {
			for i, c := range of {
				if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789", c) || strings.IndexRune(of, c) != i {
					t.Fatalf("letters %q", of)
				}
			}
			letters += (of + "x")[:1]
		}
		if found := (Found{Initials: list}); !found.Begins(letters) {
			t.Errorf("%q does not find %q", letters, list)
		}
	})
}

// initialsOf looks up one name alone.
func initialsOf(name string) []string {
	of := readings{}
	of.want(name)
	of.look()
	return of.initials(name)
}
