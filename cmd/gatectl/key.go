package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/sync/wire"
)

// key prints what a collector has to be told of this gate. Without gated it
// reads the key itself, where it may; it never makes one.
func (t *tool) key(ctx context.Context, args []string) error {
	if len(args) != 1 || args[0] != "show" {
		return errUsage
	}
	var id gate.Identity
	err := t.ask(ctx, http.MethodGet, "/v1/key", nil, &id)
	if errors.Is(err, errNoGate) {
		id, err = t.storedKey()
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(t.stdout, id.Gate, id.Key)
	return nil
}

func (t *tool) storedKey() (gate.Identity, error) {
	cfg, err := t.load()
	if err != nil {
		return gate.Identity{}, err
	}
	key, err := gate.ReadIdentity(cfg.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return gate.Identity{}, errors.New("this gate has no key yet: the first 'systemctl start gated' makes it")
	case errors.Is(err, fs.ErrPermission):
		return gate.Identity{}, fmt.Errorf("%w: run this as root, or start gated", err)
	case err != nil:
		return gate.Identity{}, err
	}
	return gate.Identity{Gate: cfg.Gate, Key: wire.FormatPublicKey(key.Public().(ed25519.PublicKey))}, nil
}
