package sound

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// card is a sound card that takes as long as a sound lasts.
type card struct {
	mu    sync.Mutex
	names map[string]string // of sounds, by their bytes
	heard []string
	fault error // what the next sounds fail with
	stuck bool  // sounds end only when they are stopped
}

func newCard() *card {
	zh, en := sounds(Chinese), sounds(English)
	return &card{names: map[string]string{
		string(zh.silence): "silence", string(zh.high): "high", string(zh.low): "low", string(zh.again): "again", string(zh.stop): "stop",
		string(zh.sayAside): "请到旁边", string(zh.sayWrist): "请量手腕", string(en.sayAside): "step aside", string(en.sayWrist): "your wrist, please",
	}}
}

func (c *card) play(ctx context.Context, wav []byte) error {
	c.mu.Lock()
	fault, stuck := c.fault, c.stuck
	c.mu.Unlock()
	if fault != nil {
		return fault
	}
	end := time.After(length(wav))
	if stuck {
		end = nil
	}
	select {
	case <-end:
		c.hear(c.names[string(wav)])
		return nil
	case <-ctx.Done():
		c.hear(c.names[string(wav)] + "…")
		return ctx.Err()
	}
}

func (c *card) hear(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, what)
}

func (c *card) set(fault error, stuck bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault, c.stuck = fault, stuck
}

// take returns what was heard since it was asked last.
func (c *card) take() []string {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := c.heard
	c.heard = nil
	return heard
}

// start runs a player; end stops it and returns what Run returned.
func start(t *testing.T, c *card, l Language) (p *Player, end func() error) {
	p = New(c.play, l)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx, func() {}) }()
	after(time.Second)
	c.take()
	return p, func() error {
		cancel()
		return <-ended
	}
}

// after lets a time pass in which the player does what it has to.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

const (
	intoTones = 10 * time.Millisecond
	intoVoice = time.Second
	longAfter = 10 * time.Second
)

func TestWhatIsHeard(t *testing.T) {
	for rule, c := range map[string]struct {
		language Language
		ask      func(*Player)
		want     []string
	}{
		"a pass at lane 1 is one high beep":        {ask: func(p *Player) { p.Pass(1) }, want: []string{"high"}},
		"a pass at lane 2 is one low beep":         {ask: func(p *Player) { p.Pass(2) }, want: []string{"low"}},
		"a stop has tones first and then a voice":  {ask: func(p *Player) { p.Stop(1) }, want: []string{"stop", "请到旁边"}},
		"once more has tones and no voice":         {ask: func(p *Player) { p.Again(1) }, want: []string{"again"}},
		"a wrist has tones first, then a voice":    {ask: func(p *Player) { p.Wrist(1) }, want: []string{"again", "请量手腕"}},
		"a closed lane has tones and no voice":     {ask: func(p *Player) { p.Closed(1) }, want: []string{"stop"}},
		"the voice speaks the gate's language":     {English, func(p *Player) { p.Stop(1) }, []string{"stop", "step aside"}},
		"and so it does when it asks for a wrist":  {English, func(p *Player) { p.Wrist(2) }, []string{"again", "your wrist, please"}},
		"two lanes at once are heard both":         {ask: func(p *Player) { p.Stop(1); p.Pass(2) }, want: []string{"stop", "low", "请到旁边"}},
		"of one lane the newest is heard":          {ask: func(p *Player) { p.Stop(1); p.Pass(1); p.Pass(2) }, want: []string{"high", "low"}},
		"a stop is not replaced by another's pass": {ask: func(p *Player) { p.Pass(2); p.Stop(1); p.Pass(2) }, want: []string{"stop", "low", "请到旁边"}},
	} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				card := newCard()
				p := New(card.play, c.language)
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- p.Run(ctx, func() { c.ask(p) }) }()
				after(longAfter)
				if got := card.take(); !slices.Equal(got, append([]string{"silence"}, c.want...)) {
					t.Errorf("heard %q, want %q", got, c.want)
				}
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("a stop ends with %v", err)
				}
			})
		})
	}
}

func TestWhichSoundGivesWay(t *testing.T) {
	for rule, c := range map[string]struct {
		first  func(*Player)
		into   time.Duration
		second func(*Player)
		want   []string
	}{
		"tones are played to their end":           {func(p *Player) { p.Stop(1) }, intoTones, func(p *Player) { p.Pass(2) }, []string{"stop", "low", "请到旁边"}},
		"a sentence gives way to a beep":          {func(p *Player) { p.Stop(1) }, intoVoice, func(p *Player) { p.Pass(2) }, []string{"stop", "请到旁边…", "low", "请到旁边"}},
		"a sentence is dropped with its child":    {func(p *Player) { p.Stop(1) }, intoVoice, func(p *Player) { p.Pass(1) }, []string{"stop", "请到旁边…", "high"}},
		"a sentence that waits is dropped too":    {func(p *Player) { p.Stop(1) }, intoTones, func(p *Player) { p.Pass(1) }, []string{"stop", "high"}},
		"a sentence is begun twice at most":       {func(p *Player) { p.Stop(1) }, intoVoice, func(p *Player) { p.Pass(2); after(intoVoice); p.Pass(2) }, []string{"stop", "请到旁边…", "low", "请到旁边…", "low"}},
		"another lane's stop lets it be finished": {func(p *Player) { p.Stop(1) }, intoVoice, func(p *Player) { p.Wrist(2) }, []string{"stop", "请到旁边…", "again", "请到旁边", "请量手腕"}},
		"nothing gives way to what comes later":   {func(p *Player) { p.Stop(1) }, longAfter, func(p *Player) { p.Pass(1) }, []string{"stop", "请到旁边", "high"}},
	} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				card := newCard()
				p, end := start(t, card, Chinese)
				c.first(p)
				after(c.into)
				c.second(p)
				after(longAfter)
				if got := card.take(); !slices.Equal(got, c.want) {
					t.Errorf("heard %q, want %q", got, c.want)
				}
				if err := end(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestNobodyWaitsForACardThatIsStuck: each call comes back in a moment that
// has no length, and what waits does not grow.
func TestNobodyWaitsForACardThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := newCard()
		p, end := start(t, card, Chinese)
		card.set(nil, true)
		p.Pass(1)
		after(intoTones)
		began := time.Now()
		for lane := range 1000 {
			p.Stop(lane % 2)
			p.Pass(lane % 2)
			p.Wrist(lane % 2)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("those who asked waited %v", took)
		}
		p.mu.Lock()
		if len(p.tones) != 2 || len(p.voices) != 2 {
			t.Errorf("%d tones and %d sentences wait for 2 lanes", len(p.tones), len(p.voices))
		}
		p.mu.Unlock()
		if err := end(); err != nil {
			t.Error(err)
		}
	})
}

func TestASoundThatDoesNotEndIsAFault(t *testing.T) {
	for rule, ask := range map[string]func(*card, *Player){
		"tones":      func(c *card, p *Player) { c.set(nil, true); p.Pass(1) },
		"a sentence": func(c *card, p *Player) { p.Stop(1); after(intoVoice); c.set(nil, true); p.Pass(2) },
	} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				card := newCard()
				p, end := start(t, card, Chinese)
				ask(card, p)
				after(longAfter)
				if err := end(); !errors.Is(err, errStuck) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestAFaultOfTheCardEndsTheRun(t *testing.T) {
	gone := errors.New("gone")
	for rule, c := range map[string]struct {
		ask   func(*card, *Player)
		ready int
	}{
		"before it is ready": {func(c *card, _ *Player) { c.set(gone, false) }, 0},
		"at a beep":          {func(c *card, p *Player) { after(time.Second); c.set(gone, false); p.Pass(1) }, 1},
		"at a sentence":      {func(c *card, p *Player) { after(time.Second); p.Stop(1); after(intoTones); c.set(gone, false) }, 1},
	} {
		t.Run(rule, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				card := newCard()
				p := New(card.play, Chinese)
				ready, ended := 0, make(chan error, 1)
				go func() {
					<-time.After(time.Millisecond)
					ended <- p.Run(t.Context(), func() { ready++ })
				}()
				c.ask(card, p)
				if err := <-ended; !errors.Is(err, gone) || ready != c.ready {
					t.Errorf("got %v, ready %d times", err, ready)
				}
			})
		})
	}
}

func TestWhatWasAskedForWithoutACardIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		card := newCard()
		p := New(card.play, Chinese)
		p.Stop(1)
		p.Pass(2)
		ctx, cancel := context.WithTimeout(t.Context(), longAfter)
		defer cancel()
		if err := p.Run(ctx, func() { p.Pass(1) }); err != nil {
			t.Error(err)
		}
		if got := card.take(); !slices.Equal(got, []string{"silence", "high"}) {
			t.Errorf("heard %q", got)
		}
	})
}
