package sim

import "sync/atomic"

// Scanner is a code reader on a serial port: a desktop scanner that only
// talks, or an engine that also takes commands.
type Scanner struct {
	*port
	engine engine       // nil on a scanner that takes no commands
	told   atomic.Int64 // writes to a scanner that takes no commands
}

// engine is the command side of an engine.
type engine interface {
	// zone returns a setting, a zone of a GM65 or a parameter of a GM67.
	zone(addr uint16) byte
	// triggers counts the scans that were asked for.
	triggers() int
}

// AddScanner adds a scanner that ends each code with CR and ignores what it
// is told.
func (w *World) AddScanner(name string) *Scanner {
	s := &Scanner{}
	s.port = &port{name: name, receive: func([]byte) { s.told.Add(1) }}
	w.addPort(s.port)
	return s
}

// AddGM65 adds an engine of the Grow GM65 family with its factory settings.
func (w *World) AddGM65(name string) *Scanner {
	e := newGM65()
	return w.addEngine(name, e, e.take)
}

// AddGM67 adds an engine of the Grow GM67 family with its factory settings. It
// sleeps after a second without a byte, and loses the one that wakes it.
func (w *World) AddGM67(name string) *Scanner {
	e := newGM67()
	return w.addEngine(name, e, e.take)
}

func (w *World) addEngine(name string, e engine, take func([]byte) []byte) *Scanner {
	s := &Scanner{port: &port{name: name}, engine: e}
	s.receive = func(b []byte) {
		if answer := take(b); len(answer) > 0 {
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

// Zone returns one setting of an engine as it is in force: a zone of a GM65, a
// parameter of a GM67. It is 0 for a scanner that takes no commands.
func (s *Scanner) Zone(addr uint16) byte {
	if s.engine == nil {
		return 0
	}
	return s.engine.zone(addr)
}

// Triggers counts the scans that an engine was asked for, and anything that was
// written to another scanner.
func (s *Scanner) Triggers() int {
	if s.engine == nil {
		return int(s.told.Load())
	}
	return s.engine.triggers()
}
