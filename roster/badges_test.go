package roster

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func badgePeople() []Person {
	return []Person{
		{ID: 1, Number: "2021001", Name: "李一涵", Class: "七(3)班", Role: Student, Badge: "0123456789012345"},
		{ID: 2, Number: "../etc/x", Name: "<b>王</b>", Role: Staff, Badge: "9999999999999999"},
	}
}

func write(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "badges")
	if err := Badges(t.Context(), dir, badgePeople(), BadgeOpts{Title: "第一中学"}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPictureIsVersion1LevelQWithAQuietZoneOfFour(t *testing.T) {
	data, err := badgePNG("0123456789012345")
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	const modules, quietZone = 21, 4
	if want := image.Rect(0, 0, (modules+2*quietZone)*pixelsPerModule, (modules+2*quietZone)*pixelsPerModule); img.Bounds() != want {
		t.Fatalf("picture is %v, want %v", img.Bounds(), want)
	}
	dark := func(x, y int) bool {
		r, _, _, _ := img.At((x+quietZone)*pixelsPerModule+pixelsPerModule/2, (y+quietZone)*pixelsPerModule+pixelsPerModule/2).RGBA()
		return r < 0x8000
	}
	for i := -quietZone; i < modules+quietZone; i++ {
		for _, edge := range []int{-quietZone, -1, modules, modules + quietZone - 1} {
			if dark(i, edge) || dark(edge, i) {
				t.Fatalf("the quiet zone is dark at %d, %d", i, edge)
			}
		}
	}
	// ISO/IEC 18004: finder patterns in three corners; the timing pattern of
	// version 1 alternates from module 8 to 12.
	for _, corner := range []image.Point{{0, 0}, {modules - 7, 0}, {0, modules - 7}} {
		for i := range 7 {
			if !dark(corner.X+i, corner.Y) || !dark(corner.X, corner.Y+i) || !dark(corner.X+3, corner.Y+3) {
				t.Fatalf("no finder pattern at %v", corner)
			}
		}
	}
	for i := 8; i <= 12; i++ {
		if dark(i, 6) != (i%2 == 0) || dark(6, i) != (i%2 == 0) {
			t.Errorf("the timing pattern is wrong at %d", i)
		}
	}
	// The first two format bits, under the mask 10, say the level: Q is 11.
	if level := [2]bool{!dark(0, 8), dark(1, 8)}; level != [2]bool{true, true} {
		t.Errorf("error level bits are %v", level)
	}
}

func TestPicturesAreReadByAScanner(t *testing.T) {
	zbar, err := exec.LookPath("zbarimg")
	if err != nil {
		t.Skip("zbarimg not installed")
	}
	dir := write(t)
	for _, p := range badgePeople() {
		out, err := exec.CommandContext(t.Context(), zbar, "--quiet", "--raw", filepath.Join(dir, fileName(p))).Output()
		if err != nil || strings.TrimSpace(string(out)) != p.Badge {
			t.Errorf("%v: read %q, %v", p, out, err)
		}
	}
}

func TestSheetHoldsEverythingItself(t *testing.T) {
	dir := write(t)
	sheet, err := os.ReadFile(filepath.Join(dir, "badges.html"))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := os.ReadFile(filepath.Join(dir, "2021001.png"))
	if err != nil {
		t.Fatal(err)
	}
	// html/template writes the + of base64 as an entity.
	text := strings.ReplaceAll(string(sheet), "&#43;", "+")
	for _, want := range []string{"第一中学", "李一涵", "七(3)班", "size: A4", "width: 26mm", base64.StdEncoding.EncodeToString(picture), "&lt;b&gt;王"} {
		if !strings.Contains(text, want) {
			t.Errorf("the sheet lacks %.40q", want)
		}
	}
	for _, other := range []string{"http:", "https:", "<b>王", "ZgotmplZ"} {
		if strings.Contains(text, other) {
			t.Errorf("the sheet holds %q", other)
		}
	}
}

func TestFilesStayInTheDirectoryAndAreTheOwnersOnly(t *testing.T) {
	entries, err := os.ReadDir(write(t))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if got := strings.Join(names, " "); got != "2021001.png ___etc_x-2.png badges.html" {
		t.Errorf("files are %s", got)
	}
}

func TestBadgeFaultsNameNobody(t *testing.T) {
	for _, tt := range []struct {
		rule string
		make func(dir string) []Person
	}{
		{"no badge", func(string) []Person { return []Person{{ID: 7, Number: "2021001"}} }},
		{"one file for two people", func(string) []Person {
			return []Person{
				{ID: 1, Number: "2021001", Badge: "0123456789012345"},
				{ID: 7, Number: "2021001", Badge: "0123456789012346"},
			}
		}},
		{"file cannot be written", func(dir string) []Person {
			if err := os.MkdirAll(filepath.Join(dir, "2021001.png"), 0o700); err != nil {
				t.Fatal(err)
			}
			return []Person{{ID: 7, Number: "2021001", Badge: "0123456789012345"}}
		}},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			dir := t.TempDir()
			err := Badges(t.Context(), dir, tt.make(dir), BadgeOpts{})
			if err == nil || strings.Contains(err.Error(), "2021001") || !strings.Contains(err.Error(), "person 7") {
				t.Errorf("got %v", err)
			}
		})
	}
}
