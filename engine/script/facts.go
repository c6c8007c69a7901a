package script

import "ipcrun/spec/decl"

// ProcessFacts is what expressions can ask of a process.
var ProcessFacts = []decl.Fact{
	{Name: "pid", Shape: decl.Int, Doc: "its process id, 0 before it is forked", Kernel: true},
	{Name: "ppid", Shape: decl.Int, Doc: "process id of its parent now; nil once it was waited for", ScriptOnly: true, Kernel: true},
	{Name: "state", Shape: decl.String, Enum: []string{"unborn", "starting", "ready", "running", "blocked", "stopped", "zombie", "ended"}, Doc: "what it is doing", Kernel: true},
	{Name: "exit_code", Shape: decl.Int, Doc: "its exit code; nil while it lives and when a signal ended it; an error where the kernel told nobody but the parent"},
	{Name: "exit_signal", Shape: decl.Signal, Doc: "name of the signal that ended it; nil while it lives and when it exited"},
	{Name: "started", Shape: decl.Duration, Doc: "when it was ready, in seconds since the run began; nil before", ScriptOnly: true},
	{Name: "ended", Shape: decl.Duration, Doc: "when it ended, in seconds since the run began; nil before"},
	{Name: "output", Shape: decl.String, Doc: "all it has printed", ScriptOnly: true},
	{Name: "lines", Shape: decl.List, Elem: decl.String, Doc: "the lines it has printed", ScriptOnly: true},
	{Name: "errors", Shape: decl.String, Doc: "what it wrote to its standard error", ScriptOnly: true},
	{Name: "catches", Shape: decl.List, Elem: decl.Signal, Doc: "names of the signals it handles", ScriptOnly: true, Kernel: true},
	{Name: "ignores", Shape: decl.List, Elem: decl.Signal, Doc: "names of the signals it ignores", ScriptOnly: true, Kernel: true},
	{Name: "blocks", Shape: decl.List, Elem: decl.Signal, Doc: "names of the signals that it has blocked", ScriptOnly: true, Kernel: true},
	{Name: "children", Shape: decl.List, Elem: decl.String, Doc: "names of its children that live or are zombies; a process id where one is not declared", ScriptOnly: true, Kernel: true},
	{Name: "fds", Shape: decl.Int, Doc: "number of descriptors it has open, the engine's own ones left out", ScriptOnly: true, Kernel: true},
	{Name: "descriptors", Shape: decl.Map, Doc: "what each of these descriptors leads to, by its number as text: a path, pipe:[…], a declared name, terminal", ScriptOnly: true, Kernel: true},
	{Name: "argv", Shape: decl.List, Elem: decl.String, Doc: "its arguments, the name of the program first; empty once it has ended", ScriptOnly: true, Kernel: true},
	{Name: "nice", Shape: decl.Int, Doc: "its nice value, from -20 to 19; nil once it was waited for", ScriptOnly: true, Kernel: true},
	{Name: "umask", Shape: decl.String, Doc: "its file mode creation mask, octal as text: \"022\"; nil once it has ended", ScriptOnly: true, Kernel: true},
	{Name: "limits", Shape: decl.Map, Doc: "its limits as getrlimit tells them, by the names of limits: cpu (seconds), memory, output (bytes), processes and files, each with soft and hard, nil for no limit; empty once it was waited for", ScriptOnly: true, Kernel: true},
	{Name: "blocked_on", Shape: decl.String, Doc: "name of what it is blocked on: a primitive, a process, child (any of several), signal (pause), time (sleep), terminal, memory (a lock in it), a path or pipe:[…], or empty", Kernel: true},
	{Name: "vars", Shape: decl.Map, Doc: "its variables that orders of the script (in:) have set", ScriptOnly: true},
}

// SiginfoName is what the signal whose handler runs is called in expressions.
const SiginfoName = "siginfo"

// SiginfoFacts is what a handler can ask of its signal, siginfo_t of sigaction(2).
var SiginfoFacts = []decl.Fact{
	{Name: "signal", Shape: decl.Signal, Doc: "its name"},
	{Name: "pid", Shape: decl.Int, Doc: "process id of who sent it, or of the child where it is SIGCHLD; 0 where it comes from the kernel (a key, an alarm)"},
	{Name: "value", Shape: decl.Int, Doc: "the whole number that travelled with it (kill with value:), 0 where none did"},
}

// Siginfo is a signal as its handler sees it.
type Siginfo struct {
	Signal     string // its name
	Pid, Value int
}

func (i *Siginfo) facts() map[string]any {
	return map[string]any{"signal": i.Signal, "pid": i.Pid, "value": i.Value}
}

// Funcs are the functions of conditions beside the expression language's own.
var Funcs = []decl.Func{
	{
		Name: "signals", Result: decl.List, Elem: decl.Signal, ScriptOnly: true,
		Params:  []decl.Param{{Name: "from", Shape: decl.String, Class: "sender"}, {Name: "to", Shape: decl.String, Class: ClassProcess}},
		Doc:     `names of the signals that went from one process to another, in order: those a declared process sent, ignored ones included; from "kernel" (terminal keys, alarms) and "script" those that the receiver handled. Of a program that is observed: all that arrived; those on their way are waited for`,
		Example: `signals("conductor", "driver") == ["SIGUSR1", "SIGUSR2"]`,
	},
	{
		Name: "events", Result: decl.List, ScriptOnly: true,
		Params:  []decl.Param{{Name: "process", Shape: decl.String, Class: ClassProcess}},
		Doc:     "what a process has done so far, in order: maps with type, verb, object, value, signal and at (seconds); of a signal that arrived, type is \"signal\"",
		Example: `any(events("till"), .verb == "write")`,
	},
	{
		Name: "before", Result: decl.Bool, ScriptOnly: true,
		Params:  []decl.Param{{Name: "first", Shape: decl.String, Class: "step"}, {Name: "second", Shape: decl.String, Class: "step"}},
		Doc:     "whether the step with the one name: was done for the first time before the step with the other; false if either was not done",
		Example: `before("filled", "emptied")`,
	},
}
