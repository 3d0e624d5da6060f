package main

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/sync/wire"
)

func TestPoliciesAreTakenFromCollectorsAndFromWhoElseMaySign(t *testing.T) {
	collector := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("o", ed25519.SeedSize))).Public().(ed25519.PublicKey)
	r, err := rules(&config.Config{PolicySigners: []string{wire.FormatPublicKey(other)}}, []gate.Collector{{Name: "district", Key: collector}})
	if err != nil || len(r.Signers) != 2 || !r.Signers[0].Equal(collector) || !r.Signers[1].Equal(other) {
		t.Errorf("got %v, %v", r.Signers, err)
	}
	if _, err := policy.Preset(r.Presets, "default"); err != nil {
		t.Errorf("an order finds no preset: %v", err)
	}
	if _, err := rules(&config.Config{PolicySigners: []string{"ed25519:AAAA"}}, nil); err == nil || !strings.Contains(err.Error(), "policy_signers") {
		t.Errorf("what is no key: %v", err)
	}
}
