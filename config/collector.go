package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/menshen/menshen/tomlfile"
)

// Collector is one to whom the gate's journal goes.
type Collector struct {
	// Name is the collector's, [a-z0-9-]{1,32}, unique at the gate.
	Name string
	// URL is mqtts://host or mqtt://host of the broker at which the collector
	// is met, with or without a port.
	URL string
	// Key is "ed25519:" and the collector's public key in base64. Only its form
	// has been checked.
	Key string
	// PasswordFile is the absolute path of the gate's password at the broker.
	PasswordFile string
	// CA is the absolute path of the authorities that alone are trusted; empty
	// trusts those of the system.
	CA string
	// Cert and CertKey are absolute paths of what the gate shows of itself,
	// both or neither.
	Cert, CertKey string
	// Insecure admits mqtt:// to another machine.
	Insecure bool
}

// maxCollectors bounds the collectors: each keeps a connection and reads the
// journal for itself.
const maxCollectors = 4

// publicKey is the form of a public key.
var publicKey = regexp.MustCompile(`^ed25519:[A-Za-z0-9+/]{43}=$`)

const keyRemedy = "copy the line that 'districtd key' prints at the collector"

// readSigners reads the keys whose signature under a policy counts.
func readSigners(t *tomlfile.Table, key string) []string {
	if !t.Has(key) {
		return nil
	}
	keys := t.Words(key, maxWords)
	for _, k := range keys {
		if !publicKey.MatchString(k) {
			t.Fault(key, tomlfile.Quote(k)+" is not a public key", "copy what 'gatectl policy sign' prints, from ed25519: on")
		}
	}
	return keys
}

// readCollectors reads every [[collector]].
func readCollectors(t *tomlfile.Table) []Collector {
	var all []Collector
	for i, one := range t.Tables("collector") {
		c := readCollector(one)
		for _, other := range all {
			if c.Name == other.Name && c.Name != "" {
				one.Fault("name", tomlfile.Quote(c.Name)+" stands there twice", "name each collector once")
			}
		}
		if i == maxCollectors {
			one.Fault("", fmt.Sprintf("more than %d collectors", maxCollectors), "remove some")
		}
		all = append(all, c)
	}
	return all
}

func readCollector(t *tomlfile.Table) Collector {
	defer t.End()
	c := Collector{
		Name: readName(t, "name"), URL: t.Required("url", brokerRemedy), Key: t.Required("key", keyRemedy),
		CA: readPath(t, "ca", ""), Cert: readPath(t, "cert", ""), CertKey: readPath(t, "cert_key", ""), Insecure: t.Flag("insecure"),
	}
	t.Require("password_file", "name the file that holds the gate's password at the broker")
	c.PasswordFile = readPath(t, "password_file", "")
	if c.Key != "" && !publicKey.MatchString(c.Key) {
		t.Fault("key", "not a public key", keyRemedy)
	}
	if (c.Cert == "") != (c.CertKey == "") {
		t.Fault("cert", "certificate and key come together", "set both cert and cert_key, or neither")
	}
	u, ok := brokerAddress(c.URL)
	switch {
	case c.URL == "":
	case !ok:
		// The text is not repeated: it may hold a password.
		t.Fault("url", "not the address of a broker", brokerRemedy)
	case u.Scheme == "mqtt" && !c.Insecure && !loopback(u.Hostname()):
		t.Fault("url", "the password can be read on the way", "write mqtts://, or set insecure = true in this [[collector]]")
	}
	return c
}

// brokerAddress reads the address of a broker, which is mqtt:// or mqtts://, a
// host and at most a port. There is one spelling of it.
func brokerAddress(s string) (u *url.URL, ok bool) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, false
	}
	return u, strings.HasPrefix(s, "mqtt://") || strings.HasPrefix(s, "mqtts://")
}
