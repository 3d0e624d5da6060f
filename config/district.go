package config

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// District is a collector's configuration without a fault.
type District struct {
	// Name is the collector's name, [a-z0-9-]{1,32}: gates are told by whom
	// their entries are kept, and a broker of its own knows it as a user.
	Name string
	// Title is what pages call the district or school; it may be empty.
	Title string
	// Data is the absolute directory of the collected record and the key.
	Data string
	// Language is LanguageChinese or LanguageEnglish.
	Language string
	// Web says where the page and the pull are served.
	Web DistrictWeb
	// Broker says which broker the gates meet the collector at.
	Broker Broker
	// Calendar says when the schools expect people.
	Calendar Calendar
}

// Server is an address to be served at, with TLS where Cert is not empty.
type Server struct {
	// Listen is host:port. Port 0 lets the system choose.
	Listen string
	// Cert and Key are absolute paths of PEM files, both or neither.
	Cert, Key string
	// Insecure admits an address that other machines can reach without TLS.
	Insecure bool
}

// DistrictWeb is where the page and the pull are served.
type DistrictWeb struct {
	Server
	// Hosts are the names by which browsers and programs ask for them, beside
	// localhost and the machine's addresses.
	Hosts []string
}

// Broker is the collector's own or another one.
type Broker struct {
	// Server is of the collector's own broker; empty where there is a URL.
	Server
	// URL is mqtts://host or mqtt://host of another broker, with or without a
	// port; empty for the collector's own.
	URL string
	// CA is the absolute path of the authorities that alone are trusted for
	// URL; empty trusts those of the system.
	CA string
	// PasswordFile is the absolute path of the collector's password at URL.
	PasswordFile string
}

// LoadDistrict reads districtd.toml at name. The error is Faults if the file
// can be read and its content is wrong.
func LoadDistrict(name string) (*District, error) {
	src, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return ParseDistrict(File{Name: filepath.Base(name), Source: src})
}

// ParseDistrict reads districtd.toml from f. The error is Faults, sorted by line.
func ParseDistrict(f File) (*District, error) {
	doc := parseDocument(f)
	if !doc.parsed {
		return nil, doc.faults
	}
	root, d := doc.root(), &District{}
	d.Name = root.name("name")
	d.Title = root.text("title", "")
	d.Data = root.path("data", DefaultDistrictData)
	d.Language = root.choice("language", defaultLanguage, LanguageChinese, LanguageEnglish)
	d.Web = readDistrictWeb(root.sub("web"))
	d.Broker = readBroker(root.sub("broker"))
	d.Calendar = readCalendar(root.sub("calendar"))
	root.end()
	if len(doc.faults) > 0 {
		return nil, join(doc.faults)
	}
	return d, nil
}

// sub reads a table within this one; an empty one if there is none.
func (t *table) sub(key string) *table {
	if s := t.table(key); s != nil {
		return s
	}
	return &table{doc: t.doc, place: under(t.place, key)}
}

func readDistrictWeb(t *table) DistrictWeb {
	defer t.end()
	w := DistrictWeb{Server: readServer(t, defaultDistrictListen)}
	if t.has("hosts") {
		w.Hosts = t.words("hosts", maxWords)
	}
	return w
}

// readBroker reads [broker], whose keys depend on whether there is a URL.
func readBroker(t *table) Broker {
	defer t.end()
	if !t.has("url") {
		t.asked = append(t.asked, "url") // so that unknown keys are told of it
		return Broker{Server: readServer(t, defaultBrokerListen)}
	}
	b := Broker{
		Server: Server{Insecure: t.flag("insecure")},
		URL:    t.required("url", brokerRemedy), CA: t.path("ca", ""),
		PasswordFile: t.path("password_file", ""),
	}
	t.require("password_file", "name the file that holds the collector's password at the broker")
	u, ok := brokerAddress(b.URL)
	switch {
	case b.URL == "":
	case !ok:
		// The text is not repeated: it may hold a password.
		t.fault("url", "not the address of a broker", brokerRemedy)
	case u.Scheme == "mqtt" && !b.Insecure && !loopback(u.Hostname()):
		t.fault("url", "passwords can be read on the way", `write mqtts://, or set insecure = true in [broker]`)
	}
	return b
}

const brokerRemedy = `write it as "mqtts://broker.example:8883"`

// readServer reads the keys of an address to be served at.
func readServer(t *table, listen string) Server {
	s := Server{Listen: t.text("listen", listen), Cert: t.path("cert", ""), Key: t.path("key", ""), Insecure: t.flag("insecure")}
	host, port, err := net.SplitHostPort(s.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	switch {
	case err != nil:
		t.fault("listen", quote(s.Listen)+" is not host:port", "write it as "+quote(listen))
	case (s.Cert == "") != (s.Key == ""):
		t.fault("cert", "certificate and key come together", "set both cert and key, or neither")
	case s.Cert == "" && !s.Insecure && !loopback(host):
		t.fault("listen", quote(s.Listen)+" can be reached by other machines without encryption",
			"set cert and key, listen on 127.0.0.1, or set insecure = true")
	}
	return s
}
