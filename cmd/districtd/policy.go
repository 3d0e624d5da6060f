package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/district"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/tomlfile"
)

// minute is how a moment to come is printed.
const minute = "2006-01-02 15:04"

// publishPolicy tries a policy on the last week and sends it. There is no way
// around the trial.
func (t *tool) publishPolicy(ctx context.Context, args []string) error {
	flags := quiet("policy publish")
	yes := flags.Bool("yes", false, "")
	if flags.Parse(args) != nil || flags.NArg() != 1 {
		return errUsage
	}
	file, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	return t.office(ctx, func(o *district.Office) error {
		plan, err := o.PlanPolicy(ctx, filepath.Base(flags.Arg(0)), file)
		if faults := (tomlfile.Faults)(nil); errors.As(err, &faults) {
			return fmt.Errorf("%s has faults, each with its line:\n%w", flags.Arg(0), err)
		}
		if err != nil {
			return err
		}
		t.printPlan(plan)
		if plan.NeedsSecond() {
			return fmt.Errorf("%w: gatectl policy sign -key FILE %s, with a key that policy_signers in districtd.toml names", district.ErrSecond, flags.Arg(0))
		}
		if !*yes && !t.agrees(fmt.Sprintf("Send it to %d gates? Type yes: ", len(plan.Gates))) {
			return errors.New("nothing was sent")
		}
		if err := o.PublishPolicy(ctx, plan); err != nil {
			return err
		}
		fmt.Fprintf(t.stdout, "policy %d goes to %s; districtd policy status says who has it\n", plan.Document.Spec.Number, strings.Join(plan.Gates, ", "))
		return nil
	})
}

// printPlan prints what the policy is, and what it would have decided.
func (t *tool) printPlan(p district.Plan) {
	d := p.Document
	fmt.Fprintf(t.stdout, "policy %d %s, %s, begins %s, %d signatures\n", d.Spec.Number, d.Spec.Name, d.Spec.Kind, begins(d.ValidFrom), p.Signers)
	for _, one := range p.Tried {
		if one.Arrivals == 0 {
			fmt.Fprintf(t.stdout, "%s: nobody has arrived yet, so nothing was tried\n", one.School)
			continue
		}
		fmt.Fprintf(t.stdout, "%s: %d arrivals of the last week, %d of %d people newly stopped (%.1f %%)\n", one.School, one.Arrivals, one.Stopped, one.People, 100*one.Share())
		for _, o := range []screening.Outcome{screening.Admit, screening.Recheck, screening.Refer, screening.Refuse, screening.Isolate} {
			if before, after := one.Before[o], one.After[o]; before != after {
				fmt.Fprintf(t.stdout, "  %s: %d, was %d\n", o, after, before)
			}
		}
		for _, row := range one.Rows {
			fmt.Fprintf(t.stdout, "  row %s fails newly %d times\n", row.Row, row.Arrivals)
		}
	}
}

// begins says from when a policy is.
func begins(from time.Time) string {
	if from.IsZero() {
		return "at once"
	}
	return from.Local().Format(minute)
}

// policies prints what was published, who has it, and what is in force where.
func (t *tool) policies(ctx context.Context) error {
	return t.office(ctx, func(o *district.Office) error {
		all, at, err := o.Policies(ctx)
		if err != nil {
			return err
		}
		for _, p := range all {
			fmt.Fprintf(t.stdout, "policy %d, published %s, begins %s: %d of %d gates have it\n", p.Number, p.At.Local().Format(minute), begins(p.From), len(p.Have), p.Of())
			if len(p.Missing) > 0 {
				fmt.Fprintf(t.stdout, "  not yet: %s\n", strings.Join(p.Missing, ", "))
			}
			for _, gate := range slices.Sorted(maps.Keys(p.Refused)) {
				fmt.Fprintf(t.stdout, "  refused by %s: %s\n", gate, p.Refused[gate])
			}
		}
		return t.table("GATE\tIN FORCE\tSINCE\tNEXT", func(out io.Writer) error {
			for _, gate := range slices.Sorted(maps.Keys(at)) {
				x := at[gate]
				force, since, next := "built-in", "-", "-"
				if x.InForce > 0 {
					force = fmt.Sprint(x.InForce)
				}
				if !x.Since.IsZero() {
					since = x.Since.Local().Format(minute)
				}
				if x.Next > 0 {
					next = fmt.Sprintf("%d from %s", x.Next, x.From.Local().Format(minute))
				}
				fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", gate, force, since, next)
			}
			return nil
		})
	})
}
