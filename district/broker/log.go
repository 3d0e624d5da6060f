package broker

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/menshen/menshen/sync/wire"
)

// natsLog passes on what the server logs, counts the refusals in it, and keeps
// what the server could not start for. It implements server.Logger.
type natsLog struct {
	log     *slog.Logger
	refused *refused
	fatal   atomic.Pointer[string] // the first
}

// Fatalf implements server.Logger; the server goes on after it.
func (l *natsLog) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.fatal.CompareAndSwap(nil, &text)
}

// Errorf implements server.Logger. A wrong password is such an error.
func (l *natsLog) Errorf(format string, v ...any) {
	if name, kind, detail := readViolation(format, v); name != "" {
		l.refused.add(name, kind, detail)
	}
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

// How the server's messages about a session end, from which it is read what
// they are about. They begin with the session's address, number and client id,
// in quotes; the guard has made sure that the id is the user's name.
const (
	violatedSpeak  = `Publish Violation - Subject %q`
	violatedHear   = `Subscription Violation - Subject `
	violatedLength = `%s: %d vs %d`
)

// readViolation returns what a session was refused; no name if a message is
// about something else. What a stranger calls itself cannot make it see a
// session's name: there, a quotation mark has a backslash before it.
func readViolation(format string, v []any) (name string, kind RefusalKind, detail string) {
	session, ok := strings.CutSuffix(format, violatedSpeak)
	if ok && len(v) == 1 {
		return sessionName(session), RefusedSpeak, topic(fmt.Sprintf("%s", v[0]))
	}
	session, ok = strings.CutSuffix(format, violatedLength)
	if ok && len(v) == 3 && v[0] == server.ErrMaxPayload.Error() {
		return sessionName(session), RefusedLength, fmt.Sprint(v[1])
	}
	session, rest, ok := strings.Cut(format, violatedHear)
	quoted, err := strconv.QuotedPrefix(rest)
	if !ok || err != nil {
		return "", 0, ""
	}
	filter, err := strconv.Unquote(quoted)
	if err != nil {
		return "", 0, ""
	}
	return sessionName(session), RefusedHear, topic(filter)
}

// sessionName returns the client id at the end of how the server calls a
// session, empty if that is none which has been let in.
func sessionName(session string) string {
	session, ok := strings.CutSuffix(session, `" - `)
	name := session[strings.LastIndex(session, `"`)+1:]
	if !ok || !wire.ValidName(name) {
		return ""
	}
	return name
}

// topic returns a subject in MQTT's writing; it undoes what subject does.
func topic(subject string) string {
	return strings.NewReplacer(".", "/", "*", "+", ">", "#").Replace(subject)
}
