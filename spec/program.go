package spec

import (
	"fmt"
	"strconv"
	"strings"

	"ipcrun/spec/decl"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// Program is what a process runs that the scenario does not script.
type Program struct {
	Argv []string // one line for the shell, if Shell
	// Shell: Argv has one element, which /bin/sh -c is given.
	Shell   bool
	Cwd     string // relative to the directory of the scenario, "" for the default
	Files   []string
	Env     map[string]string
	PassEnv []string
	Stdin   *string // nil: nothing comes until the script types it
	Observe string  // true, ipc, auto (as far as it is possible), or "" for not at all
	// Open: it runs in the namespaces that ipcrun runs in, and writes where its
	// user may.
	Open bool
	// Writable are directories that it may write to beside its own, and Hidden
	// some that it is not to see, as far as the machine can hide them. No file
	// says so: they are for whoever binds a program.
	Writable, Hidden []string
	// Itself: the process that is started is the one that is meant, also if it looks
	// like a launcher of another, as make does, which builds something by many.
	Itself    bool
	Span      source.Span // of what run: says; FilesSpan of what files: says
	FilesSpan source.Span
}

// OnlyPrograms are the keys of a process that mean something with run: alone.
var OnlyPrograms = []string{"cwd", "files", "env", "pass_env", "stdin", "observe", "contain"}

var (
	// noProgram are the keys that mean nothing with run:.
	noProgram = map[string]string{
		"steps":   "The program itself decides what it does; watch it with expect, eventually and wait in the script.",
		"signals": "The program installs its handlers itself; catches, ignores and blocks tell which.",
		"idle":    "An idle process obeys the script, a program does not.",
		"parent":  "A program is started by ipcrun. A child that it forks by itself is declared under its own name, with parent: and without run:.",
		"inherit": "A program gets what uses: names, and nothing else.",
	}
	// noFound are the keys that a process cannot have which a program forks.
	noFound = append([]string{"idle", "signals", "uses", "inherit", "limits", "nice", "umask"}, OnlyPrograms...)
)

// program reads what a process has beside a script: the program that it runs,
// and what the kernel is to hold of it.
func (ld *loader) program(p *Proc, n *ydoc.Node) {
	run := n.Get("run")
	ld.holds(p, n)
	if run == nil {
		if ld.belowProgram(n) {
			return
		}
		for _, key := range OnlyPrograms {
			if pair := n.Pair(key); pair != nil {
				ld.add(codeContradict, pair.Key.Span, key+": is for programs, and "+p.Name+" has no run:", "What ipcrun scripts reads no input and has no environment of its own.", "")
			}
		}
		ld.limitsOfScripted(p, n)
		return
	}
	for _, pair := range n.Pairs {
		if why, bad := noProgram[pair.Key.Value]; bad {
			if pair.Key.Value == "idle" && !p.Idle {
				continue
			}
			ld.add(codeContradict, pair.Key.Span, p.Name+" has run: and "+pair.Key.Value+":", why, "")
		}
	}
	p.Parent = nil
	// A program prints to a terminal unless the file says otherwise: through a
	// pipe, C and Python hold lines back.
	p.Terminal = n.Get("terminal") == nil || p.Terminal
	pr := &Program{Span: run.Span, Env: map[string]string{}}
	if argv := ld.command(run); argv != nil {
		pr.Argv, pr.Shell = argv, run.Kind == ydoc.Scalar
		p.Run = pr
	}
	str := func(key string) *string {
		v := n.Get(key)
		if v == nil {
			return nil
		}
		x, ok := ld.fixed(v, field(ProcessFields, key))
		if !ok {
			return nil
		}
		s := textOf(x)
		return &s
	}
	if o := str("observe"); o != nil && *o != "false" {
		pr.Observe = *o
	}
	if v := n.Get("contain"); v != nil {
		x, ok := ld.fixed(v, field(ProcessFields, "contain"))
		pr.Open = ok && x == false
	}
	if cwd := str("cwd"); cwd != nil {
		pr.Cwd = *cwd
	}
	pr.Stdin = str("stdin")
	pr.Files = ld.texts(n, "files", ProcessFields)
	if v := n.Get("files"); v != nil {
		pr.FilesSpan = v.Span
	}
	pr.PassEnv = ld.texts(n, "pass_env", ProcessFields)
	if len(pr.Files) > 0 && pr.Cwd != "" {
		ld.add(codeContradict, n.Pair("cwd").Key.Span, p.Name+" has files: and cwd:", "With files: the program starts in the directory that they are copied to.", "")
	}
	ld.environment(pr, n.Get("env"))
}

// siblings checks that it is said which child is which where a program forks
// several that are declared.
func (ld *loader) siblings() {
	first := map[*Proc]*Proc{}
	for _, p := range ld.sc.Procs {
		if !p.Found || p.Parent == nil {
			continue
		}
		if n := ld.procNode(p); n.Kind == ydoc.Map && n.Get("match") != nil {
			continue
		}
		o := first[p.Parent]
		if o == nil {
			first[p.Parent] = p
			continue
		}
		ld.add(codeContradict, p.Span, o.Name+" and "+p.Name+" are both children that "+p.Parent.Name+" forks by itself: nothing says which is which",
			"Give one of them match:, by its command line, by order: or by what it does; or declare "+o.Name+"[2].", "", ld.declaredHere(o.Span, "the other"))
	}
}

func textOf(x any) string {
	if s, ok := x.(string); ok {
		return s
	}
	return fmt.Sprint(x)
}

// command reads the arguments of a program, nil if they were reported.
func (ld *loader) command(n *ydoc.Node) []string {
	f := &decl.Field{Name: "run", Shape: decl.Text}
	switch n.Kind {
	case ydoc.Scalar:
		x, ok := ld.fixed(n, f)
		if !ok {
			return nil
		}
		if strings.TrimSpace(textOf(x)) == "" {
			ld.add(codeEmpty, n.Span, "run: names no program", "", "")
			return nil
		}
		return []string{textOf(x)}
	case ydoc.Seq:
		argv := ld.listOfTexts(n, f)
		if argv != nil && (len(argv) == 0 || argv[0] == "") {
			ld.add(codeEmpty, n.Span, "run: names no program", "", "")
			return nil
		}
		return argv
	}
	ld.shape(n, "run", takes(field(ProcessFields, "run")))
	return nil
}

// texts reads a list of texts below a key, nil if there is none.
func (ld *loader) texts(n *ydoc.Node, key string, fields []decl.Field) []string {
	v := n.Get(key)
	if v == nil {
		return nil
	}
	if v.Kind != ydoc.Seq {
		ld.shape(v, key, takes(field(fields, key)))
		return nil
	}
	if len(v.Items) == 0 {
		ld.add(codeEmpty, v.Span, key+": the list is empty", "", "")
	}
	return ld.listOfTexts(v, &decl.Field{Name: key, Shape: decl.Text})
}

func (ld *loader) listOfTexts(n *ydoc.Node, f *decl.Field) []string {
	out := []string{}
	ok := true
	for _, i := range n.Items {
		x, good := ld.fixed(i, f)
		if good && strings.ContainsRune(textOf(x), 0) {
			ld.add(codeShape, i.Span, f.Name+": a NUL byte cannot be in it", "The kernel ends such a text there.", "")
			good = false
		}
		ok = ok && good
		out = append(out, textOf(x))
	}
	if !ok {
		return nil
	}
	return out
}

// environment reads env:.
func (ld *loader) environment(pr *Program, n *ydoc.Node) {
	if n == nil {
		return
	}
	f := field(ProcessFields, "env")
	if n.Kind != ydoc.Map {
		ld.shape(n, "env", takes(f))
		return
	}
	for _, p := range n.Pairs {
		name := p.Key.Value
		if name == "" || strings.ContainsAny(name, "=\x00") {
			ld.add(codeBadName, p.Key.Span, "\""+shorten(name)+"\" cannot be the name of an environment variable", "", "")
			continue
		}
		if name == "IPCRUN" || strings.HasPrefix(name, "IPCRUN_") {
			ld.add(codeBadName, p.Key.Span, "variables that begin with IPCRUN_ are ipcrun's own", "They tell a program where its primitives are.", "")
			continue
		}
		if x, ok := ld.fixed(p.Value, &decl.Field{Name: name, Shape: decl.Text}); ok {
			pr.Env[name] = textOf(x)
		}
	}
}

// belowProgram reports whether a process is declared below one that runs a
// program, so that nobody scripts it.
func (ld *loader) belowProgram(n *ydoc.Node) bool {
	for depth := 0; n != nil && n.Kind == ydoc.Map && depth < 100; depth++ {
		par := n.Get("parent")
		if par == nil || par.Kind != ydoc.Scalar {
			return false
		}
		e := ld.names[par.Value]
		if e == nil || e.proc == nil {
			return false
		}
		n = nil
		for i, p := range ld.sc.Procs {
			if p == e.proc {
				n = ld.procNodes[i]
			}
		}
		if n != nil && n.Get("run") != nil {
			return true
		}
	}
	return false
}

// found checks a process that the program above it forks by itself.
func (ld *loader) found(p *Proc, n *ydoc.Node) {
	p.Found = true
	for _, pair := range n.Pairs {
		if contains(noFound, pair.Key.Value) {
			ld.add(codeContradict, pair.Key.Span, p.Name+" is forked by the program "+p.Parent.Name+" and cannot have "+pair.Key.Value+":",
				"ipcrun finds it and watches it; how it starts is the program's affair.", "")
		}
	}
}

// inputRule: only a program reads what is typed, and only if its input is not
// fixed.
func (ld *loader) inputRule(s *Step, to *Value) {
	if to == nil || to.Form != IsRefs {
		return
	}
	p := to.Refs[0].Proc
	if p == nil {
		return
	}
	here := ld.declaredHere(p.Span, "declared here")
	// Processes are read before steps, so what they run is known.
	switch {
	case p.Run == nil && p.Found:
		ld.add(codeObject, to.Span, p.Name+" reads what "+p.Parent.Name+" reads", "Its input is that of the program that forks it.", "write "+p.Parent.Name, here)
	case p.Run == nil:
		if !ld.hasRun(p) {
			ld.add(codeObject, to.Span, p.Name+" is no program: it reads nothing", "Only a process with run: has a standard input to type to.", "", here)
		}
	case p.Run.Stdin != nil:
		ld.add(codeObject, to.Span, "what "+p.Name+" reads is fixed by its stdin:", "Leave stdin: out to type while it runs.", "", here)
	}
}

// hasRun: it was meant to be a program, whatever was wrong with it.
func (ld *loader) hasRun(p *Proc) bool { return ld.nodeOf(p).Get("run") != nil }

// nodeOf is what the file says of a process.
func (ld *loader) nodeOf(p *Proc) *ydoc.Node {
	for i, q := range ld.sc.Procs {
		if q == p && i < len(ld.procNodes) {
			return ld.procNodes[i]
		}
	}
	return nil
}

// units of sizes, in bytes.
var units = []struct {
	name string
	is   int
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}}

// size reads a number of bytes.
func (ld *loader) size(n *ydoc.Node, f *decl.Field) *Value {
	if n.Kind != ydoc.Scalar {
		ld.shape(n, f.Name, takes(f))
		return nil
	}
	text, factor := strings.TrimSpace(n.Value), 1
	for _, u := range units {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, factor = strings.TrimSpace(rest), u.is
			break
		}
	}
	x, err := strconv.Atoi(text)
	if err != nil || x < 0 || x > 1<<40/factor {
		ld.add(codeShape, n.Span, f.Name+": takes "+takes(f)+", not \""+shorten(n.Value)+"\"", "Units are B, KiB, MiB, GiB, kB, MB and GB.", "")
		return nil
	}
	return &Value{Span: n.Span, Lit: x * factor}
}
