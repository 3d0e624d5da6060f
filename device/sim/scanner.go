package sim

// Scanner is a code reader on a serial port: a desktop scanner that only
// talks, or a GM65 engine that also takes commands.
type Scanner struct {
	*port
	engine *gm65 // nil on a scanner that takes no commands
}

// AddScanner adds a scanner that ends each code with CR and ignores what it
// is told.
func (w *World) AddScanner(name string) *Scanner {
	s := &Scanner{port: &port{name: name, receive: func([]byte) {}}}
	w.addPort(s.port)
	return s
}

// AddGM65 adds an engine of the Grow GM65 family with its factory settings.
func (w *World) AddGM65(name string) *Scanner {
	e := newGM65()
	s := &Scanner{port: &port{name: name}, engine: e}
	s.receive = func(b []byte) {
		if answer := e.take(b); len(answer) > 0 {
			s.send(answer)
		}
	}
	w.addPort(s.port)
	return s
}

// Scan holds a code in front of the scanner: text and CR go to the host.
// Text is bytes, in whatever encoding the code was printed.
func (s *Scanner) Scan(text string) {
	s.send([]byte(text + "\r"))
}

// ScanAfterAck is Scan with the acknowledgement of a write directly before
// the text, on the same line: what a GM65 that is triggered by command sends.
func (s *Scanner) ScanAfterAck(text string) {
	s.send([]byte(gm65Ack + text + "\r"))
}

// Emit sends bytes as they are: half a code, another line end, noise.
func (s *Scanner) Emit(b []byte) {
	s.send(b)
}

// Zone returns one setting of a GM65 as it is in force. It is 0 for a scanner
// that takes no commands.
func (s *Scanner) Zone(addr uint16) byte {
	if s.engine == nil {
		return 0
	}
	return s.engine.zone(addr)
}
