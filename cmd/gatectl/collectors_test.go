package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/sync/uplink"
	"github.com/menshen/menshen/sync/wire"
)

// closed is a broker that lets nobody in.
type closed struct{ err error }

func (c closed) Connect(context.Context, uplink.Message) (uplink.Session, error) { return nil, c.err }

func collector(name string, err error) gate.Collector {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
	return gate.Collector{Name: name, Key: key.Public().(ed25519.PublicKey), Transport: closed{err}}
}

func TestStatusHasALineForEachCollectorAndSaysWhatToDo(t *testing.T) {
	b := start(t, collector("school", uplink.ErrRefused), collector("district", errors.New("network is unreachable")))
	var c call
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); { // the first try follows the opening
		if c = b.call("", "status"); strings.Contains(c.out, "cannot be reached") && strings.Contains(c.out, "refuses this gate") {
			break
		}
	}
	c.want(t, 0, "collector school: refused, has 0 of ", "not heard of since the gate started\n! 消息服务器不让本机登录\n  the broker refuses this gate\n  -> 核对",
		"\n     compare password_file",
		"collector district: connecting, has 0 of ", "\n  the broker in url cannot be reached\n  -> 校门上什么都不用做",
		"! school refuses this gate", "! Works offline")
	if strings.LastIndex(c.out, "! ") != strings.Index(c.out, "! Works offline") {
		t.Errorf("working offline is not the last:\n%s", c.out)
	}
}

func TestTheKeyIsShownByTheGateAndWithoutIt(t *testing.T) {
	dir := shortDir(t)
	name := configuration(t, dir)
	gatectl(t, "", "-config", name, "key", "show").want(t, exitFailed, "no key yet", "systemctl start gated")
	if _, err := os.Stat(filepath.Join(dir, "device.key")); err == nil {
		t.Error("to show it made one")
	}
	write(t, filepath.Join(dir, "device.key"), strings.Repeat("01", ed25519.SeedSize)+"\n")
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	if c := gatectl(t, "", "-config", name, "key", "show"); c.code != 0 || c.out != "east "+wire.FormatPublicKey(key.Public().(ed25519.PublicKey))+"\n" {
		t.Errorf("printed %+v", c)
	}
	write(t, filepath.Join(dir, "device.key"), "01")
	gatectl(t, "", "-config", name, "key", "show").want(t, exitFailed, "restore it")

	b := start(t)
	shown := b.call("", "key", "show")
	kept, err := gate.ReadIdentity(b.Config.Data)
	if err != nil || shown.out != "demo "+wire.FormatPublicKey(kept.Public().(ed25519.PublicKey))+"\n" {
		t.Errorf("printed %+v, %v", shown, err)
	}
}

func TestCheckReadsTheKeysOfCollectors(t *testing.T) {
	entry := "[[collector]]\nname = \"district\"\nurl = \"mqtts://broker.example\"\npassword_file = \"/p\"\nkey = "
	zero := "ed25519:" + strings.Repeat("A", 43) + "="
	name := configuration(t, shortDir(t), entry+"\""+zero+"\"")
	gatectl(t, "", "-config", name, "check").want(t, exitFailed, "collector district", "low order")
}

func TestTheNextJournalIsBegunOnlyWithoutTheGate(t *testing.T) {
	b := start(t)
	b.call("", "journal", "rebase", "-reason", "card").want(t, exitFailed, "systemctl stop gated")

	name := filled(t, 3)
	gatectl(t, "", "-config", name, "journal", "rebase", "-reason", "card was restored").want(t, 0, "journal-1.db")
	gatectl(t, "", "-config", name, "journal", "verify").want(t, 0, "1 entries")
	gatectl(t, "", "journal", "verify", "-file", filepath.Join(filepath.Dir(name), "journal-1.db")).want(t, 0, "4 entries")
}

func TestWhatIsToBeTypedStandsBelowTheRemedy(t *testing.T) {
	var out bytes.Buffer
	(&tool{stdout: &out}).printAdvice(gate.CollectorStatus{Cause: "collector-ahead", Advice: gate.Advice{
		Text: gate.Words{Chinese: "多", English: "more"}, Remedy: gate.Words{Chinese: "打", English: "type"},
		Commands: []string{"systemctl stop gated", "gatectl version"}}})
	(&tool{stdout: &out}).printAdvice(gate.CollectorStatus{Name: "well"})
	if want := "! 多\n  more\n  -> 打\n     type\n     $ systemctl stop gated\n     $ gatectl version\n"; out.String() != want {
		t.Errorf("prints %q, want %q", out.String(), want)
	}
}
