package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"

	"github.com/spf13/cobra"
)

// jobsOption is how many things are done at once.
type jobsOption struct {
	given   string
	workers int // given, read
}

func (j *jobsOption) add(cmd *cobra.Command, def, what string) {
	cmd.Flags().StringVarP(&j.given, "jobs", "j", def, what)
}

// check reads the option.
func (j *jobsOption) check() error {
	switch n, err := strconv.Atoi(j.given); {
	case j.given == "auto":
		j.workers = runtime.NumCPU()
	case err != nil || n < 1:
		return usage("--jobs %s: write a number of at least 1, or auto", j.given)
	default:
		j.workers = n
	}
	return nil
}

// crew does tasks, several at once, and shows on a terminal which are going on.
type crew struct {
	out  *sink
	file *os.File // behind out
	err  io.Writer
	// mu guards every write to out.
	mu     sync.Mutex
	status *statusLine
}

// do does n tasks, workers of them at once, in their order. It stops handing them
// out when ctx is cancelled, or a task has failed, and returns the first error.
func (c *crew) do(ctx context.Context, workers, n int, quiet bool, name func(int) string, task func(int) error) error {
	if !quiet {
		c.mu.Lock()
		c.status = newStatusLine(c.out, c.file, n, &c.mu)
		c.mu.Unlock()
	}
	next := 0
	var failed error
	take := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		if next >= n || ctx.Err() != nil || failed != nil {
			return -1
		}
		next++
		c.status.begin(next-1, name(next-1))
		c.redraw()
		return next - 1
	}
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for i := take(); i >= 0; i = take() {
				err := task(i)
				c.mu.Lock()
				if failed == nil {
					failed = err
				}
				c.status.end(i)
				c.mu.Unlock()
			}
		})
	}
	wg.Wait()
	c.status.close()
	return failed
}

func (c *crew) redraw() {
	c.status.hide()
	c.status.show()
}

// interrupted says that a signal has arrived. It waits for nobody, so that a
// second signal always gets through.
func (c *crew) interrupted(by interrupt) {
	if c.mu.TryLock() {
		defer c.mu.Unlock()
		c.status.hide()
	}
	fmt.Fprintf(c.err, "ipcrun: %s: cleaning up; once more to stop at once\n", by.name())
}
