package broker

import (
	"fmt"
	"log/slog"
	"sync/atomic"
)

// natsLog passes on what the server logs, and keeps what it could not start
// for. It implements server.Logger.
type natsLog struct {
	log   *slog.Logger
	fatal atomic.Pointer[string] // the first
}

// Fatalf implements server.Logger; the server goes on after it.
func (l *natsLog) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.fatal.CompareAndSwap(nil, &text)
}

// Errorf implements server.Logger. A wrong password is such an error.
func (l *natsLog) Errorf(format string, v ...any) {
	l.log.Error("broker", "text", fmt.Sprintf(format, v...))
}

// Warnf implements server.Logger.
func (l *natsLog) Warnf(format string, v ...any) {
	l.log.Warn("broker", "text", fmt.Sprintf(format, v...))
}

// Noticef implements server.Logger.
func (l *natsLog) Noticef(format string, v ...any) {
	l.log.Debug("broker", "text", fmt.Sprintf(format, v...))
}

// Debugf implements server.Logger; the server is told not to call it.
func (l *natsLog) Debugf(string, ...any) {}

// Tracef implements server.Logger; the server is told not to call it.
func (l *natsLog) Tracef(string, ...any) {}
