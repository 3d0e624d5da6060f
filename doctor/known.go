package doctor

// known is what the numbers of a USB device tell.
type known struct {
	vendor, product string // product is empty where the maker makes nothing else
	guess           Text
	// part is what is pasted for it: "scanner", "thermometer", "relay", or empty
	// where the numbers are those of an adapter only.
	part string
}

// knownUSB are adapters, scanners and engines that are common at gates. An
// adapter does not say what hangs on it.
func knownUSB() []known {
	return []known{
		{"1eab", "", Text{"新大陆扫码器", "Newland scanner"}, "scanner"},
		{"0c2e", "", Text{"霍尼韦尔扫码器", "Honeywell scanner"}, "scanner"},
		{"05e0", "", Text{"斑马扫码器", "Zebra scanner"}, "scanner"},
		{"05f9", "", Text{"得利捷扫码器", "Datalogic scanner"}, "scanner"},
		{"0483", "5740", Text{"多半是扫码模块的虚拟串口", "probably a scan engine's virtual port"}, "scanner"},
		{"1a86", "7523", Text{"CH340:LCUS 继电器板,或接在转接线上的模块", "CH340: an LCUS relay board, or a module behind an adapter"}, "relay"},
		{"1a86", "", Text{"沁恒串口转接线", "WCH serial adapter"}, ""},
		{"10c4", "", Text{"CP210x 转接线:测温模块或扫码模块", "CP210x adapter: a thermometer module or a scan engine"}, ""},
		{"0403", "", Text{"FTDI 转接线", "FTDI adapter"}, ""},
		{"067b", "", Text{"PL2303 转接线", "PL2303 adapter"}, ""},
	}
}

// knownAs returns what the numbers of a device tell.
func knownAs(vendor, product string) (known, bool) {
	for _, k := range knownUSB() {
		if k.vendor == vendor && (k.product == "" || k.product == product) {
			return k, true
		}
	}
	return known{}, false
}
