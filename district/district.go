// Package district assembles one collector, of a district or a school: the
// store, the protocol's half that keeps and acknowledges, a broker of its own
// where there is no other, the pull and the page.
//
// It knows no flags and no signals, and never exits the process. It judges no
// message, which is package collect's, and no arrival: what gates have decided
// it keeps, counts and shows.
package district

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/district/broker"
	"github.com/menshen/menshen/district/pull"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/sync/collect"
	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/web"
	page "github.com/menshen/menshen/web/district"
)

// maxSignedIn is how many people look at the page at the same time.
const maxSignedIn = 64

// Options are what a collector is built from.
type Options struct {
	Config *config.District
	// Web is where page and pull are served, without TLS: that, the
	// configuration says.
	Web net.Listener
	Log *slog.Logger
}

// District is one collector. Its zero value is not usable.
type District struct {
	o   Options
	log *slog.Logger
	now func() time.Time
	// lookEvery is how soon a gate that an administrator's tool has shut out
	// loses its connection, and what such a tool has posted goes out. What a gate
	// sends is refused from the moment in which it is shut out.
	lookEvery time.Duration

	// What Run opens, before it closes opened.
	key       ed25519.PrivateKey
	store     *store.Store
	broker    *broker.Broker // nil where there is another
	dial      func(context.Context) (*mqtt.Session, error)
	collector *collect.Collector
	lists     *lists
	shelf     *shelf
	opened    chan struct{}

	nudges *nudges
	live   live
	view   view
}

// New builds a collector. Nothing is opened before Run.
func New(o Options) *District {
	d := &District{o: o, log: o.Log.With("component", "district"), now: time.Now, lookEvery: 5 * time.Second, opened: make(chan struct{}), nudges: newNudges()}
	d.live.gates = map[string]seen{}
	return d
}

// Run runs the collector until the context ends or something fails that no
// retry mends. The store closes last.
func (d *District) Run(ctx context.Context) (err error) {
	if err := d.openStore(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.store.Close()) }()
	if err := d.openBroker(); err != nil {
		return err
	}
	if d.broker != nil {
		defer d.broker.Close()
	}
	d.collector = collect.New(collect.Options{
		Name: d.o.Config.Name, Key: d.key, Store: ledger{d.store, reader{d.o.Config.Name}.meaning, d.nudges.nudge}, Observe: d.observe, Log: d.o.Log.With("component", "collect"),
	})
	handler := d.handler()
	close(d.opened)
	d.log.Info("collector open", "name", d.o.Config.Name, "broker", d.BrokerAddr())

	running, run := errgroup.WithContext(ctx)
	running.Go(func() error { return serve(run, d.o.Web, handler) })
	running.Go(func() error { return d.collect(run) })
	running.Go(func() error { return d.watchGates(run) })
	return running.Wait()
}

func (d *District) openStore(ctx context.Context) (err error) {
	if err := os.MkdirAll(d.o.Config.Data, 0o750); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	if d.key, err = LoadKey(d.o.Config.Data); err != nil {
		return err
	}
	if d.store, err = OpenStore(ctx, d.o.Config, d.o.Log); err != nil {
		return err
	}
	own := d.key.Public().(ed25519.PublicKey)
	d.lists, d.shelf = &lists{store: d.store, key: own}, newShelf(own)
	return nil
}

// reader says what entries mean here.
func (d *District) reader() reader { return reader{d.o.Config.Name} }

// observe takes what became of a message.
func (d *District) observe(e collect.Event) {
	d.live.observe(e)
	if e.Kind == collect.EventHello {
		d.nudges.greet(e.Gate)
	}
}

// openBroker starts the collector's own broker, or says how to reach another.
func (d *District) openBroker() error {
	c := d.o.Config.Broker
	if c.URL != "" {
		return d.useBroker(c)
	}
	o := broker.Options{
		Listen: c.Listen, StoreDir: filepath.Join(d.o.Config.Data, "broker"), Collector: d.o.Config.Name,
		Gate: d.gateMayConnect, Log: d.o.Log.With("component", "broker"),
	}
	var err error
	if c.Cert != "" {
		if o.TLS, err = mqtt.LoadTLS("", c.Cert, c.Key); err != nil {
			return fmt.Errorf("broker: %w", err)
		}
	}
	if d.broker, err = broker.Start(o); err != nil {
		return err
	}
	d.dial = d.broker.Dial
	return nil
}

// handler serves the page and, below /api/, the pull.
func (d *District) handler() http.Handler {
	language := web.Chinese
	if d.o.Config.Language == config.LanguageEnglish {
		language = web.English
	}
	mux := http.NewServeMux()
	mux.Handle("/api/", pull.New(d.store, d.names, d.o.Log))
	mux.Handle("/", page.New(page.Options{
		Collector: d, Sessions: web.NewSessionsOf(staff{d.store}, maxSignedIn), Language: language, Log: d.o.Log,
	}))
	return web.Protect(mux, d.o.Config.Web.Hosts)
}

// OpenStore opens the collected record of a configuration; administrators'
// tools have it open beside the collector.
func OpenStore(ctx context.Context, c *config.District, log *slog.Logger) (*store.Store, error) {
	return store.Open(ctx, store.Options{
		Path: filepath.Join(c.Data, "district.db"), Meaning: reader{c.Name}.stored, Log: log.With("component", "store"),
	})
}

// BrokerAddr returns host:port of the collector's own broker, or the address
// of the other one. It is for callers to whom Alive has returned nil.
func (d *District) BrokerAddr() string {
	if d.broker == nil {
		return d.o.Config.Broker.URL
	}
	return d.broker.Addr()
}

// Alive reports whether the collector is open and its store answers within the
// context. Whether gates can reach it, it cannot know.
func (d *District) Alive(ctx context.Context) error {
	select {
	case <-d.opened:
	case <-ctx.Done():
		return errors.New("collector is not open yet")
	}
	return d.store.Alive(ctx)
}

// Listen opens a listener for page and pull, with TLS where the configuration
// names a certificate.
func Listen(s config.Server) (net.Listener, error) {
	var config *tls.Config
	if s.Cert != "" {
		var err error
		if config, err = mqtt.LoadTLS("", s.Cert, s.Key); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
	}
	l, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return nil, fmt.Errorf("web.listen: %w", err)
	}
	if config != nil {
		l = tls.NewListener(l, config)
	}
	return l, nil
}

// serve serves until the context ends, and does not wait for open pages.
func serve(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	if err := s.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %v: %w", l.Addr(), err)
	}
	return nil
}
