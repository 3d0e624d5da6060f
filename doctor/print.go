package doctor

import (
	"fmt"
	"io"
	"strings"
)

// both writes a text in both languages; one that is the same in both stands
// once.
func (t Text) both() string {
	if t.Chinese == t.English {
		return t.English
	}
	return t.Chinese + " · " + t.English
}

// Print writes findings, each with why it matters and what to type.
func Print(w io.Writer, all []Finding) error {
	var b strings.Builder
	for _, f := range all {
		f.print(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f Finding) print(b *strings.Builder) {
	if f.Large {
		fmt.Fprintf(b, "\n████ %v %s ████\n     %s\n\n", f.Mark, f.What.Chinese, f.What.English)
	} else {
		fmt.Fprintf(b, "%v %s\n", f.Mark, f.What.both())
	}
	if f.Why != (Text{}) {
		fmt.Fprintf(b, "    为什么 why: %s\n", f.Why.both())
	}
	if f.Fix != (Text{}) {
		fmt.Fprintf(b, "    怎么办 fix: %s\n", f.Fix.both())
	}
	for _, line := range f.Lines {
		fmt.Fprintf(b, "      %s\n", line)
	}
	for _, command := range f.Commands {
		fmt.Fprintf(b, "    $ %s\n", command)
	}
}

// PrintSections writes what a scan found, each with its lines for a profile.
func PrintSections(w io.Writer, all []Section) error {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "== %s\n", s.Title.both())
		for _, t := range s.Things {
			t.print(&b)
		}
		if s.Missing != nil {
			s.Missing.print(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t Thing) print(b *strings.Builder) {
	fmt.Fprintf(b, "%s\n", t.Where)
	if t.Facts != "" {
		fmt.Fprintf(b, "    %s\n", strings.ReplaceAll(t.Facts, "\n", "\n    "))
	}
	if t.Guess != (Text{}) {
		fmt.Fprintf(b, "    %s\n", t.Guess.both())
	}
	if t.Trouble != nil {
		fmt.Fprintf(b, "    ! %v\n", t.Trouble)
	}
	for _, line := range t.Lines {
		fmt.Fprintf(b, "      %s\n", line)
	}
}
