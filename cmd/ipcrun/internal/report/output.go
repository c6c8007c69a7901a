package report

import (
	"fmt"
	"io"
	"strings"

	"ipcrun/engine/event"
	"ipcrun/spec/source"
)

// tailLines is how many of a process's last lines stand below a failure.
const tailLines = 5

// printed collects the lines of each process, in the order of the first one.
func (r Run) printed() (names []string, lines map[string][]string) {
	lines = map[string][]string{}
	add := func(label, text string) {
		if _, ok := lines[label]; !ok {
			names = append(names, label)
		}
		lines[label] = append(lines[label], strings.Split(text, "\n")...)
	}
	for i := range r.Log {
		e := &r.Log[i]
		text, _ := e.Value.(string)
		switch event.KindOf(e.Type) {
		case event.Print:
			name := e.Proc
			if name == "" {
				name = "script"
			}
			stream := e.Stream
			if stream == "" {
				stream = "stdout"
			}
			add(name+"|"+stream+"|", text)
		case event.Output:
			name := e.Proc
			if name == "" {
				name = "processes"
			}
			add(name+"|stderr|", strings.TrimSuffix(text, "\n"))
		}
	}
	return names, lines
}

// writeOutput shows what the processes printed, the last most lines of each, and of
// many that have printed the same the first ones; 0 means all.
func (r Run) writeOutput(w io.Writer, most int, st Style) bool {
	names, lines := r.printed()
	wide := 0
	for _, n := range names {
		wide = max(wide, source.Cells(n))
	}
	same := map[string][]string{} // who printed a text
	text := map[string]string{}   // of each, where only the last lines are shown
	if most > 0 {
		for _, n := range names {
			text[n] = strings.Join(lines[n], "\n")
			same[text[n]] = append(same[text[n]], n)
		}
	}
	shown := map[string]int{}
	for _, n := range names {
		l := lines[n]
		k := text[n]
		g := same[k]
		if shown[k]++; most > 0 && shown[k] > alike && len(g) > alike+1 {
			if shown[k] == len(g) {
				who, _, _ := strings.Cut(g[alike-1], "|")
				fmt.Fprintf(w, "  %s\n", st.faint(fmt.Sprintf("… %d more printed the same as %s", len(g)-alike, who)))
			}
			continue
		}
		if most > 0 && len(l) > most+1 { // "1 line before" would take the place of the line
			fmt.Fprintf(w, "  %s %s\n", st.faint(source.Pad(n, wide)), st.faint(fmt.Sprintf("… %s before", count(len(l)-most, "line"))))
			l = l[len(l)-most:]
		}
		for _, line := range l {
			fmt.Fprintf(w, "  %s %s\n", st.faint(source.Pad(n, wide)), visible(line))
		}
	}
	return len(names) > 0
}
