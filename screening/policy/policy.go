// Package policy reads, writes, signs and verifies the policy file: the rules of
// admission as a person wrote them, with everything else that a plan says of a
// gate. It runs the cases that show what a policy does.
//
// It does not know where a policy comes from, which one is in force, or what
// anybody brings as evidence: package screening decides. A Document is one that
// screening.Compile takes, whoever signed it.
package policy

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/casefile"
	"github.com/menshen/menshen/screening/watch"
	"github.com/menshen/menshen/tomlfile"
)

// MaxSize bounds a policy file, in bytes, without its signatures.
const MaxSize = 64 << 10

// Document is a policy file that was read without a fault.
type Document struct {
	Spec  screening.Spec
	Title screening.Text
	// Date is the day on which the plan was written or took effect.
	Date time.Time
	// Schools are the gates that the policy is for; nil is everybody below who
	// signed it.
	Schools []string
	// ValidFrom and ValidUntil bound the time in which it is in force; zero is no
	// limit.
	ValidFrom, ValidUntil time.Time
	// Cases are casefile.DefaultRules where the file says nothing of cases.
	Cases casefile.Rules
	// IsolationInside says that whoever is in the isolation room counts as in
	// school. The safer default is that he does not.
	IsolationInside bool
	// Clusters are watch.DefaultRules where the file names none.
	Clusters  []watch.Rule
	Deadlines []Deadline
	// Checks are those of a day beside the gate, in the order of CheckNames; what is
	// built in for the places of the rows where the file names none.
	Checks []Check
	// ChecksADay is how often a class is to be checked on a day at least, the gate's
	// check included; 0 where nothing is said.
	ChecksADay int
	Flow       Flow
	// CalibrationDays is how old a thermometer's certificate may be before the gate
	// warns: CalibrationMin to CalibrationMax, or 0 for CalibrationDefault. Nobody is
	// stopped by it.
	CalibrationDays int
}

// How old a certificate may be, in days. A year is what calibration laboratories
// write on theirs; a month is what a check by people is good for.
const (
	CalibrationMin, CalibrationDefault, CalibrationMax = 30, 365, 730
)

// CalibrationAge returns how old a thermometer's certificate may be, in days.
func (d Document) CalibrationAge() int { return cmp.Or(d.CalibrationDays, CalibrationDefault) }

// Flow is what a plan says of the queue. No outcome hangs on it: the guard's page
// shows it.
type Flow struct {
	// SpacingCM is the distance between two people, 0 where nothing is said.
	SpacingCM int
	// StaffPerEntrance is how many stand there, 0 where nothing is said.
	StaffPerEntrance int
}

// Deadline is a report that the school owes.
type Deadline struct {
	// Report is one of Reports.
	Report string
	// At is when it is due, in minutes of the day.
	At     screening.Minutes
	Source screening.Source
}

// Reports are the reports that a policy can demand (rules 73 to 77).
func Reports() []string { return []string{"daily", "zero", "absence", "weekly", "monthly"} }

// InForce reports whether the policy is in force by a clock. One that cannot be
// trusted neither begins nor ends a policy.
func (d Document) InForce(now time.Time, trusted bool) bool {
	return !trusted || (d.ValidFrom.IsZero() || !now.Before(d.ValidFrom)) && (d.ValidUntil.IsZero() || now.Before(d.ValidUntil))
}

// For reports whether the policy is for a gate.
func (d Document) For(gate string) bool {
	return len(d.Schools) == 0 || slices.Contains(d.Schools, gate)
}

// Preset reads NAME.toml of the presets. The error is fs.ErrNotExist, with the
// names that there are, for one that is not there.
func Preset(files fs.FS, name string) (Document, error) {
	body, err := fs.ReadFile(files, name+".toml")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return Document{}, fmt.Errorf("no preset is called %s: %w; there are %s", tomlfile.Quote(name), fs.ErrNotExist, strings.Join(Presets(files), ", "))
	}
	if err != nil {
		return Document{}, fmt.Errorf("read preset: %w", err)
	}
	return Parse(name+".toml", body)
}

// Presets returns the names of the presets in order.
func Presets(files fs.FS) []string {
	names, err := fs.Glob(files, "*.toml")
	if err != nil {
		return nil // the pattern is right, so there is nothing to be told
	}
	for i, n := range names {
		names[i] = strings.TrimSuffix(path.Base(n), ".toml")
	}
	return names
}

// beijing is the time in which a policy's days and hours are written.
func beijing() *time.Location { return time.FixedZone("CST", 8*60*60) }
