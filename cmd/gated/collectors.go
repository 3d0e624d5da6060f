package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/menshen/menshen/config"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/sync/mqtt"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

// maxPassword bounds a password's file, in bytes.
const maxPassword = 1 << 10

// collectors returns to whom the journal goes. The error is the
// configuration's: of a key that has the form of one and is none.
func collectors(cfg *config.Config, log *slog.Logger) ([]gate.Collector, error) {
	var all []gate.Collector
	for _, c := range cfg.Collectors {
		key, err := wire.ParsePublicKey(c.Key)
		if err != nil {
			return nil, fmt.Errorf("collector %s: %w · copy the line that 'districtd key' prints at the collector", c.Name, err)
		}
		log := log.With("component", "mqtt", "collector", c.Name)
		all = append(all, gate.Collector{Name: c.Name, Key: key, Transport: dialer{cfg.Gate, c, log},
			Insecure: strings.HasPrefix(c.URL, "mqtt://") && c.Insecure})
	}
	return all, nil
}

// rules returns whose policies the gate takes: those of its collectors, and of
// who else may sign. The error is the configuration's.
func rules(cfg *config.Config, to []gate.Collector) (gate.Rules, error) {
	r := gate.Rules{Presets: firmwareconfig.Policies()}
	for _, c := range to {
		r.Signers = append(r.Signers, c.Key)
	}
	for _, text := range cfg.PolicySigners {
		key, err := wire.ParsePublicKey(text)
		if err != nil {
			return gate.Rules{}, fmt.Errorf("policy_signers: %w · copy what 'gatectl policy sign' prints", err)
		}
		r.Signers = append(r.Signers, key)
	}
	return r, nil
}

// dialer opens sessions at one collector's broker. It reads password and
// certificates for every session: what is put in place or renewed later is
// taken without a restart, and what is missing stops no lane.
type dialer struct {
	gate string
	to   config.Collector
	log  *slog.Logger
}

// Connect implements uplink.Transport.
func (d dialer) Connect(ctx context.Context, will uplink.Message) (uplink.Session, error) {
	o := mqtt.Options{URL: d.to.URL, Name: d.gate, Insecure: d.to.Insecure, Log: d.log}
	var err error
	if o.TLS, err = mqtt.LoadTLS(d.to.CA, d.to.Cert, d.to.CertKey); err == nil {
		o.Password, err = readPassword(d.to.PasswordFile)
	}
	if err != nil {
		// Nobody was asked, but it is the same person's to mend.
		return nil, fmt.Errorf("%w, before it was asked: %w", uplink.ErrRefused, err)
	}
	return mqtt.Transport{Options: o}.Connect(ctx, will)
}

// readPassword returns what stands in a file but for the end of its line.
func readPassword(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxPassword+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read password: %w", err)
	case len(b) > maxPassword:
		return "", fmt.Errorf("read password: %s has more than %d bytes", name, maxPassword)
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" {
		return "", errors.New("read password: " + name + " is empty")
	}
	return password, nil
}
