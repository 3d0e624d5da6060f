package roster

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	_ "embed"

	"github.com/skip2/go-qrcode"
)

//go:embed badges.html.tmpl
var sheetHTML string

// pixelsPerModule makes a picture of 290 pixels: 21 modules and a quiet zone
// of 4 on either side. Printed 26 mm wide a module is 0.9 mm.
const pixelsPerModule = 10

// BadgeOpts is what else stands on the sheet.
type BadgeOpts struct {
	// Title heads the sheet, such as the name of the school.
	Title string
}

// label is what stands beside a picture: a person, or in large a card's number.
type label struct {
	Name, Class, Number string
	Picture             template.URL
}

// printed is one badge to be printed: whose, its digits, and its file.
type printed struct {
	who         fmt.Stringer
	file, badge string
	label       label
}

// Badges writes into the directory dir, made where there is none, a QR picture
// of each person's badge as NUMBER.png and the print sheet badges.html: A4,
// squares of 26 mm with name and class, everything in the one file. In the file
// name, what is neither letter, digit, hyphen nor underscore becomes an
// underscore, and the roster number is appended then.
//
// Files are readable by their owner only: whoever has a picture has the badge.
// Those of an earlier run are replaced. A person without badge is an error, and
// the files written before it stay.
func Badges(ctx context.Context, dir string, people []Person, o BadgeOpts) error {
	list := make([]printed, 0, len(people))
	for _, p := range people {
		list = append(list, printed{who: p, file: fileName(p), badge: p.Badge, label: label{Name: p.Name, Class: p.Class}})
	}
	return printBadges(ctx, dir, "badges.html", list, o)
}

// printBadges writes the pictures and the sheet of that name.
func printBadges(ctx context.Context, dir, sheet string, list []printed, o BadgeOpts) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write badges: %w", err)
	}
	var labels []label
	written := make(map[string]bool, len(list))
	for _, p := range list {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("write badges: %w", err)
		}
		png, err := badgePNG(p.badge)
		if err != nil {
			return fmt.Errorf("write badge of %v: %w", p.who, err)
		}
		if written[p.file] {
			return fmt.Errorf("write badge of %v: another person's file has the same name", p.who)
		}
		written[p.file] = true
		if err := writeBadge(filepath.Join(dir, p.file), png); err != nil {
			return fmt.Errorf("write badge of %v: %w", p.who, err)
		}
		p.label.Picture = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(png))
		labels = append(labels, p.label)
	}
	page, err := template.New("badges").Parse(sheetHTML)
	if err != nil {
		return fmt.Errorf("write badge sheet: %w", err)
	}
	var text bytes.Buffer
	if err := page.Execute(&text, struct {
		Title  string
		Labels []label
	}{o.Title, labels}); err != nil {
		return fmt.Errorf("write badge sheet: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, sheet), text.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write badge sheet: %w", err)
	}
	return nil
}

// writeBadge keeps the file's name, a school number, out of its errors.
func writeBadge(path string, png []byte) error {
	err := os.WriteFile(path, png, 0o600)
	if pathErr := (*os.PathError)(nil); errors.As(err, &pathErr) {
		return fmt.Errorf("%s: %w", pathErr.Op, pathErr.Err)
	}
	return err
}

// badgePNG draws QR version 1 with error level Q, which go-qrcode calls High.
func badgePNG(badge string) ([]byte, error) {
	if !isBadge(badge) {
		return nil, fmt.Errorf("badge is not %d digits", badgeDigits)
	}
	code, err := qrcode.NewWithForcedVersion(badge, 1, qrcode.High)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return code.PNG(-pixelsPerModule)
}

func fileName(p Person) string {
	safe := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, p.Number)
	if safe != p.Number {
		safe = fmt.Sprintf("%s-%d", safe, p.ID)
	}
	return safe + ".png"
}
