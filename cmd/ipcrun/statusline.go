package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"ipcrun/spec/source"
)

// statusLine is the one line that shows what is going on, on a terminal only.
// Its methods are called with the lock of its output held, but for close. A nil
// statusLine shows nothing.
type statusLine struct {
	w       io.Writer
	width   int
	total   int
	done    int
	running []task
	shown   bool
	over    chan struct{}
	ticking sync.WaitGroup
}

// task is something that is going on.
type task struct {
	of    any // what it was begun with
	name  string
	since time.Time
}

// redraw is how often the seconds on the line move on.
const redraw = 200 * time.Millisecond

// newStatusLine makes one for total tasks, nil if f, to which w writes, is no
// terminal. mu is the lock of the output.
func newStatusLine(w io.Writer, f *os.File, total int, mu sync.Locker) *statusLine {
	if !isTerminal(f) {
		return nil
	}
	s := &statusLine{w: w, width: width(f), total: total, over: make(chan struct{})}
	s.ticking.Go(func() {
		t := time.NewTicker(redraw)
		defer t.Stop()
		for {
			select {
			case <-s.over:
				return
			case <-t.C:
				mu.Lock()
				s.hide()
				s.show()
				mu.Unlock()
			}
		}
	})
	return s
}

func (s *statusLine) begin(of any, name string) {
	if s != nil {
		s.running = append(s.running, task{of, name, time.Now()})
	}
}

func (s *statusLine) end(of any) {
	if s == nil {
		return
	}
	s.done++
	if i := slices.IndexFunc(s.running, func(t task) bool { return t.of == of }); i >= 0 {
		s.running = slices.Delete(s.running, i, i+1)
	}
}

// hide clears the line, to write something else.
func (s *statusLine) hide() {
	if s != nil && s.shown {
		io.WriteString(s.w, "\r\x1b[K")
		s.shown = false
	}
}

// show writes the line.
func (s *statusLine) show() {
	if s == nil || len(s.running) == 0 {
		return
	}
	text := fmt.Sprintf("%d/%d", s.done, s.total)
	for _, t := range s.running {
		text += fmt.Sprintf("  %s %.1fs", source.Visible(t.name), time.Since(t.since).Seconds())
	}
	// One cell less than the terminal has, so that it never wraps.
	text = strings.ReplaceAll(text, "\t", " ")
	for source.Cells(text) > max(s.width-1, 20) {
		r := []rune(text)
		text = string(r[:len(r)-1])
	}
	io.WriteString(s.w, text)
	s.shown = true
}

// close ends the line. No lock may be held.
func (s *statusLine) close() {
	if s == nil {
		return
	}
	close(s.over)
	s.ticking.Wait()
	s.hide()
}
