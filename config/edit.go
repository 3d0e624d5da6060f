package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ownBoard is the profile that Write makes beside gated.toml.
const ownBoard = "board.toml"

// Before ends the name of what stood there before the last Write.
const Before = ".before"

// Write puts lines that a scan proposes into gated.toml at name: those of [ports]
// there, all others into a copy of the profile, board.toml beside it, which it then
// names: neither a built-in profile nor one that somebody wrote is touched. Nothing is written that would not load; the error is
// Faults then. What stood there is kept for Restore. Of a crash in between gated
// runs on its last good configuration.
func Write(name string, profiles fs.FS, lines []string) error {
	e, err := plan(name, profiles, lines)
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	for _, kept := range []string{name + Before, filepath.Join(filepath.Dir(name), ownBoard+Before)} {
		if err := os.Remove(kept); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("write configuration: %w", err)
		}
	}
	for _, w := range e {
		if w.old != nil {
			err = replaceFile(w.name+Before, w.old)
		}
		if err == nil {
			err = replaceFile(w.name, w.text)
		}
		if err == nil {
			err = os.Chmod(w.name, 0o660) // an administrator's group edits it too
		}
		if err != nil {
			return fmt.Errorf("write configuration: %w", err)
		}
	}
	return nil
}

// Holds reports whether Write would change nothing.
func Holds(name string, profiles fs.FS, lines []string) bool {
	e, err := plan(name, profiles, lines)
	return err == nil && !slices.ContainsFunc(e, func(w edit) bool { return !bytes.Equal(w.old, w.text) })
}

// Restore brings back what stood at name, and in the profile beside it, before the
// last Write. The error wraps fs.ErrNotExist where nothing is kept.
func Restore(name string) error {
	board := filepath.Join(filepath.Dir(name), ownBoard)
	if err := os.Rename(board+Before, board); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore configuration: %w", err)
	}
	if err := os.Rename(name+Before, name); err != nil {
		return fmt.Errorf("restore configuration: %w", err)
	}
	return nil
}

// edit is one file that is written: old is nil where there is none.
type edit struct {
	name      string
	old, text []byte
}

// plan says what is written, the profile first: gated.toml names it.
func plan(name string, profiles fs.FS, lines []string) ([]edit, error) {
	gated, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	ports, board := divide(lines)
	text := merge(gated, ports)
	var all []edit
	_, err = Parse(File{Name: filepath.Base(name), Source: text}, func(profile string) (File, error) {
		f, err := openProfile(filepath.Dir(name), profile, profiles)
		if err != nil || len(board) == 0 {
			return f, err
		}
		own := edit{name: filepath.Join(filepath.Dir(name), ownBoard), text: merge(f.Source, board)}
		if own.old, err = os.ReadFile(own.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		if profile != ownBoard {
			text = merge(text, []string{fmt.Sprintf("profile = %q", ownBoard)})
		}
		all = append(all, own)
		return File{Name: filepath.Base(own.name), Source: own.text}, nil
	})
	if err != nil {
		return nil, err
	}
	return append(all, edit{name, gated, text}), nil
}

// divide parts the lines of gated.toml from those of a profile.
func divide(lines []string) (ports, board []string) {
	in := &board
	for _, line := range lines {
		if header, ok := headerOf(line); ok {
			in = &board
			if header == "[ports]" {
				in = &ports
			}
		}
		*in = append(*in, line)
	}
	return ports, board
}

// headerOf returns the header of a table without what stands behind it.
func headerOf(line string) (string, bool) {
	line = strings.TrimSpace(line)
	end := strings.LastIndexByte(cutComment(line), ']')
	if !strings.HasPrefix(line, "[") || end < 0 {
		return "", false
	}
	return line[:end+1], true
}

// cutComment cuts a comment off a line; a # in a text is none.
func cutComment(line string) string {
	quoted := false
	for i := range len(line) {
		switch {
		case line[i] == '"' && (i == 0 || line[i-1] != '\\'):
			quoted = !quoted
		case line[i] == '#' && !quoted:
			return strings.TrimSpace(line[:i])
		}
	}
	return strings.TrimSpace(line)
}

// keyOf returns the key that a line sets.
func keyOf(line string) (string, bool) {
	key, _, ok := strings.Cut(cutComment(line), "=")
	key = strings.TrimSpace(key)
	return key, ok && key != "" && !strings.ContainsAny(key, "[]\"'{}")
}

// identifies reports whether a key says which device is meant: with another
// device all of these go, and what was set for the place stays.
func identifies(key string) bool {
	return slices.Contains([]string{"kind", "bus", "address", "pec", "emissivity", "port", "mode", "path", "adapter", "baud", "binary", "trigger"}, key)
}

// merge puts lines into a source, and leaves every comment and every other table
// as it was. A table of which there are several is the first of them. It knows the
// form in which our own files are written; whatever else stands there is found by
// the parser, to which the result goes.
func merge(source []byte, lines []string) []byte {
	out := strings.Split(string(source), "\n")
	header := ""
	var keys []string
	flush := func() {
		if len(keys) > 0 {
			out = mergeTable(out, header, keys)
		}
		keys = nil
	}
	for _, line := range lines {
		if h, ok := headerOf(line); ok {
			flush()
			header = h
		} else if _, ok := keyOf(line); ok {
			keys = append(keys, cutComment(line))
		}
	}
	flush()
	return []byte(strings.Join(out, "\n"))
}

// mergeTable puts the lines of one table in; the header of what stands before all
// tables is empty.
func mergeTable(out []string, header string, keys []string) []string {
	at := 0
	if header != "" {
		if at = 1 + find(out, header); at == 0 {
			return addTable(out, header, keys)
		}
	}
	end := at
	for end < len(out) {
		if _, ok := headerOf(out[end]); ok {
			break
		}
		end++
	}
	set := map[string]string{}
	for _, line := range keys {
		key, _ := keyOf(line)
		set[key] = line
	}
	var table []string
	for _, line := range out[at:end] {
		key, ok := keyOf(line)
		fresh, replaced := set[key]
		switch {
		case !ok, !replaced && (header == "" || header == "[ports]" || !identifies(key)):
			table = append(table, line)
		case replaced && fresh == cutComment(line):
			table = append(table, line) // with its comment
			delete(set, key)
		case replaced:
			table = append(table, fresh)
			delete(set, key)
		}
	}
	var missing []string
	for _, line := range keys {
		if key, _ := keyOf(line); set[key] == line {
			missing = append(missing, line)
			delete(set, key)
		}
	}
	return slices.Concat(out[:at], missing, table, out[end:])
}

// find returns the line of a table, -1 where there is none. Those of a lane are the
// first lane's.
func find(out []string, header string) int {
	lanes := 0
	for i, line := range out {
		h, ok := headerOf(line)
		if ok && h == "[[lane]]" {
			lanes++
		}
		if ok && h == header && (lanes < 2 || !strings.HasPrefix(header, "[lane.")) {
			return i
		}
	}
	return -1
}

// addTable adds a table: one of a lane behind the first lane's own lines, any
// other at the end.
func addTable(out []string, header string, keys []string) []string {
	table := slices.Concat([]string{header}, keys, []string{""})
	lane := find(out, "[[lane]]")
	if !strings.HasPrefix(header, "[lane.") || lane < 0 {
		for len(out) > 0 && strings.TrimSpace(out[len(out)-1]) == "" {
			out = out[:len(out)-1]
		}
		return slices.Concat(out, []string{""}, table)
	}
	end := lane + 1
	for end < len(out) {
		if _, ok := headerOf(out[end]); ok {
			break
		}
		end++
	}
	return slices.Concat(out[:end], table, out[end:])
}
