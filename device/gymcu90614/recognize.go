package gymcu90614

// Recognize tells which make a module is by what it sends by itself: the first
// whose whole frame, with the right sum, stands in heard. It sends nothing.
func Recognize(heard []byte) (Module, bool) {
	for m := GYMCU90614; m <= CJMCU90614; m++ {
		d := decoder{p: m.protocol()}
		for _, b := range heard {
			if _, ok, err := d.push(b); ok && err == nil {
				return m, true
			}
		}
	}
	return 0, false
}
