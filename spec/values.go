package spec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// shape reports a value of the wrong kind.
func (ld *loader) shape(n *ydoc.Node, key, want string) {
	got := n.Kind.String()
	switch n.Kind {
	case ydoc.Scalar:
		got = "\"" + shorten(n.Value) + "\""
	case ydoc.Null:
		got = "nothing"
	}
	ld.add(codeShape, n.Span, fmt.Sprintf("%s: takes %s, not %s", key, want, got), "", "")
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}

// text reads fixed text.
func (ld *loader) text(n *ydoc.Node, key string) (string, bool) {
	if n == nil || n.Bad {
		return "", false
	}
	if n.Kind != ydoc.Scalar {
		ld.shape(n, key, "text")
		return "", false
	}
	return n.Value, true
}

// fixedDuration reads a duration without ${…}, or one made of params.
func (ld *loader) fixedDuration(n *ydoc.Node, key string) (int, bool) {
	v, ok := ld.fixed(n, &decl.Field{Name: key, Shape: decl.Duration})
	d, isInt := v.(int)
	return d, ok && isInt
}

// fixed reads a value that must be known before anything runs. ${…} may
// mention params.
func (ld *loader) fixed(n *ydoc.Node, f *decl.Field) (any, bool) {
	v := ld.value(n, f, &context{fixed: true})
	if v == nil {
		return nil, false
	}
	out, err := ld.evalFixed(v)
	if err != nil {
		ld.add(codeExpr, n.Span, err.Error(), "", "")
		return nil, false
	}
	if s, isText := out.(string); isText && v.Form == IsTmpl && f.Shape == decl.Duration {
		d, err := ld.voc.Duration(s)
		if err != nil {
			ld.add(codeDuration, n.Span, strings.TrimPrefix(err.Error(), "Invalid: "), "", "")
			return nil, false
		}
		return d, true
	}
	return out, true
}

type paramEnv map[string]any

func (e paramEnv) Lookup(name string) (any, bool) { v, ok := e[name]; return v, ok }

func (ld *loader) evalFixed(v *Value) (any, error) {
	env := paramEnv(ld.sc.Params)
	switch v.Form {
	case IsLit:
		return v.Lit, nil
	case IsTmpl:
		t, err := cond.ParseTemplateTrusted(v.Tmpl)
		if err != nil {
			return nil, err
		}
		return t.Eval(env)
	case IsExpr:
		return v.Expr.Eval(env)
	case IsList:
		out := make([]any, len(v.List))
		for i, e := range v.List {
			x, err := ld.evalFixed(e)
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
		return out, nil
	case IsMap:
		out := map[string]any{}
		for k, e := range v.Map {
			x, err := ld.evalFixed(e)
			if err != nil {
				return nil, err
			}
			out[k] = x
		}
		return out, nil
	}
	return nil, nil
}

// value reads what stands for a field. Nil: it was reported.
func (ld *loader) value(n *ydoc.Node, f *decl.Field, c *context) *Value {
	if n.Bad {
		return nil
	}
	v := &Value{Span: n.Span}
	lit := func(x any) *Value { v.Lit = x; return v }
	scalar := n.Kind == ydoc.Scalar
	if scalar && cond.IsTemplate(n.Value) && templated(f) {
		return ld.template(n, c)
	}
	if s := n.Surprise(); s != "" && surprising(f.Shape) {
		ld.add(codeShape, n.Span, s, "", "")
		return nil
	}
	switch f.Shape {
	case decl.Any, decl.List, decl.Map:
		if f.Shape == decl.List && n.Kind != ydoc.Seq || f.Shape == decl.Map && n.Kind != ydoc.Map {
			ld.shape(n, f.Name, map[decl.Shape]string{decl.List: "a list, as [1, 2, 3]", decl.Map: "a mapping"}[f.Shape])
			return nil
		}
		return ld.data(n, f, c)
	case decl.Bool:
		if b, ok := plain(n, "!!bool"); ok {
			return lit(b)
		}
		ld.shape(n, f.Name, "true or false")
	case decl.Int, decl.Points:
		if x, ok := plain(n, "!!int"); ok {
			return ld.bounded(v, n, f, x)
		}
		if x, ok := plain(n, "!!float"); ok && f.Shape == decl.Points {
			return ld.bounded(v, n, f, x)
		}
		ld.shape(n, f.Name, "a whole number")
	case decl.Float:
		if x, ok := plain(n, "!!float"); ok {
			return ld.bounded(v, n, f, x)
		}
		if x, ok := plain(n, "!!int"); ok {
			return ld.bounded(v, n, f, x)
		}
		ld.shape(n, f.Name, "a number")
	case decl.Count:
		if x, ok := plain(n, "!!int"); ok {
			if x.(int) < 0 {
				ld.add(codeShape, n.Span, f.Name+": a negative number of times is none", "Write a whole number from 0, or forever.", "")
				return nil
			}
			return lit(x)
		}
		if scalar && n.Value == "forever" {
			return lit("forever")
		}
		if scalar {
			if near := diag.Nearest(n.Value, []string{"forever"}); near != "" {
				ld.add(codeShape, n.Span, f.Name+": takes a whole number or forever, not \""+shorten(n.Value)+"\"", "", "did you mean \"forever\"?")
				return nil
			}
		}
		ld.shape(n, f.Name, "a whole number, or forever")
	case decl.String, decl.Text:
		if scalar {
			if len(f.Enum) > 0 && !contains(f.Enum, n.Value) {
				ld.add(codeShape, n.Span, f.Name+": does not know \""+n.Value+"\"", "", diag.Suggest(n.Value, f.Enum))
				return nil
			}
			return lit(n.Value)
		}
		ld.shape(n, f.Name, "text")
	case decl.Duration:
		if scalar {
			d, err := ld.voc.Duration(n.Value)
			if err == nil {
				return lit(d)
			}
			detail := ""
			if _, e := strconv.ParseFloat(n.Value, 64); e == nil {
				detail = "A bare number could be seconds, milliseconds or minutes."
				ld.add(codeDuration, n.Span, "the duration "+n.Value+" has no unit", detail, "write "+n.Value+"s or "+n.Value+"ms")
				return nil
			}
			ld.add(codeDuration, n.Span, "\""+shorten(n.Value)+"\" is no duration", detail, "write a number and a unit, as 500ms or 2s")
			return nil
		}
		ld.shape(n, f.Name, "a duration with a unit, as 500ms or 2s")
	case decl.Cond:
		if e := ld.expression(n, f.Name, c, cond.WantBool); e != nil {
			v.Form, v.Expr = IsExpr, e
			return v
		}
	case decl.Expr:
		if e := ld.expression(n, f.Name, c, cond.WantAny); e != nil {
			v.Form, v.Expr = IsExpr, e
			return v
		}
	case decl.Signal:
		if s, ok := ld.signal(n, f.Name); ok {
			return lit(s)
		}
	case decl.Signals:
		return ld.signals(n, f, v)
	case decl.Error:
		if scalar {
			if !contains(ld.voc.ErrorNames(), n.Value) {
				ld.add(codeError, n.Span, "no error is called \""+n.Value+"\"", "", diag.Suggest(n.Value, ld.voc.ErrorNames()))
				return nil
			}
			return lit(n.Value)
		}
		ld.shape(n, f.Name, "the name of an error, as Timeout")
	case decl.Ident:
		if scalar && !n.Quoted {
			if ld.goodNameText(n.Value, n.Span) {
				return lit(n.Value)
			}
			return nil
		}
		ld.shape(n, f.Name, "a name")
	case decl.Ref:
		if r := ld.ref(n, f, c); r != nil {
			v.Form, v.Refs = IsRefs, []*Ref{r}
			return v
		}
	case decl.Refs:
		items := []*ydoc.Node{n}
		if n.Kind == ydoc.Seq {
			items = n.Items
		}
		v.Form = IsRefs
		for _, i := range items {
			r := ld.ref(i, f, c)
			if r == nil {
				return nil
			}
			v.Refs = append(v.Refs, r)
		}
		return v
	case decl.Vars:
		if n.Kind != ydoc.Map || len(n.Pairs) == 0 {
			ld.shape(n, f.Name, "names with values, as {left: 3}")
			return nil
		}
		v.Form, v.Map = IsMap, map[string]*Value{}
		for _, p := range n.Pairs {
			ok := ld.variableName(p.Key)
			if x := ld.data(p.Value, f, c); x != nil && ok {
				v.Map[p.Key.Value] = x
			}
		}
		return v
	case decl.Key:
		if scalar {
			if !contains(ld.voc.Keys, n.Value) {
				ld.add(codeKeyName, n.Span, "no key is called \""+n.Value+"\"", "Keys are written as ctrl-c, ctrl-\\, enter, esc, up.", diag.Suggest(n.Value, ld.voc.Keys))
				return nil
			}
			return lit(n.Value)
		}
		ld.shape(n, f.Name, "a key, as ctrl-c")
	case decl.Pattern:
		return ld.pattern(n, f, c, v)
	case decl.CType:
		if scalar {
			if err := decl.CheckCType(n.Value); err != nil {
				ld.add(codeCType, n.Span, "\""+n.Value+"\" is no C type", strings.ToUpper(err.Error()[:1])+err.Error()[1:]+".", "")
				return nil
			}
			return lit(n.Value)
		}
		ld.shape(n, f.Name, "a C type, as i or double")
	default:
		panic(fmt.Sprintf("spec: shape %d of %s is not decoded here", f.Shape, f.Name))
	}
	return nil
}

// templated reports whether ${…} may stand for a field's value.
func templated(f *decl.Field) bool {
	if f.Static {
		return f.Shape == decl.Any || f.Shape == decl.Duration
	}
	switch f.Shape {
	case decl.Any, decl.Bool, decl.Int, decl.Float, decl.String, decl.Text, decl.Duration, decl.Count, decl.List, decl.Map, decl.Pattern:
		return true
	}
	return false
}

// surprising: shapes whose plain spellings YAML 1.1 and 1.2 read differently.
func surprising(s decl.Shape) bool {
	switch s {
	case decl.Any, decl.Bool, decl.Int, decl.Float, decl.Count, decl.Points:
		return true
	}
	return false
}

func plain(n *ydoc.Node, tag string) (any, bool) {
	if n.Kind != ydoc.Scalar || n.Quoted || n.Tag != tag {
		return nil, false
	}
	v, err := n.Data()
	return v, err == nil
}

func (ld *loader) bounded(v *Value, n *ydoc.Node, f *decl.Field, x any) *Value {
	num := 0.0
	switch y := x.(type) {
	case int:
		num = float64(y)
	case float64:
		num = y
	}
	if f.Min != nil && num < *f.Min || f.Max != nil && num > *f.Max {
		bounds := "at least " + cond.Text(derefOr(f.Min))
		if f.Max != nil {
			bounds = "from " + cond.Text(derefOr(f.Min)) + " to " + cond.Text(derefOr(f.Max))
		}
		ld.add(codeShape, n.Span, f.Name+": takes "+bounds+", not "+n.Value, "", "")
		return nil
	}
	if f.Shape == decl.Points && num < 0 {
		ld.add(codeShape, n.Span, "points are not negative", "", "")
		return nil
	}
	v.Lit = x
	return v
}

func derefOr(f *float64) float64 {
	if f == nil {
		return 0
	}
	return *f
}

// data reads any YAML data; ${…} inside its strings is evaluated.
func (ld *loader) data(n *ydoc.Node, f *decl.Field, c *context) *Value {
	v := &Value{Span: n.Span}
	switch n.Kind {
	case ydoc.Scalar:
		if cond.IsTemplate(n.Value) {
			return ld.template(n, c)
		}
		if s := n.Surprise(); s != "" {
			ld.add(codeShape, n.Span, s, "", "")
			return nil
		}
		x, err := n.Data()
		if err != nil {
			ld.badData(n, f.Name, err)
			return nil
		}
		v.Lit = x
	case ydoc.Seq:
		v.Form = IsList
		for _, i := range n.Items {
			e := ld.data(i, f, c)
			if e == nil {
				return nil
			}
			v.List = append(v.List, e)
		}
	case ydoc.Map:
		v.Form, v.Map = IsMap, map[string]*Value{}
		for _, p := range n.Pairs {
			e := ld.data(p.Value, f, c)
			if e == nil {
				return nil
			}
			v.Map[p.Key.Value] = e
		}
	}
	return v
}

func (ld *loader) pattern(n *ydoc.Node, f *decl.Field, c *context, v *Value) *Value {
	switch n.Kind {
	case ydoc.Scalar:
		if n.Value == "" {
			ld.add(codeEmpty, n.Span, f.Name+": the empty text is found in any output", "It would check nothing.", "")
			return nil
		}
		v.Lit = n.Value
		return v
	case ydoc.Map:
		ld.unknownKeys(n, []string{"regex"}, f.Name)
		r := n.Get("regex")
		if r == nil || r.Kind != ydoc.Scalar {
			ld.shape(n, f.Name, "text, or {regex: …}")
			return nil
		}
		re, err := regexp.Compile(r.Value)
		if err != nil {
			ld.add(codeShape, r.Span, "bad regular expression: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "), "", "")
			return nil
		}
		if re.MatchString("") {
			ld.add(codeEmpty, r.Span, "this regular expression is found in the empty text", "It would check nothing.", "")
			return nil
		}
		v.Form = IsMap
		v.Map = map[string]*Value{"regex": {Span: r.Span, Lit: r.Value}}
		return v
	}
	ld.shape(n, f.Name, "text, or {regex: …}")
	return nil
}

func (ld *loader) signal(n *ydoc.Node, key string) (int, bool) {
	if n.Kind != ydoc.Scalar {
		ld.shape(n, key, "a signal, as SIGUSR1")
		return 0, false
	}
	num, err := ld.voc.Signals.Number(n.Value)
	if err != nil {
		ld.add(codeSignal, n.Span, "no signal is called \""+n.Value+"\"", "", diag.Suggest(n.Value, ld.voc.Signals.Names()))
		return 0, false
	}
	return num, true
}

func (ld *loader) signals(n *ydoc.Node, f *decl.Field, v *Value) *Value {
	items := []*ydoc.Node{n}
	if n.Kind == ydoc.Seq {
		items = n.Items
		if len(items) == 0 {
			ld.add(codeEmpty, n.Span, f.Name+": the list is empty", "", "")
			return nil
		}
	}
	var list []any
	for _, i := range items {
		s, ok := ld.signal(i, f.Name)
		if !ok {
			return nil
		}
		if !ld.catchable(s, i.Span, f.Name) {
			return nil
		}
		list = append(list, s)
	}
	v.Lit = list
	return v
}

func (ld *loader) catchable(sig int, span source.Span, what string) bool {
	if ld.voc.Signals.Catchable(sig) {
		return true
	}
	ld.add(codeSignal, span, ld.voc.Signals.Name(sig)+" can be neither handled, ignored nor blocked", "The kernel keeps SIGKILL and SIGSTOP for itself (signal(7)).", "")
	return false
}

// ref reads the name of a declared thing.
func (ld *loader) ref(n *ydoc.Node, f *decl.Field, c *context) *Ref {
	if n.Kind != ydoc.Scalar {
		ld.shape(n, f.Name, "the name of "+classes(f.Refs))
		return nil
	}
	text := n.Value
	name, index := text, ""
	open := strings.IndexByte(text, '[')
	if open >= 0 && strings.HasSuffix(text, "]") {
		name, index = text[:open], text[open+1:len(text)-1]
	}
	e := ld.names[name]
	if e == nil {
		ld.unknownName(n.Span, name, f.Refs)
		return nil
	}
	if e.class == "" {
		return nil // its declaration was reported
	}
	if !accepts(f.Refs, e) {
		ld.add(codeObject, n.Span, fmt.Sprintf("%s is %s, %s: takes %s", name, e.what(), f.Name, classes(f.Refs)), "", ld.suggestName(name, f.Refs),
			ld.declaredHere(e.span, "declared here"))
		return nil
	}
	r := &Ref{Name: name, Prim: e.prim, Proc: e.proc, Span: n.Span}
	if e.class == "param" {
		return nil
	}
	d := r.Decl()
	switch {
	case index != "" && !d.Array:
		ld.add(codeIndex, n.Span, name+" is a single one and takes no index", "", "", ld.declaredHere(d.Span, "declared here"))
		return nil
	case open >= 0 && index == "":
		ld.add(codeIndex, n.Span, "the index of "+name+" is empty", "", "")
		return nil
	case index == "" && d.Array && e.prim != nil && !c.wholeArray:
		ld.add(codeIndex, n.Span, fmt.Sprintf("%s is %d of them: say which, as %s[0] or %s[index]", name, d.Count, name, name), "", "", ld.declaredHere(d.Span, "declared here"))
		return nil
	}
	if index != "" {
		if c.fixed {
			ld.add(codeIndex, n.Span, "no index belongs here", "", "")
			return nil
		}
		r.Index = ld.compile(index, n, open+1, c, cond.WantNumber)
		if r.Index == nil {
			return nil
		}
		if k, ok := r.Index.Const(); ok {
			if i, isInt := k.(int); isInt && (i < 0 || i >= d.Count) {
				ld.add(codeIndex, n.Span, fmt.Sprintf("there is no %s[%d]: they go from 0 to %d", name, i, d.Count-1), "", "", ld.declaredHere(d.Span, "declared here"))
				return nil
			}
		}
	}
	ld.use(c, r)
	return r
}

func accepts(refs []string, e *entry) bool {
	for _, r := range refs {
		if r == e.class || r == "primitive" && e.prim != nil {
			return true
		}
	}
	return false
}

// classes says in words what a name may be: a process, a lock or an event.
func classes(refs []string) string {
	var out []string
	for _, r := range refs {
		out = append(out, article(r))
	}
	if len(out) < 2 {
		return strings.Join(out, "")
	}
	return strings.Join(out[:len(out)-1], ", ") + " or " + out[len(out)-1]
}

func (ld *loader) namesOf(refs []string) []string {
	var out []string
	for n, e := range ld.names {
		if accepts(refs, e) {
			out = append(out, n)
		}
	}
	return out
}

func (ld *loader) suggestName(name string, refs []string) string {
	return diag.Suggest(name, ld.namesOf(refs))
}

// unknownName reports a name that is not declared, with the nearest that fits.
func (ld *loader) unknownName(span source.Span, name string, refs []string) {
	detail := ""
	have := ld.namesOf(refs)
	if len(have) == 0 {
		detail = "The scenario declares no " + strings.Join(refs, " and no ") + "."
	}
	ld.add(codeName, span, "nothing is called \""+name+"\"", detail, diag.Suggest(name, have))
}

func (ld *loader) variableName(key *ydoc.Node) bool {
	if !ld.goodName(key) {
		return false
	}
	if e, clash := ld.names[key.Value]; clash && e.class != "" {
		ld.add(codeDuplicate, key.Span, "the variable \""+key.Value+"\" would hide "+e.what()+" of that name", "Choose another name.", "", ld.declaredHere(e.span, "declared here"))
		return false
	}
	return true
}
