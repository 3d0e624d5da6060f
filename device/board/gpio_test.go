package board

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/warthog618/go-gpiocdev"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
)

func TestChipIsPickedByLabel(t *testing.T) {
	labels := map[string]string{"/dev/gpiochip0": "pinctrl-rp1", "/dev/gpiochip10": "gpio-brcmstb@107d508500", "/dev/gpiochip2": "cp2112_gpio", "/dev/gpiochip3": "cp2112_gpio"}
	for rule, c := range map[string]struct {
		wanted []string
		node   string
		absent bool
	}{
		"whatever its number":          {wanted: []string{"gpio-brcmstb@107d508500"}, node: "/dev/gpiochip10"},
		"any of the alternatives":      {wanted: []string{"pinctrl-bcm2711", "pinctrl-rp1"}, node: "/dev/gpiochip0"},
		"none is absent":               {wanted: []string{"pinctrl-bcm2835"}, absent: true},
		"two of a label are a fault":   {wanted: []string{"cp2112_gpio"}},
		"two alternatives are a fault": {wanted: []string{"pinctrl-rp1", "gpio-brcmstb@107d508500"}},
	} {
		t.Run(rule, func(t *testing.T) {
			node, err := pickChip(labels, c.wanted)
			if node != c.node || (err == nil) != (c.node != "") || errors.Is(err, device.ErrAbsent) != c.absent {
				t.Errorf("got %q, %v", node, err)
			}
		})
	}
}

func TestOldNumberOfAChipIsNoSecondChip(t *testing.T) {
	root := t.TempDir()
	put(t, root, "dev/gpiochip0", "")
	put(t, root, "dev/gpiomem", "")
	if err := os.Symlink("gpiochip0", filepath.Join(root, "dev/gpiochip4")); err != nil {
		t.Fatal(err)
	}
	nodes, err := newBoard(root, config.Profile{}).chipNodes()
	if err != nil || len(nodes) != 1 || nodes[0] != filepath.Join(root, "dev/gpiochip0") {
		t.Errorf("got %v, %v", nodes, err)
	}
}

func TestChipThatCannotBeOpenedIsNamed(t *testing.T) {
	root := t.TempDir()
	put(t, root, "dev/gpiochip0", "")
	b := newBoard(root, config.Profile{Pins: map[string]config.Pin{"barrier": {Chips: []string{"x"}}}})
	if _, err := b.Line("barrier", device.LineOpts{}); err == nil || !strings.Contains(err.Error(), "gpiochip0") {
		t.Errorf("got %v", err)
	}
}

func TestOutputIsRequestedAtRestInOneCall(t *testing.T) {
	got := lineOptions(config.Pin{ActiveLow: true, Bias: config.BiasUp, Debounce: time.Second}, device.LineOpts{Output: true}, nil)
	if want := []gpiocdev.LineReqOption{gpiocdev.AsActiveLow, gpiocdev.AsOutput(0)}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestInputIsRequestedAsDeclared(t *testing.T) {
	for rule, c := range map[string]struct {
		pin  config.Pin
		want []gpiocdev.LineReqOption
	}{
		"floating":   {config.Pin{Bias: config.BiasNone}, []gpiocdev.LineReqOption{gpiocdev.WithBiasDisabled}},
		"pulled up":  {config.Pin{Bias: config.BiasUp, ActiveLow: true}, []gpiocdev.LineReqOption{gpiocdev.WithPullUp, gpiocdev.AsActiveLow}},
		"debounced":  {config.Pin{Bias: config.BiasDown, Debounce: 10 * time.Millisecond}, []gpiocdev.LineReqOption{gpiocdev.WithPullDown, gpiocdev.WithDebounce(10 * time.Millisecond)}},
		"both edges": {config.Pin{}, []gpiocdev.LineReqOption{gpiocdev.WithBothEdges, gpiocdev.AsInput}},
	} {
		t.Run(rule, func(t *testing.T) {
			got := lineOptions(c.pin, device.LineOpts{}, func(bool) {})
			for _, want := range c.want {
				if !contains(got, want) {
					t.Errorf("%T %v is missing in %v", want, want, got)
				}
			}
			if contains(got, gpiocdev.AsOutput(0)) {
				t.Error("an input is driven")
			}
		})
	}
}

func contains(opts []gpiocdev.LineReqOption, want gpiocdev.LineReqOption) bool {
	for _, o := range opts {
		if reflect.DeepEqual(o, want) {
			return true
		}
	}
	return false
}
