package sim

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/menshen/menshen/device/evdev"
)

// Keyboard is a scanner or card reader that types what it reads, as a USB-HID
// device does. What it sends are the kernel's events; like the board, the world
// opens it as a stream of the text in them.
type Keyboard struct {
	*port
}

// AddKeyboard adds a keyboard under the name of a port.
func (w *World) AddKeyboard(name string) *Keyboard {
	k := &Keyboard{port: &port{name: name, receive: func([]byte) {}}}
	k.wrap = func(s io.ReadWriteCloser) (io.ReadWriteCloser, error) { return evdev.NewReader(s, evdev.Layout64) }
	w.addPort(k.port)
	return k
}

// Scan types a text and Enter. It panics at a character that a keyboard of the
// US layout has no key for.
func (k *Keyboard) Scan(text string) {
	k.Type(text + "\n")
}

// Type types a text without an end; "\n" in it is Enter.
func (k *Keyboard) Type(text string) {
	for _, c := range text {
		code, shift := keyOf(c)
		if shift {
			k.Key(keyShift, 1)
		}
		k.Key(code, 1)
		k.Key(code, 0)
		if shift {
			k.Key(keyShift, 0)
		}
	}
}

// Key sends one key's change and the end of its packet: value 1 is pressed, 0
// released, 2 repeated.
func (k *Keyboard) Key(code uint16, value int32) {
	k.Emit(Event(evdev.Layout64, 1, code, value))
	k.Emit(Event(evdev.Layout64, 0, 0, 0))
}

// Emit sends bytes as they are: half an event, noise, lost events.
func (k *Keyboard) Emit(b []byte) { k.send(b) }

// Event returns the bytes of one event at no particular time.
func Event(l evdev.Layout, kind, code uint16, value int32) []byte {
	b := make([]byte, l-8, l)
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, code)
	return binary.NativeEndian.AppendUint32(b, uint32(value))
}

const keyShift = 42

// The keys of a keyboard by their codes, from 1 on; a space where there is none.
const (
	keysPlain = " 1234567890-=  qwertyuiop[]\n asdfghjkl;'` \\zxcvbnm,./"
	keysShift = " !@#$%^&*()_+  QWERTYUIOP{}\n ASDFGHJKL:\"~ |ZXCVBNM<>?"
)

func keyOf(c rune) (code uint16, shift bool) {
	if c == ' ' {
		return 57, false
	}
	if i := strings.IndexRune(keysPlain, c); i >= 0 {
		return uint16(i + 1), false
	}
	if i := strings.IndexRune(keysShift, c); i >= 0 {
		return uint16(i + 1), true
	}
	panic(fmt.Sprintf("sim: no key for %q", c))
}
