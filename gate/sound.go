package gate

import (
	"context"
	"sync/atomic"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sound"
	"github.com/menshen/menshen/screening/lane"
)

// speaker is what a gate is heard through, where its profile has [sound].
type speaker struct {
	player *sound.Player
	lost   atomic.Bool
}

// newSpeaker returns nil where nothing is to be heard.
func newSpeaker(o Options) *speaker {
	s := o.Config.Board.Sound
	if s == nil {
		return nil
	}
	play, language := o.Play, sound.Chinese
	if play == nil {
		play = sound.Aplay(s.Device)
	}
	if o.Config.Language == config.LanguageEnglish {
		language = sound.English
	}
	return &speaker{player: sound.New(play, language)}
}

// playSounds plays what the lanes ask for. A card that fails is an entry and a
// line on the page, and is tried again like any other device.
func (g *Gate) playSounds(ctx context.Context) error {
	s := g.speaker
	if s == nil {
		return nil
	}
	a := attachment{g: g, role: "sound"}
	return keep(ctx, &a, func(back func()) error {
		err := s.player.Run(ctx, func() {
			s.lost.Store(false)
			back()
		})
		s.lost.Store(err != nil)
		return err
	})
}

// sound lets a pattern be heard, behind the lamps that show it. A beep is
// asked for with the pass and at no other place, so that it comes after the
// record as the release does.
func (l *laneLoop) sound(p lane.Pattern) {
	before := l.pattern
	l.pattern = p
	if l.g.speaker == nil || l.g.quiet() && !(p == lane.Halt && isolates(l.machine.View())) {
		return
	}
	player := l.g.speaker.player
	switch p {
	case lane.Pass:
		player.Pass(l.cfg.Number)
	case lane.Halt:
		player.Stop(l.cfg.Number)
	case lane.Again:
		// An arrival that ended unfinished shows the same, and ends quietly.
		if v := l.machine.View(); measuredAgain(v) {
			if v.Wrist {
				player.Wrist(l.cfg.Number)
			} else {
				player.Again(l.cfg.Number)
			}
		}
	case lane.Attend:
		if before != lane.Attend { // every retry shows it again
			player.Closed(l.cfg.Number)
		}
	}
}
