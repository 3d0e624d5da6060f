package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"github.com/menshen/menshen/dossier"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/replay"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/policy"
)

// policyDiff says in sentences what changes from one policy to another.
func (t *tool) policyDiff(args []string) error {
	rest, err := t.flagsOf("diff", args, 2, nil)
	if err != nil {
		return err
	}
	before, err := readPolicy(rest[0])
	if err != nil {
		return err
	}
	after, err := readPolicy(rest[1])
	if err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%s\n%s\n", titleOf(before), titleOf(after))
	t.sentences(policy.Diff(before, after))
	return nil
}

// sentences prints one sentence a line, in both languages.
func (t *tool) sentences(list []screening.Text) {
	for _, s := range list {
		fmt.Fprintf(t.stdout, "  %s / %s\n", s.Zh, s.En)
	}
	if len(list) == 0 {
		fmt.Fprintln(t.stdout, "  没有变化 / nothing changes")
	}
}

// replayDays is how many days back a policy is tried.
const replayDays = 7

// policyReplay says what a policy would have decided of the last days.
func (t *tool) policyReplay(ctx context.Context, args []string) error {
	var file, name, people string
	_, err := t.flagsOf("replay", args, 0, func(f *flag.FlagSet) {
		f.StringVar(&file, "journal", "", "")
		f.StringVar(&name, "policy", "", "")
		f.StringVar(&people, "roster", "", "")
	})
	if err != nil || name == "" {
		return errUsage
	}
	d, err := readPolicy(name)
	if err != nil {
		return err
	}
	p, err := screening.Compile(d.Spec)
	if err != nil {
		return err
	}
	known, err := readKnown(people)
	if err != nil {
		return err
	}
	r, err := t.openJournal(file)
	if err != nil {
		return err
	}
	defer r.Close()
	since := time.Now().AddDate(0, 0, -replayDays)
	out, err := policy.Replay(p, replay.Read(entries(r.Rows(ctx, 0)), since, known))
	if err != nil {
		return err
	}
	t.printReplay(out)
	return nil
}

func (t *tool) printReplay(r policy.Replayed) {
	fmt.Fprintf(t.stdout, "%d arrivals of the last %d days\n%10s %8s %8s\n", r.Arrivals, replayDays, "", "before", "after")
	for _, o := range []screening.Outcome{screening.Admit, screening.Recheck, screening.Refer, screening.Refuse, screening.Isolate} {
		fmt.Fprintf(t.stdout, "%10s %8d %8d\n", o, r.Before[o], r.After[o])
	}
	for _, row := range r.Rows {
		fmt.Fprintf(t.stdout, "row %s fails newly %d times\n", row.Row, row.Arrivals)
	}
	fmt.Fprintf(t.stdout, "%d of %d people newly stopped (%.1f %%)\n", r.Stopped, r.People, 100*r.Share())
}

// openJournal opens a journal beside its writer: a file, or this gate's.
func (t *tool) openJournal(file string) (*journal.Reader, error) {
	if file == "" {
		cfg, err := t.load()
		if err != nil {
			return nil, err
		}
		file = filepath.Join(cfg.Data, "journal.db")
	}
	return journal.OpenReadOnly(file)
}

// entries takes the entries out of the rows of a journal.
func entries(rows iter.Seq2[journal.Row, error]) iter.Seq2[entry.Entry, error] {
	return func(yield func(entry.Entry, error) bool) {
		for row, err := range rows {
			if !yield(row.Entry, err) {
				return
			}
		}
	}
}

// readKnown reads what a numbered list says of people, as 'roster export' writes
// it. Without one only what entries keep is known.
func readKnown(file string) (_ replay.Evidence, err error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read roster: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	list, err := roster.Parse(io.Reader(f))
	if err != nil {
		return nil, err
	}
	people := map[uint64]roster.Person{}
	for _, p := range list {
		people[p.ID] = p
	}
	delete(people, 0) // nobody has that number
	if len(people) == 0 {
		return nil, errors.New("the list gives nobody a roster number: write one with 'gatectl roster export'")
	}
	return func(id uint64, at time.Time) (screening.Subject, []screening.Proof) {
		return dossier.Of(people[id], at.Location())
	}, nil
}
