package district

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/district/store"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/sync/wire"
)

// rostersDir holds the schools' rosters below the data directory, each under
// the first half of the SHA-256 of the school's name.
const rostersDir = "rosters"

// Office is where an administrator keeps the rosters of schools and posts what
// goes down, beside the collector or without it: the collector sends what is
// posted when it next looks.
type Office struct {
	config *config.District
	store  *store.Store
	key    ed25519.PrivateKey
	log    *slog.Logger
}

// NewOffice returns the office of a collector whose store is open. It makes the
// collector's key if there is none.
func NewOffice(c *config.District, s *store.Store, log *slog.Logger) (*Office, error) {
	key, err := LoadKey(c.Data)
	if err != nil {
		return nil, err
	}
	return &Office{config: c, store: s, key: key, log: log}, nil
}

// Gates returns the gates of a school that are let in. It is an error if there
// are none, for then the name is nearly always misspelt.
func (o *Office) Gates(ctx context.Context, school string) (of []store.Gate, err error) {
	gates, err := o.store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	var schools []string
	for _, g := range gates {
		switch {
		case !g.Revoked.IsZero():
		case schoolOf(g) == school:
			of = append(of, g)
		default:
			schools = append(schools, schoolOf(g))
		}
	}
	if len(of) == 0 {
		slices.Sort(schools)
		return nil, fmt.Errorf("no gate of school %q is let in; there are: %s", school, strings.Join(slices.Compact(schools), ", "))
	}
	return of, nil
}

// Preview tells what ImportRoster of the same list would do.
func (o *Office) Preview(ctx context.Context, school string, people []roster.Person) (c roster.Change, err error) {
	if _, err := o.Gates(ctx, school); err != nil {
		return roster.Change{}, err
	}
	err = o.withRoster(ctx, school, func(r *roster.Roster) error {
		c, err = r.Preview(ctx, people)
		return err
	})
	return c, err
}

// ImportRoster makes a list the roster of a school, as roster.Import does and
// refuses, and posts it to every gate of the school, also if it changes
// nothing: a gate that has refused it may take it now. A crash in between
// leaves gates that were posted nothing; the same list again mends that.
func (o *Office) ImportRoster(ctx context.Context, school string, people []roster.Person, allowLeft int) (c roster.Change, err error) {
	if _, err := o.Gates(ctx, school); err != nil {
		return roster.Change{}, err
	}
	err = o.withRoster(ctx, school, func(r *roster.Roster) error {
		if c, err = r.Import(ctx, people, roster.ImportOpts{AllowLeft: allowLeft, By: "districtd"}); err != nil {
			return err
		}
		return o.postList(ctx, school, r.Snapshot(), max(allowLeft, len(c.Left)))
	})
	return c, err
}

// ErrNobody says that a roster is empty: no gate takes a list without people,
// and each keeps the one that it has.
var ErrNobody = errors.New("the roster holds nobody now: nothing was sent, and the gates keep the list that they have")

// UndoRoster brings back the roster of a school as it was before the latest
// version, as roster.Undo does, and posts it. The change stands although the
// error is ErrNobody.
func (o *Office) UndoRoster(ctx context.Context, school string) (c roster.Change, err error) {
	err = o.withRoster(ctx, school, func(r *roster.Roster) error {
		if c, err = r.Undo(ctx); err != nil {
			return err
		}
		return o.postList(ctx, school, r.Snapshot(), len(c.Left))
	})
	return c, err
}

// Supply posts the list of its school to a gate that was let in, unless it was
// posted before or there is none.
func (o *Office) Supply(ctx context.Context, g store.Gate) error {
	if _, err := os.Stat(o.rosterPath(schoolOf(g))); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return o.withRoster(ctx, schoolOf(g), func(r *roster.Roster) error {
		people := r.Snapshot()
		post, err := o.store.Posted(ctx, wire.KindRoster.String(), g.Name)
		switch {
		case errors.Is(err, store.ErrUnknown):
		case err != nil:
			return err
		case bytes.Equal(post.Sum, people.Hash[:]):
			return nil
		}
		if people.Len() == 0 {
			return nil
		}
		return o.postTo([]store.Gate{g}, people, 0)
	})
}

// SchoolRoster is the roster of one school, and which gates have it.
type SchoolRoster struct {
	School string
	// Version is 0, and People none, before the first import.
	Version uint32
	People  int
	// Posted is when the newest list was posted to any gate of the school.
	Posted time.Time
	// Have are the gates with this very list by their own entries; Others are the
	// school's other gates.
	Have, Others []string
}

// Rosters returns the schools of all gates that are let in, by name.
func (o *Office) Rosters(ctx context.Context) (all []SchoolRoster, err error) {
	gates, err := o.store.Gates(ctx)
	if err != nil {
		return nil, err
	}
	documents, err := readDocuments(ctx, o.store, reader{o.config.Name})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(gates, func(a, b store.Gate) int { return strings.Compare(schoolOf(a), schoolOf(b)) })
	var hash [sha256.Size]byte // of the last school's list
	for _, g := range gates {
		if !g.Revoked.IsZero() {
			continue
		}
		if len(all) == 0 || all[len(all)-1].School != schoolOf(g) {
			s := SchoolRoster{School: schoolOf(g)}
			if s.Version, s.People, hash, err = o.look(ctx, s.School); err != nil {
				return nil, err
			}
			all = append(all, s)
		}
		s, d := &all[len(all)-1], documents[g.Name]
		if d.Posted.After(s.Posted) {
			s.Posted = d.Posted
		}
		if s.Version > 0 && d.Roster.Hash == hash {
			s.Have = append(s.Have, g.Name)
		} else {
			s.Others = append(s.Others, g.Name)
		}
	}
	return all, nil
}

// look reads the roster of a school, if there is one.
func (o *Office) look(ctx context.Context, school string) (version uint32, people int, hash [sha256.Size]byte, err error) {
	if _, err := os.Stat(o.rosterPath(school)); errors.Is(err, os.ErrNotExist) {
		return 0, 0, hash, nil
	}
	err = o.withRoster(ctx, school, func(r *roster.Roster) error {
		s := r.Snapshot()
		version, people, hash = s.Version, s.Len(), s.Hash
		return nil
	})
	return version, people, hash, err
}

func (o *Office) rosterPath(school string) string {
	sum := sha256.Sum256([]byte(school))
	return filepath.Join(o.config.Data, rostersDir, fmt.Sprintf("%x.db", sum[:sha256.Size/2]))
}

// withRoster opens the roster of a school for one act. A second tool waits
// until the first is done, since a roster has one writer. The collector does
// not open rosters: it reads what is posted.
func (o *Office) withRoster(ctx context.Context, school string, act func(*roster.Roster) error) (err error) {
	path := o.rosterPath(school)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("directory of rosters: %w", err)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("directory of rosters: %w", err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }() // which unlocks
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		return fmt.Errorf("lock directory of rosters: %w", err)
	}
	r, err := roster.Open(ctx, path, o.log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return act(r)
}

// postList posts a list to every gate of a school.
func (o *Office) postList(ctx context.Context, school string, people *roster.Snapshot, allowLeft int) error {
	gates, err := o.Gates(ctx, school)
	if err != nil {
		return err
	}
	if people.Len() == 0 {
		return ErrNobody
	}
	return o.postTo(gates, people, allowLeft)
}

func (o *Office) postTo(gates []store.Gate, people *roster.Snapshot, allowLeft int) error {
	var text bytes.Buffer
	if err := people.WriteList(&text); err != nil {
		return err
	}
	body, err := wire.RosterList{AllowLeft: uint32(min(allowLeft, math.MaxInt32)), List: text.Bytes()}.Encode()
	if err != nil {
		return err
	}
	for _, g := range gates {
		if _, err := o.post(wire.KindRoster, g.Name, body, people.Hash[:]); err != nil {
			return err
		}
	}
	return nil
}

// own is the collector's public key.
func (o *Office) own() ed25519.PublicKey { return o.key.Public().(ed25519.PublicKey) }

// post signs a document under its number and keeps it for the collector to send.
func (o *Office) post(kind wire.Kind, scope string, body, sum []byte) (uint64, error) {
	return o.store.Post(store.Post{Kind: kind.String(), Scope: scope, Sum: sum, At: time.Now()}, func(number uint64) ([]byte, error) {
		return wire.Down{Kind: kind, Number: number, Scope: scope, Body: body}.Sign(o.key)
	})
}
