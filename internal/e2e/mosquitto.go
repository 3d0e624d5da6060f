package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/sync/mqtt"
)

// Names that the broker knows beside the gates'.
const (
	// CollectorName is the collector's, as the shipped access list has it.
	CollectorName = "collector"
	// WitnessName is of a test that hears and may say everything.
	WitnessName = "witness"
)

// Mosquitto is a real mosquitto with the shipped configuration, in which
// nothing but places and the witness are changed. It outlives its processes.
type Mosquitto struct {
	*process
	// Addr is host:port of the listener, which speaks TLS.
	Addr string

	t   testing.TB
	dir string
}

// NewMosquitto makes a broker for a collector, the witness and gates with these
// names, and starts it.
func NewMosquitto(t testing.TB, gates ...string) *Mosquitto {
	t.Helper()
	for _, program := range []string{"mosquitto", "mosquitto_passwd"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	m := &Mosquitto{t: t, dir: t.TempDir(), Addr: freeAddress(t)}
	if err := m.configure(); err != nil {
		t.Fatal(err)
	}
	m.write("passwd", "")
	for _, name := range append(gates, CollectorName, WitnessName) {
		run(t, "mosquitto_passwd", "-b", m.path("passwd"), name, m.Password(name))
	}
	m.Restart()
	return m
}

// freeAddress returns one where nothing listens; mosquitto cannot choose.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Restart starts the broker at its address and waits until it listens.
func (m *Mosquitto) Restart() {
	m.t.Helper()
	m.process = launch(m.t, "mosquitto", "mosquitto", "-c", m.path("mosquitto.conf"))
	Await(m.t, Soon, "mosquitto listens, or ends", func() bool {
		conn, err := net.Dial("tcp", m.Addr)
		if err == nil {
			conn.Close()
		}
		return err == nil || !m.Alive()
	})
	if !m.Alive() {
		m.t.Fatalf("mosquitto ended: %v", m.cmd.ProcessState)
	}
}

// Password returns somebody's password.
func (m *Mosquitto) Password(name string) string { return "the password of " + name }

// CA is the file of the authority that has signed the broker's certificate.
func (m *Mosquitto) CA() string { return m.path("ca.pem") }

// Options returns how somebody connects who wants to hear what filters say.
func (m *Mosquitto) Options(name string, filters ...string) mqtt.Options {
	m.t.Helper()
	trust, err := mqtt.LoadTLS(m.CA(), "", "")
	if err != nil {
		m.t.Fatal(err)
	}
	return mqtt.Options{URL: "mqtts://" + m.Addr, TLS: trust, Name: name, Password: m.Password(name), Subscribe: filters}
}

func (m *Mosquitto) path(name string) string { return filepath.Join(m.dir, name) }

func (m *Mosquitto) write(name, text string) {
	m.t.Helper()
	if err := os.WriteFile(m.path(name), []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// shipped is where the configuration lies, seen from this package's tests.
const shipped = "../../firmware-config/mosquitto"

func (m *Mosquitto) configure() error {
	conf, err := os.ReadFile(filepath.Join(shipped, "menshen.conf"))
	if err != nil {
		return err
	}
	acl, err := os.ReadFile(filepath.Join(shipped, "menshen.acl"))
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(m.Addr)
	if err != nil {
		return err
	}
	text := string(conf)
	for _, place := range [][2]string{
		{"\nlistener 8883\n", "\nlistener " + port + " " + host + "\n"},
		{"/etc/mosquitto/certs/menshen-ca.pem", m.path("ca.pem")},
		{"/etc/mosquitto/certs/menshen.pem", m.path("cert.pem")},
		{"/etc/mosquitto/certs/menshen.key", m.path("key.pem")},
		{"\npassword_file /etc/mosquitto/menshen.passwd", "\npassword_file " + m.path("passwd")},
		{"\nacl_file /etc/mosquitto/menshen.acl", "\nacl_file " + m.path("acl")},
	} {
		if strings.Count(text, place[0]) != 1 {
			return fmt.Errorf("menshen.conf has not exactly one %q", place[0])
		}
		text = strings.Replace(text, place[0], place[1], 1)
	}
	// Otherwise it becomes another user, who cannot read the test's files.
	m.write("mosquitto.conf", "user root\nlog_dest stderr\npersistence true\npersistence_location "+m.dir+"/\n"+text)
	m.write("acl", string(acl)+"\nuser "+WitnessName+"\ntopic readwrite menshen/v1/#\n")
	return m.certify()
}

// certify makes a certificate for 127.0.0.1 that is its own authority.
func (m *Mosquitto) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	shown := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	m.write("ca.pem", shown)
	m.write("cert.pem", shown)
	m.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return nil
}
