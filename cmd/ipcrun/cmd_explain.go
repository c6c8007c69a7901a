package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ipcrun/engine/proc/sig"
	"ipcrun/schema"
	"ipcrun/spec"
	"ipcrun/spec/cond"
)

func init() { register("explain", newExplain) }

// explainOptions are the flags of explain.
type explainOptions struct {
	display
	params paramOptions
}

func newExplain(std streams) *cobra.Command {
	o := &explainOptions{}
	cmd := &cobra.Command{
		Use:   "explain [FLAGS] [NAME|FILE]...",
		Short: "Explain a word of the language, a signal, a code of a diagnostic, or a whole scenario",
		Long: `Explains what a name means: a verb, a kind of primitive, a key, a fact, a
function, an error, a signal, or the code of a diagnostic, as IPC110. A name
with several meanings has all of them explained; event.wait is that of an event
alone. A scenario file is told in words, step by step, as it would run; nothing
is started. Without an argument all names are listed.

` + exitHelp(exitGood, exitUsage),
		Example: "  ipcrun explain wait\n  ipcrun explain lock.holder SIGTSTP IPC110\n  ipcrun explain --param rounds=5 tills.yaml",
		PreRunE: prepare(),
		RunE: func(_ *cobra.Command, args []string) error {
			return runExplain(o, args, std)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return pageNames(allPages()), cobra.ShellCompDirectiveDefault
		},
	}
	o.display.add(cmd)
	o.params.add(cmd)
	return cmd
}

// runExplain explains its arguments in their order. An unknown one does not
// keep the others back.
func runExplain(o *explainOptions, args []string, std streams) error {
	params, err := o.params.values(&o.display, std.err)
	if err != nil {
		return err
	}
	pages, st := allPages(), o.pages(std.out)
	out := &sink{w: std.out}
	if len(args) == 0 {
		fmt.Fprint(out, "ipcrun explain NAME explains one of these, ipcrun explain FILE.yaml a scenario.\n\n")
		writePageList(out, slices.DeleteFunc(pages, oneOfMany), st)
		return out.err
	}
	var res outcome
	for i, a := range args {
		if i > 0 {
			fmt.Fprintln(out)
		}
		found := findPages(pages, a)
		if len(found) == 0 && fileLike(a) {
			in, err := load([]string{a}, std.in, spec.Options{Params: params})
			if err != nil {
				return err
			}
			o.complain(std.err, in.diags)
			for _, sc := range in.scenarios {
				tell(out, sc, st)
			}
			res.unusable = res.unusable || in.unusable > 0
			continue
		}
		if len(found) == 0 {
			unknownWord(std, a, pages)
			res.unusable = true
		}
		for k, p := range found {
			if k > 0 {
				fmt.Fprintln(out)
			}
			writePage(out, p, st)
		}
	}
	if out.err != nil {
		return out.err
	}
	return res.err()
}

// pages is the style of pages on a stream.
func (o *explainOptions) pages(f *os.File) pageStyle {
	st := pageStyle{width: min(orElse(width(f), plainWidth), widestText), bold: func(s string) string { return s }}
	if o.colored(f) {
		st.bold = func(s string) string { return "\x1b[1m" + s + "\x1b[22m" }
	}
	return st
}

// oneOfMany: real-time signals differ in their numbers only.
func oneOfMany(p schema.Page) bool {
	return p.Group == signalPages && strings.HasPrefix(p.Name, "SIGRT") && p.Name != sig.RTMIN.String() && p.Name != sig.RTMAX.String()
}

// fileLike tells a path from a word: it has the form of one, or is there.
func fileLike(a string) bool {
	if a == "-" || scenarioLike(a) || strings.ContainsRune(a, os.PathSeparator) {
		return true
	}
	_, err := os.Stat(a)
	return err == nil
}

func unknownWord(std streams, word string, pages []schema.Page) {
	fmt.Fprintf(std.err, "ipcrun: explain: there is no word %q\n", word)
	names := pageNames(pages)
	if _, isCommand := commands[word]; isCommand {
		fmt.Fprintln(std.err, "it is a command: ipcrun help "+word)
		return
	}
	if instead := cond.Instead(word); instead != "" {
		fmt.Fprintln(std.err, "conditions have no function of that name: "+instead)
		return
	}
	if owner, name, dotted := strings.Cut(word, "."); dotted && len(findPages(pages, name)) > 0 {
		fmt.Fprintf(std.err, "there is %q, but none of %q\n", name, owner)
		return
	}
	if where := speakOf(pages, word); len(where) > 0 {
		fmt.Fprintln(std.err, "it is spoken of under: "+strings.Join(where, ", "))
		return
	}
	if hint := suggest(word, names); hint != "" {
		fmt.Fprintln(std.err, hint)
		return
	}
	fmt.Fprintln(std.err, "ipcrun explain lists all of them")
}
