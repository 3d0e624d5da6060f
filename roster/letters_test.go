package roster

import (
	"flag"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

var update = flag.Bool("update", false, "write the letters of the characters anew")

// TestTheLettersAreThoseOfTheDictionary holds the text against the dictionary
// from which it was made, character by character.
func TestTheLettersAreThoseOfTheDictionary(t *testing.T) {
	lines := map[byte]*strings.Builder{}
	style := pinyin.NewArgs()
	style.Style, style.Heteronym = pinyin.FirstLetter, true
	for r := rune(utf8.RuneSelf); r <= utf8.MaxRune; r++ {
		if _, ok := pinyin.PinyinDict[int(r)]; !ok {
			continue
		}
		seen := ""
		for _, s := range pinyin.SinglePinyin(r, style) {
			if s == "" || s[0] < 'a' || s[0] > 'z' || strings.Contains(seen, s[:1]) {
				continue
			}
			seen += s[:1]
			if lines[s[0]] == nil {
				lines[s[0]] = &strings.Builder{}
			}
			lines[s[0]].WriteRune(r)
		}
	}
	var want strings.Builder
	for letter := byte('a'); letter <= 'z'; letter++ {
		if line := lines[letter]; line != nil {
			want.WriteString(string(letter) + line.String() + "\n")
		}
	}
	if *update {
		if err := os.WriteFile("letters.txt", []byte(want.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if lettersText != want.String() {
		t.Error("the letters are other ones: go test ./roster -run Letters -update")
	}
}
