package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ipcrun/engine/proc/sig"
)

// interrupt is why a run is cancelled: a signal to ipcrun itself.
type interrupt syscall.Signal

func (i interrupt) Error() string { return "interrupted by " + i.name() }

// Signal is the number of the signal; the engine asks for it.
func (i interrupt) Signal() int { return int(i) }

func (i interrupt) name() string { return sig.Sig(i).String() }

// interrupts are the signals that end a run in good order.
var interrupts = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM}

// listen cancels the context when one of interrupts arrives. A second signal
// ends ipcrun at once; the processes it has started end with it. A signal that
// whoever started us had ignored stays ignored. told is called at the first
// signal and must not block. stop ends the listening.
func listen(ctx context.Context, told func(interrupt)) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ch := make(chan os.Signal, 2)
	for _, s := range interrupts {
		if !signal.Ignored(s) {
			signal.Notify(ch, s)
		}
	}
	over := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-over:
				return
			case s := <-ch:
				sig, _ := s.(syscall.Signal)
				if n > 0 {
					os.Exit(128 + int(sig))
				}
				cancel(interrupt(sig))
				told(interrupt(sig))
			}
		}
	}()
	return ctx, func() {
		signal.Stop(ch)
		close(over)
		cancel(nil)
	}
}
