package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"ipcrun/engine/event"
)

// The exit codes. What they mean is part of every command's help.
const (
	exitGood    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitBroken  = 3
	exitNothing = 4
)

// exitDocs says what each code means.
var exitDocs = map[int]string{
	exitGood:    "everything that was asked for went well",
	exitFailed:  "a scenario failed, timed out, or is flaky",
	exitUsage:   "a bad command line, or a scenario file that cannot be read or is wrong",
	exitBroken:  "ipcrun could not do its job: no permission, fork failed, an error of its own",
	exitNothing: "nothing was selected",
	128 + int(syscall.SIGINT): "interrupted by SIGINT, after everything was cleaned up " +
		"(131: by SIGQUIT, 143: by SIGTERM)",
}

// exitHelp is the table of exit codes for a command's help.
func exitHelp(codes ...int) string { return exitHelpOf(nil, codes...) }

// exitHelpOf is exitHelp for a command of which some codes mean something more
// exact.
func exitHelpOf(own map[int]string, codes ...int) string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, c := range codes {
		text, exact := own[c]
		if !exact {
			text = exitDocs[c]
		}
		fmt.Fprintf(&b, "  %3d  %s\n", c, text)
	}
	if len(codes) > 2 {
		b.WriteString("When several apply: 130, 131 and 143 first, then 3, 2, 1, 4.\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// outcome collects what went wrong while a command did its work.
type outcome struct {
	failed, unusable, broken, nothing bool
	signal                            int // that interrupted us, 0 if none did
}

// add takes the verdict on a scenario into account.
func (o *outcome) add(v event.Verdict) {
	switch {
	case v.Ending == "interrupted":
		// The signal itself decides, and nothing is known of the scenario.
	case v.Result == event.Error:
		o.broken = true
	case v.Result == event.Failed, v.Result == event.Timeout, v.Result == event.Flaky:
		o.failed = true
	}
}

// code is the exit code when several things went wrong.
func (o *outcome) code() int {
	switch {
	case o.signal != 0:
		return 128 + o.signal
	case o.broken:
		return exitBroken
	case o.unusable:
		return exitUsage
	case o.failed:
		return exitFailed
	case o.nothing:
		return exitNothing
	}
	return exitGood
}

// err carries the exit code out of a command that has said everything already;
// nil for 0.
func (o *outcome) err() error {
	if c := o.code(); c != exitGood {
		return coded(c)
	}
	return nil
}

// coded is an exit code whose reasons were told already.
type coded int

func (c coded) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// usageError is a bad command line.
type usageError struct{ text, hint string }

func (u *usageError) Error() string { return u.text }

func usage(format string, args ...any) error {
	return &usageError{text: fmt.Sprintf(format, args...)}
}

// exitOf tells an error that was not told yet and turns it into an exit code.
func exitOf(w io.Writer, err error) int {
	if err == nil {
		return exitGood
	}
	if c, ok := errors.AsType[coded](err); ok {
		return int(c)
	}
	if u, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(w, "ipcrun: %s\n", u.text)
		if u.hint != "" {
			fmt.Fprintf(w, "%s\n", u.hint)
		}
		return exitUsage
	}
	fmt.Fprintf(w, "ipcrun: %v\n", err)
	return exitBroken
}
