package web_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/menshen/menshen/web"
)

func TestMask(t *testing.T) {
	tests := map[string]struct{ name, want string }{
		"the middle is hidden":               {"李一涵", "李*涵"},
		"two characters keep the first":      {"李涵", "李*"},
		"one character keeps nothing":        {"李", "*"},
		"the length is hidden":               {"阿卜杜热合曼·买买提", "阿*提"},
		"rare characters are one character":  {"𠅤𬭎㛃", "𠅤*㛃"},
		"nothing stays nothing":              {"", ""},
		"spaces around are no characters":    {" 李一涵 ", "李*涵"},
		"broken bytes do not reveal a name":  {"\xff李\xfe", "\uFFFD*\uFFFD"},
		"Latin names are masked all the way": {"Anna Smith", "A*h"},
	}
	for rule, tt := range tests {
		t.Run(rule, func(t *testing.T) {
			if got := web.Mask(tt.name); got != tt.want {
				t.Errorf("Mask(%q) = %q, want %q", tt.name, got, tt.want)
			}
		})
	}
}

func TestPersonIsANumberInLogsAndErrors(t *testing.T) {
	p := web.Person{ID: 17, Name: "王建国", Role: "guard"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("signed on", "person", p)
	for _, written := range []string{log.String(), fmt.Sprint(p), fmt.Errorf("act by %v", p).Error()} {
		if strings.Contains(written, p.Name) || !strings.Contains(written, "17") {
			t.Errorf("got %q, want the number and not the name", written)
		}
	}
}
