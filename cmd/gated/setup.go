package main

import (
	"log/slog"
	"os"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/device/board"
	"github.com/menshen/menshen/doctor"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/gate"
)

// installation is what the page /setup looks at: this machine, with the rights of
// this process. Restart ends it where systemd starts it again.
func installation(name string, restart func()) *gate.Setup {
	quiet := func(p config.Profile) *board.Board { return board.New(p, slog.New(slog.DiscardHandler)) }
	root := os.DirFS("/")
	s := &gate.Setup{
		ConfigFile: name, Profiles: firmwareconfig.Profiles(),
		Search: doctor.Search{
			Root: root, Opener: func(p config.Profile) device.Opener { return quiet(p) }, Chips: quiet(config.Profile{}).Chips, Listen: doctor.ListenUsually,
		},
		Patient: doctor.Patient{Root: root, Synchronised: doctor.Synchronised, Free: doctor.Free},
	}
	if os.Getenv("NOTIFY_SOCKET") != "" {
		s.Restart = restart
	}
	return s
}
