// Package mqtt carries messages between a gate or a collector and a broker,
// over MQTT 3.1.1.
//
// It knows how a session is opened, bounded and ended. It does not know what
// the messages say, whether anyone stored them, or when to try again: what
// the broker acknowledges means nothing to its callers, who are answered by
// each other (sync/wire). It never connects a second time by itself. A gate
// hands a Transport to its uplink; a collector calls Dial.
package mqtt

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

const (
	// dialTimeout bounds everything until a session is ready.
	dialTimeout = 15 * time.Second
	// keepAlive is how long a connection may be silent before the client
	// pings; the broker gives it up after one and a half of them.
	keepAlive = 30 * time.Second
	// stuck is how long sent bytes may stay unacknowledged by the other
	// machine, or unwritten, before the connection counts as dead. A half-open
	// connection would otherwise go unseen for a quarter of an hour.
	stuck = 20 * time.Second
	// atLeastOnce is the quality of service of what is said once: some brokers
	// drop what is sent with less.
	atLeastOnce = 1
	// atMostOnce is that of batches and haves, which the protocol repeats itself
	// until they have done their work. A broker's second book about them costs
	// more than they do, and nobody reads it.
	atMostOnce = 0
)

// Message is one message with its topic, as the uplink takes it.
type Message = uplink.Message

// Options say how to connect.
type Options struct {
	// URL is mqtts://host or mqtt://host, with or without a port.
	URL string
	// Name is the user name and the client id. The broker ends a session when
	// another one of the same name begins.
	Name string
	// Password is the user's.
	Password string
	// TLS is for mqtts; nil trusts the authorities that the system trusts.
	TLS *tls.Config
	// Insecure permits mqtt:// to another machine, where the password can be
	// read on the way.
	Insecure bool
	// Will is published and retained by the broker when the session ends
	// without Close. Without a topic there is none.
	Will Message
	// Subscribe lists the topic filters that the session receives.
	Subscribe []string
	// Log takes what no caller is told; nil discards.
	Log *slog.Logger
}

// Dial opens a session and returns when its subscriptions are in force. It
// fails when ctx ends and after 15 s at the latest. With
// uplink.ErrRefused a person must see to it.
func Dial(ctx context.Context, o Options) (*Session, error) {
	u, err := o.address()
	if err != nil {
		return nil, fmt.Errorf("connect to broker: %w", err)
	}
	s, err := dial(ctx, u, o)
	if err != nil {
		return nil, fmt.Errorf("connect to broker %s: %w", u.Host, err)
	}
	return s, nil
}

func dial(ctx context.Context, u *url.URL, o Options) (*Session, error) {
	if err := ctx.Err(); err != nil {
		return nil, err // nobody waits any more: look no name up
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := open(ctx, u, o.TLS)
	if err != nil {
		return nil, err
	}
	s := newSession(conn, len(o.Subscribe), cmp.Or(o.Log, slog.New(slog.DiscardHandler)))
	s.client = paho.NewClient(s.options(u, o))
	if err := s.begin(ctx, o.Subscribe); err != nil {
		s.fail(err)
		return nil, s.Err() // the first fault, of which the client may only know a consequence
	}
	go s.pass()
	return s, nil
}

// Transport opens a gate's sessions for package uplink.
type Transport struct {
	// Options say how; Will and Subscribe are filled in.
	Options Options
}

// Connect implements uplink.Transport.
func (t Transport) Connect(ctx context.Context, will Message) (uplink.Session, error) {
	o := t.Options
	o.Will = will
	o.Subscribe = []string{wire.FilterDown(o.Name), wire.TopicAnnounce}
	s, err := Dial(ctx, o)
	if err != nil {
		return nil, err // not s: a nil session in an interface is not nil
	}
	return s, nil
}

// address reads the URL, with a port in any case.
func (o Options) address() (*url.URL, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		// What url.Parse says repeats the whole text, and a user may have
		// written the password into it.
		return nil, errors.New("the broker's URL cannot be read: write mqtts://host")
	}
	port := map[string]string{"mqtt": "1883", "mqtts": "8883"}[u.Scheme]
	switch {
	case port == "" || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "":
		return nil, errors.New("the broker's URL is not of the form mqtts://host or mqtts://host:port")
	case u.Scheme == "mqtt" && !o.Insecure && !thisMachine(u.Hostname()):
		return nil, errors.New("mqtt:// to another machine shows the password on the way: use mqtts://, or permit it by name")
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), port)
	}
	return u, nil
}

func thisMachine(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// options configure the client so that it keeps nothing and repeats nothing:
// the journal is the queue, and the protocol above is what repeats.
//
// Order is kept because the handler never waits; without it every message
// would be a goroutine of its own, unbounded, and batches would arrive as gaps.
func (s *Session) options(u *url.URL, o Options) *paho.ClientOptions {
	c := paho.NewClientOptions().
		AddBroker(u.String()).
		SetClientID(o.Name).SetUsername(o.Name).SetPassword(o.Password).
		SetProtocolVersion(4). // 3.1.1; otherwise a refusal is asked for twice
		SetCleanSession(true).
		SetAutoReconnect(false).
		SetConnectRetry(false).
		SetKeepAlive(keepAlive).
		SetOrderMatters(true).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			s.receive(Message{Topic: m.Topic(), Payload: m.Payload()})
		}).
		SetConnectionLostHandler(func(_ paho.Client, err error) { s.fail(err) }).
		SetCustomOpenConnectionFn(func(*url.URL, paho.ClientOptions) (net.Conn, error) { return s.link, nil })
	if o.Will.Topic != "" {
		c.SetBinaryWill(o.Will.Topic, o.Will.Payload, atLeastOnce, true)
	}
	return c
}
