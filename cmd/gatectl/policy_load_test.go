package main

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/screening/policy"
)

func TestAPolicyIsBroughtToTheGateByHand(t *testing.T) {
	bureau := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize)) // of the collector
	b := start(t, collector("district", errors.New("network is unreachable")))
	preset, err := fs.ReadFile(firmwareconfig.Policies(), "default.toml")
	if err != nil {
		t.Fatal(err)
	}
	file := func(number string, sign bool) string {
		body := []byte(strings.Replace(string(preset), "number = 0", "number = "+number, 1))
		if sign {
			body = policy.Sign(body, bureau)
		}
		return write(t, filepath.Join(b.Config.Data, "policy-"+number+".toml"), string(body))
	}
	b.call("", "policy", "load", file("7", false)).want(t, exitFailed, "the policy is refused: the file bears no signature")
	b.call("", "policy", "load", file("7", true)).want(t, 0, "policy    7 default, in force\n")
	b.call("", "policy", "load", file("6", true)).want(t, exitFailed, "numbers must rise")
	b.call("", "policy", "load", write(t, filepath.Join(b.Config.Data, "bad.toml"), "format = 1\n")).want(t, exitConfig, "bad.toml:1: ")
	b.call("", "policy", "load").want(t, exitUsage)
	b.call("", "status").want(t, 0, "policy    7 default, in force\n")
}
