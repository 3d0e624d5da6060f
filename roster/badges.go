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

type label struct {
	Name, Class string
	Picture     template.URL
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
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write badges: %w", err)
	}
	var labels []label
	written := make(map[string]bool, len(people))
	for _, p := range people {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("write badges: %w", err)
		}
		png, err := badgePNG(p.Badge)
		if err != nil {
			return fmt.Errorf("write badge of %v: %w", p, err)
		}
		name := fileName(p)
		if written[name] {
			return fmt.Errorf("write badge of %v: another person's file has the same name", p)
		}
		written[name] = true
		if err := writeBadge(filepath.Join(dir, name), png); err != nil {
			return fmt.Errorf("write badge of %v: %w", p, err)
		}
		data := "data:image/png;base64," + base64.StdEncoding.EncodeToString(png)
		labels = append(labels, label{p.Name, p.Class, template.URL(data)})
	}
	sheet, err := template.New("badges").Parse(sheetHTML)
	if err != nil {
		return fmt.Errorf("write badge sheet: %w", err)
	}
	var page bytes.Buffer
	if err := sheet.Execute(&page, struct {
		Title  string
		Labels []label
	}{o.Title, labels}); err != nil {
		return fmt.Errorf("write badge sheet: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "badges.html"), page.Bytes(), 0o600); err != nil {
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
