package sim_test

import (
	"testing"
	"time"

	"github.com/menshen/menshen/device/sim"
)

const ack = "02 00 00 01 00 33 31"

func TestAScannerThatOnlyTalksIgnoresCommands(t *testing.T) {
	bubble(t, func(t *testing.T, w *sim.World) {
		w.AddScanner("scanner")
		s := stream(t, w, "scanner")
		write(t, s, bytes(t, "7E 00 07 01 00 0A 01 EE 8A"))
		expectSilence(t, s)
	})
}

func TestGM65AnswersAsTheManualSays(t *testing.T) {
	for _, c := range []struct{ rule, frame, answer string }{
		{"read of a zone", "7E 00 07 01 00 0A 01 EE 8A", "02 00 00 01 3E E4 AC"},
		{"write of a zone", "7E 00 08 01 00 0A 3E 4C CF", ack},
		{"save to flash", "7E 00 09 01 00 00 00 DE C8", ack},
		{"trigger with the CRC", "7E 00 08 01 00 02 01 02 DA", ack},
		{"trigger without a CRC", "7E 00 08 01 00 02 01 AB CD", ack},
		{"baud rate", "7E 00 08 02 00 2A 39 01 A7 EA", ack},
		{"noise before the frame", "FF 7E 01 7E 7E 00 07 01 00 0A 01 EE 8A", "02 00 00 01 3E E4 AC"},
		{"a wrong CRC gets no answer", "7E 00 07 01 00 0A 01 EE 8B", ""},
		{"an unknown type gets no answer", "7E 00 11 01 00 0A 01 AB CD", ""},
		{"half a frame gets no answer", "7E 00 07 01 00 0A", ""},
	} {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *sim.World) {
				w.AddGM65("scanner")
				s := stream(t, w, "scanner")
				write(t, s, bytes(t, c.frame))
				expect(t, s, bytes(t, c.answer))
				expectSilence(t, s)
			})
		})
	}
}

func TestGM65KeepsWhatIsWrittenToAZone(t *testing.T) {
	w := sim.NewWorld()
	scanner := w.AddGM65("scanner")
	if scanner.Zone(0x0003) != 1 {
		t.Fatal("setup codes are not obeyed as from the factory")
	}
	s := stream(t, w, "scanner")
	write(t, s, bytes(t, "7E 00 08 01 00 03 00 AB CD"))
	expect(t, s, bytes(t, ack))
	write(t, s, bytes(t, "7E 00 07 01 00 03 01 AB CD"))
	expect(t, s, bytes(t, "02 00 00 01 00 33 31"))
	if got := scanner.Zone(0x0003); got != 0 {
		t.Fatalf("zone is %#02x", got)
	}
}

func TestGM65ForgetsAFrameThatPauses(t *testing.T) {
	frame := bytes(t, "7E 00 07 01 00 0A 01 EE 8A")
	for _, c := range []struct {
		rule  string
		pause time.Duration
		lost  bool
	}{
		{"400 ms are one frame", 400 * time.Millisecond, false},
		{"longer are two halves", 401 * time.Millisecond, true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *sim.World) {
				w.AddGM65("scanner")
				s := stream(t, w, "scanner")
				write(t, s, frame[:5])
				<-time.After(c.pause)
				write(t, s, frame[5:])
				if !c.lost {
					expect(t, s, bytes(t, "02 00 00 01 3E E4 AC"))
				}
				expectSilence(t, s)
			})
		})
	}
}

func TestAnAckMayStandDirectlyBeforeTheCode(t *testing.T) {
	w := sim.NewWorld()
	scanner := w.AddGM65("scanner")
	s := stream(t, w, "scanner")
	scanner.ScanAfterAck("0004340757")
	expect(t, s, append(bytes(t, ack), "0004340757\r"...))
}
