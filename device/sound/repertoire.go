package sound

import (
	_ "embed" // the clips
	"time"
)

// Language is what a player speaks.
type Language uint8

// The languages.
const (
	Chinese Language = iota
	English
)

// clips/README.md says where they come from.
var (
	//go:embed clips/step-aside.zh.wav
	asideChinese []byte
	//go:embed clips/wrist.zh.wav
	wristChinese []byte
	//go:embed clips/step-aside.en.wav
	asideEnglish []byte
	//go:embed clips/wrist.en.wav
	wristEnglish []byte
)

// repertoire is all that a player plays, each a WAV file.
type repertoire struct {
	silence                []byte // what a card is tried with
	high, low, again, stop []byte // tones
	sayWrist, sayAside     []byte // sentences
}

// sounds returns the repertoire in a language.
func sounds(l Language) repertoire {
	r := repertoire{
		silence: render(note{lasts: 20 * time.Millisecond}),
		high:    beep(1760), low: beep(880), again: againTones(), stop: stopTones(),
		sayWrist: wristChinese, sayAside: asideChinese,
	}
	if l == English {
		r.sayWrist, r.sayAside = wristEnglish, asideEnglish
	}
	return r
}
