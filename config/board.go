package config

import (
	"fmt"
	"net"
	"strconv"

	"github.com/menshen/menshen/tomlfile"
)

// Boards says where the boards of isolation rooms, and the school's other gates,
// meet this gate.
type Boards struct {
	// Listen is host:port, empty where nobody follows the gate. Port 0 lets the
	// system choose.
	Listen string
	// Keys are those of the boards, in the form of Collector.Key; there may be none
	// where another gate follows.
	Keys []string
}

// Follow is one gate that the board of an isolation room follows.
type Follow struct {
	// Gate is the gate's name, [a-z0-9-]{1,32}, unique at the board.
	Gate string
	// Address is host:port at which the gate meets boards.
	Address string
	// Key is the gate's, in the form of Collector.Key.
	Key string
	// Phone is whom to call when the gate is lost; it may be empty.
	Phone string
}

// Most boards of a gate, and most gates of a board.
const (
	maxBoards  = 8
	maxFollows = 8
)

const deviceKeyRemedy = "copy what 'gatectl key show' prints there, from ed25519: on"

// readBoards reads [boards]; t is nil where it is left out. Siblings says that
// another gate meets this one there.
func readBoards(t *tomlfile.Table, siblings bool) Boards {
	if t == nil {
		return Boards{}
	}
	defer t.End()
	b := Boards{Listen: t.Required("listen", `write "0.0.0.0:8631", or the address of one network`), Keys: t.Words("keys", maxBoards)}
	if _, _, ok := hostPort(b.Listen); b.Listen != "" && !ok {
		t.Fault("listen", tomlfile.Quote(b.Listen)+" is not host:port", `write it as "0.0.0.0:8631"`)
	}
	if len(b.Keys) == 0 && !siblings {
		t.Fault("keys", "no board may follow", deviceKeyRemedy+", or remove [boards]")
	}
	for _, key := range b.Keys {
		if !publicKey.MatchString(key) {
			t.Fault("keys", "not a public key", deviceKeyRemedy)
		}
	}
	return b
}

// readFollows reads every [[follow]].
func readFollows(t *tomlfile.Table) []Follow {
	var all []Follow
	for i, one := range t.Tables("follow") {
		f := readFollow(one)
		for _, other := range all {
			if f.Gate == other.Gate && f.Gate != "" {
				one.Fault("gate", tomlfile.Quote(f.Gate)+" stands there twice", "name each gate once")
			}
		}
		if i == maxFollows {
			one.Fault("", fmt.Sprintf("more than %d gates", maxFollows), "remove some")
		}
		all = append(all, f)
	}
	if len(all) == 0 {
		return nil
	}
	const problem, remedy = "belongs to a gate with lanes, and this one follows others", "remove it, or every [[follow]]"
	for _, key := range []string{"boards", "isolation", "quiet", "visitors"} {
		if t.Has(key) {
			t.Fault(key, problem, remedy)
		}
	}
	for _, key := range []string{"collector", "sibling"} {
		for _, one := range t.Tables(key) {
			one.Fault("", problem, remedy)
		}
	}
	return all
}

func readFollow(t *tomlfile.Table) Follow {
	defer t.End()
	f := Follow{Gate: readName(t, "gate"), Phone: readPhone(t, "phone")}
	f.Address, f.Key = readPeer(t)
	return f
}

// readPeer reads where a gate is met, and its key.
func readPeer(t *tomlfile.Table) (address, key string) {
	address = t.Required("address", `write the gate's address and the port of its [boards], such as "192.168.1.20:8631"`)
	key = t.Required("key", deviceKeyRemedy)
	if key != "" && !publicKey.MatchString(key) {
		t.Fault("key", "not a public key", deviceKeyRemedy)
	}
	if host, port, ok := hostPort(address); address != "" && (!ok || host == "" || port == "0") {
		t.Fault("address", tomlfile.Quote(address)+" is not host:port", `write it as "192.168.1.20:8631"`)
	}
	return address, key
}

// hostPort splits an address whose port is a number.
func hostPort(s string) (host, port string, ok bool) {
	host, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	return host, port, err == nil
}

// board checks the parts of a profile of which a gate with lanes and a board
// that follows gates need different ones.
func (r *profileReader) board(t *tomlfile.Table, lanes []*tomlfile.Table, follows bool) {
	switch {
	case len(lanes) == 0 && !t.Has("lane") && !follows:
		t.Fault("lane", "missing", "describe at least one lane in [[lane]]; only a board that follows gates, by [[follow]] in gated.toml, has none")
	case len(lanes) > 0 && follows:
		lanes[0].Fault("", "a board that follows gates has no lanes", `write profile = "isolation-room" in gated.toml, or remove every [[follow]] there`)
	case follows && r.p.Isolation.Beacon.Relay == "" && r.p.Isolation.Buzzer.Relay == "":
		t.Fault("isolation", "a board without beacon and buzzer calls nobody", "set beacon or buzzer in [isolation]")
	}
	if follows && r.p.Fire != nil {
		t.Fault("fire", "a board that follows gates has no barriers", "remove it; the gate's own profile names its fire contact")
	}
	if follows && r.p.Sound != nil {
		t.Fault("sound", "a board that follows gates plays no sounds", "remove it; the buzzer stands in [isolation]")
	}
}
