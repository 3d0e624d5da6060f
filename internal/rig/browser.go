package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// ErrRefused says that a page refused what was pressed, or who pressed it.
var ErrRefused = errors.New("refused")

// maxPage bounds the text of one page, in bytes.
const maxPage = 4 << 20

// Browser is the browser of one person at one gate, beside it on the same
// machine.
type Browser struct {
	url    string
	client *http.Client
}

// NewBrowser opens a browser without a session at a gate's pages.
func NewBrowser(url string) (*Browser, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Browser{url: strings.TrimSuffix(url, "/"), client: &http.Client{Jar: jar}}, nil
}

// Send posts a form and follows where that leads. It returns the page's text,
// and what the page says came of the press: the key behind "said.", or nothing.
// What a page refuses wraps ErrRefused.
func (b *Browser) Send(ctx context.Context, path string, fields ...string) (page, said string, err error) {
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(req)
}

// Read returns the text of a page.
func (b *Browser) Read(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+path, nil)
	if err != nil {
		return "", err
	}
	page, _, err := b.do(req)
	return page, err
}

func (b *Browser) do(req *http.Request) (page, said string, err error) {
	resp, err := b.client.Do(req)
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return "", "", fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		return string(text), resp.Request.URL.Query().Get("said"), nil
	case resp.StatusCode < http.StatusInternalServerError:
		err = ErrRefused
	default:
		err = errors.New("failed")
	}
	return "", "", fmt.Errorf("%s %s: %w with %s", req.Method, req.URL.Path, err, resp.Status)
}

// Close lets go of the browser's connections.
func (b *Browser) Close() { b.client.CloseIdleConnections() }
