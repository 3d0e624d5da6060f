package broker

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
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

// patience is what a test waits for something that must come.
const patience = time.Minute

// passwords are everybody's but the embedded broker's collector's, which makes
// its own.
func passwords() map[string]string {
	return map[string]string{"east": "east's own", "west": "west's own", "collector": "collector's own"}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// running is one broker of either kind.
type running struct {
	addr      string
	trust     *tls.Config
	collector mqtt.Options
	// broker returns the embedded one that runs now.
	broker func() *Broker
	// restart ends the broker at once and starts it again at its address.
	restart func(t *testing.T)
}

// gate returns how a gate connects.
func (r *running) gate(name string) mqtt.Options {
	return mqtt.Options{
		URL: "mqtts://" + r.addr, TLS: r.trust, Name: name, Password: passwords()[name], Log: quiet(),
		Subscribe: []string{"menshen/v1/" + name + "/down/#", "menshen/v1/-/collector"},
	}
}

// collectorOf returns how the collector connects to hear what filters say.
func (r *running) collectorOf(filters ...string) mqtt.Options {
	o := r.collector
	o.Subscribe = filters
	return o
}

// certify writes ca.pem, cert.pem and key.pem for 127.0.0.1 into dir.
func certify(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "broker"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func trust(t *testing.T, dir string) *tls.Config {
	t.Helper()
	config, err := mqtt.LoadTLS(filepath.Join(dir, "ca.pem"), "", "")
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// embedded starts a broker of this package.
func embedded(t *testing.T) *running {
	dir := t.TempDir()
	certify(t, dir)
	own, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Listen: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{own}}, StoreDir: filepath.Join(dir, "store"),
		Collector: "collector", Log: quiet(),
		Gate: func(name, password string) bool { return password != "" && passwords()[name] == password },
	}
	b := begin(t, o)
	r := &running{addr: b.Addr(), trust: trust(t, dir), collector: b.local, broker: func() *Broker { return b }}
	r.restart = func(t *testing.T) {
		b.Close()
		o.Listen = r.addr
		b = begin(t, o)
		r.collector = b.local
	}
	return r
}

func begin(t *testing.T, o Options) *Broker {
	t.Helper()
	b, err := Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

const mosquittoBinary = "/usr/sbin/mosquitto"

// mosquitto starts a real one with the configuration that is shipped.
func mosquitto(t *testing.T) *running {
	if _, err := os.Stat(mosquittoBinary); err != nil {
		t.Skip("mosquitto is not installed: apt-get install mosquitto")
	}
	dir := t.TempDir()
	certify(t, dir)
	addr := freeAddress(t)
	config := configure(t, dir, addr)
	process := run(t, config)
	r := &running{addr: addr, trust: trust(t, dir)}
	r.collector = r.gate("collector")
	r.restart = func(t *testing.T) {
		process.Process.Kill()
		process.Wait()
		process = run(t, config)
		await(t, addr)
	}
	await(t, addr)
	return r
}

// freeAddress returns one where nothing listens; mosquitto cannot choose.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// configure turns the shipped files into ones for this machine, changing
// nothing but where things are.
func configure(t *testing.T, dir, addr string) string {
	t.Helper()
	shipped := filepath.Join("..", "..", "firmware-config", "mosquitto")
	text, err := os.ReadFile(filepath.Join(shipped, "menshen.conf"))
	if err != nil {
		t.Fatal(err)
	}
	acl, err := filepath.Abs(filepath.Join(shipped, "menshen.acl"))
	if err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(addr)
	conf := string(text)
	for shippedAs, here := range map[string]string{
		"\nlistener 8883\n":                      "\nlistener " + port + " " + host + "\n",
		"/etc/mosquitto/certs/menshen-ca.pem":    filepath.Join(dir, "ca.pem"),
		"/etc/mosquitto/certs/menshen.pem":       filepath.Join(dir, "cert.pem"),
		"/etc/mosquitto/certs/menshen.key":       filepath.Join(dir, "key.pem"),
		"password_file /etc/mosquitto/menshen.p": "password_file " + dir + "/menshen.p",
		"acl_file /etc/mosquitto/menshen.acl":    "acl_file " + acl,
	} {
		if strings.Count(conf, shippedAs) != 1 {
			t.Fatalf("menshen.conf has not exactly one %q", shippedAs)
		}
		conf = strings.Replace(conf, shippedAs, here, 1)
	}
	for name, password := range passwords() {
		add := exec.Command("mosquitto_passwd", "-b", filepath.Join(dir, "menshen.passwd"), name, password)
		write := os.O_CREATE | os.O_APPEND
		f, err := os.OpenFile(filepath.Join(dir, "menshen.passwd"), write, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	// Otherwise it becomes another user, who cannot read the test's files.
	main := "user root\nlog_dest stderr\npersistence true\npersistence_location " + dir + "/\n"
	write(t, dir, "mosquitto.conf", main+conf)
	return filepath.Join(dir, "mosquitto.conf")
}

func run(t *testing.T, config string) *exec.Cmd {
	t.Helper()
	var said bytes.Buffer
	process := exec.Command(mosquittoBinary, "-c", config)
	process.Stderr = &said
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		process.Process.Kill()
		process.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	return process
}

// await waits until something listens.
func await(t *testing.T, addr string) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for late := time.After(patience); ; {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-again.C:
		case <-late:
			t.Fatalf("nothing listens: %v", err)
		}
	}
}
