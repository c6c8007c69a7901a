package spec

import (
	"slices"
	"strings"
	"unicode/utf8"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
)

// declareStaff enters the processes that a primitive brings along.
func (ld *loader) declareStaff(pr *Prim) {
	st := pr.Kind.Staff
	if st == nil || st.Key != "" && pr.Fields[st.Key] != true {
		return
	}
	if pr.Array {
		what := decl.Article(pr.Kind.Name)
		if st.Key != "" {
			what += " with " + st.Key + ": true"
		}
		ld.add(codeTask, pr.Span, what+" is declared by a name of its own",
			"What it brings along is called "+staffExample(pr.Name, st)+"; name[n] leaves no names for that.", "")
		return
	}
	pr.Staff = &Proc{Decl: Decl{Name: pr.Name + "." + st.Name, Array: st.Many, Count: 1, Span: pr.Span}, Of: pr}
	if n, ok := pr.Main.(int); ok && st.Many {
		pr.Staff.Count = n
	}
	ld.names[pr.Staff.Name] = &entry{class: "process", span: pr.Span, proc: pr.Staff}
}

// staffExample is what the first process of a staff is called.
func staffExample(name string, st *decl.Staff) string {
	if st.Many {
		return name + "." + st.Name + "[0] and so on"
	}
	return name + "." + st.Name
}

// splitName cuts a reference into its pieces. The processes of a primitive have
// a name with a dot in it.
func (ld *loader) splitName(s string) (refText, string) {
	t, problem := splitRef(s)
	e := ld.names[t.name]
	if e == nil || e.prim == nil || e.prim.Staff == nil {
		return t, problem
	}
	staff := e.prim.Staff.Name
	if !strings.HasPrefix(s, staff) {
		return t, problem
	}
	t, problem = splitRef(s[len(staff):])
	if t.name != "" {
		return splitRef(s) // crew.workers: the pool has no such part
	}
	t.name = staff
	for i := range t.groups {
		t.groups[i].at += utf8.RuneCountInString(staff)
	}
	return t, problem
}

// primType is what expressions know of a primitive.
func (ld *loader) primType(pr *Prim, local bool) cond.Type {
	facts, st := pr.Kind.Facts, pr.Kind.Staff
	if st == nil {
		return objectType(facts, local, pr.Kind.Name, nil)
	}
	if pr.Staff == nil {
		facts = slices.DeleteFunc(slices.Clone(facts), func(f decl.Fact) bool { return f.Name == st.Name })
		return objectType(facts, local, pr.Kind.Name, nil)
	}
	return objectType(facts, local, pr.Kind.Name, map[string]cond.Type{
		st.Name: arrayed(objectType(ld.voc.ProcessFacts, local, "process", nil), st.Many),
	})
}

// staff adds the processes that primitives bring along, with all that they use.
func (ld *loader) staff() {
	ld.anyTask()
	for _, pr := range ld.sc.Prims {
		if pr.Staff == nil {
			continue
		}
		w := pr.Staff
		w.use(Use{Prim: pr, Part: pr.Kind.Staff.Part})
		for _, t := range pr.Tasks {
			for _, u := range t.Proc.Uses {
				w.use(u)
			}
		}
		ld.sc.Procs = append(ld.sc.Procs, w)
	}
}

// anyTask: a program may ask the pools that it uses for any task.
func (ld *loader) anyTask() {
	for _, p := range ld.sc.Procs {
		for _, u := range p.Uses {
			if p.Run == nil || u.Prim.Kind.Staff == nil || !u.Prim.Kind.Staff.Tasks {
				continue
			}
			for _, t := range ld.sc.Tasks {
				ld.used[t] = true
				if !containsTask(u.Prim.Tasks, t) {
					u.Prim.Tasks = append(u.Prim.Tasks, t)
				}
			}
		}
	}
}
