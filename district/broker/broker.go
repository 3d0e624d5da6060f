// Package broker is the MQTT broker that runs within a collector's process.
//
// It knows names, passwords and who may speak and listen where, and counts by
// name what it refuses. It does not know what is said: it stores nothing that
// anyone relies on, and whoever owns the journal repeats what a broker loses.
// It is NATS with its MQTT listener and nothing else;
// firmware-config/mosquitto holds the same rules for a broker of its own.
package broker

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/wire"
)

const (
	// startTimeout bounds the start; it takes some 30 ms.
	startTimeout = 10 * time.Second
	// greetTimeout is how long a connection may take for TLS and its greeting,
	// in seconds. A gate may sit behind a slow mobile link.
	greetTimeout = 10
	// maxInFlight is how many messages one session may owe an answer for.
	maxInFlight = 20
	// header is what a message has beside its payload.
	header = 4 << 10
	// maxStore bounds the files, in bytes: retained messages, and what waits
	// for the collector's session.
	maxStore = 1 << 30
)

// Options say where the broker listens and who may connect.
type Options struct {
	// Listen is host:port; port 0 lets the system choose.
	Listen string
	// TLS holds the listener's certificate in Certificates. Without it the
	// listener is plain, and gates on other machines refuse to use it unless
	// they are told otherwise.
	TLS *tls.Config
	// StoreDir is the broker's own directory.
	StoreDir string
	// Collector is the name of the collector in this process, which hears and
	// says everything. No gate may have it.
	Collector string
	// Gate says whether a password is a gate's. It is asked at each connection,
	// from several goroutines, so that gates come and go without a restart; the
	// name is one that wire.ValidName accepts.
	Gate func(name, password string) bool
	// Log takes what the broker has to say.
	Log *slog.Logger
}

// Broker is a broker that runs.
type Broker struct {
	server *server.Server
	guard  *guard
	addr   string
	local  mqtt.Options
}

// Start listens. What it needs of StoreDir it creates.
func Start(o Options) (*Broker, error) {
	b, err := start(o)
	if err != nil {
		return nil, fmt.Errorf("start broker on %s: %w", o.Listen, err)
	}
	return b, nil
}

func start(o Options) (*Broker, error) {
	host, port, err := listen(o.Listen)
	if err != nil {
		return nil, err
	}
	if !wire.ValidName(o.Collector) {
		return nil, errors.New("the collector's name is not of 1 to 32 of a-z, 0-9 and hyphen")
	}
	if o.TLS != nil && len(o.TLS.Certificates) == 0 {
		return nil, errors.New("TLS without a certificate")
	}
	g := &guard{collector: o.Collector, password: rand.Text(), gate: o.Gate, open: make(map[string][]uint64)}
	srv, err := server.NewServer(natsOptions(o, host, port, g))
	if err != nil {
		return nil, err
	}
	g.server = srv
	log := &natsLog{log: o.Log, refused: &g.refused}
	srv.SetLogger(log, false, false)
	srv.Start()
	if err := ready(srv, log); err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, err
	}
	v, err := srv.Varz(nil)
	if err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, err
	}
	b := &Broker{server: srv, guard: g, addr: net.JoinHostPort(host, strconv.Itoa(v.MQTT.Port))}
	b.local = g.local(b.addr, o.TLS, o.Log)
	return b, nil
}

// listen splits an address; the server calls a port that the system chooses -1.
func listen(addr string) (host string, port int, err error) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return "", 0, err
	}
	host = "0.0.0.0"
	if a.IP != nil {
		host = a.IP.String()
	}
	if a.Port == 0 {
		return host, server.RANDOM_PORT, nil
	}
	return host, a.Port, nil
}

func natsOptions(o Options, host string, port int, g *guard) *server.Options {
	return &server.Options{
		// The name marks whose retained messages are whose, across restarts.
		ServerName: "menshen",
		DontListen: true, // for NATS's own protocol
		NoSigs:     true,

		CustomClientAuthentication: g,

		MaxPayload: wire.MaxPayload + header,
		MaxPending: maxInFlight*(wire.MaxPayload+header) + 1<<20,

		JetStream:          true, // what MQTT's retained messages and QoS 1 stand on
		StoreDir:           o.StoreDir,
		JetStreamMaxStore:  maxStore,
		JetStreamMaxMemory: 64 << 20,

		MQTT: server.MQTTOpts{
			Host: host, Port: port,
			TLSConfig: o.TLS, TLSTimeout: greetTimeout, AuthTimeout: greetTimeout,
			MaxAckPending: maxInFlight,
		},
	}
}

// ready waits until connections are accepted. The server does not return what
// it fails of, it only logs it.
func ready(srv *server.Server, log *natsLog) error {
	if fault := log.fatal.Load(); fault != nil {
		return errors.New(*fault)
	}
	if !srv.ReadyForConnections(startTimeout) {
		return fmt.Errorf("not ready after %v", startTimeout)
	}
	return nil
}

// Addr returns the listener's host:port.
func (b *Broker) Addr() string { return b.addr }

// Dial connects this process's collector through the same listener as
// everyone else. It receives what gates send.
func (b *Broker) Dial(ctx context.Context) (*mqtt.Session, error) {
	return mqtt.Dial(ctx, b.local)
}

// Disconnect ends a gate's sessions. A gate that Options.Gate no longer knows
// stays out; any other comes back by itself.
func (b *Broker) Disconnect(name string) { b.guard.disconnect(name) }

// Close ends every session and the listener, and returns when all is written.
func (b *Broker) Close() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// local returns how the collector reaches the listener at addr, and no other:
// with TLS it trusts exactly the certificates that this process shows.
func (g *guard) local(addr string, shown *tls.Config, log *slog.Logger) mqtt.Options {
	host, port, _ := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip.To4() == nil {
			host = "::1"
		}
	}
	o := mqtt.Options{
		URL:       "mqtt://" + net.JoinHostPort(host, port),
		Insecure:  true, // the address is this machine's own
		Name:      g.collector,
		Password:  g.password,
		Subscribe: []string{wire.FilterUp},
		Log:       log,
	}
	if shown != nil {
		o.URL = "mqtts://" + net.JoinHostPort(host, port)
		o.TLS = &tls.Config{
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: true, // the name in it is the district's, not 127.0.0.1: see the next line
			VerifyConnection:   func(s tls.ConnectionState) error { return pinned(s.PeerCertificates, shown.Certificates) },
		}
	}
	return o
}

// pinned says whether a peer showed one of these certificates.
func pinned(peer []*x509.Certificate, own []tls.Certificate) error {
	for _, c := range own {
		if len(peer) > 0 && len(c.Certificate) > 0 && string(peer[0].Raw) == string(c.Certificate[0]) {
			return nil
		}
	}
	return errors.New("another listener answers at the broker's address")
}
