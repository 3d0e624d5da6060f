package guard

import "github.com/menshen/menshen/web"

// This file says in words what a policy asks for beside badge, temperature and
// colour.

// held reports whether a lane shows a stop: what may be noted of it stands behind
// its other acts.
func (screen) held(l Lane) bool { return l.Phase == "held" }

// Notes are what one touch may note of whoever is being served.
func (s screen) Notes(l Lane, more bool) (list []string) {
	if s.held(l) != more {
		return nil
	}
	if l.CanMask {
		list = append(list, NoteMask)
	}
	if l.CanSymptoms {
		list = append(list, NoteSymptoms)
	}
	return list
}

// Colours are as Offered has them, and Tone as the function of that name.
func (screen) Colours(list []string) []string { return Offered(list) }
func (screen) Tone(colour string) string      { return Tone(colour) }

// Offered are the colours that may be said of a code; three where the gate says
// nothing.
func Offered(list []string) []string {
	if len(list) == 0 {
		return []string{"green", "yellow", "red"}
	}
	return list
}

// Tone is the class by which the style sheet draws a colour's button.
func Tone(colour string) string {
	switch colour {
	case Printed:
		return "green"
	case PopUp:
		return "red"
	}
	return colour
}

// In returns the sentence in a language, or else in the one that it has.
func (x Sentence) In(l web.Language) string {
	if l == web.English && x.En != "" || x.Zh == "" {
		return x.En
	}
	return x.Zh
}

// Look says what is to be looked at.
func (s screen) Look(l Look) string { return l.In(s.Page) }

// In returns what is to be looked at: the policy's sentence or else the evidence,
// with its name where there are several.
func (l Look) In(p web.Page) string {
	if text := l.Say.In(p.Language); text != "" {
		return text
	}
	text := p.T("evidence." + l.Evidence)
	if l.Name != "" {
		text += " " + l.Name
	}
	return text
}

// Why are the words of what stands beside the number.
func (s screen) Why(l Lane) []string {
	return Words(s.Page, s.Reasons(l), l.Sentences)
}

// First leaves one of several looks, because the gate's screen has room for no
// more: the next stands there when it is answered, and somebody whom one of them
// keeps out needs no other.
func (screen) First(looks []Look) []Look { return looks[:min(1, len(looks))] }

// Found are the words of what stopped somebody who was set aside.
func (s screen) Found(a Aside) []string { return Words(s.Page, a.Reasons, a.Sentences) }

// Words are reasons and a policy's own sentences in the page's language.
func Words(p web.Page, reasons []string, own []Sentence) (list []string) {
	for _, r := range reasons {
		list = append(list, p.T("reason."+r))
	}
	for _, x := range own {
		list = append(list, x.In(p.Language))
	}
	return list
}
