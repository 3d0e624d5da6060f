package config

import (
	"net"
	"regexp"
	"strconv"
	"time"

	"github.com/menshen/menshen/tomlfile"
)

// readGated reads every key of gated.toml but [ports] and returns the value of
// profile.
func readGated(t *tomlfile.Table, cfg *Config) (profile string) {
	cfg.Gate = readName(t, "gate")
	cfg.School = t.Text("school", "")
	cfg.Data = readPath(t, "data", DefaultData)
	cfg.Socket = readPath(t, "socket", defaultSocket)
	cfg.Language = t.Choice("language", defaultLanguage, LanguageChinese, LanguageEnglish)
	cfg.Web = readWeb(t.Table("web"))
	cfg.VisitorsAfter = readVisitors(t.Table("visitors"))
	cfg.Isolation = readPhones(t.Table("isolation"))
	cfg.Quiet = readQuiet(t.Table("quiet"))
	cfg.Collectors = readCollectors(t)
	cfg.PolicySigners = readSigners(t, "policy_signers")
	cfg.Siblings = readSiblings(t, cfg.Gate)
	cfg.Boards = readBoards(t.Table("boards"), len(cfg.Siblings) > 0)
	cfg.Follow = readFollows(t)
	return t.Required("profile", "name a built-in profile or the path of a .toml file")
}

// narrowest is the width, in millimetres, below which no buttons of 20 mm stand
// beside each other.
const narrowest = 70

// readWeb reads [web]; t is nil where it is left out.
func readWeb(t *tomlfile.Table) Web {
	if t == nil {
		return Web{Listen: defaultListen}
	}
	defer t.End()
	w := Web{Listen: t.Text("listen", defaultListen), Insecure: t.Flag("insecure"), ScreenMM: t.Number("screen_mm", 0, 0, 3000)}
	if w.ScreenMM > 0 && w.ScreenMM < narrowest {
		t.Fault("screen_mm", strconv.Itoa(w.ScreenMM)+" is narrower than any screen that a lane fits on",
			"measure the visible width in millimetres, or leave it out")
	}
	host, port, err := net.SplitHostPort(w.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	switch {
	case err != nil:
		t.Fault("listen", tomlfile.Quote(w.Listen)+" is not host:port", "write it as "+tomlfile.Quote(defaultListen))
	case !w.Insecure && !loopback(host):
		t.Fault("listen", tomlfile.Quote(w.Listen)+" can be reached by other machines without encryption",
			"listen on 127.0.0.1, or set insecure = true in [web]")
	}
	return w
}

// readVisitors reads [visitors]; t is nil where it is left out.
func readVisitors(t *tomlfile.Table) (after time.Duration) {
	if t == nil {
		return 0
	}
	defer t.End()
	text := t.Text("after", "")
	if text == "" {
		return 0
	}
	after, ok := timeOfDay(text)
	if !ok {
		t.Fault("after", tomlfile.Quote(text)+" is no time of day", "write it as "+tomlfile.Quote("08:30")+", or leave it out")
	}
	return after
}

// readPhones reads [isolation]; t is nil where it is left out.
func readPhones(t *tomlfile.Table) Phones {
	if t == nil {
		return Phones{}
	}
	defer t.End()
	return Phones{Phone: readPhone(t, "phone"), LeaderPhone: readPhone(t, "leader_phone")}
}

// phones are numbers as people write them, short enough for one line of a screen.
var phones = regexp.MustCompile(`^\+?[0-9][0-9 -]{1,19}$`)

// readPhone reads a telephone number, empty where it is left out.
func readPhone(t *tomlfile.Table, key string) string {
	s := t.Text(key, "")
	if s != "" && !phones.MatchString(s) {
		t.Fault(key, tomlfile.Quote(s)+" is not a telephone number", "write digits, with blanks or - between them, at most 20")
		return ""
	}
	return s
}

// loopback reports whether only this machine reaches a host. A name other than
// localhost does not count: what it means is decided elsewhere.
func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
