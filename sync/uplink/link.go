package uplink

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/menshen/menshen/sync/wire"
)

const (
	// window is how many batches may be on their way: more gain nothing.
	window = 4
	// fullBatch is how many entries a batch has while there are more to come,
	// and fullBytes how many bytes they have at most, but for the last of them.
	// It is far below wire.MaxContent so that a slow line is never blocked long.
	fullBatch = 500
	fullBytes = 256 << 10
	// aheadBatches is how many batches are read at once: a journal is read in
	// pages longer than a batch, and no page is to be read twice.
	aheadBatches = 2
	// linger is how long fewer entries wait for more, while others are on their
	// way.
	linger = time.Second
	// firstQuiet is how long nothing may come of what was sent before the
	// collector is asked; it doubles with every question, up to longestQuiet,
	// until something does.
	firstQuiet   = time.Second
	longestQuiet = time.Minute
	// stuckAfter is how great that must be before a page says that the
	// collector stores nothing.
	stuckAfter = 8 * time.Second
	// deafAfter is how long a hello may stay without any answer before a page
	// says so.
	deafAfter = 30 * time.Second
	// greetWithin spreads the hellos of all gates to a collector that comes back.
	greetWithin = time.Second
)

const never = time.Duration(math.MaxInt64)

// link is one session. All of it belongs to Run's goroutine, and all of it can
// be made again from the journal and the collector's next have.
type link struct {
	u       *Uplink
	session Session

	begun bool     // the collector has answered in this session
	acked uint64   // what it has, as far as it has said so
	sent  uint64   // the first entry that is not on its way
	ahead [][]byte // the entries from there on, as far as they were read
	ends  []uint64 // the sizes after the batches on their way, rising
	// asking says that no answer has come since the last hello. What it then
	// says is later than all that was sent before.
	asking bool
	// latest is the collector's own time of its newest have since the last hello.
	latest int64
	// forged says that something came which the collector has not signed.
	forged bool
	// told says that every alarm was announced in this session.
	told bool

	quiet    time.Duration // how long until askAt, the next time
	askAt    time.Duration // when to say hello because nothing came
	greetAt  time.Duration // when to say hello because a collector came
	deafAt   time.Duration // when to say that the collector does not answer
	lingerAt time.Duration // when to send less than a full batch
	// protestAt is when to prove that the collector's record is another.
	protestAt time.Duration
}

func newLink(u *Uplink, s Session) *link {
	return &link{u: u, session: s, quiet: firstQuiet, askAt: u.now(), greetAt: never, deafAt: never, lingerAt: never}
}

// run lives through the session. It returns why the session cannot go on.
func (l *link) run(ctx context.Context) error {
	online, err := l.u.status(true)
	if err != nil {
		return err
	}
	if err := l.publish(ctx, wire.KindStatus, online); err != nil {
		return err
	}
	timer := time.NewTimer(never)
	defer timer.Stop()
	for {
		next, err := l.act(ctx)
		if err != nil {
			return err
		}
		timer.Reset(max(0, next-l.u.now()))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.session.Done():
			return errEnded
		case <-l.u.wake:
		case <-timer.C:
		case m, ok := <-l.session.Messages():
			if !ok {
				return errEnded
			}
			if err := l.take(ctx, m); err != nil {
				return err
			}
		}
	}
}

// act does what is due, at most one batch of it, and returns when to act next:
// whoever waits for a long backlog to be sent is asked in between.
func (l *link) act(ctx context.Context) (time.Duration, error) {
	now := l.u.now()
	if now >= l.deafAt {
		l.deafen()
	}
	if now >= min(l.askAt, l.greetAt) {
		if err := l.hello(ctx, now); err != nil {
			return 0, err
		}
	}
	for _, m := range l.u.dueNotices(now, !l.told) {
		if err := l.publish(ctx, wire.KindAlarm, m); err != nil {
			return 0, err
		}
	}
	l.told = true
	if l.u.diverged() {
		return l.protest(ctx)
	}
	if l.ready(now) {
		if err := l.send(ctx); err != nil {
			return 0, err
		}
	}
	l.rest()
	if l.ready(l.u.now()) {
		return 0, nil
	}
	return min(l.askAt, l.greetAt, l.deafAt, l.lingerAt, l.u.nextNotice()), nil
}

// deafen tells the page that nobody answers.
func (l *link) deafen() {
	cause := CauseSilent
	if l.forged {
		cause = CauseKey
	}
	l.deafAt = never
	l.u.enter(Silent, cause)
}

// hello tells the collector how much there is and asks for how much it has.
func (l *link) hello(ctx context.Context, now time.Duration) error {
	silent := now >= l.askAt
	stamp := l.u.o.Now()
	h := wire.Hello{Checkpoint: wire.SignedCheckpoint{Checkpoint: l.u.checkpoint(l.u.o.Source.Head())},
		Program: l.u.o.Program, Boot: l.u.o.Boot, Encodings: []byte{wire.EncodingEntries},
		Wall: stamp.Wall.UnixMilli(), Clock: stamp.Clock, Reason: l.u.o.Reason}
	message, err := h.Sign(l.u.o.Key)
	if err != nil {
		return err
	}
	if err := l.publish(ctx, wire.KindHello, message); err != nil {
		return err
	}
	l.await(l.quiet)
	if silent {
		l.quiet = min(2*l.quiet, longestQuiet)
	}
	l.asking, l.latest, l.greetAt, l.protestAt = true, 0, never, 0
	l.deafAt = min(l.deafAt, l.u.now()+deafAfter)
	return nil
}

// await expects a word of the collector within d, with jitter.
func (l *link) await(d time.Duration) { l.askAt = l.u.now() + d - l.u.part(d/4) }

// leave says that the gate is going, since an orderly end keeps the broker
// from saying so.
func (l *link) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
	defer cancel()
	message, err := l.u.status(false)
	if err == nil {
		err = l.publish(ctx, wire.KindStatus, message)
	}
	if err != nil {
		l.u.log.Warn("left without a word", "err", err)
	}
}

// publish hands one message to the session. Only status is retained.
func (l *link) publish(ctx context.Context, k wire.Kind, message []byte) error {
	ctx, cancel := context.WithTimeout(ctx, publishWithin)
	defer cancel()
	if err := l.session.Publish(ctx, wire.Topic(l.u.o.Gate, k), message, k == wire.KindStatus); err != nil {
		return fmt.Errorf("publish %v: %w", k, err)
	}
	return nil
}
