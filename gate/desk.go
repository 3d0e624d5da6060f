package gate

import (
	"context"
	"errors"

	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/desk"
	"github.com/menshen/menshen/web/guard"
)

// reasonBadge says that a roster came to be by a badge that was replaced.
const reasonBadge = "badge"

// deskPage is the gate as its desk page sees it.
type deskPage struct{ *Gate }

// BindBadge implements desk.People. The old badge is dead at every lane as soon
// as the roster is written, before the entry that says so: a crash in between
// leaves a roster of which the next entry tells the version, and the browser was
// not told that it is done.
//
// The badge of somebody with a duty opens more than a lane, so that a leader
// alone replaces it.
func (d deskPage) BindBadge(ctx context.Context, b desk.Binding) error {
	if d.roster.Duties(b.Subject) != 0 && !b.By.Duties.Any(web.DutyLeader) {
		return guard.ErrNotAllowed
	}
	c, err := d.roster.BindBadge(ctx, b.Subject, b.Badge, reasonBadge)
	switch {
	case errors.Is(err, roster.ErrBadgeUsed):
		return desk.ErrBadgeUsed
	case errors.Is(err, roster.ErrNoPerson):
		return guard.ErrStale
	case err != nil:
		return err
	}
	d.refreshLanes()
	return d.recorder.wait(ctx, d.rosterBody(c, reasonBadge))
}
