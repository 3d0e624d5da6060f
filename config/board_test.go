package config

import (
	"io/fs"
	"reflect"
	"strings"
	"testing"
)

// The least of a board, of a gate that boards follow, and of their profiles.
const (
	boardGated = "gate = \"room\"\nprofile = \"board\"\n"
	oneFollow  = "[[follow]]\ngate = \"east\"\naddress = \"192.168.1.20:8631\"\nkey = \"" + collectorKey + "\"\n"
	boardRelay = "name = \"room\"\n[port.relay]\npath = \"/dev/relay\"\n[relay.board]\nkind = \"lcus\"\nport = \"relay\"\nchannels = 2\n"
	boardLamp  = "[isolation]\nbeacon = { relay = \"board\", channel = 1 }\n"
	boardLane  = "[[lane]]\nnumber = 1\ndirection = \"out\"\n[lane.scanner]\nkind = \"line\"\nport = \"scanner\"\n[port.scanner]\npath = \"/dev/scanner\"\n"
)

func parseBoard(gated, profile string) (*Config, error) {
	return Parse(File{"gated.toml", []byte(gated)}, func(name string) (File, error) {
		if name != "board" {
			return File{}, fs.ErrNotExist
		}
		return File{"profile.toml", []byte(profile)}, nil
	})
}

func TestABoardHasGatesAndNoLane(t *testing.T) {
	second := strings.ReplaceAll(strings.Replace(oneFollow, "east", "west", 1), "192.168.1.20", "[fd00::20]") + "phone = \"6123\"\n"
	cfg, err := parseBoard(boardGated+oneFollow+second, boardRelay+boardLamp)
	if err != nil {
		t.Fatal(err)
	}
	want := []Follow{
		{Gate: "east", Address: "192.168.1.20:8631", Key: collectorKey},
		{Gate: "west", Address: "[fd00::20]:8631", Key: collectorKey, Phone: "6123"},
	}
	if !reflect.DeepEqual(cfg.Follow, want) || len(cfg.Board.Lanes) != 0 || len(cfg.Warnings) != 0 {
		t.Errorf("got %+v, %+v, %v", cfg.Follow, cfg.Board, cfg.Warnings)
	}
}

func TestAGateMeetsItsBoards(t *testing.T) {
	cfg, err := parseBoard(boardGated+"[boards]\nlisten = \"0.0.0.0:8631\"\nkeys = [\""+collectorKey+"\"]\n", boardRelay+boardLamp+boardLane)
	if want := (Boards{Listen: "0.0.0.0:8631", Keys: []string{collectorKey}}); err != nil || !reflect.DeepEqual(cfg.Boards, want) {
		t.Errorf("got %+v, %v", cfg, err)
	}
}

func TestFaultsOfBoardsSayWhatToMend(t *testing.T) {
	follow := func(line, by string) string { return boardGated + strings.Replace(oneFollow, line, by, 1) }
	lamp, lane := boardRelay+boardLamp, boardRelay+boardLamp+boardLane
	for rule, c := range map[string]struct{ gated, profile, want string }{
		"no lane and no gate":         {boardGated, lamp, "profile.toml:1: lane: missing · describe"},
		"lanes and gates":             {boardGated + oneFollow, lane, "profile.toml:10: lane: a board that follows gates has no lanes · write profile"},
		"nothing to be seen or heard": {boardGated + oneFollow, "name = \"room\"\n", "profile.toml:1: isolation: a board without beacon and buzzer calls nobody · set"},
		"a loudspeaker":               {boardGated + oneFollow, lamp + "[sound]\n", "profile.toml:10: sound: a board that follows gates plays no sounds · remove it"},
		"a gate without a name":       {follow("gate = \"east\"\n", ""), lamp, "gated.toml:3: follow.gate: "},
		"a gate twice":                {boardGated + oneFollow + oneFollow, lamp, "gated.toml:8: follow.gate: \"east\" stands there twice · name"},
		"no address":                  {follow("address = \"192.168.1.20:8631\"\n", ""), lamp, "gated.toml:3: follow.address: missing · write"},
		"an address without a port":   {follow(":8631", ""), lamp, "gated.toml:5: follow.address: \"192.168.1.20\" is not host:port · write"},
		"an address without a host":   {follow("192.168.1.20", ""), lamp, "gated.toml:5: follow.address: \":8631\" is not host:port · write"},
		"any port":                    {follow("8631", "0"), lamp, "gated.toml:5: follow.address: \"192.168.1.20:0\" is not host:port · write"},
		"a link for an address":       {follow("192.168.1.20:8631", "https://192.168.1.20"), lamp, "gated.toml:5: follow.address: \"https://192.168.1.20\" is not host:port · write"},
		"a key that is none":          {follow(collectorKey, "ed25519:x"), lamp, "gated.toml:6: follow.key: not a public key · copy what 'gatectl key show'"},
		"a phone that is none":        {boardGated + oneFollow + "phone = \"east\"\n", lamp, "gated.toml:7: follow.phone: \"east\" is not a telephone number · "},
		"an unknown key":              {boardGated + oneFollow + "name = \"x\"\n", lamp, "gated.toml:7: follow.name: unknown key · remove it"},
		"nine gates":                  {boardGated + nineFollows(), lamp, "gated.toml:35: follow: more than 8 gates · remove some"},
		"a collector of a board":      {boardGated + oneFollow + "[[collector]]\nname = \"a\"\nurl = \"mqtts://a\"\nkey = \"" + collectorKey + "\"\npassword_file = \"/p\"\n", lamp, "gated.toml:7: collector: belongs to a gate with lanes"},
		"boards of a board":           {boardGated + oneFollow + "[boards]\nlisten = \"0.0.0.0:1\"\nkeys = [\"" + collectorKey + "\"]\n", lamp, "gated.toml:7: boards: belongs to a gate with lanes"},
		"boards nowhere":              {boardGated + "[boards]\nkeys = [\"" + collectorKey + "\"]\n", lane, "gated.toml:3: boards.listen: missing · write"},
		"boards at no port":           {boardGated + "[boards]\nlisten = \"0.0.0.0\"\nkeys = [\"" + collectorKey + "\"]\n", lane, "gated.toml:4: boards.listen: \"0.0.0.0\" is not host:port · write"},
		"no boards":                   {boardGated + "[boards]\nlisten = \"0.0.0.0:8631\"\n", lane, "gated.toml:3: boards.keys: no board may follow · copy"},
		"a board's key that is none":  {boardGated + "[boards]\nlisten = \"0.0.0.0:8631\"\nkeys = [\"room\"]\n", lane, "gated.toml:5: boards.keys: not a public key · copy"},
	} {
		t.Run(rule, func(t *testing.T) {
			cfg, err := parseBoard(c.gated, c.profile)
			if err == nil || cfg != nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want only %s", err, c.want)
			}
		})
	}
}

func nineFollows() string {
	var b strings.Builder
	for i := range maxFollows + 1 {
		b.WriteString(strings.Replace(oneFollow, "east", "east-"+string(rune('0'+i)), 1))
	}
	return b.String()
}
