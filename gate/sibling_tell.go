package gate

import (
	"bytes"
	"crypto/ed25519"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/room/feed"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// siblingStreams bounds the streams to all other gates together, of which one
// that was cut off may not have ended yet.
const siblingStreams = 16

// only serves whoever has proved one of the keys.
func only(keys []ed25519.PublicKey, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !feed.Shows(r.TLS, keys) {
			http.NotFound(w, r)
			return
		}
		h(w, r)
	}
}

// saying is what one stream has said so far.
type saying struct {
	begun  bool
	passed map[uint64]crossing
	ill    map[illAt]string // the signs, with commas between them
}

// tell streams to another gate who passed, who stands at a lane and who was
// found ill: at first all of it, then whatever is different, every second at
// least.
func (b boards) tell(w http.ResponseWriter, r *http.Request) {
	select {
	case b.siblings <- struct{}{}:
		defer func() { <-b.siblings }()
	default:
		http.Error(w, "too many streams", http.StatusServiceUnavailable)
		return
	}
	ticks := b.g.Watch(r.Context()) // before the first look: no change falls between
	beat := time.NewTicker(feed.BeatEvery)
	defer beat.Stop()
	w.Header().Set("Content-Type", "application/x-ndjson")
	said, due := saying{passed: map[uint64]crossing{}, ill: map[illAt]string{}}, true
	var last []byte
	for {
		word := b.g.word(&said, due)
		line, err := word.Line()
		if err == nil && (due || !bytes.Equal(line, last)) {
			err = send(w, line)
		}
		if err != nil {
			if r.Context().Err() == nil {
				b.g.log.Warn("stream to a gate ended", "err", err)
			}
			return
		}
		last = line
		if word.More {
			continue
		}
		due = false
		select {
		case <-r.Context().Done():
			return
		case <-ticks:
		case <-beat.C:
			due = true
		}
	}
}

// word returns what a stream has not said yet, as much as one word holds, and
// takes it for said. Illnesses are looked at only when that is due.
func (g *Gate) word(said *saying, due bool) feed.Word {
	people := g.roster.Snapshot()
	w := feed.Word{Gate: g.o.Config.Gate, Begins: !said.begun, Here: g.standing(people)}
	said.begun = true
	w.Passed, w.More = newPassages(said.passed, g.register.passages(), people)
	if due {
		ill, more := newIllnesses(said.ill, g.watcher.illnesses(people))
		w.Ill, w.More = ill, w.More || more
	}
	return w
}

// keyOf returns the key of somebody on the roster. Visitors' cards have none: each
// gate has its own.
func keyOf(people *roster.Snapshot, subject uint64) (feed.PersonKey, bool) {
	p, ok := people.ByID(subject)
	if !ok || p.Number == "" {
		return "", false
	}
	return feed.KeyOf(p.Number), true
}

// newPassages returns how now differs from what was said, and takes it for said.
func newPassages(said, now map[uint64]crossing, people *roster.Snapshot) (list []feed.Passage, more bool) {
	say := func(subject uint64, p feed.Passage) (full bool) {
		if full = len(list) == feed.Most; !full {
			if key, ok := keyOf(people, subject); ok {
				p.Who = key
				list = append(list, p)
			}
		}
		return full
	}
	for subject := range said {
		if _, still := now[subject]; still {
			continue
		}
		if say(subject, feed.Passage{}) {
			return list, true
		}
		delete(said, subject)
	}
	for subject, c := range now {
		if said[subject] == c {
			continue
		}
		if say(subject, feed.Passage{Out: c.direction == screening.Out, At: c.at.UnixMilli()}) {
			return list, true
		}
		said[subject] = c
	}
	return list, false
}

// newIllnesses does the same for illnesses.
func newIllnesses(said, now map[illAt]string) (list []feed.Illness, more bool) {
	for x := range said {
		if _, still := now[x]; still {
			continue
		}
		if len(list) == feed.Most {
			return list, true
		}
		list = append(list, feed.Illness{Who: x.who, At: x.at})
		delete(said, x)
	}
	for x, signs := range now {
		if said[x] == signs {
			continue
		}
		if len(list) == feed.Most {
			return list, true
		}
		list = append(list, feed.Illness{Who: x.who, At: x.at, Signs: strings.Split(signs, ",")})
		said[x] = signs
	}
	return list, false
}

// standing returns those whose arrival is open at a lane.
func (g *Gate) standing(people *roster.Snapshot) (list []feed.PersonKey) {
	for _, l := range g.lanes {
		v := l.shown.Load().view
		if v.Phase != lane.Gathering && v.Phase != lane.Recording && v.Phase != lane.Held {
			continue
		}
		if key, ok := keyOf(people, v.Subject.ID); ok {
			list = append(list, key)
		}
	}
	return list
}

// passages returns a copy of everybody's last passage today.
func (r *register) passages() map[uint64]crossing {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.traces.passages)
}

// passage returns somebody's last passage today.
func (r *register) passage(subject uint64) (crossing, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.traces.passages[subject]
	return p, ok
}

// illnesses returns of whom this gate knows an illness, and its signs.
func (w *watcher) illnesses(people *roster.Snapshot) map[illAt]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[illAt]string{}
	for _, s := range w.sick {
		e, ill := s.event()
		key, listed := keyOf(people, e.Subject)
		// A diagnosis of which no word is made would cost the other gate all others.
		signs := slices.DeleteFunc(slices.Clone(e.Syndromes), func(s string) bool { return !feed.IsSign(s) })
		if !ill || !listed || len(signs) == 0 {
			continue
		}
		x := illAt{key, e.At.UnixMilli()}
		if was, twice := all[x]; twice {
			signs = append(strings.Split(was, ","), signs...)
		}
		signs = slices.Compact(slices.Sorted(slices.Values(signs)))
		all[x] = strings.Join(signs[:min(len(signs), feed.MostSigns)], ",")
	}
	return all
}
