package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/screening/policy"
)

// policyLoad hands the gate a signed policy that somebody brought. What is wrong
// in the file itself is said here, with line and remedy.
func (t *tool) policyLoad(ctx context.Context, args []string) error {
	rest, err := t.flagsOf("load", args, 1, nil)
	if err != nil {
		return err
	}
	file, err := os.ReadFile(rest[0])
	if err != nil {
		return fmt.Errorf("read policy: %w", err)
	}
	if _, err := policy.Parse(filepath.Base(rest[0]), file); err != nil {
		return err
	}
	var list []gate.PolicyStatus
	if err := t.ask(ctx, http.MethodPost, "/v1/policy", bytes.NewReader(file), &list); err != nil {
		return err
	}
	t.printPolicies(list)
	return nil
}

// printPolicies prints the policy in force and those that wait for their day.
func (t *tool) printPolicies(list []gate.PolicyStatus) {
	for _, p := range list {
		stands := "waits for its day"
		if p.InForce {
			stands = "in force"
		}
		name := fmt.Sprintf("%d %s", p.Number, p.Name)
		if p.Number == 0 {
			name = "built-in"
		}
		if !p.From.IsZero() {
			stands += ", from " + p.From.Local().Format("2006-01-02 15:04")
		}
		if !p.Until.IsZero() {
			stands += ", until " + p.Until.Local().Format("2006-01-02 15:04")
		}
		fmt.Fprintf(t.stdout, "policy    %s, %s\n", name, stands)
	}
}
