package spec

import (
	"strings"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// Exercise is what makes a scenario an exercise. Paths are as the file has them,
// relative to its directory; whether there is something at them is known to
// whoever uses it.
type Exercise struct {
	Submission *Proc // whose place a submission takes
	Statement  map[string]string
	Good, Bad  []Known
	// Files are all that it names, in the order of the file.
	Files []Mention
}

// Known is a program whose grade is known.
type Known struct {
	Mention
	Fails    []*Step // checks that must be among those it fails
	Compiles bool
}

// Mention is where the file names another one.
type Mention struct {
	Path string
	Span source.Span
}

// Scored are the checks that earn points, in the order of the file.
func (sc *Scenario) Scored() []*Step {
	var out []*Step
	for _, s := range sc.All[1:] {
		if s.Points > 0 {
			out = append(out, s)
		}
	}
	return out
}

// exercise reads exercise: and known:.
func (ld *loader) exercise(root *ydoc.Node) {
	n, known := section(root, "exercise"), section(root, "known")
	if n == nil {
		if known != nil && !known.Bad {
			ld.add(codeExercise, root.Pair("known").Key.Span, "known: is for exercises, and there is no exercise:", "It lists submissions whose grades are known. Say what a submission stands for, as\n  exercise: {submission: driver}", "")
		}
		return
	}
	if n.Kind != ydoc.Map {
		ld.shape(n, "exercise", takes(field(TopFields, "exercise")))
		return
	}
	ld.mistaken = ld.list.HasErrors()
	ex := &Exercise{Statement: map[string]string{}}
	ld.sc.Exercise = ex
	names := fieldNames(ExerciseFields)
	ld.unknownKeys(n, names, "exercise:")
	if ld.absent(n, "submission", names) {
		ld.add(codeMissing, n.Span, "exercise: has no submission:", "It is "+field(ExerciseFields, "submission").Doc+".", "")
	}
	if s := n.Get("submission"); s != nil {
		ex.Submission = ld.submission(s)
	}
	if s := n.Get("statement"); s != nil {
		if s.Kind != ydoc.Map {
			ld.shape(s, "statement", "paths by language, as {en: statement.en.md}")
		} else {
			for _, p := range s.Pairs {
				if m, ok := ld.mention(p.Value, p.Key.Value); ok {
					ex.Statement[p.Key.Value] = m.Path
				}
			}
		}
	}
	ld.mentions(n.Get("starter"), "starter")
	steps := ld.scoredByName(n)
	if known != nil {
		ld.known(known, steps)
	}
}

// submission reads which process a submission stands for.
func (ld *loader) submission(n *ydoc.Node) *Proc {
	name, ok := ld.text(n, "submission")
	if !ok {
		return nil
	}
	e := ld.names[name]
	switch {
	case e == nil || e.class != "" && e.proc == nil:
		var have []string
		for _, p := range ld.sc.Procs {
			have = append(have, p.Name)
		}
		ld.add(codeExercise, n.Span, "submission: no process is called \""+shorten(name)+"\"", "", diag.Suggest(name, have))
	case e.proc == nil: // its declaration was reported
	case e.proc.Idle:
		ld.add(codeExercise, n.Span, "submission: "+name+" is idle", "It obeys steps marked in: "+name+", which no program does.", "", ld.declaredHere(e.proc.Span, "declared here"))
	case e.proc.Parent != nil:
		ld.add(codeExercise, n.Span, "submission: "+name+" is forked by "+e.proc.Parent.Name, "A submission takes the place of a process that ipcrun starts, and its children are its own.", "write "+ancestor(e.proc).Name, ld.declaredHere(e.proc.Span, "declared here"))
	default:
		ld.used[e.proc] = true
		return e.proc
	}
	return nil
}

// mention reads the path of a file.
func (ld *loader) mention(n *ydoc.Node, key string) (Mention, bool) {
	path, ok := ld.text(n, key)
	switch {
	case !ok:
		return Mention{}, false
	case path == "" || strings.ContainsRune(path, 0):
		ld.add(codeShape, n.Span, key+": this is no path", "It is relative to the directory of this file.", "")
		return Mention{}, false
	}
	m := Mention{Path: path, Span: n.Span}
	ld.sc.Exercise.Files = append(ld.sc.Exercise.Files, m)
	return m, true
}

func (ld *loader) mentions(n *ydoc.Node, key string) []Mention {
	switch {
	case n == nil:
		return nil
	case n.Kind != ydoc.Seq:
		ld.shape(n, key, "a list of paths, as ["+key+".py]")
		return nil
	case len(n.Items) == 0:
		ld.add(codeEmpty, n.Span, key+": the list is empty", "", "")
	}
	var out []Mention
	for _, i := range n.Items {
		if m, ok := ld.mention(i, key); ok {
			out = append(out, m)
		}
	}
	return out
}

// scoredByName are the checks that earn points. Results and known: speak of them
// by name, so each must have one of its own, and somebody must do them whoever
// stands in the submission's place.
func (ld *loader) scoredByName(n *ydoc.Node) map[string]*Step {
	out := map[string]*Step{}
	list := ld.sc.Scored()
	for _, s := range list {
		other := out[s.Name]
		switch {
		case s.Proc != nil && s.In == nil && ancestor(s.Proc) == ld.sc.Exercise.Submission:
			ld.add(codeExercise, s.VerbAt, "a submission takes the place of "+ancestor(s.Proc).Name+", so nobody would do this check", "Points are for checks of the top-level steps.", "")
		case s.Name == "":
			ld.add(codeExercise, s.VerbAt, "a check of an exercise needs a name", "Results show it by its name, and known: speaks of it.", "add name:")
		case other != nil:
			ld.add(codeExercise, s.VerbAt, "two checks are called \""+shorten(s.Name)+"\"", "A result could not say which of them is meant.", "", ld.declaredHere(other.VerbAt, "the other one"))
		default:
			out[s.Name] = s
		}
	}
	if len(list) == 0 && !ld.list.HasErrors() {
		ld.add(codeExercise, n.Span, "no check of this exercise earns points", "Every submission would have the same grade. Write checks as\n  {expect: done, from: driver, points: 2, name: says done}", "")
	}
	return out
}

// known reads known:.
func (ld *loader) known(n *ydoc.Node, steps map[string]*Step) {
	if n.Kind != ydoc.Map {
		ld.shape(n, "known", takes(field(TopFields, "known")))
		return
	}
	ld.unknownKeys(n, fieldNames(KnownFields), "known:")
	if len(n.Pairs) == 0 {
		ld.add(codeEmpty, n.Span, "known: there is nothing in it", "", "")
	}
	ex := ld.sc.Exercise
	for _, m := range ld.mentions(n.Get("good"), "good") {
		ex.Good = append(ex.Good, Known{Mention: m, Compiles: true})
	}
	bad := n.Get("bad")
	switch {
	case bad == nil:
		return
	case bad.Kind != ydoc.Seq:
		ld.shape(bad, "bad", "a list, as "+field(KnownFields, "bad").Example)
		return
	case len(bad.Items) == 0:
		ld.add(codeEmpty, bad.Span, "bad: the list is empty", "", "")
	}
	for _, i := range bad.Items {
		ld.bad(i, steps)
	}
}

// bad reads one program of known.bad.
func (ld *loader) bad(n *ydoc.Node, steps map[string]*Step) {
	if n.Kind != ydoc.Map {
		ld.shape(n, "bad", "mappings, as {program: bad/deaf.py, fails: [handles SIGINT]}")
		return
	}
	k := Known{Compiles: true}
	understood := true
	names := fieldNames(BadFields)
	ld.unknownKeys(n, names, "a program of bad:")
	if ld.absent(n, "program", names) {
		ld.add(codeMissing, n.Span, "this has no program:", "It is "+field(BadFields, "program").Doc+".", "")
	}
	program := n.Get("program")
	if program != nil {
		k.Mention, _ = ld.mention(program, "program")
	}
	if c := n.Get("compiles"); c != nil {
		var x any
		x, understood = ld.fixed(c, field(BadFields, "compiles"))
		k.Compiles = !understood || x == true
	}
	fails := n.Get("fails")
	switch {
	case fails != nil && !k.Compiles:
		ld.add(codeContradict, n.Pair("fails").Key.Span, "compiles: false and fails: contradict one another", "What does not compile never gets as far as a check.", "")
	case fails == nil && k.Compiles && understood && ld.absent(n, "fails", names):
		ld.add(codeMissing, n.Span, "this has no fails:", "It names the checks that find out what is wrong with the program.", "add  fails: [NAME OF A CHECK]")
	}
	ld.failing(fails, &k, steps)
	if k.Path != "" {
		ld.sc.Exercise.Bad = append(ld.sc.Exercise.Bad, k)
	}
}

// failing reads the names of the checks that a program fails.
func (ld *loader) failing(n *ydoc.Node, k *Known, steps map[string]*Step) {
	switch {
	case n == nil:
		return
	case n.Kind != ydoc.Seq:
		ld.shape(n, "fails", "a list of names of checks, as [handles SIGINT]")
		return
	case len(n.Items) == 0:
		ld.add(codeEmpty, n.Span, "fails: the list is empty", "", "")
	}
	var have []string
	for _, s := range ld.sc.Scored() {
		have = append(have, s.Name)
	}
	for _, i := range n.Items {
		name, ok := ld.text(i, "fails")
		switch s := steps[name]; {
		case !ok:
		case s != nil:
			k.Fails = append(k.Fails, s)
		case contains(have, name): // reported where it is
		default:
			detail, step := "", len(ld.stepNames[name]) > 0
			if step && ld.mistaken || !step && contains(have, "") {
				continue // it may be meant to, and what keeps it from that has been said
			}
			if step {
				detail = "The step of that name earns no points."
			}
			ld.add(codeExercise, i.Span, "no check with points is called \""+shorten(name)+"\"", detail, diag.Suggest(name, have))
		}
	}
}
