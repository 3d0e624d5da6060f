package sim

import "sync"

// RelayBoard is a serial relay board of the LCUS family. It takes frames
// A0 | channel | 01 or 00 | sum and never answers. Its relays keep their last
// state when the cable is pulled or the host dies.
type RelayBoard struct {
	*port
	outputs

	channels int
	decode   sync.Mutex
	decoder  lcusDecoder
}

// AddRelayBoard adds a board whose channels count from 1 and are off.
func (w *World) AddRelayBoard(name string, channels int) *RelayBoard {
	b := &RelayBoard{port: &port{name: name}, channels: channels}
	b.receive = b.take
	w.addPort(b.port)
	return b
}

// On says whether the relay of a channel has pulled.
func (b *RelayBoard) On(channel int) bool { return b.state(channel) }

// Rejected counts the bytes that belonged to no sound frame.
func (b *RelayBoard) Rejected() int {
	b.decode.Lock()
	defer b.decode.Unlock()
	return b.decoder.rejected
}

func (b *RelayBoard) take(bytes []byte) {
	for _, c := range bytes {
		b.step(c)()
	}
}

func (b *RelayBoard) step(c byte) (tell func()) {
	b.decode.Lock()
	defer b.decode.Unlock()
	channel, on, ok := b.decoder.step(c)
	if !ok || channel < 1 || channel > b.channels {
		return func() {}
	}
	return b.record(channel, on)
}

// lcusDecoder finds frames in a stream of bytes.
type lcusDecoder struct {
	buf      [4]byte
	n        int
	rejected int
}

// step takes one byte; ok says that it completed a sound frame. After an
// unsound one it looks for the next A0 among the bytes that it already has.
func (d *lcusDecoder) step(c byte) (channel int, on, ok bool) {
	d.buf[d.n] = c
	d.n++
	for d.n > 0 && !d.plausible() {
		copy(d.buf[:], d.buf[1:d.n])
		d.n--
		d.rejected++
	}
	if d.n < len(d.buf) {
		return 0, false, false
	}
	d.n = 0
	return int(d.buf[1]), d.buf[2] == 0x01, true
}

// plausible says whether a frame can begin with what is in the buffer.
func (d *lcusDecoder) plausible() bool {
	f := d.buf[:d.n]
	return f[0] == 0xA0 &&
		(len(f) < 3 || f[2] <= 0x01) &&
		(len(f) < 4 || f[3] == f[0]+f[1]+f[2])
}
