package sound

import (
	"encoding/binary"
	"math"
	"time"
)

// The form of every sound: 16 kHz, mono, signed 16 bit, under a plain header.
const (
	rate       = 16_000 // samples in a second
	sampleSize = 2
	headerSize = 44
)

const (
	// loudest is the peak of a tone, of 1: room for what a small amplifier adds.
	loudest = 0.8
	// slope is how long a tone takes to swell and to fade; a tone that begins
	// or ends at once clicks.
	slope = 8 * time.Millisecond
)

// note is one tone or, at 0 Hz, a rest.
type note struct {
	hz     float64
	tremor float64 // in Hz; 0 for a steady tone
	lasts  time.Duration
}

// beep is the tone of a pass; two pitches tell two lanes apart.
func beep(hz float64) []byte { return render(note{hz: hz, lasts: 120 * time.Millisecond}) }

func againTones() []byte {
	low := note{hz: 440, lasts: 110 * time.Millisecond}
	return render(low, note{lasts: 60 * time.Millisecond}, low)
}

// stopTones fall and tremble, so that nobody takes them for a pass.
func stopTones() []byte {
	return render(note{hz: 520, tremor: 25, lasts: 180 * time.Millisecond}, note{lasts: 40 * time.Millisecond},
		note{hz: 390, tremor: 25, lasts: 200 * time.Millisecond})
}

// render makes a WAV file of notes.
func render(notes ...note) []byte {
	wav := make([]byte, headerSize)
	for _, n := range notes {
		for i := range samples(n.lasts) {
			wav = binary.LittleEndian.AppendUint16(wav, uint16(int16(n.at(i)*math.MaxInt16)))
		}
	}
	copy(wav, header(len(wav)-headerSize))
	return wav
}

// at returns the value of a note at a sample, from -loudest to loudest.
func (n note) at(i int) float64 {
	if n.hz == 0 {
		return 0
	}
	t := float64(i) / rate
	edge := min(i, samples(n.lasts)-1-i)
	swell := 0.5 - 0.5*math.Cos(math.Pi*min(1, float64(edge)/float64(samples(slope))))
	tremble := 1.0
	if n.tremor > 0 {
		tremble = 0.6 - 0.4*math.Cos(2*math.Pi*n.tremor*t)
	}
	return loudest * swell * tremble * math.Sin(2*math.Pi*n.hz*t)
}

func samples(d time.Duration) int { return int(d * rate / time.Second) }

// header is the RIFF header of that many bytes of samples, as in "Multimedia
// Programming Interface and Data Specifications 1.0" (IBM, Microsoft, 1991).
func header(size int) []byte {
	le := binary.LittleEndian
	h := append(le.AppendUint32([]byte("RIFF"), uint32(headerSize-8+size)), "WAVEfmt "...)
	h = le.AppendUint32(h, 16)              // bytes of the format that follows
	h = le.AppendUint16(h, 1)               // PCM
	h = le.AppendUint16(h, 1)               // channels
	h = le.AppendUint32(h, rate)            // samples in a second
	h = le.AppendUint32(h, rate*sampleSize) // bytes in a second
	h = le.AppendUint16(h, sampleSize)      // bytes at a moment
	h = le.AppendUint16(h, 8*sampleSize)    // bits of a sample
	return le.AppendUint32(append(h, "data"...), uint32(size))
}

// length is how long a WAV file of this form sounds.
func length(wav []byte) time.Duration {
	return time.Duration(len(wav)-headerSize) * time.Second / (rate * sampleSize)
}
