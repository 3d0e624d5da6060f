// Package sound lets a gate be heard: one short beep for a pass, low tones for
// a stop, and a sentence only where a child has to do something.
//
// It knows tones, the sentences in clips, and which sound gives way to which.
// It does not know why a lane passes or stops anybody, nor whether a release
// was recorded: that is for whoever asks for a beep.
package sound

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// patience is how long a card may take beyond the length of a sound before it
// counts as stuck: a loaded board starts a program slowly.
const patience = 5 * time.Second

// errStuck says that the card took a sound and did not come to its end.
var errStuck = errors.New("the sound does not end")

// Play plays one WAV file (16 kHz, mono, 16 bit) to its end. When ctx ends it
// falls silent at once and returns an error.
type Play func(ctx context.Context, wav []byte) error

// Player plays the sounds of all lanes of a gate, one at a time. Nobody who
// asks for a sound waits, whatever the card does. Tones are played to their
// end, as they are shorter than half a second; a sentence gives way to tones
// and is begun once more after them. Of each lane only the newest sound
// counts, so that what waits is bounded and no child hears what was meant for
// the one before.
type Player struct {
	play   Play
	sounds repertoire
	wake   chan struct{}
	mu     sync.Mutex
	tones  []*sound // at most one a lane, in the order asked for
	voices []*sound // likewise; the first may be being said
	yield  func()   // ends the sentence that is being said
}

// sound is one thing that is to be heard.
type sound struct {
	lane int
	wav  []byte
	cut  bool // a sentence that gave way once
}

// New returns a player that speaks one language.
func New(play Play, l Language) *Player {
	return &Player{play: play, sounds: sounds(l), wake: make(chan struct{}, 1), yield: func() {}}
}

// Pass beeps once: high at lanes with an odd number, low at the others.
func (p *Player) Pass(lane int) {
	beep := p.sounds.low
	if lane%2 == 1 {
		beep = p.sounds.high
	}
	p.ask(lane, beep, nil)
}

// Again plays two low tones and says nothing: not yet, once more.
func (p *Player) Again(lane int) { p.ask(lane, p.sounds.again, nil) }

// Wrist plays the same tones and asks for the wrist.
func (p *Player) Wrist(lane int) { p.ask(lane, p.sounds.again, p.sounds.sayWrist) }

// Stop plays two trembling low tones and asks to step aside.
func (p *Player) Stop(lane int) { p.ask(lane, p.sounds.stop, p.sounds.sayAside) }

// Closed plays the tones of a stop and says nothing: the lane itself is out of
// service.
func (p *Player) Closed(lane int) { p.ask(lane, p.sounds.stop, nil) }

// ask replaces what the lane was to be heard with.
func (p *Player) ask(lane int, tones, voice []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	older := func(s *sound) bool { return s.lane == lane }
	p.tones = append(slices.DeleteFunc(p.tones, older), &sound{lane: lane, wav: tones})
	p.voices = slices.DeleteFunc(p.voices, older)
	if voice != nil {
		p.voices = append(p.voices, &sound{lane: lane, wav: voice})
	}
	p.yield()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Run plays what is asked for until ctx ends, which is no error, or until a
// sound cannot be played. It calls ready once the card has taken a moment of
// silence. It may be run again after a fault; what was asked for in between is
// forgotten, because it is late.
func (p *Player) Run(ctx context.Context, ready func()) error {
	p.mu.Lock()
	p.tones, p.voices = nil, nil
	p.mu.Unlock()
	err := p.hear(ctx, p.sounds.silence)
	if err == nil {
		ready()
		err = p.run(ctx)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (p *Player) run(ctx context.Context) error {
	for {
		tone, voice, saying := p.next(ctx)
		var err error
		switch {
		case tone != nil:
			err = p.hear(ctx, tone.wav)
		case voice != nil:
			err = p.say(saying, voice)
		default:
			select {
			case <-p.wake:
			case <-ctx.Done():
			}
		}
		if err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// next takes the tones that are due, or else names the sentence that is; its
// context ends when it has to give way.
func (p *Player) next(ctx context.Context) (tone, voice *sound, saying context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.tones) > 0:
		tone, p.tones = p.tones[0], p.tones[1:]
	case len(p.voices) > 0:
		voice = p.voices[0]
		saying, p.yield = context.WithCancel(ctx)
	}
	return tone, voice, saying
}

// say plays a sentence. It is over when it was heard or gave way twice; if its
// lane has been asked for something newer, that has removed it already.
func (p *Player) say(ctx context.Context, voice *sound) error {
	err := p.hear(ctx, voice.wav)
	p.mu.Lock()
	defer p.mu.Unlock()
	gaveWay := err != nil && ctx.Err() != nil
	p.yield()
	p.yield = func() {}
	if !gaveWay || voice.cut {
		p.voices = slices.DeleteFunc(p.voices, func(s *sound) bool { return s == voice })
	}
	voice.cut = true
	if gaveWay {
		return nil
	}
	return err
}

// hear plays one sound and does not wait for ever.
func (p *Player) hear(ctx context.Context, wav []byte) error {
	ctx, cancel := context.WithTimeoutCause(ctx, length(wav)+patience, errStuck)
	defer cancel()
	err := p.play(ctx, wav)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("play a sound: %w", err)
	}
	return nil
}
