package mqtt

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// open connects to the broker's machine, and proves it to be the broker's
// with mqtts. It asks no proxy.
func open(ctx context.Context, u *url.URL, config *tls.Config) (net.Conn, error) {
	d := net.Dialer{Control: giveUpWhenStuck}
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil || u.Scheme == "mqtt" {
		return conn, err
	}
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName = u.Hostname()
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// giveUpWhenStuck makes the kernel end a connection whose bytes nobody
// acknowledges (RFC 5482).
func giveUpWhenStuck(_, _ string, c syscall.RawConn) error {
	var fault error
	err := c.Control(func(fd uintptr) {
		fault = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(stuck/time.Millisecond))
	})
	if err != nil {
		return err
	}
	return fault
}

// link is a connection on which no write waits for ever, no packet is read
// that is out of bounds, and the first fault is told at once.
type link struct {
	net.Conn
	guard guard // of the one goroutine that reads
	lost  func(error)
}

// Read implements net.Conn.
func (l *link) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if fault := l.guard.follow(b[:n]); fault != nil {
		n, err = 0, fault
	}
	if err != nil {
		l.lost(err)
	}
	return n, err
}

// Write implements net.Conn.
func (l *link) Write(b []byte) (int, error) {
	err := l.SetWriteDeadline(time.Now().Add(stuck))
	n := 0
	if err == nil {
		n, err = l.Conn.Write(b)
	}
	if err != nil {
		l.lost(err)
	}
	return n, err
}
