package class

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/menshen/menshen/web"
)

// maxName is the most bytes of the name of a check or group, and maxPeople the most
// people of whom something may be said at once.
const (
	maxName   = 200
	maxPeople = 200
)

var errMalformed = errors.New("malformed form")

// field names what is said of one person in a form.
func field(what string, id uint64, word string) string {
	name := what + "-" + strconv.FormatUint(id, 10)
	if word != "" {
		name += "-" + word
	}
	return name
}

// AbsentField is the name of the field which says that the person is not there.
func (m Member) AbsentField() string { return field("absent", m.ID, "") }

// FoundField is the name of the field of one symptom.
func (m Member) FoundField(symptom string) string { return field("found", m.ID, symptom) }

// TemperatureField is the name of the field of a temperature.
func (m Member) TemperatureField() string { return field("temperature", m.ID, "") }

// parse returns what a form says of a check, and whether it is complete. The error
// is errMalformed, or a web.Slip beside a form that can be shown again.
func parse(form url.Values) (f Findings, done bool, err error) {
	f.Key = Key{form.Get("check"), form.Get("group")}
	if f.Check == "" || f.Group == "" || len(f.Check) > maxName || len(f.Group) > maxName || !web.Once(form) {
		return Findings{}, false, errMalformed
	}
	if !form.Has("version") {
		return f, false, nil
	}
	version, err := strconv.ParseUint(form.Get("version"), 10, 32)
	if err != nil {
		return Findings{}, false, errMalformed
	}
	f.Version = uint32(version)
	people := map[uint64]*Exception{}
	var slip error
	for name := range form {
		switch err := said(people, form, name); {
		case errors.Is(err, errMalformed):
			return Findings{}, false, err
		case err != nil:
			slip = err
		}
	}
	for _, x := range people {
		slices.SortFunc(x.Found, func(a, b string) int {
			return cmp.Compare(slices.Index(web.Symptoms(), a), slices.Index(web.Symptoms(), b))
		})
		f.Exceptions = append(f.Exceptions, *x)
	}
	slices.SortFunc(f.Exceptions, func(a, b Exception) int { return cmp.Compare(a.Subject, b.Subject) })
	if len(f.Exceptions) > maxPeople {
		return Findings{}, false, errMalformed
	}
	return f, slip == nil, slip
}

// said takes one field of a form. Fields of nobody are none of its business.
func said(people map[uint64]*Exception, form url.Values, name string) error {
	what, rest, about := strings.Cut(name, "-")
	number, word, _ := strings.Cut(rest, "-")
	if !about {
		return nil
	}
	id, err := strconv.ParseUint(number, 10, 64)
	if err != nil || id == 0 || field(what, id, word) != name {
		return errMalformed
	}
	of := func() *Exception {
		if people[id] == nil {
			people[id] = &Exception{Subject: id}
		}
		return people[id]
	}
	switch {
	case what == "absent" && word == "":
		of().Absent = true
	case what == "found" && slices.Contains(web.Symptoms(), word):
		of().Found = append(of().Found, word)
	case what == "temperature" && word == "":
		if form.Get(name) == "" {
			return nil
		}
		instrument := form.Get("instrument")
		if !slices.Contains(web.Instruments(), instrument) {
			return errMalformed
		}
		value, err := web.ParseTemperature(form.Get(name))
		if err != nil {
			return err
		}
		of().Value, of().Instrument = value, instrument
	default:
		return errMalformed
	}
	return nil
}
