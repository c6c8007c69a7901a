package spec

import "ipcrun/spec/decl"

// The keys of a scenario, described like everything else so that the schema
// and the reference say what the loader does.

// TopFields are the keys of a file.
var TopFields = []decl.Field{
	{Name: "name", Shape: decl.String, Static: true, Required: true, Doc: "what the scenario is called", Example: "driver and conductor"},
	{Name: "about", Shape: decl.String, Static: true, Doc: "one or two sentences on what it shows"},
	{Name: "tags", Shape: decl.List, Static: true, Doc: "words to select it by", Example: "[signals, terminal]"},
	{Name: "timeout", Shape: decl.Duration, Static: true, Default: "10s", Doc: "how long the whole scenario may take, from when its processes have been started", Example: "5s"},
	{Name: "params", Shape: decl.Map, Static: true, Doc: "names with values that --param can replace", Example: "{rounds: 1000}"},
	{Name: "primitives", Shape: decl.Map, Doc: "what the processes share, by name; name[n] declares n of them", Example: "{gate: lock}"},
	{Name: "processes", Shape: decl.Map, Required: true, Doc: "the processes, by name; name[n] declares n of them"},
	{Name: "tasks", Shape: decl.Map, Doc: "what the workers of pools do for others, by name", Example: "{square: {params: [x], result: \"${x * x}\"}}"},
	{Name: "steps", Shape: decl.Steps, Doc: "the script: it starts when every process is ready"},
	{Name: "finally", Shape: decl.Steps, Doc: "steps for after the last process has ended, whatever happened"},
	{Name: "always", Shape: decl.List, Doc: "conditions that must be true at all times", Example: "[total.value >= 0]"},
	{Name: "inherit", Shape: decl.String, Static: true, Enum: []string{"all"}, Doc: "all: every process inherits every primitive and every end, as fork really does", Example: "all"},
	{Name: "outcome", Shape: decl.String, Static: true, Default: "pass", Enum: []string{"pass", "fail", "timeout", "deadlock", "race"}, Doc: "how the scenario is meant to end"},
	{Name: "race", Shape: decl.String, Static: true, Default: "error", Enum: []string{"error", "warn", "off"}, Doc: "what accesses to shared memory mean that nothing orders: they fail the scenario, are reported, or are not looked for"},
	{Name: "exercise", Shape: decl.Fields, Sub: ExerciseFields, Doc: "makes the scenario an exercise: ipcrun grade puts submissions in the place of one of its processes"},
	{Name: "known", Shape: decl.Fields, Sub: KnownFields, Doc: "programs of an exercise whose grades are known; ipcrun verify tries them"},
}

// ExerciseFields are the keys of exercise:.
var ExerciseFields = []decl.Field{
	{Name: "submission", Shape: decl.Ref, Static: true, Required: true, Refs: []string{"process"}, Doc: "the process whose place a submission takes; ipcrun starts it, and it is not idle", Example: "driver"},
	{Name: "statement", Shape: decl.TextMap, Static: true, Doc: "the texts for students, by language: paths relative to the file", Example: "{en: statement.en.md, zh: statement.zh.md}"},
	{Name: "starter", Shape: decl.Texts, Static: true, Doc: "the programs that students begin with: paths relative to the file", Example: "[starter.py]"},
}

// KnownFields are the keys of known:.
var KnownFields = []decl.Field{
	{Name: "good", Shape: decl.Texts, Static: true, Doc: "submissions that must earn every point: paths relative to the file", Example: "[solution.py, solution.c]"},
	{Name: "bad", Shape: decl.Records, Sub: BadFields, Static: true, Doc: "submissions that must not earn every point", Example: "[{program: bad/deaf.py, fails: [handles SIGINT]}]"},
}

// BadFields are the keys of one of known.bad:.
var BadFields = []decl.Field{
	{Name: "program", Shape: decl.String, Static: true, Required: true, Doc: "the submission: a path relative to the file", Example: "bad/deaf.py"},
	{Name: "fails", Shape: decl.Texts, Static: true, Doc: "names of checks with points that must be among those it fails", Example: "[handles SIGINT]"},
	{Name: "compiles", Shape: decl.Bool, Static: true, Default: "true", Doc: "false: the submission is meant not to compile, instead of failing checks"},
}

// ProcessFields are the keys of a process.
var ProcessFields = []decl.Field{
	{Name: "steps", Shape: decl.Steps, Doc: "its script; at its end the process exits 0"},
	{Name: "signals", Shape: decl.Map, Doc: "dispositions before its first step (sigaction(2)), by signal: default, ignore, or a list of steps", Example: "{SIGINT: ignore}"},
	{Name: "parent", Shape: decl.Ref, Static: true, Refs: []string{"process"}, Doc: "the process that forks it: by a fork: step, or at its start where there is none", Example: "driver"},
	{Name: "terminal", Shape: decl.Bool, Static: true, Default: "false", Doc: "it runs in the foreground group of a terminal of its own, as its children do"},
	{Name: "idle", Shape: decl.Bool, Static: true, Default: "false", Doc: "it has no steps of its own and obeys the steps marked in: with its name; processes: {x: idle} is the short form"},
	{Name: "daemon", Shape: decl.Bool, Static: true, Default: "false", Doc: "it is ended when everything else has ended, instead of waited for"},
	{Name: "inherit", Shape: decl.String, Static: true, Enum: []string{"all"}, Default: "what its script uses", Doc: "all: it inherits every primitive and every end, used or not, as after a fork", Example: "all"},
	{Name: "run", Shape: decl.Command, Doc: "the program that it is, in any language: its arguments as a list, or one line for the shell; the program itself decides what it does", Example: "[python3, driver.py]"},
	{Name: "cwd", Shape: decl.String, Default: "the directory of the scenario; with files: a directory of the run's own", Doc: "the directory that a program starts in, relative to that of the scenario"},
	{Name: "files", Shape: decl.Texts, Doc: "files and directories beside the scenario that a program gets copies of, in a directory of the run's own, where it starts then", Example: "[driver.py]"},
	{Name: "env", Shape: decl.TextMap, Doc: "environment variables of a program, beside PATH, HOME, LANG, TERM and those that ipcrun adds", Example: "{MODE: fast}"},
	{Name: "pass_env", Shape: decl.Texts, Doc: "variables of ipcrun's own environment that a program gets as well", Example: "[JAVA_HOME]"},
	{Name: "stdin", Shape: decl.Text, Doc: "what a program reads from its standard input, which ends after it", Example: "\"3 4\\n\""},
	{Name: "observe", Shape: decl.Text, Static: true, Enum: []string{"true", "false", "ipc"}, Default: "false", Doc: "true: every fork, exec, end and signal of a program and of all that it forks is seen, with the signal's sender, ignored ones included (ptrace); ipc: its system calls of interprocess communication as well"},
	{Name: "contain", Shape: decl.Bool, Static: true, Default: "true", Doc: "whether a program gets namespaces of its own and may write only to its own files, as far as the kernel allows it"},
	{Name: "match", Shape: decl.Matching, Sub: MatchFields, Doc: "of a process that a program forks by itself: which of several children it is; of a program: which of the processes that it starts is meant. A text is looked for in the command line", Example: "conductor.py"},
	{Name: "limits", Shape: decl.Fields, Sub: LimitFields, Doc: "what it may use at most: a program all of it, a process with steps: cpu, which its children inherit, and output", Example: "{cpu: 2s}"},
	{Name: "nice", Shape: decl.Int, Static: true, Min: decl.Num(-20), Max: decl.Num(19), Default: "as whoever starts it", Doc: "its nice value, which its children inherit; one below that of whoever starts it needs privileges", Example: "10"},
	{Name: "umask", Shape: decl.Text, Static: true, Default: "\"022\" for a program, else as whoever starts it", Doc: "its file mode creation mask, octal, which its children inherit", Example: "\"077\""},
	{Name: "uses", Shape: decl.Refs, Static: true, Refs: []string{"primitive"}, Doc: "primitives it inherits beside those that its script uses", Example: "[gate]"},
}

// MatchFields are the keys of match:. What several of them say must all hold.
var MatchFields = []decl.Field{
	{Name: "argv", Shape: decl.Pattern, Static: true, Doc: "text, or {regex: …}, in its command line: the arguments with a blank between them", Example: "conductor.py"},
	{Name: "order", Shape: decl.Int, Static: true, Min: decl.Num(1), Max: decl.Num(1000), Doc: "its number among the children that the rest of match: fits, in the order of forking, from 1", Example: "2"},
	{Name: "when", Shape: decl.Cond, Static: true, Doc: "a condition over its own facts, by their bare names, that holds once it has come so far", Example: "'\"SIGINT\" in catches'"},
}

// LimitFields are the keys of limits:.
var LimitFields = []decl.Field{
	{Name: "cpu", Shape: decl.Duration, Static: true, Doc: "processor time of each process, rounded up to seconds; then comes SIGXCPU, and a second of it later SIGKILL (RLIMIT_CPU)", Example: "2s"},
	{Name: "memory", Shape: decl.Size, Static: true, Doc: "memory that each process has to itself; more is refused (RLIMIT_DATA)", Example: "256MiB"},
	{Name: "processes", Shape: decl.Int, Static: true, Default: "256", Min: decl.Num(1), Max: decl.Num(10000), Doc: "processes that a program may have at once, itself included", Example: "20"},
	{Name: "files", Shape: decl.Int, Static: true, Min: decl.Num(8), Max: decl.Num(1 << 20), Doc: "descriptors that each process may have open (RLIMIT_NOFILE)", Example: "64"},
	{Name: "output", Shape: decl.Size, Static: true, Default: "1MiB", Doc: "bytes that it may print: a program that prints more is ended, a print: of more fails with TooMuch; for a program also the size of a file that it may write (RLIMIT_FSIZE), without it 256MiB", Example: "64KiB"},
}

// StepFields are the keys that any step may have beside its verb.
var StepFields = []decl.Field{
	{Name: "name", Shape: decl.String, Static: true, Doc: "a name for the step, shown in reports and usable in before()"},
	{Name: "when", Shape: decl.Cond, Doc: "the step is done only if this holds"},
	{Name: "timeout", Shape: decl.Duration, Doc: "how long the step may wait; then it fails with Timeout", Example: "500ms"},
	{Name: "error", Shape: decl.Error, Static: true, Doc: "the step must fail with just this error", Example: "Timeout"},
	{Name: "points", Shape: decl.Points, Static: true, Doc: "what the check is worth; if it fails, these points are lost and the script goes on"},
	{Name: "needs", Shape: decl.Texts, Static: true, Doc: "names of checks before this step; if one of them has not passed, the step is blocked: it is not done and earns nothing", Example: "[filled]"},
	{Name: "visibility", Shape: decl.String, Static: true, Default: "visible", Enum: []string{"visible", "hidden", "after_due_date", "after_published"}, Doc: "who sees the check in a graded result: a hidden one is the author's alone"},
	{Name: "hint", Shape: decl.String, Static: true, Doc: "shown when the step fails"},
	{Name: "into", Shape: decl.Ident, Static: true, Doc: "the variable that receives the result", Example: "seen"},
	{Name: "in", Shape: decl.Ref, Refs: []string{"process"}, Doc: "top-level steps: the idle process that does the step", Example: "producer"},
	{Name: "background", Shape: decl.Ident, Static: true, Doc: "with in: go on without waiting; await: takes this name", Example: "second"},
}

func field(list []decl.Field, name string) *decl.Field {
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	return nil
}

func fieldNames(list []decl.Field) []string {
	out := make([]string, len(list))
	for i, f := range list {
		out[i] = f.Name
	}
	return out
}
