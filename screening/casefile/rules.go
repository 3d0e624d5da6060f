package casefile

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/menshen/menshen/screening"
)

// Bounds of what a policy may say of cases, whoever signed it.
const (
	maxRounds  = 3
	maxDuties  = 16
	maxReturns = 32
	// minWithin and MaxWithin bound the clock of a duty.
	minWithin = time.Minute
	MaxWithin = 24 * time.Hour
	// maxWait is the longest wait that any table of isolation periods knows.
	maxWait = 60 * 24 * time.Hour
	// In bytes: a name on a button, a telephone number, a source.
	maxName, maxPhone, maxSource = 60, 24, 300
)

// Rules are what a policy says of cases.
type Rules struct {
	// Rounds are measurements in the room, each with another instrument, before
	// BackToClass is allowed or a fever stands: 1 to 3 (K3); 0 is 1.
	Rounds  uint8
	Duties  []Duty   // who is told of a case, in order (K9)
	Returns []Return // what is asked of who comes back, by diagnosis
}

// Duty is one addressee: who, by which phone, within which time of what.
type Duty struct {
	// ID is the word by which entries name the duty: "guardian", "leader", "cdc",
	// "bureau", "community", "licensing", "command", "emergency" and others.
	ID    string
	Name  screening.Text
	Phone string  // as dialled; empty: the school's own list
	On    Trigger // what it is owed for
	// Within is the clock of the duty from the moment its trigger was met, 1 min
	// to 24 h; 2 h for suspected or confirmed (rule 69).
	Within time.Duration
	// After is the ID of a duty that comes first, "" none. It orders what the page
	// offers and holds nobody back: no clock waits for another.
	After  string
	Source string
}

// Return is what is asked of whoever comes back after a diagnosis.
type Return struct {
	// Diagnosis is a word: "influenza", "norovirus", "hand-foot-mouth",
	// "varicella", "cold", "fever-unexplained", "covid" and others.
	Diagnosis string
	Name      screening.Text
	Wait      time.Duration // least time from From
	From      Start
	Proof     Proof // what is shown
	// Unreported says that SuspectedOrConfirmed is not met by this diagnosis, as
	// of a plain cold. The zero value is the safe one.
	Unreported bool
	Source     string
}

// Trigger is what a duty is owed for. The zero value is owed for most.
type Trigger uint8

// The triggers.
const (
	AnyCase              Trigger = iota // every case, from its opening
	StoodFever                          // a fever that stood the recheck
	SuspectedOrConfirmed                // of what is reported: rule 69
)

// Start is from when a wait counts.
type Start uint8

// The starts.
const (
	AfterNothing   Start = iota // nothing is waited for
	AfterSymptoms               // the midnight that ends the last day with symptoms
	AfterOnset                  // the day on which it began; the case's opening where nobody said otherwise
	AfterDiagnosis              // when the diagnosis was entered
)

// Proof is what somebody shows who comes back, the stronger the greater. The
// numbers stand in the journal; zero is nothing at all.
type Proof uint8

// The proofs.
const (
	GuardiansWord    Proof = 1
	NursesLook       Proof = 2
	Certificate      Proof = 3 // of a qualified medical institution (rule 87)
	IsolationRelease Proof = 4 // 解除隔离证明 (rule 87)
)

func proofs() []string { return []string{"", "word", "look", "certificate", "release"} }

// String returns the proof's word, empty for none.
func (p Proof) String() string {
	if list := proofs(); int(p) < len(list) {
		return list[p]
	}
	return ""
}

// ParseProof returns the proof of a word that String returns.
func ParseProof(word string) (Proof, bool) {
	i := slices.Index(proofs(), word)
	return Proof(max(i, 0)), i > 0
}

// Guardian is the ID of the duty that a call answers, or a hand-over.
const Guardian = "guardian"

// DefaultRules are those of a school to which nobody has sent any. The times of
// the returns are one region's practice (users-walk §7, w3): the local CDC's
// table comes with a policy.
func DefaultRules() Rules {
	const day = 24 * time.Hour
	text := func(zh, en string) screening.Text { return screening.Text{Zh: zh, En: en} }
	return Rules{
		Rounds: 1,
		Duties: []Duty{
			{ID: Guardian, Name: text("家长", "Guardian"), Within: 30 * time.Minute, Source: "rules 3, 64, 65, 72"},
			{ID: "leader", Name: text("校领导", "School leader"), Within: 15 * time.Minute, Source: "rules 63, 70: at once"},
			{ID: "cdc", Name: text("疾控机构", "CDC"), On: SuspectedOrConfirmed, Within: 2 * time.Hour, After: "leader", Source: "rules 69, 71"},
			{ID: "bureau", Name: text("教育局", "Education bureau"), On: SuspectedOrConfirmed, Within: 2 * time.Hour, After: "leader", Source: "rules 70, 71"},
		},
		Returns: []Return{
			{Diagnosis: "cold", Name: text("普通感冒", "Common cold"), Proof: GuardiansWord, Unreported: true, Source: "users-walk §7"},
			{Diagnosis: "no-disease", Name: text("不是传染病", "Nothing infectious"), Proof: GuardiansWord, Unreported: true, Source: "users-walk §7"},
			{Diagnosis: "influenza", Name: text("流感", "Influenza"), Wait: 2 * day, From: AfterSymptoms, Proof: NursesLook, Source: "users-walk §7: 48 h after fever and symptoms"},
			{Diagnosis: "norovirus", Name: text("诺如", "Norovirus"), Wait: 3 * day, From: AfterSymptoms, Proof: NursesLook, Source: "users-walk §7: 72 h after symptoms"},
			{Diagnosis: "hand-foot-mouth", Name: text("手足口病", "Hand, foot and mouth"), Wait: 14 * day, From: AfterOnset, Proof: Certificate, Source: "users-walk §7: 14 d from onset"},
			{Diagnosis: "varicella", Name: text("水痘", "Chickenpox"), Wait: 14 * day, From: AfterOnset, Proof: Certificate, Source: "users-walk §7: all crusts, at least 14 d"},
			{Diagnosis: "fever-unexplained", Name: text("发热待查", "Fever, unexplained"), Proof: Certificate, Source: "rule 87"},
			{Diagnosis: "covid", Name: text("新冠", "Covid-19"), Proof: IsolationRelease, Source: "rule 87"},
		},
	}
}

// Return returns what is asked after a diagnosis. Of one that the rules do not
// name, and of none, a doctor's paper is asked.
func (r Rules) Return(diagnosis string) Return {
	for _, x := range r.Returns {
		if x.Diagnosis == diagnosis {
			return x
		}
	}
	return Return{Diagnosis: diagnosis, Proof: Certificate}
}

// Check returns every fault of the rules, joined.
func (r Rules) Check() error {
	var faults []error
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if r.Rounds > maxRounds {
		add("rounds: %d is more than %d", r.Rounds, maxRounds)
	}
	if len(r.Duties) > maxDuties {
		add("duties: %d are more than %d", len(r.Duties), maxDuties)
	}
	if len(r.Returns) > maxReturns {
		add("returns: %d are more than %d", len(r.Returns), maxReturns)
	}
	for i, d := range r.Duties[:min(len(r.Duties), maxDuties)] {
		for _, err := range d.check(r.Duties[:i]) {
			add("duty %d: %w", i+1, err)
		}
	}
	seen := map[string]bool{}
	for i, x := range r.Returns[:min(len(r.Returns), maxReturns)] {
		for _, err := range x.check() {
			add("return %d: %w", i+1, err)
		}
		if seen[x.Diagnosis] {
			add("return %d: diagnosis %q stands twice", i+1, x.Diagnosis)
		}
		seen[x.Diagnosis] = true
	}
	return errors.Join(faults...)
}

// check returns the faults of a duty. Those before it are what it may follow.
func (d Duty) check(before []Duty) (faults []error) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	named := func(id string) bool { return slices.ContainsFunc(before, func(x Duty) bool { return x.ID == id }) }
	if !isWord(d.ID) {
		add("id %q is not a word of small letters and hyphens, 1 to %d", d.ID, maxWord)
	}
	if named(d.ID) {
		add("id %q stands twice", d.ID)
	}
	if d.After != "" && !named(d.After) {
		add("after %q: no duty before it has that id", d.After)
	}
	if d.On > SuspectedOrConfirmed {
		add("on: there is no trigger %d", d.On)
	}
	if d.Within < minWithin || d.Within > MaxWithin {
		add("within %v is not %v to %v", d.Within, minWithin, MaxWithin)
	}
	if len(d.Phone) > maxPhone {
		add("phone is longer than %d bytes", maxPhone)
	}
	return append(faults, checkWords(d.Name, d.Source)...)
}

func (r Return) check() (faults []error) {
	add := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !isWord(r.Diagnosis) {
		add("diagnosis %q is not a word of small letters and hyphens, 1 to %d", r.Diagnosis, maxWord)
	}
	if r.Wait < 0 || r.Wait > maxWait {
		add("wait %v is not 0 to %v", r.Wait, maxWait)
	}
	if r.From > AfterDiagnosis {
		add("from: there is no start %d", r.From)
	}
	if r.Wait > 0 && r.From == AfterNothing {
		add("wait %v counts from nothing", r.Wait)
	}
	if r.Proof < GuardiansWord || r.Proof > IsolationRelease {
		add("proof: there is no proof %d", r.Proof)
	}
	return append(faults, checkWords(r.Name, r.Source)...)
}

func checkWords(name screening.Text, source string) (faults []error) {
	for _, x := range [][2]string{{"zh", name.Zh}, {"en", name.En}} {
		if x[1] == "" || len(x[1]) > maxName {
			faults = append(faults, fmt.Errorf("name in %s is not 1 to %d bytes", x[0], maxName))
		}
	}
	if len(source) > maxSource {
		faults = append(faults, fmt.Errorf("source is longer than %d bytes", maxSource))
	}
	return faults
}

// isWord reports whether an entry may hold s as a closed word.
func isWord(s string) bool {
	return s != "" && len(s) <= maxWord && !slices.ContainsFunc([]byte(s), func(c byte) bool { return (c < 'a' || c > 'z') && c != '-' })
}
