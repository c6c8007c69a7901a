package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"ipcrun/spec"
	"ipcrun/spec/source"
)

// statusLine is the one line that shows what is going on, on a terminal only.
// Its methods are called with the campaign's lock held, but for close. A nil
// statusLine shows nothing.
type statusLine struct {
	w       io.Writer
	width   int
	total   int
	done    int
	running []*spec.Scenario
	since   map[*spec.Scenario]time.Time
	shown   bool
	over    chan struct{}
	ticking sync.WaitGroup
}

// redraw is how often the seconds on the line move on.
const redraw = 200 * time.Millisecond

func newStatusLine(c *campaign) *statusLine {
	if c.opt.format.value != "console" || c.opt.quiet || !isTerminal(c.std.out) {
		return nil
	}
	s := &statusLine{w: c.out, width: width(c.std.out), total: len(c.list), since: map[*spec.Scenario]time.Time{}, over: make(chan struct{})}
	s.ticking.Go(func() {
		t := time.NewTicker(redraw)
		defer t.Stop()
		for {
			select {
			case <-s.over:
				return
			case <-t.C:
				c.mu.Lock()
				s.hide()
				s.show()
				c.mu.Unlock()
			}
		}
	})
	return s
}

func (s *statusLine) begin(sc *spec.Scenario) {
	if s == nil {
		return
	}
	s.running = append(s.running, sc)
	s.since[sc] = time.Now()
}

func (s *statusLine) end(sc *spec.Scenario) {
	if s == nil {
		return
	}
	s.done++
	if i := slices.Index(s.running, sc); i >= 0 {
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
	for _, sc := range s.running {
		text += fmt.Sprintf("  %s %.1fs", source.Visible(sc.Name), time.Since(s.since[sc]).Seconds())
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
