package main

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// explainAt is where the faults are shown when no configuration says where.
const explainAt = "127.0.0.1:8630"

var faultPage = template.Must(template.New("faults").Parse(`<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>门神 Menshen</title>
<h1>配置有误 · 校门未启用</h1><p>The configuration cannot be used; the gate is not running. Mend this, then restart gated:</p>
<pre>{{.}}</pre></html>
`))

// explain serves a page that says what to mend, with no lane and every relay
// as it was: nothing is known of the board. It returns 78 when not even that
// can be served.
func explain(ctx context.Context, fault error, log *slog.Logger) int {
	l, err := net.Listen("tcp", explainAt)
	if err != nil {
		log.Error("no page can be served", "err", err)
		return exitConfig
	}
	s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.WriteHeader(http.StatusServiceUnavailable)
		if err := faultPage.Execute(w, fault.Error()); err != nil {
			log.Warn("fault page", "err", err)
		}
	})}
	stop := context.AfterFunc(ctx, func() { s.Close() })
	defer stop()
	_, _ = daemon.SdNotify(false, daemon.SdNotifyReady)
	log.Info("configuration cannot be used; the page says what to mend", "url", "http://"+explainAt+"/")
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		log.Error("fault page", "err", fmt.Errorf("serve: %w", err))
		return exitFailed
	}
	return 0
}
