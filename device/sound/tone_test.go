package sound

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"
)

func values(wav []byte) []int16 {
	v := make([]int16, (len(wav)-headerSize)/sampleSize)
	for i := range v {
		v[i] = int16(binary.LittleEndian.Uint16(wav[headerSize+sampleSize*i:]))
	}
	return v
}

func tones() map[string][]byte {
	r := sounds(Chinese)
	return map[string][]byte{"high": r.high, "low": r.low, "again": r.again, "stop": r.stop}
}

// TestTonesAreShort: they are played to their end while others wait.
func TestTonesAreShort(t *testing.T) {
	for name, wav := range tones() {
		if l := length(wav); l < 100*time.Millisecond || l > 450*time.Millisecond {
			t.Errorf("%s lasts %v", name, l)
		}
	}
}

// TestNoToneClicks: a click is a jump at either end; within a sine of 2 kHz two
// samples are never further apart than 2π·2000/16000 of the peak.
func TestNoToneClicks(t *testing.T) {
	for name, wav := range tones() {
		v := values(wav)
		if first, last := v[0], v[len(v)-1]; first != 0 || last != 0 {
			t.Errorf("%s begins at %d and ends at %d", name, first, last)
		}
		for i, peak := 1, loudest*math.MaxInt16; i < len(v); i++ {
			step := math.Abs(float64(v[i]) - float64(v[i-1]))
			edge := min(i, len(v)-1-i) < rate/1000 // the first and the last millisecond
			if step > 2*math.Pi*2000/rate*peak || edge && step > peak/20 {
				t.Errorf("%s jumps by %.0f at sample %d", name, step, i)
				break
			}
		}
	}
}

func TestEveryToneIsLoudEnoughToBeHeard(t *testing.T) {
	for name, wav := range tones() {
		peak := 0.0
		for _, v := range values(wav) {
			peak = max(peak, math.Abs(float64(v))/math.MaxInt16)
		}
		if peak < 0.7 || peak > loudest {
			t.Errorf("%s has a peak of %.2f", name, peak)
		}
	}
}

// pitch counts how often a sound rises through zero in a second.
func pitch(wav []byte) float64 {
	v, rises := values(wav), 0
	for i := 1; i < len(v); i++ {
		if v[i-1] < 0 && v[i] >= 0 {
			rises++
		}
	}
	return float64(rises) / length(wav).Seconds()
}

func TestTheTwoBeepsAreAnOctaveApart(t *testing.T) {
	if high, low := pitch(tones()["high"]), pitch(tones()["low"]); high < 1.9*low || high > 2.1*low {
		t.Errorf("%.0f Hz and %.0f Hz", high, low)
	}
}

func TestAStopIsLowerThanAnyPass(t *testing.T) {
	if stop, pass := pitch(tones()["stop"]), pitch(tones()["low"]); stop > 0.7*pass {
		t.Errorf("a stop sounds at %.0f Hz, a pass at %.0f Hz", stop, pass)
	}
}

// TestEveryClipIsOfTheFormThatIsPlayed: the length of a sound is computed from
// its size, which holds for the plain header only.
func TestEveryClipIsOfTheFormThatIsPlayed(t *testing.T) {
	for name, r := range map[string]repertoire{"zh": sounds(Chinese), "en": sounds(English)} {
		for _, clip := range [][]byte{r.sayAside, r.sayWrist} {
			if !bytes.Equal(clip[:headerSize], header(len(clip)-headerSize)) {
				t.Errorf("%s: header % x", name, clip[:headerSize])
			}
			if len(clip) > 60_000 || length(clip) < 500*time.Millisecond {
				t.Errorf("%s: %d bytes", name, len(clip))
			}
		}
	}
}
