package config

import (
	"reflect"
	"strings"
	"testing"
)

const oneSibling = "[[sibling]]\ngate = \"east\"\naddress = \"192.168.1.20:8631\"\nkey = \"" + collectorKey + "\"\n"

func TestTwoGatesOfASchoolNameEachOther(t *testing.T) {
	const listens = "[boards]\nlisten = \"0.0.0.0:8631\"\n"
	lane := boardRelay + boardLamp + boardLane
	second := strings.Replace(oneSibling, "east", "west", 1) + "called = \"西门\"\n"
	cfg, err := parseBoard(boardGated+oneSibling+second+listens, lane)
	want := []Sibling{
		{Gate: "east", Address: "192.168.1.20:8631", Key: collectorKey},
		{Gate: "west", Called: "西门", Address: "192.168.1.20:8631", Key: collectorKey},
	}
	if err != nil || !reflect.DeepEqual(cfg.Siblings, want) || cfg.Boards.Listen != "0.0.0.0:8631" || cfg.Boards.Keys != nil {
		t.Fatalf("got %+v, %v", cfg, err)
	}
	change := func(line, by string) string { return boardGated + strings.Replace(oneSibling, line, by, 1) + listens }
	var nine strings.Builder
	for i := range maxSiblings + 1 {
		nine.WriteString(strings.Replace(oneSibling, "east", "east-"+string(rune('0'+i)), 1))
	}
	for rule, c := range map[string]struct{ gated, profile, want string }{
		"nowhere to meet":     {boardGated + oneSibling, lane, "gated.toml:3: sibling: the other gate meets this one nowhere · add [boards]"},
		"this gate itself":    {change(`"east"`, `"room"`), lane, "gated.toml:4: sibling.gate: \"room\" is this gate · name"},
		"a gate twice":        {boardGated + oneSibling + oneSibling + listens, lane, "gated.toml:8: sibling.gate: \"east\" stands there twice · name"},
		"nine gates":          {boardGated + nine.String() + listens, lane, "gated.toml:35: sibling: more than 8 gates · remove some"},
		"no address":          {change("address = \"192.168.1.20:8631\"\n", ""), lane, "gated.toml:3: sibling.address: missing · write"},
		"a key that is none":  {change(collectorKey, "east"), lane, "gated.toml:6: sibling.key: not a public key · copy"},
		"too long for a line": {boardGated + oneSibling + "called = \"" + strings.Repeat("东", 9) + "\"\n" + listens, lane, "gated.toml:7: sibling.called: longer than 24 bytes · use"},
		"an unknown key":      {boardGated + oneSibling + "phone = \"1\"\n" + listens, lane, "gated.toml:7: sibling.phone: unknown key · remove"},
		"of a board":          {boardGated + oneFollow + oneSibling, boardRelay + boardLamp, "gated.toml:7: sibling: belongs to a gate with lanes"},
	} {
		t.Run(rule, func(t *testing.T) {
			cfg, err := parseBoard(c.gated, c.profile)
			if err == nil || cfg != nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want only %s", err, c.want)
			}
		})
	}
}
