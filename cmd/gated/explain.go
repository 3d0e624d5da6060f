package main

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/menshen/menshen/systemd"
)

var faultPage = template.Must(template.New("faults").Parse(`<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>门神 Menshen</title>
<h1>配置有误 · 校门未启用</h1><p>The configuration cannot be used; the gate is not running. Mend this, then restart gated:</p>
<pre>{{.}}</pre></html>
`))

// explain serves a page that says what to mend, with no lane and every relay
// as it was: nothing is known of the board. It returns 78 when not even that
// can be served.
func explain(ctx context.Context, address string, fault error, log *slog.Logger) int {
	l, err := net.Listen("tcp", address)
	if err != nil {
		log.Error("no page can be served", "err", err)
		return exitConfig
	}
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = faultPage.Execute(w, fault.Error()) // a browser that left needs no answer
	})}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	defer systemd.Tell(ctx, func(context.Context) error { return nil }, log)()
	log.Info("configuration cannot be used; the page says what to mend", "url", "http://"+l.Addr().String()+"/")
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		log.Error("page of faults ended", "err", err)
		return exitFailed
	}
	return 0
}
