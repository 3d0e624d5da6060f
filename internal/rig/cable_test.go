package rig_test

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/menshen/menshen/internal/rig"
)

// echo answers every connection with what it says.
func echo(t *testing.T) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

// said reports what comes back through a connection.
func said(conn net.Conn, text string) (string, error) {
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	back := make([]byte, len(text))
	_, err := io.ReadFull(conn, back)
	return string(back), err
}

func TestACableCarriesWhileItIsPluggedInAndNothingElse(t *testing.T) {
	c, err := rig.NewCable(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", c.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	if back, err := said(dial(), "before"); err == nil {
		t.Errorf("a cable that is not plugged in carries %q", back)
	}
	c.Plug()
	conn := dial()
	if back, err := said(conn, "hello"); err != nil || back != "hello" {
		t.Fatalf("%q, %v", back, err)
	}
	c.Unplug()
	if back, err := said(conn, "still there?"); err == nil {
		t.Errorf("what was open carries on: %q", back)
	}
	if back, err := said(dial(), "anybody?"); err == nil {
		t.Errorf("a new connection is carried: %q", back)
	}
	c.Plug()
	if back, err := said(dial(), "again"); err != nil || back != "again" {
		t.Errorf("%q, %v", back, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if conn, err := net.Dial("tcp", c.Addr()); err == nil {
		conn.Close()
		t.Error("a cable that is gone is answered")
	} else if errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
