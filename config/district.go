package config

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/menshen/menshen/calendar"
	"github.com/menshen/menshen/tomlfile"
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
	// PolicySigners are the public keys, as "ed25519:" and base64, whose signature
	// under a policy counts beside the collector's own; at most 16. Only their
	// form has been checked.
	PolicySigners []string
	// Calendar says when the schools expect people.
	Calendar calendar.Calendar
	// CalendarFile is the absolute path from which LoadDistrict has read Calendar,
	// empty where districtd.toml itself says it.
	CalendarFile string
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
	d, err := ParseDistrict(File{Name: filepath.Base(name), Source: src})
	if err == nil && d.CalendarFile != "" {
		d.Calendar, err = LoadCalendar(d.CalendarFile)
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// ParseDistrict reads districtd.toml from f. The error is Faults, sorted by line.
func ParseDistrict(f File) (*District, error) {
	doc, err := tomlfile.Parse(f.Name, f.Source, maxSource)
	if err != nil {
		return nil, err
	}
	root, d := doc.Root(), &District{}
	d.Name = readName(root, "name")
	d.Title = root.Text("title", "")
	d.Data = readPath(root, "data", DefaultDistrictData)
	d.Language = root.Choice("language", defaultLanguage, LanguageChinese, LanguageEnglish)
	d.Web = readDistrictWeb(root.Sub("web"))
	d.Broker = readBroker(root.Sub("broker"))
	d.PolicySigners = readSigners(root, "policy_signers")
	d.Calendar, d.CalendarFile = readCalendar(root.Sub("calendar"))
	root.End()
	if err := doc.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

func readDistrictWeb(t *tomlfile.Table) DistrictWeb {
	defer t.End()
	w := DistrictWeb{Server: readServer(t, defaultDistrictListen)}
	if t.Has("hosts") {
		w.Hosts = t.Words("hosts", maxWords)
	}
	return w
}

// readBroker reads [broker], whose keys depend on whether there is a URL.
func readBroker(t *tomlfile.Table) Broker {
	defer t.End()
	if !t.Has("url") {
		return Broker{Server: readServer(t, defaultBrokerListen)}
	}
	b := Broker{
		Server: Server{Insecure: t.Flag("insecure")},
		URL:    t.Required("url", brokerRemedy), CA: readPath(t, "ca", ""),
		PasswordFile: readPath(t, "password_file", ""),
	}
	t.Require("password_file", "name the file that holds the collector's password at the broker")
	u, ok := brokerAddress(b.URL)
	switch {
	case b.URL == "":
	case !ok:
		// The text is not repeated: it may hold a password.
		t.Fault("url", "not the address of a broker", brokerRemedy)
	case u.Scheme == "mqtt" && !b.Insecure && !loopback(u.Hostname()):
		t.Fault("url", "passwords can be read on the way", `write mqtts://, or set insecure = true in [broker]`)
	}
	return b
}

const brokerRemedy = `write it as "mqtts://broker.example:8883"`

// readServer reads the keys of an address to be served at.
func readServer(t *tomlfile.Table, listen string) Server {
	s := Server{Listen: t.Text("listen", listen), Cert: readPath(t, "cert", ""), Key: readPath(t, "key", ""), Insecure: t.Flag("insecure")}
	host, port, err := net.SplitHostPort(s.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	switch {
	case err != nil:
		t.Fault("listen", tomlfile.Quote(s.Listen)+" is not host:port", "write it as "+tomlfile.Quote(listen))
	case (s.Cert == "") != (s.Key == ""):
		t.Fault("cert", "certificate and key come together", "set both cert and key, or neither")
	case s.Cert == "" && !s.Insecure && !loopback(host):
		t.Fault("listen", tomlfile.Quote(s.Listen)+" can be reached by other machines without encryption",
			"set cert and key, listen on 127.0.0.1, or set insecure = true")
	}
	return s
}
