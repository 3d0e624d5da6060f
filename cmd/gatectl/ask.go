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
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	answer, err := t.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if err := json.NewDecoder(answer).Decode(out); err != nil {
		return fmt.Errorf("read the gate's answer: %w", err)
	}
	return nil
}

// send calls the running gate over its socket and returns its answer, which the
// caller closes; it ends with the context.
func (t *tool) send(ctx context.Context, method, path string, body io.Reader) (io.ReadCloser, error) {
	cfg, err := t.load()
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", cfg.Socket)
		},
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://gate"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w at %s: start it with 'systemctl start gated'", errNoGate, cfg.Socket)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: permission denied: run this as root or as a member of the group menshen", cfg.Socket)
	case err != nil:
		return nil, fmt.Errorf("ask gate: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var fault struct{ Error string }
	if err := json.NewDecoder(resp.Body).Decode(&fault); err != nil || fault.Error == "" {
		return nil, fmt.Errorf("gate answers %s", resp.Status)
	}
	return nil, errors.New(fault.Error)
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
