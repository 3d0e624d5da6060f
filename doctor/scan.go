package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/board"
)

// Search says where and how Scan looks.
type Search struct {
	// Root holds the machine's files: /dev, /proc, /sys.
	Root fs.FS
	// Opener opens the buses and ports of a profile that Scan writes for the
	// purpose, each for a moment; opening a port raises its DTR, as every program
	// does. Lines are never asked for.
	Opener func(config.Profile) device.Opener
	// Chips lists the GPIO chips.
	Chips func() ([]board.Chip, error)
	// InUse are the paths of ports and the paths or adapters of buses that a
	// running gate has; they are named and never opened.
	InUse []string
	// Probe allows bytes to be sent to devices that are not known. One of them may
	// be a relay.
	Probe bool
	// Listen is how long a port is listened to at each rate.
	Listen time.Duration
}

// Section is one kind of thing that was looked for.
type Section struct {
	Title  Text
	Things []Thing
	// Missing says what to do where nothing was found, or less than there must be.
	Missing *Finding
}

// Thing is one device or chip, or the place where one could be.
type Thing struct {
	// Where it is: a path, or a path and an address.
	Where string
	// Facts are its names and numbers as the system tells them.
	Facts string
	// Guess is what it may be; empty where nothing tells.
	Guess Text
	// Trouble is why it was not looked into; nil where it was.
	Trouble error
	// Lines are what to paste into a profile for it.
	Lines []string
}

// search is a Search under way.
type search struct {
	Search
	files
}

// Scan looks for everything that a gate can use. It ends early with the
// context.
func (o Search) Scan(ctx context.Context) []Section {
	s := search{o, files{o.Root}}
	return []Section{s.buses(ctx), s.ports(ctx), s.inputs(), s.gpio(), s.sounds()}
}

// busy is why a thing is not opened; name is another name of it.
func (s search) busy(node, name string) error {
	for _, used := range s.InUse {
		if used == node || used == name || s.follow(used) == node {
			return errors.New("gated 正在使用,用 gatectl live 看它 / gated has it open: see it with 'gatectl live'")
		}
	}
	if by := s.holder(node); by != "" {
		return fmt.Errorf("%s 正在使用 / %s has it open", by, by)
	}
	return nil
}

// gpio lists the chips of lines.
func (s search) gpio() Section {
	sec := Section{Title: Text{"GPIO 芯片", "GPIO chips"}}
	chips, err := s.Chips()
	for _, c := range chips {
		thing := Thing{Where: c.Node, Facts: fmt.Sprintf("%s, %d lines", c.Label, c.Lines), Trouble: c.Err}
		for _, l := range c.Used {
			thing.Facts += fmt.Sprintf("\n%d: %s", l.Number, l.By)
		}
		if c.Err == nil {
			thing.Lines = []string{"[pin.NAME]", fmt.Sprintf("chip = %q", c.Label), "line = 0    # 0 .. " + fmt.Sprint(c.Lines-1)}
		}
		sec.Things = append(sec.Things, thing)
	}
	if len(chips) == 0 {
		sec.Missing = &Finding{What: Text{"没有 GPIO 线", "no GPIO lines"},
			Fix:      Text{"普通电脑没有:用 USB 继电器板(型号 all-serial)", "a PC has none: use a USB relay board (profile all-serial)"},
			Commands: []string{"ls -l /dev/gpiochip*"}}
		if err != nil {
			sec.Missing.Why = Text{err.Error(), err.Error()}
		}
	}
	return sec
}

// sounds lists the sound cards.
func (s search) sounds() Section {
	sec := Section{Title: Text{"声卡", "sound cards"}}
	for _, c := range soundCards(s.text("/proc/asound/cards")) {
		sec.Things = append(sec.Things, Thing{
			Where: "hw:" + c.id, Facts: c.name, Guess: Text{"喇叭", "loudspeaker"},
			Lines: []string{"[sound]", fmt.Sprintf("device = %q", "plughw:CARD="+c.id)},
		})
	}
	if len(sec.Things) == 0 {
		sec.Missing = &Finding{What: Text{"没有声卡:校门照常工作,只是没有声音", "no sound card: the gate works and is silent"},
			Fix: Text{"需要声音就插一块 USB 声卡", "plug in a USB sound card if it is to be heard"}, Commands: []string{"aplay -L"}}
	}
	return sec
}
