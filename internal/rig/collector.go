package rig

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/district"
	"github.com/menshen/menshen/district/pull"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/roster"
)

// CollectorOptions say which collector is built.
type CollectorOptions struct {
	// Name is [a-z0-9-]{1,32}; Title is what its page calls it.
	Name, Title string
	// Dir holds the collector's data and need not exist.
	Dir string
	// Web is where page and pull are served, Host a further name by which
	// browsers ask for them.
	Web  net.Listener
	Host string
	Log  *slog.Logger
}

// Collector is one collector with a broker of its own, and what an
// administrator does beside it.
type Collector struct {
	Name string
	// Key is the collector's public key, Broker the address of its broker.
	Key    ed25519.PublicKey
	Broker string
	// Store is the collected record, opened beside the collector.
	Store *store.Store

	config *config.District
	log    *slog.Logger
	life   *life
}

// collectorText is districtd.toml. There is school at every hour, because that is
// when somebody looks at it.
const collectorText = `name = %q
title = %q
data = %q
[web]
listen = %q
hosts = [%q]
insecure = true
[broker]
listen = "127.0.0.1:0"
[calendar]
school_days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
windows = ["00:00-24:00"]
`

// StartCollector runs a collector and returns when it is open. Close ends it.
func StartCollector(ctx context.Context, o CollectorOptions) (*Collector, error) {
	text := fmt.Sprintf(collectorText, o.Name, o.Title, o.Dir, o.Web.Addr(), o.Host)
	cfg, err := config.ParseDistrict(config.File{Name: "districtd.toml", Source: []byte(text)})
	if err != nil {
		return nil, fmt.Errorf("collector %s: %w", o.Name, errors.Join(err, o.Web.Close()))
	}
	d := district.New(district.Options{Config: cfg, Web: o.Web, Log: o.Log})
	c := &Collector{Name: o.Name, config: cfg, log: o.Log, life: live(ctx, func(ctx context.Context) error {
		defer o.Web.Close() // which it has not done itself if it never opened
		return d.Run(ctx)
	})}
	if err := c.open(ctx, d); err != nil {
		return nil, fmt.Errorf("collector %s: %w", o.Name, errors.Join(err, c.Close()))
	}
	return c, nil
}

// open waits until the collector is open and opens its store beside it.
func (c *Collector) open(ctx context.Context, d *district.District) error {
	limit, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	limit, cancel = c.life.during(limit)
	defer cancel()
	if err := d.Alive(limit); err != nil {
		return err
	}
	c.Broker = d.BrokerAddr()
	key, err := district.LoadKey(c.config.Data)
	if err != nil {
		return err
	}
	c.Key = key.Public().(ed25519.PublicKey)
	c.Store, err = district.OpenStore(ctx, c.config, c.log)
	return err
}

// Close ends the collector.
func (c *Collector) Close() error {
	err := c.life.end()
	if c.Store != nil {
		err = errors.Join(err, c.Store.Close())
	}
	return err
}

// Admit lets a gate of a school in by its key and password.
func (c *Collector) Admit(ctx context.Context, gate, school string, key ed25519.PublicKey, password string) error {
	return c.Store.Admit(ctx, store.Gate{
		Name: gate, Key: key, Password: district.HashPassword(gate, password), School: school, Duty: "6123", Admitted: time.Now(),
	})
}

// Grant issues a token, which also signs on at the page, and returns its text.
func (c *Collector) Grant(ctx context.Context, name string) (string, error) {
	token := pull.NewToken()
	return token, c.Store.Grant(ctx, store.Token{Name: name, Hash: pull.Hash(token), Names: true, Issued: time.Now()})
}

// ImportRoster makes people the roster of a school and posts it to the school's
// gates.
func (c *Collector) ImportRoster(ctx context.Context, school string, people []Person) error {
	list, err := roster.Parse(listOf(people))
	if err != nil {
		return err
	}
	office, err := district.NewOffice(c.config, c.Store, c.log)
	if err != nil {
		return err
	}
	_, err = office.ImportRoster(ctx, school, list, 0)
	return err
}
