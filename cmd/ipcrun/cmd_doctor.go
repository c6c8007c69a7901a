package main

import (
	"fmt"
	"io"
	"math"
	"os"

	"github.com/spf13/cobra"

	"ipcrun/engine"
	"ipcrun/engine/observe"
	"ipcrun/engine/sandbox"
)

func init() { register("doctor", newDoctor) }

// doctorOptions are the flags of doctor.
type doctorOptions struct{ format oneOf }

func newDoctor(std streams) *cobra.Command {
	o := &doctorOptions{format: newOneOf("text", "json")}
	cmd := &cobra.Command{
		Use:   "doctor [FLAGS]",
		Short: "Show what this machine allows, and what follows for scenarios",
		Long: `Asks the running kernel, by trying, what it allows this user: namespaces, landlock,
filters of system calls, limits, System V and POSIX objects. Says of each why it is
refused, if it is, and what ipcrun does then. Nothing is left of the trials.

What is missing is no failure: programs are then contained in another way, and a
scenario that cannot do without is skipped with the reason.

` + exitHelp(exitGood, exitUsage, exitBroken),
		Example: "  ipcrun doctor\n  ipcrun doctor --format json | jq '.findings[] | select(.allowed | not)'",
		Args:    noArgs,
		PreRunE: prepare(),
		RunE: func(*cobra.Command, []string) error {
			return runDoctor(o, std)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	o.format.add(cmd, "format", "what goes to standard output")
	return cmd
}

func runDoctor(o *doctorOptions, std streams) error {
	m := sandbox.Probe(observing)
	out := &sink{w: std.out}
	if o.format.value == "json" {
		if err := writeDoctorJSON(out, m); err != nil {
			return err
		}
	} else {
		// Off a terminal a line is a finding, for grep.
		writeDoctor(out, m, orElse(width(std.out), math.MaxInt32))
	}
	if out.err != nil {
		return out.err
	}
	if !m.Able() {
		return coded(exitBroken)
	}
	return nil
}

// findingEntry is a finding in JSON.
type findingEntry struct {
	Name      string `json:"name"`
	Allowed   bool   `json:"allowed"`
	Essential bool   `json:"essential"`
	Reason    string `json:"reason"`
	Follows   string `json:"follows"`
}

func writeDoctorJSON(w io.Writer, m *sandbox.Machine) error {
	doc := struct {
		Schema   string         `json:"schema"`
		Version  string         `json:"version"`
		Host     string         `json:"host"`
		UID      int            `json:"uid"`
		Able     bool           `json:"able"`
		Findings []findingEntry `json:"findings"`
	}{Schema: "ipcrun/doctor/v1", Version: version(), Host: engine.Host(), UID: os.Geteuid(), Able: m.Able()}
	for _, f := range m.Findings {
		doc.Findings = append(doc.Findings, findingEntry(f))
	}
	return writeJSON(w, doc)
}

func writeDoctor(w io.Writer, m *sandbox.Machine, width int) {
	rows := [][]string{{"allowed", "what", "what was found, and what follows"}}
	missing := 0
	for _, f := range m.Findings {
		word := "yes"
		if !f.Allowed {
			word, missing = "no", missing+1
		}
		rows = append(rows, []string{word, f.Name, f.Reason + " " + f.Follows})
	}
	for _, line := range columns(rows, width) {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w)
	for _, line := range wrap(doctorSummary(m, missing), width) {
		fmt.Fprintln(w, line)
	}
}

// doctorSummary is the last sentence.
func doctorSummary(m *sandbox.Machine, missing int) string {
	text := fmt.Sprintf("%s was asked as user %d.", engine.Host(), os.Geteuid())
	switch {
	case !m.Able():
		return text + " ipcrun cannot run here: what it needs is refused."
	case missing == 0:
		return text + " Nothing is missing."
	default:
		return text + fmt.Sprintf(" Of %d things %d cannot be had. ipcrun runs all the same.", len(m.Findings), missing)
	}
}

// observing asks whether programs can be observed.
func observing() sandbox.Finding {
	f := sandbox.Finding{Name: "ptrace", Allowed: true, Reason: "A process can be traced, and its system calls filtered.",
		Follows: "With observe: true every fork, end and signal of a program is seen, with observe: ipc its system calls, too."}
	switch s := observe.Probe(); {
	case s.Events != nil:
		f.Allowed, f.Reason = false, s.Events.Error()
		f.Follows = "Scenarios that observe programs are skipped; --bind does without."
	case s.Calls != nil:
		f.Allowed, f.Reason = false, s.Calls.Error()
		f.Follows = "Scenarios with observe: ipc are skipped; observe: true works."
	}
	return f
}
