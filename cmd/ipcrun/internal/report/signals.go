package report

import (
	"fmt"
	"strings"

	"ipcrun/engine/event"
)

// answering is the signal in whose handler event number i happened, nil if it
// was none.
func (r Run) answering(i int) *event.Event {
	proc := r.Log[i].Proc
	done := 0
	for k := i - 1; k >= 0; k-- {
		e := &r.Log[k]
		if e.Proc != proc {
			continue
		}
		switch event.KindOf(e.Type) {
		case event.Returned:
			done++
		case event.Got:
			if done == 0 {
				return e
			}
			done--
		}
	}
	return nil
}

// origin says in words where a signal that arrived came from.
func (r Run) origin(g *event.Event) string {
	if g.Peer == "kernel" {
		if key := r.keyBefore(g.At, g.Signal); key != nil {
			return fmt.Sprintf("%v (line %d) sends to every process at the terminal", key.Value, key.Line)
		}
		return "the kernel sent"
	}
	if s := r.sentBefore(g.Proc, g.Signal, g.At); s != nil {
		by := s.Proc
		if by == "" {
			by = "the script"
		}
		return fmt.Sprintf("%s sent%s", by, inLine(s))
	}
	return sender(g) + " sent"
}

// sentBefore is the latest sending of a signal to a process.
func (r Run) sentBefore(to, signal string, at int64) *event.Event {
	for i := len(r.Log) - 1; i >= 0; i-- {
		e := &r.Log[i]
		if event.KindOf(e.Type) == event.Sent && e.At <= at && e.Peer == to && e.Signal == signal {
			return e
		}
	}
	return nil
}

// keySignals are the signals that a terminal sends for keys.
var keySignals = map[string]string{"ctrl-c": "SIGINT", `ctrl-\`: "SIGQUIT", "ctrl-z": "SIGTSTP"}

// keyBefore is the latest press of the key that stands for a signal.
func (r Run) keyBefore(at int64, signal string) *event.Event {
	for i := len(r.Log) - 1; i >= 0; i-- {
		e := &r.Log[i]
		if event.KindOf(e.Type) != event.Pressed || e.At > at {
			continue
		}
		if key, _ := e.Value.(string); keySignals[strings.ToLower(key)] == signal {
			return e
		}
	}
	return nil
}

// known: the process was forked before event number at.
