package board

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/warthog618/go-gpiocdev"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
)

// Line requests the line of [pin.NAME]. An output is at rest from the request
// on: level and direction reach the kernel in one call, so nothing clicks.
func (b *Board) Line(name string, o device.LineOpts) (device.Line, error) {
	declared, ok := b.profile.Pins[name]
	if !ok {
		return nil, b.undeclared("pin", name)
	}
	l, err := b.request(name, declared, o)
	if err != nil {
		return nil, fmt.Errorf("open pin %q: %w", name, absent(err))
	}
	return l, nil
}

// request finds chip and line and takes the line.
func (b *Board) request(name string, p config.Pin, o device.LineOpts) (device.Line, error) {
	labels, passed := b.chipLabels()
	node, err := pickChip(labels, p.Chips)
	if err != nil {
		return nil, errors.Join(err, passed)
	}
	chip, err := gpiocdev.NewChip(node, gpiocdev.WithConsumer("menshen "+name))
	if err != nil {
		return nil, err
	}
	defer chip.Close() // the line stays ours without it
	offset := p.Line
	if p.Name != "" {
		if offset, err = chip.FindLine(p.Name); err != nil {
			return nil, fmt.Errorf("chip %q has no line named %q", chip.Label, p.Name)
		}
	}
	l := newLine(name, o.Output)
	if l.req, err = chip.RequestLine(offset, lineOptions(p, o, l.edge)...); err != nil {
		return nil, err
	}
	if !o.Output {
		if l.last, err = l.Get(); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	b.log.Debug("pin opened", "pin", name, "chip", chip.Label, "line", offset)
	return l, nil
}

// lineOptions says how a line is requested. Rest is logical: the kernel turns
// it over for a line that is active low, and names edges accordingly.
func lineOptions(p config.Pin, o device.LineOpts, edge func(bool)) []gpiocdev.LineReqOption {
	var opts []gpiocdev.LineReqOption
	if p.ActiveLow {
		opts = append(opts, gpiocdev.AsActiveLow)
	}
	if o.Output {
		return append(opts, gpiocdev.AsOutput(0))
	}
	opts = append(opts, gpiocdev.AsInput, gpiocdev.WithBothEdges,
		gpiocdev.WithEventHandler(func(e gpiocdev.LineEvent) { edge(e.Type == gpiocdev.LineEventRisingEdge) }))
	switch p.Bias {
	case config.BiasUp:
		opts = append(opts, gpiocdev.WithPullUp)
	case config.BiasDown:
		opts = append(opts, gpiocdev.WithPullDown)
	default:
		opts = append(opts, gpiocdev.WithBiasDisabled)
	}
	if p.Debounce > 0 {
		opts = append(opts, gpiocdev.WithDebounce(p.Debounce))
	}
	return opts
}

// chipNodes lists the GPIO chips. Links are left out: Raspberry Pi OS keeps the
// old number of a chip as a link to the new one.
func (b *Board) chipNodes() ([]string, error) {
	dev := filepath.Join(b.root, "dev")
	entries, err := os.ReadDir(dev)
	if err != nil {
		return nil, err
	}
	var nodes []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "gpiochip") && e.Type()&os.ModeSymlink == 0 {
			nodes = append(nodes, filepath.Join(dev, e.Name()))
		}
	}
	return nodes, nil
}

// chipLabels maps the node of every chip that can be opened to its label. Why
// others were passed over is told beside it, and matters only if the one asked
// for is not found.
func (b *Board) chipLabels() (map[string]string, error) {
	nodes, err := b.chipNodes()
	if err != nil {
		return nil, err
	}
	labels := make(map[string]string, len(nodes))
	var passed error
	for _, node := range nodes {
		chip, err := gpiocdev.NewChip(node)
		if err != nil {
			passed = errors.Join(passed, fmt.Errorf("%s: %w", node, err))
			continue
		}
		labels[node] = chip.Label
		chip.Close()
	}
	return labels, passed
}

// pickChip finds the one chip that has one of the labels. Numbers are never
// asked for: they change with the order in which drivers start.
func pickChip(labels map[string]string, wanted []string) (string, error) {
	found := ""
	for _, node := range slices.Sorted(maps.Keys(labels)) {
		if !slices.Contains(wanted, labels[node]) {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("chips %s and %s both have one of the labels %q", found, node, wanted)
		}
		found = node
	}
	if found == "" {
		return "", fmt.Errorf("%w: no chip is labelled %q", device.ErrAbsent, wanted)
	}
	return found, nil
}
