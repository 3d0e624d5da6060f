package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// answerWithin is how long the gate has for an answer: a large list is imported
// in seconds, on the slowest board too.
const answerWithin = 2 * time.Minute

// errNoGate: gated is not running.
var errNoGate = errors.New("no gate answers")

// ask calls the running gate over its socket and reads its answer into out.
func (t *tool) ask(ctx context.Context, method, path string, body io.Reader, out any) error {
	cfg, err := t.load()
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: answerWithin, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", cfg.Socket)
		},
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, "http://gate"+path, body)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("%w at %s: start it with 'systemctl start gated'", errNoGate, cfg.Socket)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied: run this as root or as a member of the group menshen", cfg.Socket)
	case err != nil:
		return fmt.Errorf("ask gate: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var fault struct{ Error string }
		if err := json.NewDecoder(resp.Body).Decode(&fault); err != nil || fault.Error == "" {
			return fmt.Errorf("gate answers %s", resp.Status)
		}
		return errors.New(fault.Error)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("read the gate's answer: %w", err)
	}
	return nil
}

// post sends a value and wants no answer but that it was taken.
func (t *tool) post(ctx context.Context, path string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return t.ask(ctx, http.MethodPost, path, bytes.NewReader(b), &struct{}{})
}

// line reads one line from standard input; a secret never stands in the
// arguments, where every user of the machine can read it.
func (t *tool) line(prompt string) (string, error) {
	fmt.Fprint(t.stderr, prompt)
	s, err := bufio.NewReader(io.LimitReader(t.stdin, 256)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	return strings.TrimSpace(s), nil
}
