package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/skip2/go-qrcode"

	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
	"github.com/menshen/menshen/sync/wire"
)

// policySign puts a signature at the end of a policy that has no fault.
func (t *tool) policySign(args []string) error {
	var keyFile string
	rest, err := t.flagsOf("sign", args, 1, func(f *flag.FlagSet) { f.StringVar(&keyFile, "key", "", "") })
	if err != nil || keyFile == "" {
		return errUsage
	}
	file, err := os.ReadFile(rest[0])
	if err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	d, err := policy.Parse(filepath.Base(rest[0]), file)
	if err != nil {
		return err
	}
	if d.Spec.Number == 0 {
		return errors.New("the policy has number 0, which is the built-in one's: write a number above that of the policy in force")
	}
	key, err := t.signingKey(keyFile)
	if err != nil {
		return err
	}
	if err := rewrite(rest[0], policy.Sign(file, key)); err != nil {
		return fmt.Errorf("write signed policy: %w", err)
	}
	fmt.Fprintf(t.stdout, "%s: %s\nsigned by %s\n", rest[0], titleOf(d), wire.FormatPublicKey(key.Public().(ed25519.PublicKey)))
	return nil
}

// rewrite puts a file in the place of another, whole or not at all.
func rewrite(name string, body []byte) error {
	next := name + ".new"
	if err := os.WriteFile(next, body, 0o644); err != nil {
		return err
	}
	if err := os.Rename(next, name); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return nil
}

// signingKey reads a key, PKCS #8 in PEM as a collector's is, and makes it if
// there is none.
func (t *tool) signingKey(name string) (ed25519.PrivateKey, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return t.makeSigningKey(name)
	}
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return nil, fmt.Errorf("read signing key: no PEM in %s", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read signing key: %s holds a key that is not Ed25519", name)
	}
	return key, nil
}

func (t *tool) makeSigningKey(name string) (_ ed25519.PrivateKey, err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make signing key: %w", err)
	}
	err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("make signing key: %w", errors.Join(err, os.Remove(name)))
	}
	fmt.Fprintf(t.stderr, "%s is new: gates take what it signs when policy_signers in gated.toml names its public key\n", name)
	return key, nil
}

// policyOrder writes a policy order as one QR code and prints its text.
func (t *tool) policyOrder(args []string) error {
	var keyFile, qr, from, threshold, boundary, warn, enforce string
	var number uint
	rest, err := t.flagsOf("order", args, 1, func(f *flag.FlagSet) {
		f.StringVar(&keyFile, "key", "", "")
		f.StringVar(&qr, "qr", "", "")
		f.StringVar(&from, "from", "", "")
		f.StringVar(&threshold, "threshold", "", "")
		f.StringVar(&boundary, "boundary", "", "")
		f.StringVar(&warn, "warn", "", "")
		f.StringVar(&enforce, "enforce", "", "")
		f.UintVar(&number, "number", 0, "")
	})
	if err != nil || keyFile == "" || qr == "" || number > 1<<31-1 {
		return errUsage
	}
	preset, err := policy.Preset(firmwareconfig.Policies(), rest[0])
	if err != nil {
		return err
	}
	o := policy.Order{Preset: preset.Spec.Name, Edition: preset.Edition(), Number: uint32(number)}
	if o.ValidFrom, err = parseBegin(from); err != nil {
		return err
	}
	if err := limits(&o, preset.Spec, threshold, boundary); err != nil {
		return err
	}
	if o.Rows, err = rowModes(preset.Spec, warn, enforce); err != nil {
		return err
	}
	return t.writeOrder(o, preset, keyFile, qr)
}

func (t *tool) writeOrder(o policy.Order, preset policy.Document, keyFile, qr string) error {
	d, _, err := o.Apply(preset)
	if err != nil {
		return err
	}
	key, err := t.signingKey(keyFile)
	if err != nil {
		return err
	}
	text, err := o.Encode(key)
	if err != nil {
		return err
	}
	code, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return fmt.Errorf("draw policy order: %w", err)
	}
	if err := code.WriteFile(-8, qr); err != nil { // 8 pixels a module
		return fmt.Errorf("draw policy order: %w", err)
	}
	fmt.Fprintf(t.stdout, "%s\n%s: %s\n", text, qr, titleOf(d))
	t.sentences(policy.Diff(preset, d))
	return nil
}

// parseBegin reads when an order begins: a day, a day with a time, or nothing for
// at once.
func parseBegin(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.RFC3339} {
		if at, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("-from %q is no time: write 2026-12-01, or \"2026-12-01 06:00\"", s)
}

// limits takes a threshold or a boundary that is not the preset's.
func limits(o *policy.Order, preset screening.Spec, threshold, boundary string) error {
	if threshold == "" && boundary == "" {
		return nil
	}
	o.Threshold, o.Boundary = preset.Threshold, preset.Boundary
	if threshold != "" {
		value, ok := policy.ParseMilliC(threshold)
		if !ok {
			return fmt.Errorf("-threshold %q is no temperature: write it as 37.3", threshold)
		}
		o.Threshold = value
	}
	switch boundary {
	case "":
	case "reaches":
		o.Boundary = screening.Reaches
	case "exceeds":
		o.Boundary = screening.Exceeds
	default:
		return fmt.Errorf("-boundary %q is neither reaches nor exceeds", boundary)
	}
	return nil
}

// rowModes finds the rows that are to warn or to stop.
func rowModes(preset screening.Spec, warn, enforce string) (modes []policy.RowMode, err error) {
	for i, list := range []string{warn, enforce} {
		for name := range strings.SplitSeq(list, ",") {
			if name == "" {
				continue
			}
			at := slices.IndexFunc(preset.Requirements, func(r screening.Requirement) bool { return r.ID == name })
			if at < 0 {
				return nil, fmt.Errorf("policy %s has no row %q", preset.Name, name)
			}
			modes = append(modes, policy.RowMode{Index: uint8(at), Warn: i == 0})
		}
	}
	slices.SortFunc(modes, func(a, b policy.RowMode) int { return int(a.Index) - int(b.Index) })
	return modes, nil
}
