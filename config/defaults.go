package config

import "time"

// DefaultData is the data directory of a gated.toml that names none, and where
// the last good configuration is looked for when gated.toml cannot be read.
const DefaultData = "/var/lib/menshen"

// DefaultDistrictData is the data directory of a districtd.toml that names none.
const DefaultDistrictData = "/var/lib/menshen-district"

// What stands where a key is left out.
const (
	defaultSocket   = "/run/menshen/gated.sock"
	defaultLanguage = LanguageChinese
	defaultListen   = "127.0.0.1:8630"

	defaultDistrictListen = "127.0.0.1:8640"
	defaultBrokerListen   = "127.0.0.1:1883"

	defaultBaud    = 9600
	defaultBias    = BiasNone
	defaultSilence = 80 * time.Millisecond

	defaultAddress = 0x5A // as the MLX90614 leaves the factory
	defaultMLX32   = 0x3A // and the MLX90632
	// defaultEmissivity is that of skin: at 1 an MLX90632 shows it 0.2 °C too
	// cold, and a value is never taken for a lower one.
	defaultEmissivity = 0.98
	defaultPEC        = PECStrict
	defaultMode       = ModeQuery
	defaultPeriod     = 150 * time.Millisecond

	defaultPulse = 300 * time.Millisecond

	defaultSound = "default" // the card that the system itself plays on
)

// defaultWindows are when people arrive where nobody says it: before the first
// lesson, and after the noon rest.
func defaultWindows() []string { return []string{"06:50-08:20", "13:30-14:20"} }

// defaultAmbient is the range, in degrees Celsius, in which a thermometer
// without the key ambient is trusted.
func defaultAmbient() [2]float64 { return [2]float64{0, 40} }
