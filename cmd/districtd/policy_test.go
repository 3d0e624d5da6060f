package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAPolicyIsTriedShownAndThenPublished(t *testing.T) {
	name, _ := configure(t, ownBroker)
	call := func(stdin string, args ...string) result {
		return districtd(t, stdin, append([]string{"-config", name}, args...)...)
	}
	const plan = `format = 1
number = 12
name = "plan"
title = { zh = "方案", en = "plan" }
kind = "attendance"
date = 2024-03-01
valid_from = 2024-03-02T00:00:00+08:00
[[row]]
id = "identity"
ask = "identity"
fail = "refer"
mode = "enforce"
`
	file := filepath.Join(t.TempDir(), "plan.toml")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(plan)
	call("", "policy", "status").want(t, 0, "GATE")
	call("", "policy", "publish", file).want(t, exitFailed, "no gate is let in")
	call("", "admit", "-school", "育才小学", "east", newKey(t)).want(t, 0)
	call("", "policy", "publish", file+"x").want(t, exitFailed, "no such file")
	call("no\n", "policy", "publish", file).want(t, exitFailed, "policy 12 plan, attendance", "1 signatures", "育才小学: nobody has arrived yet", "nothing was sent")
	call("yes\n", "policy", "publish", file).want(t, 0, "Send it to 1 gates?", "policy 12 goes to east")
	call("", "policy", "publish", "-yes", file).want(t, 0, "policy 12 goes to east")
	call("", "policy", "status").want(t, 0, "policy 12, published", "0 of 1 gates have it", "not yet: east", "east  built-in  -      -")
	put(strings.Replace(plan, "number = 12", "number = 11", 1))
	call("", "policy", "publish", "-yes", file).want(t, exitFailed, "number 11 is not above 12")
	put(strings.Replace(plan, "refer", "ignore", 1))
	call("", "policy", "publish", "-yes", file).want(t, exitFailed, "plan.toml:11: ")
}
