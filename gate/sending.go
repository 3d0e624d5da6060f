package gate

import (
	"time"

	"github.com/menshen/menshen/sync/uplink"
)

// CollectorStatus is one collector of Status.
type CollectorStatus struct {
	Name string
	// Phase is that of the uplink, such as "streaming".
	Phase string
	// Acked of Size entries are at the collector, as far as it has said so.
	Acked, Size uint64
	// Heard is when the collector said so; zero in a gate that has not heard
	// of it since it started.
	Heard time.Time
	// Cause is the key of why all is not well, and Advice says it to a person;
	// both are empty when all is well.
	Cause string
	Advice
}

// status lists the collectors in the order of the configuration.
func (c *collectors) status() []CollectorStatus {
	var all []CollectorStatus
	if c.fault != nil {
		for _, to := range c.g.o.Collectors {
			all = append(all, CollectorStatus{Name: to.Name, Phase: uplink.Off.String(), Size: c.g.journal.Head().Size,
				Cause: string(causeFault), Advice: adviceOn(causeFault)})
		}
	}
	for _, l := range c.links {
		s := l.up.State()
		all = append(all, CollectorStatus{Name: l.Name, Phase: s.Phase.String(), Acked: s.Acked, Size: s.Size, Heard: s.Heard,
			Cause: string(s.Cause), Advice: adviceOn(s.Cause)})
	}
	return all
}

// problems tells add what is wrong with the collectors, the worst first. That
// the network is gone is no fault of anybody's, and comes last.
func (c *collectors) problems(add func(key string, args ...any)) {
	if c.fault != nil && len(c.g.o.Collectors) > 0 {
		add("no-collector")
	}
	waiting, offline := uint64(0), false
	keys := map[string][]string{}
	for _, l := range c.links {
		s := l.up.State()
		switch key := problemOf(s); key {
		case "":
		case "offline":
			waiting, offline = max(waiting, s.Size-min(s.Acked, s.Size)), true
		default:
			keys[key] = append(keys[key], l.Name)
		}
		if l.Insecure {
			keys["insecure-collector"] = append(keys["insecure-collector"], l.Name)
		}
	}
	for _, key := range []string{"collector-diverged", "collector-refused", "collector-silent", "insecure-collector"} {
		for _, name := range keys[key] {
			add(key, name)
		}
	}
	if offline {
		add("offline", waiting)
	}
}

// problemOf returns the page's key for what an uplink has come to.
func problemOf(s uplink.State) string {
	switch s.Phase {
	case uplink.Diverged:
		return "collector-diverged"
	case uplink.Refused:
		return "collector-refused"
	case uplink.Silent:
		return "collector-silent"
	case uplink.Streaming:
		if s.Cause == uplink.CauseStuck {
			return "collector-silent"
		}
	case uplink.Connecting:
		if s.Cause != uplink.CauseNone { // else it has only begun
			return "offline"
		}
	}
	return ""
}
