package rig

import "context"

// life is something that runs until it is ended, or ends by a fault of its own.
type life struct {
	cancel context.CancelFunc
	over   chan struct{} // closed when it has ended
	err    error         // of its end; to be read after over
}

// live begins a life. The end of ctx does not end it: whoever began it says in
// which order things end.
func live(ctx context.Context, run func(context.Context) error) *life {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l := &life{cancel: cancel, over: make(chan struct{})}
	go func() {
		defer close(l.over)
		l.err = run(ctx)
	}()
	return l
}

// end ends it and returns what it ended with.
func (l *life) end() error {
	l.cancel()
	<-l.over
	return l.err
}

// during returns a context that ends with the life too.
func (l *life) during(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-l.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
