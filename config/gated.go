package config

import (
	"net"
	"regexp"
	"strconv"
	"time"
)

// readGated reads every key of gated.toml but [ports] and returns the value of
// profile.
func readGated(t *table, cfg *Config) (profile string) {
	cfg.Gate = t.name("gate")
	cfg.School = t.text("school", "")
	cfg.Data = t.path("data", DefaultData)
	cfg.Socket = t.path("socket", defaultSocket)
	cfg.Language = t.choice("language", defaultLanguage, LanguageChinese, LanguageEnglish)
	cfg.Web = readWeb(t.table("web"))
	cfg.VisitorsAfter = readVisitors(t.table("visitors"))
	cfg.Isolation = readPhones(t.table("isolation"))
	cfg.Collectors = readCollectors(t)
	return t.required("profile", "name a built-in profile or the path of a .toml file")
}

// narrowest is the width, in millimetres, below which no buttons of 20 mm stand
// beside each other.
const narrowest = 70

// readWeb reads [web]; t is nil where it is left out.
func readWeb(t *table) Web {
	if t == nil {
		return Web{Listen: defaultListen}
	}
	defer t.end()
	w := Web{Listen: t.text("listen", defaultListen), Insecure: t.flag("insecure"), ScreenMM: t.number("screen_mm", 0, 0, 3000)}
	if w.ScreenMM > 0 && w.ScreenMM < narrowest {
		t.fault("screen_mm", strconv.Itoa(w.ScreenMM)+" is narrower than any screen that a lane fits on",
			"measure the visible width in millimetres, or leave it out")
	}
	host, port, err := net.SplitHostPort(w.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	switch {
	case err != nil:
		t.fault("listen", quote(w.Listen)+" is not host:port", "write it as "+quote(defaultListen))
	case !w.Insecure && !loopback(host):
		t.fault("listen", quote(w.Listen)+" can be reached by other machines without encryption",
			"listen on 127.0.0.1, or set insecure = true in [web]")
	}
	return w
}

// readVisitors reads [visitors]; t is nil where it is left out.
func readVisitors(t *table) (after time.Duration) {
	if t == nil {
		return 0
	}
	defer t.end()
	text := t.text("after", "")
	if text == "" {
		return 0
	}
	at, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		t.fault("after", quote(text)+" is no time of day", "write it as "+quote("08:30")+", or leave it out")
		return 0
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
}

// readPhones reads [isolation]; t is nil where it is left out.
func readPhones(t *table) Phones {
	if t == nil {
		return Phones{}
	}
	defer t.end()
	return Phones{Phone: t.phone("phone"), LeaderPhone: t.phone("leader_phone")}
}

// phones are numbers as people write them, short enough for one line of a screen.
var phones = regexp.MustCompile(`^\+?[0-9][0-9 -]{1,19}$`)

// phone reads a telephone number, empty where it is left out.
func (t *table) phone(key string) string {
	s := t.text(key, "")
	if s != "" && !phones.MatchString(s) {
		t.fault(key, quote(s)+" is not a telephone number", "write digits, with blanks or - between them, at most 20")
		return ""
	}
	return s
}

// loopback reports whether only this machine reaches a host. A name other than
// localhost does not count: what it means is decided elsewhere.
func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
