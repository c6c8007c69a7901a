package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"ipcrun/cmd/ipcrun/internal/report"
	"ipcrun/spec/diag"
)

// display are the options that say how things look. None of them changes an
// exit code.
type display struct {
	color       oneOf
	errorFormat oneOf
	verbose     int
	quiet       bool
}

func (d *display) add(cmd *cobra.Command) {
	d.color = newOneOf("auto", "always", "never")
	d.errorFormat = newOneOf("long", "short")
	d.color.add(cmd, "color", "colours: auto means on a terminal, unless NO_COLOR is set, or where FORCE_COLOR is")
	d.errorFormat.add(cmd, "error-format", "explain what is wrong, or say it on one line that editors can jump to")
}

// addQuiet adds -q for commands that know it.
func (d *display) addQuiet(cmd *cobra.Command, help string) {
	cmd.Flags().BoolVarP(&d.quiet, "quiet", "q", false, help)
}

// colored decides on colours for a stream.
func (d *display) colored(f *os.File) bool {
	switch d.color.value {
	case "always":
		return true
	case "never":
		return false
	}
	if os.Getenv("NO_COLOR") != "" {
		return false
	}
	if force := os.Getenv("FORCE_COLOR"); force != "" && force != "0" {
		return true
	}
	return isTerminal(f)
}

func isTerminal(f *os.File) bool {
	return os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// width is that of the terminal behind a stream, 0 if there is none.
func width(f *os.File) int {
	if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
		return n
	}
	return 0
}

// orElse is n, or other where n is 0.
func orElse(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

func (d *display) style(f *os.File) report.Style {
	return report.Style{Color: d.colored(f), Short: d.errorFormat.value == "short", Width: width(f)}
}

// complain writes diagnostics to standard error.
func (d *display) complain(f *os.File, ds []*diag.Diagnostic) {
	diag.Write(f, ds, diag.Style{Color: d.colored(f), Short: d.errorFormat.value == "short", Width: width(f)})
	if len(ds) > 0 && d.errorFormat.value != "short" {
		fmt.Fprintln(f)
	}
}

// say writes a line for people, unless they asked for quiet.
func (d *display) say(w io.Writer, format string, args ...any) {
	if !d.quiet {
		fmt.Fprintf(w, format+"\n", args...)
	}
}
