package scanner

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/device"
)

// ack is the engine's answer to any write; value the one to a read of 0x000A.
var (
	ack   = []byte{0x02, 0x00, 0x00, 0x01, 0x00, 0x33, 0x31}
	value = []byte{0x02, 0x00, 0x00, 0x01, 0x3E, 0xE4, 0xAC}
)

// The same of the other family, from its manual: what answers a setting, what
// refuses one, and the report of a parameter.
var (
	gm67Ack  = []byte{0x04, 0xD0, 0x00, 0x00, 0xFF, 0x2C}
	gm67Nak  = []byte{0x05, 0xD1, 0x00, 0x00, 0x06, 0xFF, 0x24}
	gm67Mode = []byte{0x07, 0xD6, 0x00, 0x00, 0x00, 0x8A, 0x08, 0xFE, 0x91}
)

var epoch = time.Date(2021, 3, 1, 7, 0, 0, 0, time.UTC)

// opened returns a framer that is past its opening, and the time.
func opened(o Opts) (*framer, time.Time) {
	if o.Silence == 0 {
		o.Silence = defaultSilence
	}
	if o.MaxLen == 0 {
		o.MaxLen = defaultMaxLen
	}
	now := epoch.Add(openSilence)
	return newFramer(o, epoch), now
}

// show renders items: codes as they are, "!" for a refused one, replies in
// hexadecimal behind "<".
func show(items []item) string {
	var out []string
	for _, it := range items {
		switch {
		case errors.Is(it.err, device.ErrInvalid):
			out = append(out, "!")
		case it.reply != nil:
			out = append(out, "<"+hex.EncodeToString(it.reply))
		default:
			out = append(out, string(it.code))
		}
	}
	return strings.Join(out, "|")
}

func TestCodesEndAtTheirTerminator(t *testing.T) {
	for _, c := range []struct {
		name string
		kind Kind
		in   string
		want string
	}{
		{"CR ends a code", Line, "A1\r", "A1"},
		{"LF ends a code", Line, "A1\n", "A1"},
		{"CRLF is one end", Line, "A1\r\nB2\r\n", "A1|B2"},
		{"empty lines are dropped", Line, "\r\n\r\r\nA1\r\n\n", "A1"},
		{"two codes in one read are two codes", Line, "A1\rB2\r", "A1|B2"},
		{"spaces and UTF-8 and GBK stay as they are", Line, " 学 \xD1\xA7 \r", " 学 \xD1\xA7 "},
		{"a code without an end is not yet one", Line, "A1", ""},
		{"a control byte refuses the code only", Line, "A\x1b1\rB2\r", "!|B2"},
		{"DEL refuses the code", Line, "A\x7f1\r", "!"},
		{"the longest code", Line, "12345678\r", "12345678"},
		{"a longer code is refused to its end", Line, "123456789abc\rB2\r", "!|B2"},
		{"an acknowledgement before the code", GM65, string(ack) + "A1\r", "<00|A1"},
		{"an acknowledgement inside the code", GM65, "A" + string(ack) + "1\r", "<00|A1"},
		{"an acknowledgement before the terminator", GM65, "A1" + string(ack) + "\r", "<00|A1"},
		{"a reply to a read", GM65, string(value) + "A1\r" + string(value), "<3e|A1|<3e"},
		{"a reply with a wrong CRC is control bytes in a code", GM65, string(ack[:6]) + "\x30A1\rB2\r", "!|B2"},
		{"a reply behind a false start", GM65, "\x02" + string(ack) + "A\rB2\r", "!|<00|B2"},
		{"the other family's acknowledgement before the code", GM67, string(gm67Ack) + "A1\r", "<d00000|A1"},
		{"and inside it, and before the terminator", GM67, "A" + string(gm67Ack) + "1" + string(gm67Ack) + "\r", "<d00000|<d00000|A1"},
		{"a refusal", GM67, string(gm67Nak) + "A1\r", "<d1000006|A1"},
		{"a report", GM67, string(gm67Mode) + "A1\r", "<d60000008a08|A1"},
		{"a wrong checksum is control bytes in a code", GM67, string(gm67Ack[:5]) + "\x2DA1\rB2\r", "!|B2"},
		{"a line end in a disturbed reply ends nothing", GM67, "\x07\xD6\x00\x00\x00\x8A\x0A\xFE\x91\rB2\r", "!|B2"},
		{"an opcode that no engine sends", GM67, "\x04\xE4\x00\x00\xFF\x18\rB2\r", "!|B2"},
		{"a reply behind a false start", GM67, "\x08" + string(gm67Ack) + "A\rB2\r", "!|<d00000|B2"},
		{"a plain scanner sends no acknowledgements", Line, string(ack) + "A\rB2\r", "!|B2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, now := opened(Opts{Kind: c.kind, MaxLen: 8})
			if got := show(f.feed([]byte(c.in), now)); got != c.want {
				t.Errorf("in one read: got %q, want %q", got, c.want)
			}
			var items []item
			f, now = opened(Opts{Kind: c.kind, MaxLen: 8})
			for i := range len(c.in) {
				items = append(items, f.feed([]byte(c.in[i:i+1]), now)...)
			}
			if got := show(items); got != c.want {
				t.Errorf("byte by byte: got %q, want %q", got, c.want)
			}
		})
	}
}

func TestSilenceEndsACode(t *testing.T) {
	f, now := opened(Opts{})
	f.feed([]byte("A1"), now)
	at, ok := f.due()
	if !ok || at.Sub(now) != 80*time.Millisecond {
		t.Fatalf("due %v, %v", at.Sub(now), ok)
	}
	if got := show(f.tick(at.Add(-1))); got != "" {
		t.Errorf("too early: %q", got)
	}
	if got := show(f.tick(at)); got != "A1" {
		t.Errorf("got %q", got)
	}
	if _, ok := f.due(); ok {
		t.Error("still something due")
	}
	if got := show(f.feed([]byte("\r\nB2\r"), at)); got != "B2" {
		t.Errorf("the late terminator: got %q", got)
	}
}

func TestBytesAfterSilenceAreAnotherCode(t *testing.T) {
	f, now := opened(Opts{})
	f.feed([]byte("A1"), now)
	if got := show(f.feed([]byte("B2\r"), now.Add(80*time.Millisecond))); got != "A1|B2" {
		t.Errorf("got %q", got)
	}
}

func TestSilenceEndsARefusedCodeAndABrokenReply(t *testing.T) {
	f, now := opened(Opts{Kind: GM65, MaxLen: 4})
	f.feed([]byte("12345"), now)
	now = now.Add(80 * time.Millisecond)
	if got := show(f.feed([]byte("A1\r"), now)); got != "A1" {
		t.Errorf("got %q", got)
	}
	for _, broken := range []string{replyHead, replyHead + "\x02\r3"} {
		f.feed([]byte(broken), now)
		now = now.Add(80 * time.Millisecond)
		if got := show(f.feed([]byte("A1\r"), now)); got != "!|A1" {
			t.Errorf("% x: got %q", broken, got)
		}
	}
}

func TestALineThatLostItsBeginningIsDiscarded(t *testing.T) {
	f := newFramer(Opts{Silence: defaultSilence, MaxLen: defaultMaxLen}, epoch)
	if got := show(f.feed([]byte("LO 12345\r\nA1\r\n"), epoch)); got != "A1" {
		t.Errorf("up to the terminator: got %q", got)
	}

	f = newFramer(Opts{Silence: defaultSilence, MaxLen: defaultMaxLen}, epoch)
	now := epoch.Add(199 * time.Millisecond)
	got := show(f.feed([]byte("LO"), now))
	now = now.Add(199 * time.Millisecond)
	got += show(f.feed([]byte(" 12345"), now))
	now = now.Add(200 * time.Millisecond)
	got += show(f.feed([]byte("A1\r"), now))
	if got != "A1" {
		t.Errorf("up to 200 ms of silence: got %q", got)
	}
}

func TestCommandsMatchTheManual(t *testing.T) {
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{command(typeWrite, 0x0002, 0x01), "7e000801000201" + "02da"},
		{command(typeRead, 0x000A, 1), "7e000701000a01" + "ee8a"},
		{command(typeWrite, 0x000A, 0x3E), "7e000801000a3e" + "4ccf"},
		{command(0x09, 0x0000, 0x00), "7e000901000000" + "dec8"},
		{command(typeRead, 0x002A, 2), "7e000701002a02" + "d80f"},
		{command(typeWrite, 0x002A, 0x39, 0x01), "7e000802002a3901" + "a7ea"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestBinaryCodesEndBySilenceAndLoseOneLineEnd(t *testing.T) {
	for _, c := range []struct{ rule, in, want string }{
		{"any byte stays", "\x00A\r\n\x02\x00\x7F\xFF", "\x00A\r\n\x02\x00\x7F\xFF"},
		{"CR goes", "A1\r", "A1"},
		{"LF goes", "A1\n", "A1"},
		{"CRLF goes", "A1\r\n", "A1"},
		{"one only", "A1\r\r\n\r\n", "A1\r\r\n"},
		{"LFCR loses its CR", "A1\n\r", "A1\n"},
		{"a line end alone is no code", "\r\n", ""},
		{"the longest", "12345678\r\n", "12345678"},
		{"a longer one", "123456789\r\n", "!"},
		{"a longer one without an end", "123456789", "!"},
		{"a much longer one", "123456789abcdefgh\r\n", "!"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			f, now := opened(Opts{Binary: true, MaxLen: 8})
			got := f.feed([]byte(c.in), now)
			got = append(got, f.tick(now.Add(defaultSilence))...)
			got = append(got, f.feed([]byte("next"), now.Add(time.Second))...)
			got = append(got, f.tick(now.Add(2*time.Second))...)
			want := strings.TrimPrefix(c.want+"|next", "|")
			if show(got) != want {
				t.Errorf("got %q, want %q", show(got), want)
			}
		})
	}
}

// The worked frames of the manual.
func TestFramesMatchTheManualOfTheOtherFamily(t *testing.T) {
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{frame(opTrigger, 0), "04e40400ff14"},
		{frame(opAck, 0), "04d00400ff28"},
		{frame(opSet, keep, 0, paramMode, 0x08), "07c60408008a08fe95"},
		{frame(opSet, keep, 0, paramSetup, 0x00), "07c6040800ec00fe3b"},
		{frame(opSet, keep, 0, paramFormat, 0x00), "07c6040800ee00fe39"},
		{frame(opSet, keep, 0, 0xF2, 0x01, 0x02), "08c6040800f20102fe31"},
		{frame(opGet, 0, 0x10), "05c7040010ff20"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// Every single flipped bit of a reply makes it none.
func TestAFlippedBitOfAReplyIsNoReply(t *testing.T) {
	for kind, reply := range map[Kind][]byte{GM65: value, GM67: gm67Mode} {
		for bit := range 8 * len(reply) {
			p := bytes.Clone(reply)
			p[bit/8] ^= 1 << (bit % 8)
			f, now := opened(Opts{Kind: kind})
			items := append(f.feed(p, now), f.tick(now.Add(time.Second))...)
			if slices.ContainsFunc(items, func(it item) bool { return it.reply != nil }) {
				t.Errorf("%v, bit %d: % x taken for a reply", kind, bit, p)
			}
		}
	}
}

// Whatever arrives, at whatever time: no panic, bounded memory, and no code
// that breaks its promise.
func FuzzFramerIsBounded(f *testing.F) {
	f.Add([]byte("A1\rB2\n"), byte(Line), false, byte(3), byte(10))
	f.Add([]byte("A1\x00B2\r\n\r\n"), byte(Line), true, byte(3), byte(10))
	f.Add(append(bytes.Clone(ack), "A1\r"...), byte(GM65), false, byte(2), byte(90))
	f.Add(bytes.Repeat([]byte{2, 0, 0, 255}, 100), byte(GM65), false, byte(1), byte(1))
	f.Add([]byte{2, 2, 0, 2, 0, 0, 2, 0, 0, 0}, byte(GM65), false, byte(1), byte(0))
	f.Add([]byte("\x04\xD0\x00\x00\xFF\x2CA1\r\x08\x08\xC6\x04\xD0"), byte(GM67), false, byte(1), byte(0))
	f.Fuzz(func(t *testing.T, in []byte, kind byte, binary bool, step, gap byte) {
		o := Opts{Silence: defaultSilence, MaxLen: 16, Kind: Kind(kind % 3), Binary: binary}
		fr, now := newFramer(o, epoch), epoch
		for p := in; len(p) > 0; now = now.Add(time.Duration(gap) * time.Millisecond) {
			n := min(len(p), 1+int(step))
			items := fr.feed(p[:n], now)
			p = p[n:]
			for _, it := range items {
				if it.code != nil && (len(it.code) > o.MaxLen || len(it.code) == 0 || !binary && slices.ContainsFunc(it.code, control)) {
					t.Fatalf("code %q", it.code)
				}
			}
			if len(fr.code) > o.MaxLen+fr.tail() || len(fr.reply) > len(replyHead)+1+255+2 || fr.found != nil {
				t.Fatalf("holds %d and %d bytes", len(fr.code), len(fr.reply))
			}
		}
		fr.tick(now.Add(time.Hour))
		if _, ok := fr.due(); ok {
			t.Fatal("something due after an hour of silence")
		}
	})
}

func control(b byte) bool { return b < 0x20 || b == 0x7F }

// Codes come out as they went in, however the reads are split and wherever the
// engine's replies stand.
func FuzzCodesComeOutUnchanged(f *testing.F) {
	f.Add([]byte("A1|B2"), []byte{1, 2, 3}, false)
	f.Add([]byte("13-digit 0004340757|学生|\xD1\xA7"), []byte{0x80, 0x81, 0xC2}, true)
	f.Add([]byte("A1"), []byte{0xC0}, false)
	f.Fuzz(func(t *testing.T, text, plan []byte, other bool) {
		kind, ack, value := GM65, ack, value
		if other {
			kind, ack, value = GM67, gm67Ack, gm67Mode
		}
		var want []string
		for c := range bytes.SplitSeq(text, []byte("|")) {
			c = slices.DeleteFunc(bytes.Clone(c), control)
			if len(c) > 0 && len(c) <= defaultMaxLen {
				want = append(want, string(c))
			}
		}
		wire := []byte(strings.Join(want, "\r\n") + "\r")
		if len(want) == 0 || len(plan) == 0 {
			return
		}
		fr, now := opened(Opts{Kind: kind})
		var got []string
		var pending []byte // written by the engine, not yet read by the host
		for i := 0; len(wire) > 0; i++ {
			// Each byte of the plan: how many bytes follow, whether a reply
			// comes behind them, and whether the host reads now or later.
			p := plan[i%len(plan)]
			n := min(len(wire), 1+int(p&0x1F))
			pending = append(pending, wire[:n]...)
			wire = wire[n:]
			if p&0x40 != 0 {
				pending = append(pending, ack...)
			}
			if p&0x20 != 0 {
				pending = append(pending, value...)
			}
			k := len(pending)
			if p&0x80 != 0 {
				k /= 2
			}
			if len(wire) == 0 {
				k = len(pending)
			}
			for _, it := range fr.feed(pending[:k], now) {
				switch {
				case it.err != nil:
					t.Fatal(it.err)
				case it.code != nil:
					got = append(got, string(it.code))
				}
			}
			pending = bytes.Clone(pending[k:])
			now = now.Add(time.Millisecond)
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}
