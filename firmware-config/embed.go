// Package firmwareconfig holds what is installed beside the programs: board
// profiles, an example configuration, units and udev rules.
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

// Profiles returns the built-in board profiles, NAME.toml at the root, as
// config.Load takes them.
func Profiles() fs.FS {
	sub, err := fs.Sub(profiles, "profiles")
	if err != nil {
		panic(err) // the name above is valid, so this is never reached
	}
	return sub
}
