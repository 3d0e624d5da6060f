package gate

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/guard"
)

// asksWrist asks of every lane that offers it whether it is to measure wrists
// before foreheads.
func (g *Gate) asksWrist() (list []guard.Question) {
	for _, l := range g.lanes {
		if l.shown.Load().view.OffersWrist {
			list = append(list, guard.Question{Kind: guard.AskWrist, About: strconv.Itoa(l.cfg.Number)})
		}
	}
	return list
}

// wristFirst lets a lane measure wrists first until it has become warmer: till
// noon, and in the afternoon till midnight. The entry comes first.
func (g *Gate) wristFirst(ctx context.Context, a guard.Acceptance, now entry.Stamp) error {
	i := slices.IndexFunc(g.lanes, func(l *laneLoop) bool { return strconv.Itoa(l.cfg.Number) == a.About })
	if i < 0 || !g.lanes[i].shown.Load().view.OffersWrist {
		return guard.ErrStale
	}
	l, until := g.lanes[i], warmer(now.Wall)
	body := entry.Answer{Act: entry.ActWristFirst, By: g.names(a.By.ID), Until: until.UnixMilli()}
	if err := g.recorder.waitAt(ctx, uint8(l.cfg.Number), body); err != nil {
		return err
	}
	l.send(lane.WristFirst{For: until.Sub(now.Wall)})
	return nil
}

func warmer(now time.Time) time.Time {
	y, m, d := now.Date()
	if now.Hour() < 12 {
		return time.Date(y, m, d, 12, 0, 0, 0, now.Location())
	}
	return time.Date(y, m, d+1, 0, 0, 0, 0, now.Location())
}

func (r *register) replayWrist(e entry.Entry) {
	var a entry.Answer
	if e.Decode(&a) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrists[e.Lane] = time.UnixMilli(a.Until)
}

// wristAgain goes on with what a lane was told before a restart, for no longer
// than half a day: clocks fall back.
func (l *laneLoop) wristAgain() {
	r := l.g.register
	r.mu.Lock()
	left := r.wrists[uint8(l.cfg.Number)].Sub(l.stamp.Wall)
	r.mu.Unlock()
	if left > 0 && left <= 12*time.Hour {
		l.step(lane.WristFirst{For: left})
	}
}
