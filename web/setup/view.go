package setup

import (
	"context"
	"errors"
	"time"
)

// Why something was not done, for the person to read.
var (
	// ErrStale says that the page showed something else than there is.
	ErrStale = errors.New("the page is older than what it shows")
	// ErrNotSeen says that the gate's own record does not show the step.
	ErrNotSeen = errors.New("not in the record yet")
	// ErrNames says that an acceptance wants two different names.
	ErrNames = errors.New("an acceptance wants two names")
	// ErrReadOnly says that the gate may not write its configuration.
	ErrReadOnly = errors.New("the configuration cannot be written by the gate")
	// ErrFaulty says that the configuration would be at fault with these lines.
	ErrFaulty = errors.New("the configuration would be at fault")
	// ErrNoHelper says that nobody with the right to change the board answered.
	ErrNoHelper = errors.New("nobody mends the board: run the command by hand")
)

// Machine is what is looked at and mended. All methods are called from many
// goroutines.
type Machine interface {
	// View returns what was found last, and every check of now.
	View(ctx context.Context) View
	// Scan looks for devices; what the gate has open is left alone. It takes
	// seconds.
	Scan(ctx context.Context) error
	// Write puts the lines of a thing that was found into the configuration, which
	// the next start takes, or returns ErrStale, ErrReadOnly or ErrFaulty.
	Write(ctx context.Context, thing int) error
	// Restore brings back the configuration before the last Write, or returns
	// ErrStale or ErrReadOnly.
	Restore(ctx context.Context) error
	// Mend asks for one fix by name, or takes it back, and returns what was done, or
	// ErrStale or ErrNoHelper.
	Mend(ctx context.Context, fix string, undo bool) (done string, err error)
}

// Process is the program that serves the page.
type Process interface {
	// Restart ends the gate in good order; whoever supervises it starts it again.
	// False where nobody does.
	Restart() bool
	// Address is host:port at which a phone finds the pages, empty where it cannot.
	Address() string
	// Live ticks until ctx ends whenever the devices sent something or the record
	// grew, and returns the newest lines of what they sent.
	Live(ctx context.Context) (ticks <-chan struct{}, newest func() []string)
}

// Acceptor tries a gate where it stands.
type Acceptor interface {
	// Accepting returns how far it has come.
	Accepting(ctx context.Context) (Acceptance, error)
	// BeginAcceptance begins one, or returns ErrNames.
	BeginAcceptance(ctx context.Context, installer, witness string) error
	// SayAcceptance ends the present step with one of the words, or returns
	// ErrStale, or ErrNotSeen where the record does not show it.
	SayAcceptance(ctx context.Context, step, word string) error
}

// What is said of a step: it was so, it was not so, it cannot be tried here, or
// go on from one that the record shows.
const (
	SayYes     = "yes"
	SayNo      = "no"
	SaySkipped = "skipped"
	SayNext    = "next"
)

// Text says one thing in both languages.
type Text struct{ Chinese, English string }

// View is the machine at one moment.
type View struct {
	Gate string
	// Scanned is when Things were looked for; zero where nobody did.
	Scanned time.Time
	Things  []Thing
	// Checks are in the order in which they are mended.
	Checks []Check
	// Written says that the configuration is another one than that which runs,
	// CanRestore that the one before it is kept, CanRestart that the gate starts
	// again by itself.
	Written, CanRestore, CanRestart bool
	// Mended are the fixes that were made and can be taken back.
	Mended []string
	// Optics are the parts of which one is fitted; empty where the profile has no
	// MLX90614.
	Optics []Optic
}

// Thing is one device that was found.
type Thing struct {
	// Number is what it is written by, from 1.
	Number int
	Where  string
	// Facts are its names and numbers, on several lines.
	Facts string
	Guess Text
	// Trouble is why it was not looked into, or empty.
	Trouble string
	// Lines are what is written for it; none where nothing is known of it.
	Lines []string
	// There says that the configuration has it already.
	There bool
}

// Check is one finding about the machine.
type Check struct {
	// Mark is ✓, ✗ or !.
	Mark           string
	What, Why, Fix Text
	// Lines are what to write into a file, Commands what to type.
	Lines, Commands []string
	// Mend is the name of the fix that this page can ask for, or empty.
	Mend string
}

// Optic is one kind of MLX90614 by the third letter behind its number.
type Optic struct {
	Letter  string
	Degrees int
	// Millimetres are from the part to a forehead.
	Millimetres int
}

// Accepted is how the last acceptance ended.
type Accepted struct {
	At     time.Time
	Passed bool
}

// Acceptance is how far it has come.
type Acceptance struct {
	// Last is nil where there was none.
	Last  *Accepted
	Begun bool
	// Steps are all of the one under way, in their order.
	Steps []Step
}

// Step is one thing that is tried.
type Step struct {
	// Key stands in web's words behind "accept.".
	Key string
	// Result is empty where the step is not over: seen, or what was said.
	Result string
	// Now is the present one: the record shows it Count times of Of.
	Now       bool
	Count, Of int
	// Asks says that a person has to say what no program sees.
	Asks bool
}

// Shown reports whether the record shows all of it.
func (s Step) Shown() bool { return s.Count >= s.Of }
