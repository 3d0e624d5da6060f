package mlx90632

import "math"

// Addresses of the EEPROM (data sheet, "EEPROM memory map"); constants of 32
// bits have their low word first.
const (
	eeVersion = 0x240B

	eePR = 0x240C
	eePG = 0x240E
	eePT = 0x2410
	eePO = 0x2412
	eeEa = 0x2424
	eeEb = 0x2426
	eeFa = 0x2428
	eeFb = 0x242A
	eeGa = 0x242C
	eeGb = 0x242E
	eeKa = 0x242F
	eeHa = 0x2481
	eeHb = 0x2482

	eeMedical1  = 0x24E1 // settings of the two measurements of a medical cycle
	eeMedical2  = 0x24E2
	eeExtended1 = 0x24F1 // and of the three of an extended one
	eeExtended2 = 0x24F2
	eeExtended3 = 0x24F3
)

// Registers and their bits (data sheet, "Control and configuration").
const (
	regControl = 0x3001
	regStatus  = 0x3FFF

	controlMode     = 0x3 << 1
	controlStep     = 0x2 << 1
	controlRunning  = 0x3 << 1 // continuous
	controlType     = 0x1F << 4
	controlExtended = 17 << 4
	controlStarts   = 1<<3 | 1<<11 // start one measurement, start a cycle

	statusNew      = 1 << 0
	statusPosition = 0x1F << 2
)

// EEPROM versions.
const (
	versionMask     = 0xFF
	versionKnown    = 0x05 // what the constants mean
	accuracyMask    = 0x7F00
	accuracyMedical = 0x0100
	rangeExtended   = 0x0500
)

// ram returns the address of a word, from 1 to 3, of a row of results.
func ram(word, row int) uint16 { return uint16(0x4000 + 3*row + word - 1) }

// constant says where a calibration constant is stored and how.
type constant struct {
	at    uint16
	wide  bool // 32 bits, not 16; both have a sign
	shift int  // stored times two to the power of shift
	to    func(*calibration) *float64
}

func constants() []constant {
	return []constant{
		{eePR, true, 8, func(c *calibration) *float64 { return &c.pR }},
		{eePG, true, 20, func(c *calibration) *float64 { return &c.pG }},
		{eePT, true, 44, func(c *calibration) *float64 { return &c.pT }},
		{eePO, true, 8, func(c *calibration) *float64 { return &c.pO }},
		{eeEa, true, 16, func(c *calibration) *float64 { return &c.ea }},
		{eeEb, true, 8, func(c *calibration) *float64 { return &c.eb }},
		{eeFa, true, 46, func(c *calibration) *float64 { return &c.fa }},
		{eeFb, true, 36, func(c *calibration) *float64 { return &c.fb }},
		{eeGa, true, 36, func(c *calibration) *float64 { return &c.ga }},
		{eeGb, false, 10, func(c *calibration) *float64 { return &c.gb }},
		{eeKa, false, 10, func(c *calibration) *float64 { return &c.ka }},
		{eeHa, false, 14, func(c *calibration) *float64 { return &c.ha }},
		{eeHb, false, 10, func(c *calibration) *float64 { return &c.hb }},
	}
}

// calibrate scales the stored constants, named by their addresses.
func calibrate(stored map[uint16]int64) calibration {
	var c calibration
	for _, k := range constants() {
		*k.to(&c) = math.Ldexp(float64(stored[k.at]), -k.shift)
	}
	return c
}

// usable reports whether nothing is divided by zero.
func (c *calibration) usable() bool {
	return c.pG != 0 && c.ea != 0 && c.fa != 0 && c.ha != 0
}
