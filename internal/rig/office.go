package rig

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"

	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/screening/policy"
)

// officeKey signs in the name of whom a scenario's gate takes policies from, or of
// a stranger.
func officeKey(stranger bool) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	if stranger {
		seed[0] = 1
	}
	return ed25519.NewKeyFromSeed(seed)
}

// officeRules are whose policies a scenario's gate takes.
func officeRules() gate.Rules {
	return gate.Rules{Signers: []ed25519.PublicKey{officeKey(false).Public().(ed25519.PublicKey)}, Presets: firmwareconfig.Policies()}
}

// load brings a policy or a calendar to the gate, as gatectl does.
func (st *stage) load(ctx context.Context, args []string) error {
	if len(args) < 2 || len(args) > 3 || !slices.Contains([]string{"policy", "calendar"}, args[0]) || st.files[args[1]] == nil {
		return errUsage
	}
	body := st.files[args[1]]
	switch by := strings.Join(args[2:], ""); by {
	case "", "stranger":
		body = policy.Sign(body, officeKey(by == "stranger"))
	case "unsigned":
	default:
		return errUsage
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://gate/v1/"+args[0], bytes.NewReader(body))
	if err != nil {
		return err
	}
	socket := &http.Client{Transport: &http.Transport{DialContext: st.control.dial, DisableKeepAlives: true}}
	resp, err := socket.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(text))
	}
	return err
}

// order holds a policy order on paper before the scanner of a lane.
func (st *stage) order(args []string) error {
	if len(args) < 3 {
		return errUsage
	}
	l, laneErr := st.lane(args[0])
	body, presetErr := fs.ReadFile(firmwareconfig.Policies(), args[1]+".toml")
	number, numberErr := strconv.ParseUint(args[2], 10, 32)
	if laneErr != nil || presetErr != nil || numberErr != nil {
		return errUsage
	}
	preset, err := policy.Parse(args[1], body)
	if err != nil {
		return err
	}
	o, stranger := policy.Order{Preset: args[1], Edition: preset.Edition(), Number: uint32(number)}, false
	for _, more := range args[3:] {
		threshold, isThreshold := strings.CutPrefix(more, "threshold=")
		switch limit, ok := policy.ParseMilliC(threshold); {
		case more == "stranger":
			stranger = true
		case isThreshold && ok:
			o.Threshold = limit
		default:
			return errUsage
		}
	}
	text, err := o.Encode(officeKey(stranger))
	if err == nil {
		l.Scanner.Scan(text)
	}
	return err
}
