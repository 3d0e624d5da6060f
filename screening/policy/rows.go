package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/tomlfile"
)

// Words of the file, by the number that each stands for; an empty one is no word.
func roleWords() []string     { return []string{"", "student", "staff", "service", "visitor"} }
func boardingWords() []string { return []string{"", "day", "boarder"} }
func directionWords() []string {
	return []string{"in", "out", "both"}
}
func colourWords() []string { return []string{"", "green", "yellow", "red", "pop-up"} }
func failWords() []string   { return []string{"recheck", "refer", "refuse", "isolate"} }

// word reads one of a few words and returns its number; def where it is left out.
func word(t *tomlfile.Table, key string, def int, words []string) int {
	known := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
	s, ok := tomlfile.Read[string](t, key, "a word in quotes")
	if !ok {
		return def
	}
	if i := slices.Index(words, s); i >= 0 && s != "" {
		return i
	}
	t.Fault(key, tomlfile.Quote(s)+" is not known", "set "+strings.Join(known, " or "))
	return def
}

// wordSet reads a list of words as a set of bits.
func wordSet(t *tomlfile.Table, key string, words []string) (set uint8) {
	for _, s := range t.Words(key, len(words)) {
		i := slices.Index(words, s)
		if i < 0 {
			t.Fault(key, tomlfile.Quote(s)+" is not known", "write some of "+strings.Join(words[1:], ", "))
			continue
		}
		set |= 1 << i
	}
	return set
}

func readRows(tables []*tomlfile.Table) (rows []screening.Requirement) {
	seen := map[string]bool{}
	for _, t := range tables {
		row := readRow(t)
		if row.ID != "" && seen[row.ID] {
			t.Fault("id", tomlfile.Quote(row.ID)+" stands twice", "give every row a name of its own")
		}
		seen[row.ID] = true
		rows = append(rows, row)
	}
	return rows
}

func readRow(t *tomlfile.Table) screening.Requirement {
	before := t.Faults()
	r := screening.Requirement{
		ID: readID(t, "id"), Who: readWho(t), When: readWhen(t), Say: readSay(t),
		Fail: readOutcome(t, "fail", failWords()), Source: readSource(t),
	}
	r.Ask = readAsk(t)
	for _, or := range t.Tables("or") {
		r.Or = append(r.Or, readAskTable(or))
	}
	r.Warn = t.Choice("mode", "enforce", "enforce", "warn") == "warn"
	t.End()
	if err := r.Check(); err != nil && t.Faults() == before {
		t.Fault("id", err.Error(), "correct the row")
	}
	return r
}

func readOutcome(t *tomlfile.Table, key string, words []string) screening.Outcome {
	return parseOutcome(t.Choice(key, "", words...))
}

func parseOutcome(s string) screening.Outcome {
	for o := screening.Refer; o <= screening.Refuse; o++ {
		if o.String() == s {
			return o
		}
	}
	return screening.Refer
}

func readWho(t *tomlfile.Table) screening.Who {
	return screening.Who{
		Roles: screening.Roles(wordSet(t, "roles", roleWords())), Grades: t.Words("grades", 32),
		Boarding: screening.Boarding(word(t, "boarding", 0, boardingWords())),
	}
}

func readWhen(t *tomlfile.Table) screening.When {
	w := screening.When{
		Direction: screening.Direction(word(t, "direction", 0, directionWords())), SchoolDays: t.Flag("school_days"),
		From: readDay(t, "from"), Until: readDay(t, "until"),
	}
	if s := t.Text("place", w.Place.String()); s != "" {
		place, ok := screening.ParsePlace(s)
		if !ok {
			t.Fault("place", tomlfile.Quote(s)+" is not known", "set gate, dormitory, canteen, bus or classroom")
		}
		w.Place = place
	}
	w.After, w.Before = readHours(t)
	return w
}

// readHours reads the key hours, a part of a day; both are 0 where it is left out.
func readHours(t *tomlfile.Table) (after, before screening.Minutes) {
	s := t.Text("hours", "")
	if s == "" {
		return 0, 0
	}
	from, to, dash := strings.Cut(s, "-")
	after, ok := parseMinutes(from)
	before, ok2 := parseMinutes(to)
	if !dash || !ok || !ok2 || after >= before {
		t.Fault("hours", tomlfile.Quote(s)+" is no part of a day", `write it as "06:30-08:00"`)
		return 0, 0
	}
	return after, before
}

// parseMinutes reads a time of day, "00:00" to "24:00".
func parseMinutes(s string) (screening.Minutes, bool) {
	if s == "24:00" {
		return screening.DayLong, true
	}
	at, err := time.Parse("15:04", s)
	return screening.Minutes(at.Hour()*60 + at.Minute()), err == nil && len(s) == len("15:04")
}

func readMinutes(t *tomlfile.Table, key string) screening.Minutes {
	const remedy = `write it as "07:50"`
	s := t.Required(key, remedy)
	m, ok := parseMinutes(s)
	if s != "" && !ok {
		t.Fault(key, tomlfile.Quote(s)+" is no time of day", remedy)
	}
	return m
}

// readAsk reads the key ask: a word, or a table with more of it.
func readAsk(t *tomlfile.Table) screening.Ask {
	t.Require("ask", `name the evidence, such as "temperature"`)
	if _, text := t.Peek("ask").(string); !text {
		if ask := t.Table("ask"); ask != nil {
			return readAskTable(ask)
		}
		return screening.Ask{}
	}
	return screening.Ask{Evidence: parseEvidence(t, "ask", t.Text("ask", ""))}
}

func readAskTable(t *tomlfile.Table) screening.Ask {
	defer t.End()
	return screening.Ask{
		Evidence: parseEvidence(t, "evidence", t.Required("evidence", "name the evidence")),
		Name:     t.Text("name", ""),
		Count:    uint8(t.Number("count", 0, 1, 4)),
		Days:     uint8(t.Number("days", 0, 1, 30)),
		Within:   t.Duration("within", 0, time.Minute, screening.CodeAgeMost),
		Apart:    t.Duration("apart", 0, time.Minute, screening.CodeAgeMost),
		Colours:  screening.Colours(wordSet(t, "colours", colourWords())),
		Paper:    t.Flag("paper"),
	}
}

func parseEvidence(t *tomlfile.Table, key, s string) screening.Evidence {
	e, ok := screening.ParseEvidence(s)
	if !ok && s != "" {
		var known []string
		for e := screening.Identity; e <= screening.RiskArea; e++ {
			known = append(known, e.String())
		}
		t.Fault(key, tomlfile.Quote(s)+" is no evidence", "write one of "+strings.Join(known, ", "))
	}
	return e
}

// readSource reads the key source; a row may have none.
func readSource(t *tomlfile.Table) (s screening.Source) {
	src := t.Table("source")
	if src == nil {
		return s
	}
	defer src.End()
	s = screening.Source{Document: src.Text("document", ""), Line: src.Number("line", 0, 1, 1<<24), Quote: src.Text("quote", "")}
	s.Rules = readRules(src)
	return s
}

// readRules reads the key rules: numbers of the rules that the sources state.
func readRules(t *tomlfile.Table) []uint8 { return readNumbers(t, "rules", Rules) }

// readNumbers reads a list of at most 32 numbers of 1 to most.
func readNumbers(t *tomlfile.Table, key string, most int64) (numbers []uint8) {
	list, _ := tomlfile.Read[[]any](t, key, "a list of numbers")
	for _, v := range list {
		n, ok := v.(int64)
		if !ok || n < 1 || n > most || len(numbers) >= 32 {
			t.Fault(key, tomlfile.Show(v)+" may not stand here", fmt.Sprintf("write at most 32 numbers of 1 to %d", most))
			return nil
		}
		numbers = append(numbers, uint8(n))
	}
	return numbers
}

func readWindow(t *tomlfile.Table) screening.ArrivalWindow {
	defer t.End()
	before := t.Faults()
	w := screening.ArrivalWindow{
		Who: readWho(t), Direction: screening.Direction(word(t, "direction", 0, directionWords()[:2])),
		From: readMinutes(t, "from"), To: readMinutes(t, "to"),
	}
	w.Lanes = readNumbers(t, "lanes", 16)
	if err := w.Check(); err != nil && t.Faults() == before {
		t.Fault("from", err.Error(), "correct the window")
	}
	return w
}
