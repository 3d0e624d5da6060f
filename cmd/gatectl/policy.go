package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
)

// policy reads, tries, signs and compares policy files, for which no gate need
// run, and brings one to the gate.
func (t *tool) policy(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	name, rest := args[0], args[1:]
	switch name {
	case "check":
		return t.policyCheck(rest)
	case "test":
		return t.policyTest(rest)
	case "sign":
		return t.policySign(rest)
	case "order":
		return t.policyOrder(rest)
	case "diff":
		return t.policyDiff(rest)
	case "replay":
		return t.policyReplay(ctx, rest)
	case "load":
		return t.policyLoad(ctx, rest)
	case "explain":
		return t.policyExplain(ctx, rest)
	}
	return errUsage
}

// readPolicy reads a file, with or without signatures, or a built-in policy by
// its name.
func readPolicy(name string) (policy.Document, error) {
	if !strings.ContainsAny(name, "./"+string(filepath.Separator)) {
		return policy.Preset(firmwareconfig.Policies(), name)
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return policy.Document{}, fmt.Errorf("read policy: %w", err)
	}
	return policy.Parse(filepath.Base(name), body)
}

// policyCheck prints every fault of the files, or what they are.
func (t *tool) policyCheck(args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return errUsage
	}
	var all error
	for _, name := range args {
		d, err := readPolicy(name)
		if err != nil {
			all = errors.Join(all, err)
			continue
		}
		fmt.Fprintf(t.stdout, "%s: %s\n", name, titleOf(d))
	}
	return all
}

// titleOf is one line about a policy.
func titleOf(d policy.Document) string {
	s := d.Spec
	text := fmt.Sprintf("policy %d %s, %s, %d rows", s.Number, s.Name, s.Kind, len(s.Requirements))
	if s.Kind != screening.Attendance {
		text += fmt.Sprintf(", %s %s", s.Boundary.Sign(), s.Threshold.Exact())
	}
	if !d.ValidFrom.IsZero() {
		text += ", from " + d.ValidFrom.Local().Format("2006-01-02 15:04")
	}
	if d.Title.Zh != "" {
		text += fmt.Sprintf(" · %s / %s", d.Title.Zh, d.Title.En)
	}
	return text
}

// notAtAGate is the file of the rules on which no gate can act.
const notAtAGate = "not-at-a-gate.toml"

// policyTest runs the cases of every policy of a directory, or of the built-in
// ones, and prints which policies have a case for which rule.
func (t *tool) policyTest(args []string) error {
	var dir string
	define := func(f *flag.FlagSet) { f.StringVar(&dir, "cases", filepath.Join("testdata", "policy"), "") }
	policies := firmwareconfig.Policies()
	if rest, err := t.flagsOf("test", args, 1, define); err == nil {
		policies = os.DirFS(rest[0])
	} else if _, err := t.flagsOf("test", args, 0, define); err != nil {
		return err
	}
	return t.tryPolicies(policies, os.DirFS(dir))
}

// tryPolicies runs the cases of all the policies, whatever is wrong with one.
func (t *tool) tryPolicies(policies, cases fs.FS) error {
	var coverage policy.Coverage
	var faults error
	failed, ran := 0, 0
	names := policy.Presets(policies)
	if len(names) == 0 {
		return errors.New("there is no policy: name a directory of NAME.toml")
	}
	for _, name := range names {
		list, wrong, err := runCases(policies, cases, name)
		faults = errors.Join(faults, err)
		for _, f := range wrong {
			fmt.Fprintln(t.stdout, f)
		}
		coverage.Cite(name, list)
		ran, failed = ran+len(list), failed+len(wrong)
	}
	if faults = errors.Join(faults, readElsewhere(cases, &coverage)); faults != nil {
		return faults
	}
	coverage.Print(t.stdout)
	fmt.Fprintf(t.stdout, "%d policies, %d cases, %d failed; rules without a case or a reason: %v\n", len(names), ran, failed, coverage.Missing())
	if failed > 0 {
		return fmt.Errorf("%d of %d cases failed", failed, ran)
	}
	return nil
}

// readElsewhere reads the table of rules on which no gate can act, where there is
// one beside the cases.
func readElsewhere(cases fs.FS, c *policy.Coverage) error {
	body, err := fs.ReadFile(cases, notAtAGate)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		c.Elsewhere, err = policy.ParseElsewhere(notAtAGate, body)
	}
	return err
}

// runCases reads a policy with its cases and returns those that fail.
func runCases(policies, cases fs.FS, name string) ([]policy.Case, []policy.Failure, error) {
	d, err := policy.Preset(policies, name)
	if err != nil {
		return nil, nil, err
	}
	file := name + ".toml"
	body, err := fs.ReadFile(cases, file)
	if err != nil {
		return nil, nil, fmt.Errorf("cases of %s: %w: name their directory with -cases DIR", name, err)
	}
	list, err := policy.ParseCases(file, body, d)
	if err != nil {
		return nil, nil, err
	}
	return list, policy.RunCases(d, list), nil
}
