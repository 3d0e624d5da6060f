package roster

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

const chineseList = "姓名,学号,班级,角色,卡号,监护人1,电话1,监护人2,电话2,码色,码色时间\r\n" +
	"李一涵,２０２１００１,七（３）班,学生,0123456789012345,李　强,13800000001,,,红码,2022-03-14T07:30:00+08:00\r\n" +
	"王门卫,T7,,教职工,,,,,,,\r\n" +
	",,,,,,,,,,\r\n"

func chinesePeople() []Person {
	return []Person{{
		Number: "2021001", Name: "李一涵", Class: "七(3)班", Role: Student, Badge: "0123456789012345",
		Guardian1: Guardian{"李 强", "13800000001"}, Colour: Red, ColourTime: time.Date(2022, 3, 13, 23, 30, 0, 0, time.UTC),
	}, {
		Number: "T7", Name: "王门卫", Role: Staff, Colour: NoColour,
	}}
}

func TestListIsReadInEveryEncoding(t *testing.T) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(chineseList)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"UTF-8": chineseList, "UTF-8 with mark": "\uFEFF" + chineseList, "GB18030": gb} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, chinesePeople()) {
				t.Errorf("the people differ from those of the list")
			}
		})
	}
}

func TestColumnsMayBeEnglishAbsentAndInAnyOrder(t *testing.T) {
	got, err := Parse(strings.NewReader("Role,Class,Name,Number\nService,,Cook,S1\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Person{{Number: "S1", Name: "Cook", Role: Service}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v", got)
	}
	if got[0].Colour != "" {
		t.Error("an absent colour column states a colour, and would clear a known red")
	}
}

func TestAColumnOfRosterNumbersNumbersTheList(t *testing.T) {
	got, err := Parse(strings.NewReader("名册号,学号,姓名,班级,角色,离校\n９,1,A,7.1,学生,\n9000000000000000,2,B,7.1,学生,离校\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got[0].ID != 9 || got[0].Left || got[1].ID != maxID || !got[1].Left {
		t.Errorf("got %v, %t and %v, %t", got[0], got[0].Left, got[1], got[1].Left)
	}
	if got, err = Parse(strings.NewReader("roster_number,number,name,class,role\n,1,A,7.1,student\n")); err != nil || got[0].ID != 0 {
		t.Errorf("an empty column numbers somebody: %v, %v", got, err)
	}
}

func TestFaultyListIsRefused(t *testing.T) {
	const head = "number,name,class,role,badge,phone1,colour,colour_time\n"
	const numberedHead = "roster_number,number,name,class,role,left\n"
	const good = "1,A,7.1,student,,,,\n"
	for _, tt := range []struct{ rule, list, want string }{
		{"unknown column is named", "number,name,class,role,hobby\n1,A,7.1,student,x\n", `row 1: "hobby" is not a known column`},
		{"missing column is named", "number,name,class\n1,A,7.1\n", "row 1: role is missing"},
		{"column twice", "number,name,class,role,学号\n1,A,7.1,student,1\n", "row 1: number stands there twice"},
		{"colour without its time column", "number,name,class,role,colour\n1,A,7.1,student,red\n", "row 1: colour and colour_time"},
		{"header missing", "1,张三丰,7.1,student\n", "row 1: is not a header row"},
		{"empty file", "", "holds no people"},
		{"header only", head, "holds no people"},
		{"spreadsheet number", head + "4.4E+17,A,7.1,student,,,,\n", "row 2: number was shortened by the spreadsheet"},
		{"spreadsheet badge", head + "1,A,7.1,student,1.23457E+15,,,\n", "row 2: badge was shortened"},
		{"spreadsheet phone", head + "1,A,7.1,student,,1.38e+10,,\n", "row 2: phone1 was shortened"},
		{"badge of 15 digits", head + "1,A,7.1,student,123456789012345,,,\n", "row 2: badge is not 16 digits"},
		{"number twice", head + good + "2,B,7.1,student,,,,\n" + "１,C,7.1,student,,,,\n", "row 4: number is the same as in row 2"},
		{"badge twice", head + "1,A,7.1,student,1234567890123456,,,\n2,B,7.1,student,1234567890123456,,,\n", "row 3: badge is the same as in row 2"},
		{"number empty", head + ",A,7.1,student,,,,\n", "row 2: number is empty"},
		{"name empty", head + "1,,7.1,student,,,,\n", "row 2: name is empty"},
		{"student without class", head + "1,A,,student,,,,\n", "row 2: class is empty for a student"},
		{"role unknown", head + "1,A,7.1,king,,,,\n", "row 2: role is not a role"},
		{"colour unknown", head + "1,A,7.1,student,,,blue,2022-03-14T07:30:00+08:00\n", "row 2: colour is not a colour"},
		{"colour without time", head + "1,A,7.1,student,,,red,\n", "row 2: colour_time is missing"},
		{"time without colour", head + "1,A,7.1,student,,,,2022-03-14T07:30:00+08:00\n", "row 2: colour is missing"},
		{"time not RFC 3339", head + "1,A,7.1,student,,,red,14.3.2022\n", "row 2: colour_time is not a time"},
		{"time before there were codes", head + "1,A,7.1,student,,,red,0000-01-01T00:00:00+01:00\n", "row 2: colour_time is not a time"},
		{"cell too long", head + "1," + strings.Repeat("A", 201) + ",7.1,student,,,,\n", "row 2: name is longer than 200 bytes"},
		{"row too long", head + "1," + strings.Repeat("A", 9000) + ",7.1,student,,,,\n", "row 2: is longer than 8192 bytes"},
		{"control character", head + "1,A\x00B,7.1,student,,,,\n", "row 2: name holds characters"},
		{"too few cells", head + "1,A,7.1,student\n", "row 2: has 4 cells and the header row 8"},
		{"value under no heading", "number,name,class,role,\n1,A,7.1,student,x\n", "row 2: has a value in column 5"},
		{"line break in a cell", head + "1,\"A\nB\",7.1,student,,,,\n", "row 2: has a stray quote"},
		{"empty row in between", head + "\n" + good, "row 2: is empty"},
		{"roster number of another sort", numberedHead + "7.0,1,A,7.1,student,\n", "row 2: roster_number is not a whole number from 1"},
		{"roster number with zeros in front", numberedHead + "07,1,A,7.1,student,\n", "row 2: roster_number is not"},
		{"roster number 0", numberedHead + "0,1,A,7.1,student,\n", "row 2: roster_number is not"},
		{"roster number with a sign", numberedHead + "+7,1,A,7.1,student,\n", "row 2: roster_number is not"},
		{"roster number of a visitor's card", numberedHead + "9000000000000001,1,A,7.1,student,\n", "row 2: roster_number is not"},
		{"roster number twice", numberedHead + "7,1,A,7.1,student,\n7,2,B,7.1,student,\n", "row 3: roster_number is the same as in row 2"},
		{"roster number not for all", numberedHead + "7,1,A,7.1,student,\n,2,B,7.1,student,\n", "row 3: roster_number is given to some"},
		{"roster number for the last only", numberedHead + ",1,A,7.1,student,\n7,2,B,7.1,student,\n", "row 3: roster_number is given to some"},
		{"left in another word", numberedHead + "7,1,A,7.1,student,no\n", "row 2: left is not a word for it"},
		{"left without roster numbers", numberedHead + ",1,A,7.1,student,left\n", "row 2: left stands in a list without"},
		{"workbook", "PK\x03\x04rest", "save it as CSV UTF-8"},
		{"too large", head + strings.Repeat("x", maxBytes), "larger than 10 MiB"},
		{"too many rows", head + strings.Repeat("\n", maxRows+1), "row 200002: is beyond 200000 people"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			got, err := Parse(strings.NewReader(tt.list))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
			if got != nil {
				t.Error("people stand beside an error")
			}
		})
	}
}

func TestEveryFaultyRowIsReportedAtOnceAndFiftyAreListed(t *testing.T) {
	var list strings.Builder
	list.WriteString("number,name,class,role\n")
	for i := range 70 {
		fmt.Fprintf(&list, "%d,,7.1,student\n", i)
	}
	_, err := Parse(strings.NewReader(list.String()))
	var faults *Faults
	if !errors.As(err, &faults) || faults.Total != 70 || len(faults.List) != 50 {
		t.Fatalf("got %v", err)
	}
	if faults.List[49].Row != 51 || !strings.HasSuffix(err.Error(), "and 20 more") {
		t.Errorf("got %v", err)
	}
}

func TestFaultsNameNobody(t *testing.T) {
	for _, list := range []string{
		"张三丰,13812345678,七三班,学生\n",
		"张三丰,13812345678,,\n",
		"number,name,class,role,phone1\n张三丰,张三丰,,国王,13812345678\n",
		"number,name,class,role,badge\n1,张三丰,七三班,学生,13812345678\n1,张三丰,七三班,学生,13812345678\n",
		"number,name,class,role\n1,张三丰\"x,七三班,学生\n",
	} {
		_, err := Parse(strings.NewReader(list))
		if err == nil {
			t.Fatalf("list was accepted: %s", list)
		}
		if s := err.Error(); strings.Contains(s, "张三丰") || strings.Contains(s, "13812345678") {
			t.Errorf("personal data in %q", s)
		}
	}
}

// FuzzParse holds whatever bytes come to this: no panic, and people who keep
// every rule and every bound, whose list written again reads the same.
func FuzzParse(f *testing.F) {
	f.Add([]byte(chineseList))
	f.Add([]byte("\uFEFFnumber,name,class,role\n1,A,7.1,student\n"))
	f.Add([]byte("number,name,class,role,badge\n1,\"A \"\"x\"\"\",7.1,student,1234567890123456\n"))
	f.Add([]byte("number,name,class,role,colour,colour_time\n1,A,7.1,student,red,2022-03-14T07:30:00.1239+08:00\n"))
	f.Add([]byte("名册号,number,name,class,role,badge,离校\n7,1,A,7.1,student,1234567890123456,\n9000000000000000,2,B,7.1,student,,离校\n"))
	f.Add([]byte(evidenceList))
	f.Add([]byte("\xd1\xa7\xba\xc5,\xd0\xd5\xc3\xfb\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		people, err := Parse(bytes.NewReader(data))
		if err != nil {
			if len(err.Error()) > 64<<10 {
				t.Errorf("error of %d bytes", len(err.Error()))
			}
			return
		}
		if len(people) > len(data) {
			t.Fatalf("%d people out of %d bytes", len(people), len(data))
		}
		check := newChecker()
		for i, p := range people {
			check.person(i+2, p)
		}
		if err := check.faults.err(); err != nil {
			t.Fatalf("accepted people break the rules: %v", err)
		}
		var list strings.Builder
		people = explicit(people)
		if err := newSnapshot(1, people).WriteEverybody(&list); err != nil {
			t.Fatal(err)
		}
		again, err := Parse(strings.NewReader(list.String()))
		if err != nil {
			t.Fatalf("list written again: %v", err)
		}
		if !reflect.DeepEqual(again, people) {
			t.Fatal("list written again reads differently")
		}
	})
}

// explicit gives numbers where there are none, states no colour where nothing
// was stated, and takes the badges of those who left.
func explicit(people []Person) []Person {
	var all []Person
	for i, p := range people {
		if p.ID == 0 {
			p.ID = uint64(i + 1)
		}
		if p.Colour == "" {
			p.Colour = NoColour
		}
		p.Evidence = p.Evidence.over(Evidence{})
		if p.Left {
			p.Badge = ""
		}
		all = append(all, p)
	}
	return all
}
