package uplink

import (
	"slices"
	"time"

	"github.com/menshen/menshen/sync/wire"
)

const (
	// maxNotices bounds the alarms that wait to be acknowledged. In a longer
	// outage the oldest are forgotten: their entries arrive all the same, in
	// their turn.
	maxNotices = 64
	// repeatEvery is how often an alarm is announced until its entry has come;
	// protestEvery, where it can not.
	repeatEvery = 10 * time.Second
)

// notice is an alarm that the collector has not acknowledged.
type notice struct {
	seq     uint64
	message []byte
	due     time.Duration
}

// Alarm announces a committed entry ahead of all that were committed before
// it, again and again until the collector has it. It does not outlive the
// process: what is raised again after a restart must be announced again. The
// error is of an entry that cannot be announced; its turn comes all the same.
func (u *Uplink) Alarm(seq uint64, leaf []byte) error {
	message, err := wire.Alarm{Origin: u.o.Gate, Epoch: u.o.Source.Epoch(), Seq: seq, Leaf: leaf}.Sign(u.o.Key)
	if err != nil {
		return err
	}
	u.note(notice{seq: seq, message: message})
	u.Grew()
	return nil
}

func (u *Uplink) note(n notice) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.state.Phase == Streaming && n.seq < u.state.Acked {
		return // its turn came first
	}
	if len(u.notices) == maxNotices {
		u.notices = slices.Delete(u.notices, 0, 1)
	}
	u.notices = append(u.notices, n)
}

// acknowledge forgets the alarms whose entries are below size.
func (u *Uplink) acknowledge(size uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.notices = slices.DeleteFunc(u.notices, func(n notice) bool { return n.seq < size })
}

// dueNotices returns the alarms that must be announced now, and counts them as
// announced.
func (u *Uplink) dueNotices(now time.Duration, all bool) (messages [][]byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	again := now + repeatEvery
	if u.state.Phase == Diverged {
		again = now + protestEvery
	}
	for i := range u.notices {
		if n := &u.notices[i]; all || now >= n.due {
			messages = append(messages, n.message)
			n.due = again
		}
	}
	return messages
}

// nextNotice returns when an alarm is due again.
func (u *Uplink) nextNotice() time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	next := never
	for _, n := range u.notices {
		next = min(next, n.due)
	}
	return next
}
