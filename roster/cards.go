package roster

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
)

// MaxCards is the highest number on a card: two digits are read at a glance.
const MaxCards = 99

// cardBase is below every card's roster number and above every person's.
const cardBase = 9_000_000_000_000_000

// Card is one of the numbered cards that a gate lends to its visitors, again and
// again. Its roster number is the same at every gate and is never a person's, so
// that no list from anywhere meets it: an import and an undo leave the cards as
// they are. Its digits are each gate's own, and no numbered list holds them: a
// card opens nothing at another gate. Printed or logged, it shows its number.
type Card struct {
	// Number is 1 to [MaxCards].
	Number int
	// Badge is the 16 digits on the card.
	Badge string
}

// ID returns the roster number by which entries name the card.
func (c Card) ID() uint64 { return cardBase + uint64(c.Number) }

// String returns what stands on the card in large: V07.
func (c Card) String() string { return fmt.Sprintf("V%02d", c.Number) }

// Format prints what String returns, whatever the verb.
func (c Card) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue keeps the digits out of the log.
func (c Card) LogValue() slog.Value { return slog.StringValue(c.String()) }

// CardOf returns the card, without its digits, that a roster number stands for,
// and false for a person's.
func CardOf(id uint64) (Card, bool) {
	if id <= cardBase || id > cardBase+MaxCards {
		return Card{}, false
	}
	return Card{Number: int(id - cardBase)}, true
}

// with gives a snapshot that nobody has seen yet its cards.
func (s *Snapshot) with(cards []Card) *Snapshot {
	s.cards, s.byCard = cards, make(map[string]Card, len(cards))
	for _, c := range cards {
		s.byCard[c.Badge] = c
	}
	return s
}

// Cards returns the cards in the order of their numbers. They are no people: not
// counted, not listed, and found by no search for one.
func (s *Snapshot) Cards() []Card { return s.cards }

// CardByBadge finds the card with these digits.
func (s *Snapshot) CardByBadge(badge string) (Card, bool) {
	c, ok := s.byCard[badge]
	return c, ok
}

// MakeCards makes those of the cards 1 to n that are missing and returns how many
// that were. A card that is there keeps its digits.
func (r *Roster) MakeCards(ctx context.Context, n int) (made int, err error) {
	if n < 1 || n > MaxCards {
		return 0, fmt.Errorf("make cards: %d is not 1 to %d", n, MaxCards)
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	old := r.Snapshot()
	there := make(map[int]bool, len(old.cards))
	for _, c := range old.cards {
		there[c.Number] = true
	}
	var missing []int
	for number := 1; number <= n; number++ {
		if !there[number] {
			missing = append(missing, number)
		}
	}
	if len(missing) == 0 {
		return 0, nil
	}
	cards, err := r.addCards(ctx, missing)
	if err != nil {
		return 0, fmt.Errorf("make cards: %w", err)
	}
	r.snapshot.Store(newSnapshot(old.Version, old.people).with(cards))
	close(old.replaced)
	r.log.LogAttrs(ctx, slog.LevelInfo, "cards made", slog.Int("cards", len(missing)))
	return len(missing), nil
}

// addCards adds cards in one transaction and returns all that there are. Their
// digits count as used by version 0, which no undo frees.
func (r *Roster) addCards(ctx context.Context, numbers []int) ([]Card, error) {
	tx, err := r.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after a commit this does nothing
	used, err := readUsed(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, number := range numbers {
		if err := addCard(ctx, tx, number, used); err != nil {
			return nil, err
		}
	}
	cards, err := readCards(ctx, tx)
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("commit: %w", err)
	}
	return cards, nil
}

func addCard(ctx context.Context, tx *sql.Tx, number int, used map[string]bool) error {
	badge, err := drawBadge(used)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO card (number, badge) VALUES (?, ?)`, number, badge); err != nil {
		return fmt.Errorf("write card: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO badge_used (badge, version) VALUES (?, 0)`, badge); err != nil {
		return fmt.Errorf("write used badge: %w", err)
	}
	return nil
}

func readCards(ctx context.Context, q querier) ([]Card, error) {
	rows, err := q.QueryContext(ctx, `SELECT number, badge FROM card ORDER BY number`)
	if err != nil {
		return nil, fmt.Errorf("read cards: %w", err)
	}
	defer rows.Close()
	var cards []Card
	for rows.Next() {
		var c Card
		if err := rows.Scan(&c.Number, &c.Badge); err != nil {
			return nil, fmt.Errorf("read cards: %w", err)
		}
		cards = append(cards, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read cards: %w", err)
	}
	return cards, nil
}

// PrintCards writes the cards as [Badges] writes people's badges: V07.png each,
// and the print sheet cards.html with the numbers in large.
func PrintCards(ctx context.Context, dir string, cards []Card, o BadgeOpts) error {
	list := make([]printed, 0, len(cards))
	for _, c := range cards {
		list = append(list, printed{who: c, file: c.String() + ".png", badge: c.Badge, label: label{Number: c.String()}})
	}
	return printBadges(ctx, filepath.Clean(dir), "cards.html", list, o)
}
