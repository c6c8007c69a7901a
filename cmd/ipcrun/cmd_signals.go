package main

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"ipcrun/cmd/ipcrun/internal/sigprobe"
	"ipcrun/engine"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc/sig"
)

func init() { register("signals", newSignals) }

// signalsOptions are the flags of signals.
type signalsOptions struct {
	zh, all, json bool
}

func newSignals(std streams) *cobra.Command {
	o := &signalsOptions{}
	cmd := &cobra.Command{
		Use:   "signals [FLAGS] [NAME|NUMBER]...",
		Short: "Show the signals: number, name, meaning, default action, whether they can be handled",
		Long: `Shows the signals of Linux, or those that are named: with or without SIG, in any
case, or by number. Meanings and default actions are a table; which signals
there are and which of them a process can handle is asked of the running kernel.

` + exitHelp(exitGood, exitUsage),
		Example: "  ipcrun signals\n  ipcrun signals --zh INT QUIT TSTP\n  ipcrun signals --json | jq '.signals[] | select(.handled | not)'",
		PreRunE: prepare(),
		RunE: func(_ *cobra.Command, args []string) error {
			return runSignals(o, args, std)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return plan.Vocabulary().Signals.Names(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.zh, "zh", false, "meanings and actions in Chinese")
	f.BoolVarP(&o.all, "all", "a", false, "the real-time signals one by one")
	f.BoolVar(&o.json, "json", false, "as JSON, in both languages")
	return cmd
}

func runSignals(o *signalsOptions, args []string, std streams) error {
	list := sig.All()
	if len(args) > 0 {
		list = nil
		for _, a := range args {
			s, err := sig.Parse(a)
			if err != nil {
				return &usageError{text: "signals: " + err.Error()}
			}
			list = append(list, s)
		}
	}
	out := &sink{w: std.out}
	switch {
	case o.json:
		if err := writeSignalsJSON(out, list); err != nil {
			return err
		}
	default:
		// Off a terminal a line is a signal, for grep.
		writeSignals(out, list, o.zh, len(args) == 0 && !o.all, orElse(width(std.out), math.MaxInt32))
	}
	return out.err
}

// signalEntry is one signal in JSON. Handled and Blockable are the running
// kernel's answers, the rest is the table's.
type signalEntry struct {
	Number    int    `json:"number"`
	Name      string `json:"name"`
	Meaning   string `json:"meaning"`
	MeaningZh string `json:"meaning_zh"`
	Default   string `json:"default"`
	Realtime  bool   `json:"realtime"`
	Exists    bool   `json:"exists"`
	Handled   bool   `json:"handled"`
	Blockable bool   `json:"blockable"`
}

// entryOf puts together what the table knows and what the kernel says.
func entryOf(s sig.Sig) signalEntry {
	a := sigprobe.Ask(int(s))
	return signalEntry{
		Number: int(s), Name: s.String(), Meaning: s.Meaning(), MeaningZh: s.Chinese(), Default: s.Default().String(),
		Realtime: s.Realtime(), Exists: a.Exists, Handled: a.Handled, Blockable: a.Blockable,
	}
}

func writeSignalsJSON(w io.Writer, list []sig.Sig) error {
	doc := struct {
		Schema  string        `json:"schema"`
		Version string        `json:"version"`
		Host    string        `json:"host"`
		Last    int           `json:"last"`
		Signals []signalEntry `json:"signals"`
	}{Schema: "ipcrun/signals/v1", Version: version(), Host: engine.Host(), Last: sigprobe.Last()}
	for _, s := range list {
		doc.Signals = append(doc.Signals, entryOf(s))
	}
	return writeJSON(w, doc)
}

// signalWords are the words of the table in one language.
type signalWords struct {
	head     []string
	yes, no  string
	actions  map[sig.Action]string
	realtime string // the meaning of all of them together
	asked    string // the last line
}

var signalsEnglish = signalWords{
	head: []string{"no.", "name", "default", "handled", "meaning"}, yes: "yes", no: "no",
	actions: map[sig.Action]string{
		sig.Terminate: "terminate", sig.Core: "terminate, core", sig.Stop: "stop", sig.Continue: "continue", sig.Ignore: "ignore",
	},
	realtime: "Real-time signals for any purpose: they queue, keep their order and carry a value.",
	asked:    "%s was asked which signals it lets a process handle; its last one is %d.",
}

var signalsChinese = signalWords{
	head: []string{"编号", "信号名称", "默认处理方式", "可否处理", "含义"}, yes: "可以", no: "不可以",
	actions: map[sig.Action]string{
		sig.Terminate: "终止", sig.Core: "终止并转储", sig.Stop: "暂停", sig.Continue: "继续", sig.Ignore: "忽略",
	},
	realtime: "实时信号：排队、保持次序、可携带一个数值",
	asked:    "可否处理一栏询问自 %s，其最后一个信号是 %d。",
}

func (l *signalWords) row(e signalEntry, by sig.Action, number, name, meaning string) []string {
	handled := l.no
	if e.Handled {
		handled = l.yes
	}
	return []string{number, name, l.actions[by], handled, meaning}
}

// writeSignals writes the table. together: the real-time signals are one row.
func writeSignals(w io.Writer, list []sig.Sig, zh, together bool, width int) {
	words := &signalsEnglish
	if zh {
		words = &signalsChinese
	}
	rows := [][]string{words.head}
	for _, s := range list {
		if together && s.Realtime() {
			continue
		}
		e := entryOf(s)
		meaning := e.Meaning
		if zh {
			meaning = e.MeaningZh
		}
		rows = append(rows, words.row(e, s.Default(), strconv.Itoa(e.Number), e.Name, meaning))
	}
	if together {
		rows = append(rows, words.row(entryOf(sig.RTMIN), sig.RTMIN.Default(), fmt.Sprintf("%d-%d", sig.RTMIN, sig.RTMAX), "SIGRTMIN+n", words.realtime))
	}
	for _, line := range columns(rows, width) {
		fmt.Fprintln(w, line)
	}
	fmt.Fprintln(w)
	for _, line := range wrap(fmt.Sprintf(words.asked, engine.Host(), sigprobe.Last()), width) {
		fmt.Fprintln(w, line)
	}
}
