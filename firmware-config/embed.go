// Package firmwareconfig holds what is installed beside the programs: board
// profiles, policy presets, an example configuration, units and udev rules.
//
// It knows only files. What they mean is known by those who read them, and its
// tests load every file with the loader that will read it at a gate.
package firmwareconfig

import (
	"embed"
	"io/fs"
)

//go:embed profiles/*.toml
var profiles embed.FS

//go:embed policy/*.toml
var policies embed.FS

//go:embed systemd/* udev/* gated.toml
var system embed.FS

// Profiles returns the built-in board profiles, NAME.toml at the root, as
// config.Load takes them.
func Profiles() fs.FS { return root(profiles, "profiles") }

// Policies returns the policy presets, NAME.toml at the root, as policy.Preset
// takes them.
func Policies() fs.FS { return root(policies, "policy") }

// System returns what is installed on a gate as it is: the example gated.toml,
// and the directories systemd and udev.
func System() fs.FS { return system }

func root(files embed.FS, dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the names above are valid, so this is never reached
	}
	return sub
}
