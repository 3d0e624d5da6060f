package gate

import (
	"context"
	"errors"

	"github.com/menshen/menshen/screening/lane"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// takesTypedBadges reports whether a lane goes on with numbers that are typed: one
// by which people come in, whose scanner is out or was never fitted.
func (l *laneLoop) takesTypedBadges(v lane.View) bool {
	_, in := l.g.entryLane(l.cfg.Number)
	return in && (l.cfg.Scanner == nil || v.Faults&lane.ScannerLost != 0) && takesNames(v) == nil
}

// TypeBadge implements guard.Badges. Whoever has the badge is served as anybody
// who was named at the lane: by the same rules, after the same entry.
func (g *Gate) TypeBadge(ctx context.Context, t guard.TypedBadge) error {
	l, ok := g.entryLane(t.Lane)
	if !ok || !l.takesTypedBadges(l.shown.Load().view) {
		return guard.ErrStale
	}
	p, ok := g.roster.Snapshot().ByBadge(t.Number)
	if !ok || p.Left {
		return guard.ErrNoBadge
	}
	err := deskPage{g}.Name(ctx, desk.Naming{Lane: t.Lane, Subject: p.ID, By: t.By})
	if errors.Is(err, desk.ErrLaneOut) {
		return guard.ErrStale
	}
	return err
}
