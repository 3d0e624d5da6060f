package doctor

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// keyboard is a device that types.
type keyboard struct {
	node            string // /dev/input/eventN
	vendor, product string
	name            string
}

// keyboards lists the devices that type and hang on USB.
func (f files) keyboards() []keyboard {
	var all []keyboard
	for _, event := range f.list("/sys/class/input") {
		if !strings.HasPrefix(event, "event") {
			continue
		}
		class := path.Join("/sys/class/input", event)
		at := path.Dir(f.follow(class)) // .../inputN
		vendor, product, _, usb := f.usb(class)
		if !usb || !types(f.text(at+"/capabilities/key")) {
			continue
		}
		all = append(all, keyboard{"/dev/input/" + event, vendor, product, f.label(at + "/name")})
	}
	return all
}

// types reports whether keys, as the kernel writes them in hexadecimal words of
// which the last has the first ones, hold the key 1.
func types(keys string) bool {
	words := strings.Fields(keys)
	if len(words) == 0 {
		return false
	}
	const keyOne = 1 << 2
	last, err := strconv.ParseUint(words[len(words)-1], 16, 64)
	return err == nil && last&keyOne != 0
}

// inputs looks at what types.
func (s search) inputs() Section {
	sec := Section{Title: Text{"键盘式扫码器、读卡器", "scanners and card readers that type"}}
	for _, k := range s.keyboards() {
		t := Thing{Where: k.node, Facts: k.vendor + ":" + k.product + " " + k.name,
			Guess: Text{"键盘,或键盘方式的扫码器、读卡器", "a keyboard, or a scanner or card reader that types"}}
		if known, ok := knownAs(k.vendor, k.product); ok {
			t.Guess = known.guess
		}
		id := "hid:" + k.vendor + ":" + k.product
		t.Trouble = s.busy(k.node, id)
		t.Lines = []string{"[ports]    # gated.toml", fmt.Sprintf("scanner-1 = %q", id), `[lane.scanner]`, `kind = "line"`, `port = "scanner-1"`}
		sec.Things = append(sec.Things, t)
	}
	if len(sec.Things) == 0 {
		sec.Missing = &Finding{What: Text{"没有键盘式设备", "nothing that types"},
			Fix: Text{"串口扫码器不需要它;键盘式的插上后再看一次", "a serial scanner needs none; plug one in that types, and look again"}, Commands: []string{"gatectl scan"}}
	}
	return sec
}

// soundCard is one line of /proc/asound/cards.
type soundCard struct{ id, name string }

// soundCards reads the kernel's list of cards: " 0 [Headphones     ]: driver -
// name", and a second line of each that is passed over.
func soundCards(list string) []soundCard {
	var all []soundCard
	for line := range strings.Lines(list) {
		number, rest, ok := strings.Cut(strings.TrimSpace(line), "[")
		if _, err := strconv.Atoi(strings.TrimSpace(number)); !ok || err != nil {
			continue
		}
		id, name, ok := strings.Cut(rest, "]:")
		if id = strings.TrimSpace(id); ok && id != "" && !strings.ContainsAny(id, " \"") {
			all = append(all, soundCard{id, strings.TrimSpace(name)})
		}
	}
	return all
}
