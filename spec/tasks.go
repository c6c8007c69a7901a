package spec

import (
	"fmt"
	"strings"
	"unicode"

	"ipcrun/spec/decl"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// Task is what the workers of a pool do for others.
type Task struct {
	Decl
	Params []string
	Steps  []*Step
	Result *Value // nil: it has none
	// unsure: some of its params could not be read, and that was reported, so what
	// it is given need not be.
	unsure bool
	// Proc stands for the worker that does it: its variables, and what it uses.
	Proc *Proc
}

// TaskFields are the keys of a task.
var TaskFields = []decl.Field{
	{Name: "params", Shape: decl.List, Static: true, Doc: "names of its arguments, which its steps see as variables", Example: "[x]"},
	{Name: "steps", Shape: decl.Steps, Doc: "what a worker does; its variables are new for every task"},
	{Name: "result", Shape: decl.Any, Default: "nothing", Doc: "what the caller gets, evaluated after the steps", Example: "${x * x}"},
}

// declareTasks enters the names of tasks.
func (ld *loader) declareTasks(n *ydoc.Node) {
	if n == nil {
		return
	}
	if n.Kind != ydoc.Map {
		ld.shape(n, "tasks", "a mapping from names to tasks")
		ld.incomplete = true
		return
	}
	for _, p := range n.Pairs {
		name := p.Key.Value
		t := &Task{Decl: Decl{Name: name, Count: 1, Span: p.Key.Span}}
		t.Proc = &Proc{Decl: t.Decl}
		if ld.goodName(p.Key) {
			ld.enter(name, &entry{class: "task", span: p.Key.Span, task: t})
		} else {
			ld.enterBroken(name, p.Key.Span)
		}
		ld.sc.Tasks = append(ld.sc.Tasks, t)
		ld.taskNodes = append(ld.taskNodes, p.Value)
	}
}

// tasks reads the tasks, but for their steps.
func (ld *loader) tasks() {
	for i, t := range ld.sc.Tasks {
		n := ld.taskNodes[i]
		vars := newVarSet(&t.Proc.Vars)
		switch {
		case n.Bad:
		case n.Kind == ydoc.Seq:
			collectVars(n, vars, nil)
		case n.Kind == ydoc.Map:
			ld.unknownKeys(n, fieldNames(TaskFields), "a task")
			if p := n.Get("params"); p != nil {
				ld.taskParams(t, p)
			}
			for _, name := range t.Params {
				vars.add(name)
			}
			collectVars(n.Get("steps"), vars, nil)
			if ld.absent(n, "steps", fieldNames(TaskFields)) && n.Get("result") == nil {
				ld.add(codeTask, t.Span, t.Name+" does nothing", "A task has steps:, a result:, or both.", "")
			}
		default:
			ld.shape(n, t.Name, "a list of steps, or a mapping with params, steps and result")
		}
	}
}

func (ld *loader) taskParams(t *Task, n *ydoc.Node) {
	if n.Kind != ydoc.Seq {
		ld.shape(n, "params", "a list of names, as [x, y]")
		t.guess(n, ld)
		return
	}
	for _, i := range n.Items {
		switch {
		case i.Bad:
		case i.Kind != ydoc.Scalar:
			ld.shape(i, "params", "names")
			t.guess(i, ld)
		case contains(t.Params, i.Value):
			ld.add(codeDuplicate, i.Span, "\""+i.Value+"\" is given twice", "", "")
		case ld.newName(i):
			t.Params = append(t.Params, i.Value)
		default:
			t.guess(i, ld)
		}
	}
}

// guess takes the words of what was refused for the names that were meant, so that
// their uses are not reported, too.
func (t *Task) guess(n *ydoc.Node, ld *loader) {
	t.unsure = true
	for _, i := range n.Items {
		t.guess(i, ld)
	}
	for _, p := range n.Pairs {
		t.guess(p.Key, ld)
	}
	for _, w := range strings.FieldsFunc(n.Value, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if ld.names[w] == nil && !contains(t.Params, w) {
			t.Params = append(t.Params, w)
		}
	}
}

// taskSteps reads what the tasks do.
func (ld *loader) taskSteps() {
	for i, t := range ld.sc.Tasks {
		n := ld.taskNodes[i]
		c := &context{proc: t.Proc, task: t}
		if n.Kind == ydoc.Seq {
			t.Steps = ld.steps(n, c)
			continue
		}
		if s := n.Get("steps"); s != nil {
			t.Steps = ld.steps(s, c)
		}
		if r := n.Get("result"); r != nil {
			t.Result = ld.value(r, field(TaskFields, "result"), c)
		}
	}
}

// poolRule is for steps whose object is a pool.
func (ld *loader) poolRule(s *Step, c *context) {
	if c.task != nil {
		ld.add(codeTask, s.VerbAt, "a task cannot use a pool", "The workers of a pool do tasks; they do not hand any over (multiprocessing refuses to pass a pool to its workers).", "")
		return
	}
	v := s.Get("task")
	if s.Obj == nil || s.Obj.Form != IsRefs || v == nil || v.Form != IsRefs || v.Refs[0].Task == nil {
		return
	}
	pool, t := s.Obj.Refs[0].Prim, v.Refs[0].Task
	if !containsTask(pool.Tasks, t) {
		pool.Tasks = append(pool.Tasks, t)
	}
	over, mapped := s.Get("over"), field(s.Verb.Fields, "over") != nil
	switch {
	case t.unsure:
	case !mapped:
		ld.argsFit(s, t, s.Get("args"), s.VerbAt)
	case len(t.Params) == 0:
		ld.add(codeTask, v.Span, t.Name+" has no params that could get the elements", "", "", ld.declaredHere(t.Span, "declared here"))
	case over != nil && over.Form == IsList && len(t.Params) > 1:
		for _, e := range over.List {
			ld.argsFit(s, t, e, e.Span)
		}
	}
}

func containsTask(list []*Task, t *Task) bool {
	for _, x := range list {
		if x == t {
			return true
		}
	}
	return false
}

// argsFit reports arguments that are not those of a task, as far as they are
// known.
func (ld *loader) argsFit(s *Step, t *Task, v *Value, at source.Span) {
	here := ld.declaredHere(t.Span, "declared here")
	takes := "no arguments"
	if len(t.Params) > 0 {
		takes = strings.Join(t.Params, ", ")
	}
	switch {
	case v == nil:
		if len(t.Params) > 0 {
			ld.add(codeTask, at, s.Verb.Name+" gives "+t.Name+" no arguments", "It takes "+takes+": write  args: {"+t.Params[0]+": …}", "", here)
		}
	case v.Form == IsList && len(v.List) != len(t.Params):
		ld.add(codeTask, v.Span, fmt.Sprintf("%s takes %s; these are %d", t.Name, takes, len(v.List)), "", "", here)
	case v.Form == IsMap:
		for name, x := range v.Map {
			if !contains(t.Params, name) {
				ld.add(codeTask, x.Span, t.Name+" has no param \""+shorten(name)+"\"", "It takes "+takes+".", didYouMean(name, t.Params), here)
			}
		}
		for _, p := range t.Params {
			if v.Map[p] == nil {
				ld.add(codeTask, v.Span, t.Name+" gets no "+p, "It takes "+takes+".", "", here)
			}
		}
	case v.Form == IsLit:
		ld.add(codeTask, v.Span, t.Name+" takes "+takes+", not "+describe(v.Lit), "Arguments are a mapping from params to values, or a list of values.", "", here)
	}
}
