package board

import (
	"fmt"

	"github.com/warthog618/go-gpiocdev"
)

// Chip is one GPIO chip of the machine.
type Chip struct {
	// Node is its device node; the number in it moves between boots.
	Node string
	// Label is what a profile names it by.
	Label string
	// Lines is how many it has.
	Lines int
	// Used are the lines that a program or the kernel has, in their order.
	Used []UsedLine
	// Err is why the chip could not be looked into; nothing else but Node is set
	// then.
	Err error
}

// UsedLine is a line that somebody has.
type UsedLine struct {
	Number int
	// By is who has it, as it called itself.
	By string
}

// Chips lists the machine's GPIO chips and requests no line.
func (b *Board) Chips() ([]Chip, error) {
	nodes, err := b.chipNodes()
	if err != nil {
		return nil, fmt.Errorf("list gpio chips: %w", err)
	}
	var all []Chip
	for _, node := range nodes {
		all = append(all, lookInto(node))
	}
	return all, nil
}

func lookInto(node string) Chip {
	chip, err := gpiocdev.NewChip(node)
	if err != nil {
		return Chip{Node: node, Err: fmt.Errorf("open %s: %w", node, err)}
	}
	defer chip.Close()
	c := Chip{Node: node, Label: chip.Label, Lines: chip.Lines()}
	for n := range c.Lines {
		if info, err := chip.LineInfo(n); err == nil && info.Used {
			c.Used = append(c.Used, UsedLine{Number: n, By: info.Consumer})
		}
	}
	return c
}
