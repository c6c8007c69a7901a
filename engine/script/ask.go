package script

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"ipcrun/prims"
	"ipcrun/spec/decl"
)

// Ask makes an action of a step that a program asks for while it runs: a mapping
// with a verb, whose value names a primitive, and its parameters, as
// {"put": "jobs", "value": 3, "timeout": "2s"}. Nothing in it is an expression.
// Errors are *decl.Failure of the name Invalid.
func Ask(c *Common, uses []Use, now int64, req map[string]any) (*Action, error) {
	v, obj, err := askedVerb(c, req)
	if err != nil {
		return nil, err
	}
	a := &Action{Verb: v, instr: &instr{step: &Step{}, verb: v, into: -1}}
	n, elems, err := askedObject(c, obj)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(uses, func(u Use) bool { return u.Number == n }) {
		return nil, decl.Fail(Invalid, "%s is not among what the process uses: and asks for", obj)
	}
	a.Targets = []int{n}
	a.Call = prims.Call{Args: &a.Args, Verb: uint32(v.id), Elems: elems}
	for _, key := range slices.Sorted(maps.Keys(req)) {
		if key == v.Name {
			continue
		}
		if err := a.parameter(c, now, key, req[key]); err != nil {
			return nil, err
		}
	}
	for i := range v.Fields {
		if f := &v.Fields[i]; f.Required && f.Shape != decl.Ref && !a.Args.Has(f.Name) {
			return nil, decl.Fail(Invalid, "%s needs %q", v.Name, f.Name)
		}
	}
	a.Call.Deadline = a.Deadline
	return a, nil
}

// askedVerb finds the key that is a verb of what its value names.
func askedVerb(c *Common, req map[string]any) (v *Verb, obj string, err error) {
	for _, key := range slices.Sorted(maps.Keys(req)) {
		text, isText := req[key].(string)
		if !isText {
			continue
		}
		name, _, _ := strings.Cut(text, "[")
		n, known := c.Names[name]
		if !known || n.Class != ClassPrimitive {
			continue
		}
		if found := Lookup(key, n.Kind); found != nil && found.prim != nil && found.Place != 0 && found.Lower == nil {
			if v != nil {
				return nil, "", decl.Fail(Invalid, "two verbs, %s and %s: a step has one", v.Name, key)
			}
			v, obj = found, text
		}
	}
	if v == nil {
		return nil, "", decl.Fail(Invalid, "no verb in it: one key is a verb, and its value the name of a primitive, as {\"acquire\": \"gate\"}")
	}
	return v, obj, nil
}

// askedObject reads name, name[i], row[i], row[i:k] and rows[n][i].
func askedObject(c *Common, text string) (number int, e prims.Elems, err error) {
	name, rest, _ := strings.Cut(text, "[")
	d := c.Names[name]
	bad := func(why string) (int, prims.Elems, error) {
		return 0, prims.Elems{}, decl.Fail(Invalid, "%q %s", text, why)
	}
	var groups []string
	if rest != "" {
		inner, ok := strings.CutSuffix(rest, "]")
		if !ok {
			return bad("has a [ without a ]")
		}
		groups = strings.Split(inner, "][")
	}
	number = d.First
	if d.Count > 0 {
		if len(groups) == 0 {
			return bad("is " + strconv.Itoa(d.Count) + " of them: say which, as " + name + "[0]")
		}
		i, err := strconv.Atoi(groups[0])
		if err != nil || i < 0 || i >= d.Count {
			return bad("is none of them: they go from 0 to " + strconv.Itoa(d.Count-1))
		}
		number, groups = number+i, groups[1:]
	}
	if len(groups) == 0 {
		return number, e, nil
	}
	if kind := prims.Get(d.Kind); len(groups) > 1 || kind == nil || !kind.Elements {
		return bad("has more brackets than it can have")
	}
	e.Given = true
	from, to, slice := strings.Cut(groups[0], ":")
	if e.Single = !slice; e.Single {
		to = "0"
	}
	if slice && from == "" {
		from = "0"
	}
	if slice && to == "" {
		to, e.Open = "0", true
	}
	var err2 error
	if e.From, err = strconv.Atoi(from); err == nil {
		e.To, err2 = strconv.Atoi(to)
	}
	if err != nil || err2 != nil {
		return bad("has an element that is no whole number")
	}
	if e.Single {
		e.To = e.From + 1
	}
	return number, e, nil
}

// parameter takes one parameter of a step that was asked for.
func (a *Action) parameter(c *Common, now int64, key string, x any) error {
	v := a.Verb
	if key == "timeout" {
		if !v.Waits {
			return decl.Fail(Invalid, "%s never waits, so a timeout means nothing", v.Name)
		}
		text, _ := x.(string)
		d, err := ParseDuration(text)
		if err != nil {
			return err
		}
		a.since, a.Deadline = now, now+int64(d)
		return nil
	}
	i := slices.IndexFunc(v.Fields, func(f decl.Field) bool { return f.Name == key })
	if i < 0 {
		return decl.Fail(Invalid, "%s has no parameter %q%s", v.Name, key, parameters(v))
	}
	f := &v.Fields[i]
	switch f.Shape {
	case decl.Cond, decl.Expr:
		return decl.Fail(Invalid, "%s: is an expression, which a program evaluates by itself", key)
	case decl.Ref:
		name, _ := x.(string)
		n, known := c.Names[name]
		if !known || !slices.Contains(f.Refs, n.Class) {
			return decl.Fail(Invalid, "%s: nothing of that kind is called %q", key, name)
		}
		a.Targets = append(a.Targets, n.First)
		a.Call.Refs = a.Targets[1:]
		return nil
	case decl.Bool:
		b, ok := x.(bool)
		if !ok {
			return decl.Fail(Invalid, "%s: takes true or false", key)
		}
		if key == "block" {
			a.Call.NoWait = !b
			return nil
		}
	case decl.Int:
		n, ok := asInt(x)
		if !ok || f.Min.Given && float64(n) < f.Min.Num || f.Max.Given && float64(n) > f.Max.Num {
			return decl.Fail(Invalid, "%s: takes a whole number%s", key, bounds(f))
		}
		x = n
	case decl.Duration:
		text, _ := x.(string)
		d, err := ParseDuration(text)
		if err != nil {
			return err
		}
		x = d
	}
	a.Args.Names = append(a.Args.Names, key)
	a.Args.Vals = append(a.Args.Vals, x)
	return nil
}

func parameters(v *Verb) string {
	var out []string
	for _, f := range v.Fields {
		out = append(out, f.Name)
	}
	if v.Waits {
		out = append(out, "timeout")
	}
	if len(out) == 0 {
		return ": it has none"
	}
	return "; it has " + strings.Join(out, ", ")
}

func bounds(f *decl.Field) string {
	s := ""
	if f.Min.Given {
		s += " of at least " + strconv.FormatFloat(f.Min.Num, 'g', -1, 64)
	}
	if f.Max.Given {
		s += " up to " + strconv.FormatFloat(f.Max.Num, 'g', -1, 64)
	}
	return s
}
