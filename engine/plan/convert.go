package plan

import (
	"ipcrun/engine/script"
	"ipcrun/spec"
	"ipcrun/spec/cond"
)

// convertAll turns steps as the author wrote them into steps as they run.
func convertAll(list []*spec.Step) []*script.Step {
	out := make([]*script.Step, len(list))
	for i, s := range list {
		out[i] = convert(s)
	}
	return out
}

func convert(s *spec.Step) *script.Step {
	out := &script.Step{
		ID: s.ID, Verb: s.Verb.Name, Class: s.Verb.Class,
		Error: s.Error, Into: s.Into, Background: s.Back, Order: s.Order,
	}
	if s.When != nil {
		out.When = s.When.Source()
	}
	if s.In != nil {
		out.In = ref(s.In)
	}
	if s.Obj != nil {
		out.Obj = arg(s.Obj)
	}
	if s.Timeout != nil {
		out.Timeout = arg(s.Timeout)
	}
	for _, a := range s.Args {
		if out.Args == nil {
			out.Args = map[string]*script.Arg{}
		}
		out.Args[a.Field.Name] = arg(a.Value)
	}
	for name, steps := range s.Blocks {
		if out.Blocks == nil {
			out.Blocks = map[string][]*script.Step{}
		}
		out.Blocks[name] = convertAll(steps)
	}
	return out
}

func arg(v *spec.Value) *script.Arg {
	switch v.Form {
	case spec.IsTmpl:
		return &script.Arg{Tmpl: v.Tmpl}
	case spec.IsExpr:
		return &script.Arg{Expr: v.Expr.Source()}
	case spec.IsList:
		list := make([]*script.Arg, len(v.List))
		for i, e := range v.List {
			list[i] = arg(e)
		}
		return &script.Arg{List: &list}
	case spec.IsMap:
		m := make(map[string]*script.Arg, len(v.Map))
		for k, e := range v.Map {
			m[k] = arg(e)
		}
		return &script.Arg{Map: m}
	case spec.IsRefs:
		if len(v.Refs) == 1 {
			return &script.Arg{Ref: ref(v.Refs[0])}
		}
		refs := make([]*script.Ref, len(v.Refs))
		for i, r := range v.Refs {
			refs[i] = ref(r)
		}
		return &script.Arg{Refs: refs}
	}
	return script.Lit(v.Lit)
}

func ref(r *spec.Ref) *script.Ref {
	out := &script.Ref{Name: r.Name, Part: r.Part, Slice: r.Slice}
	if r.Elem != nil {
		out.Elem = r.Elem.Source()
	}
	if r.To != nil {
		out.To = r.To.Source()
	}
	out.Part, out.Slice = r.Part, r.Slice
	for _, x := range []struct {
		from *cond.Expr
		to   *string
	}{{r.Index, &out.Index}, {r.Elem, &out.Elem}, {r.To, &out.To}} {
		if x.from != nil {
			*x.to = x.from.Source()
		}
	}
	return out
}
