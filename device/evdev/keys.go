package evdev

// Rows of keys whose codes follow one another, without and with Shift.
const (
	digitsFirst = 2
	digits      = "1234567890-="
	digitsShift = "!@#$%^&*()_+"

	upperFirst = 16
	upper      = "qwertyuiop[]"
	upperShift = "QWERTYUIOP{}"

	homeFirst = 30
	home      = "asdfghjkl;'`"
	homeShift = "ASDFGHJKL:\"~"

	lowerFirst = 43
	lower      = "\\zxcvbnm,./"
	lowerShift = "|ZXCVBNM<>?"

	padFirst = 71 // the same with Shift
	pad      = "789-456+1230."
)

// modifies reports whether a key types nothing itself and changes what others
// do: Ctrl, Shift, Alt and Meta, left and right.
func modifies(code uint16) bool {
	switch code {
	case 29, 97, keyLeftShift, keyRightShift, 56, 100, 125, 126:
		return true
	}
	return false
}

// character returns what a key types without and with Shift: Cancel for a key
// that types nothing.
func character(code uint16) (plain, shifted byte) {
	for _, row := range []struct {
		first          uint16
		plain, shifted string
	}{
		{digitsFirst, digits, digitsShift},
		{upperFirst, upper, upperShift},
		{homeFirst, home, homeShift},
		{lowerFirst, lower, lowerShift},
		{padFirst, pad, pad},
	} {
		if i := int(code) - int(row.first); i >= 0 && i < len(row.plain) {
			return row.plain[i], row.shifted[i]
		}
	}
	switch code {
	case 28, 96, 15: // Enter, Enter of the keypad, Tab
		return '\r', '\r'
	case 57:
		return ' ', ' '
	case 55:
		return '*', '*'
	case 98:
		return '/', '/'
	}
	return Cancel, Cancel
}
