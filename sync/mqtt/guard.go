package mqtt

import (
	"fmt"

	"github.com/menshen/menshen/sync/wire"
)

// The packets that a broker sends to those who ask for nothing more than
// atLeastOnce (MQTT 3.1.1 §2.2.1).
const (
	connack  = 2
	publish  = 3
	puback   = 4
	suback   = 9
	pingresp = 13
)

// maxHeader is what a publish packet has beside its payload: a topic, of which
// the protocol's are far shorter, and a packet identifier.
const maxHeader = 256

// guard follows the packets in a stream and refuses one that is out of bounds
// as soon as its length is read. The client would reserve up to 256 MiB for it,
// and it indexes a list by what a broker's suback holds. The zero value is at
// the start of a packet.
type guard struct {
	subscriptions int // how many filters are asked for at once

	kind   byte // of the packet whose length is being read, 0 between packets
	length int  // as far as it is read
	shift  int  // of the next seven bits of length
	rest   int  // bytes still to come of a packet whose length is good
}

// follow takes the next bytes of the stream, however they were cut. After an
// error the stream must not be read on.
func (g *guard) follow(b []byte) error {
	for len(b) > 0 {
		if g.rest > 0 {
			n := min(g.rest, len(b))
			g.rest -= n
			b = b[n:]
			continue
		}
		if err := g.header(b[0]); err != nil {
			return err
		}
		b = b[1:]
	}
	return nil
}

// header takes one byte of a fixed header (§2.2).
func (g *guard) header(b byte) error {
	if g.kind == 0 {
		g.kind = b >> 4
		if g.limit() < 0 {
			return fmt.Errorf("a broker sends no packet of type %d", g.kind)
		}
		return nil
	}
	g.length |= int(b&0x7f) << g.shift
	g.shift += 7
	if b&0x80 != 0 && g.shift < 28 {
		return nil
	}
	if b&0x80 != 0 || g.length > g.limit() {
		return fmt.Errorf("packet of type %d is longer than %d bytes", g.kind, g.limit())
	}
	g.rest, g.kind, g.length, g.shift = g.length, 0, 0, 0
	return nil
}

// limit is the longest that a packet of this kind may be, -1 if there may be
// none.
func (g *guard) limit() int {
	switch g.kind {
	case connack, puback:
		return 2
	case publish:
		return maxHeader + wire.MaxPayload
	case suback:
		return 2 + g.subscriptions
	case pingresp:
		return 0
	}
	return -1
}
