//go:build linux

package proc

import (
	"os"
	"testing"
	"time"
)

func TestWatcher(t *testing.T) {
	w, err := NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	h := startHelper(t, Fork, nil, "obey")
	h.line()
	r, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer wr.Close()
	const pipeTag, processTag = 1<<40 + 7, 2
	if err := w.Add(int(r.Fd()), pipeTag); err != nil {
		t.Fatal(err)
	}
	if err := w.Add(h.pidfd, processTag); err != nil {
		t.Fatal(err)
	}

	const pause = 20 * time.Millisecond
	begin := time.Now()
	for time.Since(begin) < pause { // a signal of the runtime may interrupt
		ready, err := w.Wait(nil, pause-time.Since(begin))
		if err != nil || len(ready) != 0 {
			t.Fatalf("with nothing ready: %v, %v", ready, err)
		}
	}

	next := func() Ready {
		t.Helper()
		deadline := time.Now().Add(patience())
		for time.Now().Before(deadline) {
			ready, err := w.Wait(nil, time.Until(deadline))
			if err != nil || len(ready) > 1 {
				t.Fatalf("%v, %v", ready, err)
			}
			if len(ready) == 1 {
				return ready[0]
			}
		}
		t.Fatal("nothing became ready")
		return Ready{}
	}
	if _, err := wr.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != (Ready{Tag: pipeTag}) {
		t.Errorf("after a write: %+v", got)
	}
	wr.Close()
	if got := next(); got != (Ready{Tag: pipeTag, Hangup: true}) {
		t.Errorf("after the close: %+v", got)
	}
	if err := w.Remove(int(r.Fd())); err != nil {
		t.Fatal(err)
	}
	h.order("end")
	if got := next(); got.Tag != processTag {
		t.Errorf("after the end of a process: %+v", got)
	}
	h.wait()
}

func TestWatcherWake(t *testing.T) {
	w, err := NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range 3 {
		if i == 0 {
			w.Wake() // before the wait
		} else {
			go w.Wake() // before or during it
		}
		begin := time.Now()
		ready, err := w.Wait(nil, patience())
		if err != nil || len(ready) != 0 || time.Since(begin) >= patience() {
			t.Errorf("%v, %v after %v", ready, err, time.Since(begin))
		}
	}
	if err := w.Remove(-1); err == nil {
		t.Error("descriptor -1 could be removed")
	}
	if err := w.Add(-1, 1); err == nil {
		t.Error("descriptor -1 could be added")
	}
}
