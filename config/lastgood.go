package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"
)

// lastGood is the configuration that a gate last ran with. Both sources stand
// in one file, because two files could be replaced one without the other.
type lastGood struct {
	Gated   source `json:"gated"`
	Profile source `json:"profile"`
}

// source is a File as text; what has been parsed is UTF-8.
type source struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// maxLastGood bounds the file before it is decoded: two sources, escaped.
const maxLastGood = 16 * maxSource

// lastGoodPath is where the last good configuration stands in a data directory.
func lastGoodPath(data string) string { return filepath.Join(data, "last-good", "config.json") }

// KeepLastGood keeps the sources of a configuration that a gate runs with,
// under data. A crash at any point leaves the previous one or this one.
func KeepLastGood(data string, cfg *Config) error {
	b, err := json.MarshalIndent(lastGood{
		Gated:   source{cfg.name, string(cfg.Source)},
		Profile: source{cfg.board.Name, string(cfg.board.Source)},
	}, "", "  ")
	if err == nil {
		err = replaceFile(lastGoodPath(data), b)
	}
	if err != nil {
		return fmt.Errorf("keep last good configuration: %w", err)
	}
	return nil
}

// replaceFile writes a file so that its name means the old content or all of
// the new one, and the new one is on the disk when it returns.
func replaceFile(name string, b []byte) (err error) {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return err
	}
	// The directory itself may be as new as the file.
	return errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)))
}

// syncDir makes a rename in dir last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}

// LoadLastGood reads what KeepLastGood kept under data, by the same parser as
// gated.toml. The error wraps fs.ErrNotExist if there is none.
func LoadLastGood(data string) (*Config, error) {
	f, err := os.Open(lastGoodPath(data))
	if err != nil {
		return nil, fmt.Errorf("read last good configuration: %w", err)
	}
	defer f.Close()
	var kept lastGood
	if err := json.NewDecoder(io.LimitReader(f, maxLastGood)).Decode(&kept); err != nil {
		return nil, fmt.Errorf("read last good configuration: %w", err)
	}
	return Parse(kept.Gated.file(), func(string) (File, error) { return kept.Profile.file(), nil })
}

// file is a source as the parser takes it.
func (s source) file() File { return File{Name: s.Name, Source: []byte(s.Text)} }

// DataDir returns the data directory of a gated.toml that may have any other
// fault, so that the last good configuration is found; DefaultData if the file
// or the key cannot be read.
func DataDir(name string) string {
	src, err := os.ReadFile(name)
	if err != nil || len(src) > maxSource {
		return DefaultData
	}
	var values map[string]any
	if err := toml.Unmarshal(src, &values); err != nil {
		return DefaultData
	}
	if dir, ok := values["data"].(string); ok && filepath.IsAbs(dir) {
		return dir
	}
	return DefaultData
}
