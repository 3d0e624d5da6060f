package district

import (
	"context"
	"time"

	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/entry"
	page "github.com/menshen/menshen/web/district"
)

// readEmergencies returns the emergency passages that the gates' newest journals
// say are in force now. Of one that was made to last longer it is known since
// the last time.
func readEmergencies(ctx context.Context, s *store.Store, now time.Time) (map[string]page.Emergency, error) {
	newest, err := s.Newest(ctx, topicEmergency)
	if err != nil {
		return nil, err
	}
	out := map[string]page.Emergency{}
	for _, n := range newest { // a gate's newest journal comes last
		e, err := entry.Unmarshal(n.Leaf)
		if err != nil {
			return nil, err
		}
		var a entry.Answer
		if err := e.Decode(&a); err != nil {
			return nil, err
		}
		delete(out, n.Gate)
		if until := time.UnixMilli(a.Until); a.Until != 0 && now.Before(until) {
			out[n.Gate] = page.Emergency{Since: time.UnixMilli(e.Wall), Until: until}
		}
	}
	return out, nil
}
