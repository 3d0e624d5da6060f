package roster

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const evidenceList = "学号,姓名,班级,角色,年级,住宿,家庭,核酸,星号,行程,材料,宿舍,校车\n" +
	"1,A,五年级2班,学生,,走读,异常@2022-03-14,2022-03-14T07:30:00+08:00; +2022-03-12T07:30:00+08:00,有星,正常,承诺书@2022-03-01;健康卡,,1号车\n" +
	"2,B,初三(1)班,学生,初三毕业班,boarder,ok,,无,bad@2022-03-14T07:30:00Z,,２-305,无\n"

// withoutEvidence are the statements that take a file back to before format 4.
func withoutEvidence() (steps []string) {
	for _, table := range []string{"person", "previous"} {
		for _, column := range evidenceColumns() {
			steps = append(steps, "ALTER TABLE "+table+" DROP COLUMN "+column)
		}
	}
	return steps
}

func TestAListSaysWhatASchoolKnowsBesideACode(t *testing.T) {
	people, err := Parse(strings.NewReader(evidenceList))
	if err != nil {
		t.Fatal(err)
	}
	want := []Evidence{
		{Boarding: DayPupil, Household: "bad@2022-03-14", Tests: "+2022-03-11T23:30:00Z;2022-03-13T23:30:00Z", Star: "bad", History: "ok", Documents: "承诺书@2022-03-01;健康卡", Dormitory: none, Bus: "1号车"},
		{Grade: "初三毕业班", Boarding: Boarder, Household: "ok", Tests: none, Star: none, History: "bad@2022-03-14T07:30:00Z", Documents: none, Dormitory: "2-305", Bus: none},
	}
	for i, p := range people {
		if p.Evidence != want[i] {
			t.Errorf("row %d: %+v", i+2, p.Evidence)
		}
	}
	east := time.FixedZone("", 8*3600)
	e := people[0].Evidence
	if bad, since, known := e.Household.Read(east); !bad || !known || !since.Equal(time.Date(2022, 3, 14, 0, 0, 0, 0, east)) {
		t.Error(bad, since, known)
	}
	if all := e.Tests.All(); len(all) != 2 || !all[0].Positive || all[1].Positive || !all[1].At.Equal(time.Date(2022, 3, 13, 23, 30, 0, 0, time.UTC)) {
		t.Error(all)
	}
	if all := e.Documents.All(east); len(all) != 2 || all[0].Name != "承诺书" || all[0].At.IsZero() || all[1] != (Paper{Name: "健康卡"}) {
		t.Error(all)
	}
}

func TestEvidenceThatCannotBeReadIsAFault(t *testing.T) {
	const head = "number,name,class,role,"
	for cell, want := range map[string]string{
		"boarding\n1,A,1班,学生,sometimes":                         "row 2: boarding is not a word for it",
		"household\n1,A,1班,学生,maybe":                            "row 2: household is neither ok nor bad",
		"star\n1,A,1班,学生,bad@yesterday":                         "row 2: star is neither",
		"history\n1,A,1班,学生,ok@":                                "row 2: history is neither",
		"tests\n1,A,1班,学生,2022-03-14":                           "row 2: tests is not a list of at most 8 times",
		"tests\n1,A,1班,学生,2022-03-14T07:30:00.5+08:00":          "row 2: tests is not",
		"tests\n1,A,1班,学生,;":                                    "row 2: tests is not",
		"documents\n1,A,1班,学生,@2022-03-14":                      "row 2: documents is not a list of at most 8 papers",
		"documents\n1,A,1班,学生," + strings.Repeat("a;", 8) + "a": "row 2: documents is not",
		"documents\n1,A,1班,学生," + strings.Repeat("a", 41):       "row 2: documents is not",
		"dormitory\n1,A,1班,学生," + strings.Repeat("a", 41):       "row 2: dormitory is longer than 40 bytes",
		"bus\n1,A,1班,学生," + strings.Repeat("a", 41):             "row 2: bus is longer",
		"grade\n1,A,1班,学生," + strings.Repeat("a", 201):          "row 2: grade is longer than 200 bytes",
	} {
		if _, err := Parse(strings.NewReader(head + cell + "\n")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", cell, err, want)
		}
	}
}

func TestADormitoryThatNobodyHasHasNoName(t *testing.T) {
	for group, want := range map[Group]string{"": "", none: "", "2-305": "2-305"} {
		if got := group.Name(); got != want {
			t.Errorf("%q is called %q", group, got)
		}
	}
}

func TestTheGradeIsThatOfTheListOrElseOfTheClass(t *testing.T) {
	for class, want := range map[string]string{
		"五年级2班": "五年级", "5年级2班": "5年级", "初三(1)班": "初三", "高一 3班": "高一", "初三 [1]": "初三",
		"大班": "", "7.1": "", "年级": "", "": "",
	} {
		if got := (Person{Role: Student, Class: class}).InGrade(); got != want {
			t.Errorf("%q is of %q, want %q", class, got, want)
		}
	}
	if got := (Person{Role: Student, Class: "五年级2班", Evidence: Evidence{Grade: "毕业班"}}).InGrade(); got != "毕业班" {
		t.Error(got)
	}
	if got := (Person{Role: Staff, Class: "五年级2班"}).InGrade(); got != "" {
		t.Error(got)
	}
}

func TestAColumnThatIsAbsentKeepsWhatIsKnownAndAnEmptyCellDoesNot(t *testing.T) {
	r := empty(t)
	list := func(text string) []Person {
		people, err := Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return people
	}
	first := list(evidenceList)
	load(t, r, first, 0)
	load(t, r, list("number,name,class,role,grade\n1,A2,6年级2班,student,\n2,B,初三(1)班,student,\n"), 0)
	got := present(r)
	if want := first[0].Evidence; got[0].Evidence != want {
		t.Errorf("%+v, want %+v", got[0].Evidence, want)
	}
	if got[1].InGrade() != "初三" {
		t.Errorf("a grade is of every list anew: %q", got[1].InGrade())
	}
	load(t, r, list("number,name,class,role,household,documents\n1,A,6年级2班,student,,\n2,B,初三(1)班,student,,\n"), 0)
	if e := present(r)[0].Evidence; e.Household != none || e.Documents != none || e.Star != "bad" {
		t.Errorf("%+v", e)
	}
	if _, err := r.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if e := present(r)[0].Evidence; e.Household != "bad@2022-03-14" {
		t.Errorf("after an undo: %+v", e)
	}
}

func TestEvidenceGoesByTheFileAndByTheNumberedList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	r := open(t, path)
	people, err := Parse(strings.NewReader(evidenceList))
	if err != nil {
		t.Fatal(err)
	}
	load(t, r, people, 0)
	want := present(r)
	gate := empty(t)
	load(t, gate, sent(t, r), 0)
	if !slices.Equal(present(gate), want) || gate.Snapshot().Hash != r.Snapshot().Hash {
		t.Error("the gate knows something else")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if r = open(t, path); !slices.Equal(present(r), want) {
		t.Error("the file says something else")
	}
	changed := slices.Clone(people)
	changed[1].Evidence.Household, changed[1].Evidence.Dormitory, changed[1].Evidence.Bus = "bad", "3-101", "2号车"
	if c := load(t, r, changed, 0); len(c.Changed) != 1 {
		t.Errorf("%v", c)
	}
	if e := present(r)[1].Evidence; e.Household != "bad" || e.Dormitory != "3-101" || e.Bus != "2号车" {
		t.Errorf("%+v", e)
	}
}
