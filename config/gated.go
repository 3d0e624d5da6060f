package config

import (
	"net"
	"strconv"
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

// loopback reports whether only this machine reaches a host. A name other than
// localhost does not count: what it means is decided elsewhere.
func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
