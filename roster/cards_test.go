package roster

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func makeCards(t *testing.T, r *Roster, n, want int) {
	t.Helper()
	if made, err := r.MakeCards(t.Context(), n); err != nil || made != want {
		t.Fatalf("made %d cards, want %d: %v", made, want, err)
	}
}

func TestOnlyMissingCardsAreMade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	r := open(t, path)
	makeCards(t, r, 3, 3)
	before, old := slices.Clone(r.Snapshot().Cards()), r.Snapshot()
	makeCards(t, r, 5, 2)
	select {
	case <-old.Changed():
	default:
		t.Error("readers are not told of new cards")
	}
	makeCards(t, r, 5, 0)
	makeCards(t, r, 2, 0)
	after := r.Snapshot().Cards()
	if !slices.Equal(after[:3], before) || len(after) != 5 {
		t.Errorf("cards were %v, are %v", before, after)
	}
	for i, c := range after {
		if got, ok := r.Snapshot().CardByBadge(c.Badge); !ok || got != c || c.Number != i+1 || !isBadge(c.Badge) {
			t.Errorf("card %v has %d digits and is found as %v", c, len(c.Badge), got)
		}
	}
	if again := open(t, path).Snapshot().Cards(); !slices.Equal(again, after) {
		t.Errorf("reopened: %v", again)
	}
	for _, n := range []int{-1, 0, MaxCards + 1} {
		if _, err := r.MakeCards(t.Context(), n); err == nil {
			t.Errorf("%d cards are made", n)
		}
	}
}

func TestCardsAreNoPeople(t *testing.T) {
	r := empty(t)
	load(t, r, school(3), 0)
	was := r.Snapshot()
	makeCards(t, r, 20, 20)
	now := r.Snapshot()
	if now.Len() != 3 || len(present(r)) != 3 || now.Hash != was.Hash || now.Version != was.Version {
		t.Errorf("%v became %v", was, now)
	}
	card := now.Cards()[6]
	if _, ok := now.ByID(card.ID()); ok {
		t.Error("a card is somebody")
	}
	if _, ok := now.ByBadge(card.Badge); ok {
		t.Error("a card is somebody's badge")
	}
	if _, err := r.BindBadge(t.Context(), 1, card.Badge, "test"); err == nil {
		t.Error("a card becomes somebody's badge")
	}
}

func TestCardsAreWhatTheyWereAfterImportUndoAndNumberedLists(t *testing.T) {
	r := empty(t)
	makeCards(t, r, 20, 20)
	cards := slices.Clone(r.Snapshot().Cards())
	same := func(when string, r *Roster) {
		t.Helper()
		if !slices.Equal(r.Snapshot().Cards(), cards) {
			t.Errorf("%s: %v", when, r.Snapshot().Cards())
		}
	}
	load(t, r, school(30), 0)
	same("after an import", r)
	if _, err := r.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	same("after an undo", r)
	load(t, r, append(school(30), student(2000, "1班")), 0)
	if id := find(t, r, "2000").ID; id != 31 {
		t.Errorf("people are numbered on from the cards: %d", id)
	}

	var list bytes.Buffer
	if err := r.Snapshot().WriteEverybody(&list); err != nil {
		t.Fatal(err)
	}
	people, err := Parse(&list)
	if err != nil || len(people) != 31 {
		t.Fatalf("the list holds %d people: %v", len(people), err)
	}
	other := empty(t)
	makeCards(t, other, 20, 20)
	theirs := other.Snapshot().Cards()
	load(t, other, people, 0)
	if other.Snapshot().Hash != r.Snapshot().Hash || !slices.Equal(other.Snapshot().Cards(), theirs) || slices.Equal(theirs, cards) {
		t.Error("a numbered list touches the cards of the other gate")
	}
}

func TestNoListGivesSomebodyTheDigitsOfACard(t *testing.T) {
	r := empty(t)
	makeCards(t, r, 1, 1)
	list := school(2)
	list[1].Badge = r.Snapshot().Cards()[0].Badge
	if _, err := r.Import(t.Context(), list, ImportOpts{}); err == nil {
		t.Error("a person has the digits of a card")
	}
}

func TestARosterNumberTellsACardFromAPerson(t *testing.T) {
	for id, want := range map[uint64]int{0: 0, 1: 0, maxID: 0, cardBase + 1: 1, cardBase + 99: 99, cardBase + 100: 0, 1<<64 - 1: 0} {
		if c, ok := CardOf(id); c.Number != want || ok != (want > 0) {
			t.Errorf("%d is card %d, %t", id, c.Number, ok)
		}
	}
	if c, _ := CardOf(Card{Number: 7}.ID()); c.String() != "V07" {
		t.Errorf("7 is %v", c)
	}
}

func TestPrintedCardsShowTheirNumberInLarge(t *testing.T) {
	r, dir := empty(t), filepath.Join(t.TempDir(), "cards")
	makeCards(t, r, 2, 2)
	if err := PrintCards(t.Context(), dir, r.Snapshot().Cards(), BadgeOpts{Title: "实验小学"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"V01.png", "V02.png"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	sheet, err := os.ReadFile(filepath.Join(dir, "cards.html"))
	if err != nil || !strings.Contains(string(sheet), "<b>V02</b>") {
		t.Errorf("the sheet does not show the number: %v", err)
	}
	if strings.Contains(string(sheet), r.Snapshot().Cards()[0].Badge) {
		t.Error("the sheet spells a card's digits out")
	}
}

func TestTheDigitsOfACardAreNeitherPrintedNorLogged(t *testing.T) {
	c, log := Card{Number: 7, Badge: "1234567890123456"}, new(bytes.Buffer)
	slog.New(slog.NewTextHandler(log, nil)).Info("card", "card", c)
	for _, text := range []string{log.String(), fmt.Sprintf("%v %+v %#v %s %d", c, c, c, c, c)} {
		if strings.Contains(text, "1234") || !strings.Contains(text, "V07") {
			t.Errorf("printed as %q", text)
		}
	}
}

func TestAFileOfTheSecondFormatGetsCards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.db")
	r := open(t, path)
	load(t, r, school(2), 0)
	for _, s := range append(withoutEvidence(), `DROP TABLE card`, `PRAGMA user_version = 2`) {
		if _, err := r.db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	again := open(t, path)
	makeCards(t, again, 20, 20)
	if again.Snapshot().Len() != 2 {
		t.Errorf("%v", again.Snapshot())
	}
}
