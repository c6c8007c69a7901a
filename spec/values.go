package spec

import (
	"fmt"
	"regexp"
	"strings"

	"ipcrun/spec/cond"
	"ipcrun/spec/decl"
	"ipcrun/spec/diag"
	"ipcrun/spec/ydoc"
)

// shape reports a value of the wrong kind.
func (ld *loader) shape(n *ydoc.Node, key, want string) {
	if n.Bad {
		return
	}
	got, hint := n.Kind.String(), ""
	if n.Kind == ydoc.Scalar {
		got, hint = "\""+shorten(n.Value)+"\"", missedColon(n)
	}
	ld.add(codeShape, n.Span, fmt.Sprintf("%s: takes %s, not %s", key, want, got), "", hint)
}

// missedColon is a hint for text that was meant as "key: value".
func missedColon(n *ydoc.Node) string {
	if n.Quoted || strings.ContainsAny(n.Value, "\n ") {
		return ""
	}
	if key, _, ok := strings.Cut(n.Value, "："); ok && key != "" {
		return wideColon
	}
	if key, value, ok := strings.Cut(n.Value, ":"); ok && key != "" && value != "" {
		return "a space is missing after the colon"
	}
	return ""
}

func shorten(s string) string {
	s, _, more := strings.Cut(s, "\n")
	if r := []rune(s); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	if more {
		return s + "…"
	}
	return s
}

// describe says what a value is, for a message.
func describe(v any) string {
	switch x := v.(type) {
	case string:
		return "\"" + shorten(x) + "\" (text)"
	case nil, []any, map[string]any:
		return typeName(v)
	}
	return cond.Text(v)
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
	if key != "about" && evaluates(n.Value) {
		ld.warn(codeStatic, n.Span, key+": is fixed text, and ${…} in it is not evaluated", "It is shown as it stands here.", "")
	}
	return n.Value, true
}

// evaluates reports whether a text holds a ${…} that is not escaped.
func evaluates(s string) bool {
	return strings.Contains(strings.ReplaceAll(s, "$${", ""), "${")
}

// surprise reports a plain scalar that different readers of YAML take for
// different things.
func (ld *loader) surprise(n *ydoc.Node, prefix string) bool {
	s := n.Surprise()
	if s == "" {
		return false
	}
	code := codeShape
	if n.Tag == "!!int" || n.Tag == "!!float" {
		code = ydoc.CodeNumber
	}
	ld.add(code, n.Span, prefix+s, "", "")
	return true
}

// value reads what stands for a field. Nil: it was reported.
func (ld *loader) value(n *ydoc.Node, f *decl.Field, c *context) *Value {
	switch {
	case n.Bad:
		return nil
	case f.Shape == decl.Cond:
		return ld.condition(n, f, c, cond.WantBool)
	case f.Shape == decl.Expr:
		return ld.condition(n, f, c, cond.WantAny)
	case n.Kind == ydoc.Scalar && cond.IsTemplate(n.Value) && Templated(f):
		return ld.fitting(n, f, c)
	case n.Kind == ydoc.Scalar && evaluates(n.Value):
		ld.notEvaluated(n, f)
		return nil
	case numeric(f.Shape) && (n.Tag == "!!int" || n.Tag == "!!float") && ld.surprise(n, ""):
		return nil
	}
	switch f.Shape {
	case decl.Any:
		return ld.data(n, f, c)
	case decl.List:
		if n.Kind == ydoc.Seq {
			return ld.data(n, f, c)
		}
		ld.shape(n, f.Name, takes(f))
	case decl.Map:
		if n.Kind == ydoc.Map {
			return ld.data(n, f, c)
		}
		ld.shape(n, f.Name, takes(f))
	case decl.Bool:
		return ld.boolean(n, f)
	case decl.Int, decl.Float, decl.Points:
		return ld.number(n, f)
	case decl.Count:
		return ld.times(n, f)
	case decl.String, decl.Text:
		return ld.word(n, f, codeShape, f.Enum)
	case decl.Duration:
		return ld.duration(n, f)
	case decl.Signal:
		if s, ok := ld.signal(n, f.Name); ok {
			return &Value{Span: n.Span, Lit: s}
		}
	case decl.Signals:
		return ld.signals(n, f)
	case decl.Error:
		return ld.word(n, f, codeError, ld.voc.ErrorNames())
	case decl.Ident:
		return ld.ident(n, f)
	case decl.Ref, decl.Refs:
		return ld.refs(n, f, c)
	case decl.Vars:
		return ld.vars(n, f, c)
	case decl.Key:
		return ld.word(n, f, codeKeyName, ld.voc.Keys)
	case decl.Pattern:
		return ld.pattern(n, f, false)
	case decl.CType:
		return ld.ctype(n, f)
	case decl.Size:
		return ld.size(n, f)
	default:
		panic(fmt.Sprintf("spec: shape %d of %s is not decoded here", f.Shape, f.Name))
	}
	return nil
}

// takes says in words what a field takes.
func takes(f *decl.Field) string {
	switch f.Shape {
	case decl.Bool:
		return "true or false"
	case decl.Int:
		return "a whole number"
	case decl.Float, decl.Points:
		return "a number"
	case decl.Count:
		return "a whole number, or forever"
	case decl.Duration:
		return "a duration with a unit, as 500ms or 2s"
	case decl.List:
		return "a list, as [1, 2, 3]"
	case decl.Map:
		return "a mapping"
	case decl.Signal, decl.Signals:
		return "a signal, as SIGUSR1"
	case decl.Error:
		return "the name of an error, as Timeout"
	case decl.Ident:
		return "a name"
	case decl.Ref, decl.Refs:
		return "the name of " + classes(f.Refs)
	case decl.Vars:
		return "names with values, as {left: 3}"
	case decl.Key:
		return "a key, as ctrl-c"
	case decl.Pattern:
		return "text, {regex: …}, {any: […]} or {all: […]}"
	case decl.CType:
		return "a C type, as i or double"
	case decl.Size:
		return "a size, as 64KiB or 100MB"
	case decl.Command:
		return "a list of arguments, as [python3, driver.py], or one line for the shell"
	case decl.Texts:
		return "a list of texts, as [one, two]"
	case decl.Matching:
		return "text, or a mapping with argv, order and when"
	case decl.Fields, decl.TextMap:
		return "a mapping"
	case decl.Records:
		return "a list of mappings"
	case decl.String, decl.Text:
		return "text"
	}
	return "a value"
}

func (ld *loader) condition(n *ydoc.Node, f *decl.Field, c *context, want cond.Want) *Value {
	if e := ld.expression(n, f.Name, c, want); e != nil {
		return &Value{Span: n.Span, Form: IsExpr, Expr: e}
	}
	return nil
}

// word reads text that is one of a list, or any text if the list is empty.
func (ld *loader) word(n *ydoc.Node, f *decl.Field, code string, list []string) *Value {
	if n.Kind != ydoc.Scalar {
		ld.shape(n, f.Name, takes(f))
		return nil
	}
	if len(list) == 0 || contains(list, n.Value) {
		return &Value{Span: n.Span, Lit: n.Value}
	}
	said := "\"" + shorten(n.Value) + "\""
	hint := diag.Suggest(n.Value, list)
	if caret, ok := strings.CutPrefix(n.Value, "^"); ok && contains(list, "ctrl-"+strings.ToLower(caret)) {
		hint = "write ctrl-" + strings.ToLower(caret)
	}
	switch f.Shape {
	case decl.Error:
		ld.add(code, n.Span, "no error is called "+said, "", hint)
	case decl.Key:
		ld.add(code, n.Span, "no key is called "+said, "Keys are written as ctrl-c, ctrl-\\, enter, esc, up.", hint)
	default:
		ld.add(code, n.Span, f.Name+": does not know "+said, "", hint)
	}
	return nil
}

// ident reads the name of a variable or of a step in the background.
func (ld *loader) ident(n *ydoc.Node, f *decl.Field) *Value {
	if n.Kind != ydoc.Scalar {
		ld.shape(n, f.Name, takes(f))
		return nil
	}
	// await: only repeats a name, and says itself if there is none.
	if f.Name != "await" && !ld.newName(n) {
		return nil
	}
	return &Value{Span: n.Span, Lit: n.Value}
}

// newName checks the name of a variable or of a step in the background.
func (ld *loader) newName(key *ydoc.Node) bool {
	if !ld.goodName(key) {
		return false
	}
	if e := ld.names[key.Value]; e != nil && e.class != "" {
		ld.add(codeDuplicate, key.Span, "\""+key.Value+"\" would hide "+e.what()+" of that name", "Choose another name.", "", ld.declaredHere(e.span, "declared here"))
		return false
	}
	return true
}

func (ld *loader) vars(n *ydoc.Node, f *decl.Field, c *context) *Value {
	if n.Kind != ydoc.Map {
		ld.shape(n, f.Name, takes(f))
		return nil
	}
	if len(n.Pairs) == 0 {
		ld.add(codeEmpty, n.Span, f.Name+": there is nothing in it", "Write names with values, as {left: 3}.", "")
		return nil
	}
	v := &Value{Span: n.Span, Form: IsMap, Map: map[string]*Value{}}
	for _, p := range n.Pairs {
		ok := ld.newName(p.Key)
		if x := ld.data(p.Value, f, c); x != nil && ok {
			v.Map[p.Key.Value] = x
		}
	}
	return v
}

func (ld *loader) ctype(n *ydoc.Node, f *decl.Field) *Value {
	if n.Kind != ydoc.Scalar {
		ld.shape(n, f.Name, takes(f))
		return nil
	}
	if err := decl.CheckCType(n.Value); err != nil {
		ld.add(codeCType, n.Span, "\""+shorten(n.Value)+"\" is no C type", upperFirst(err.Error())+".", didYouMean(n.Value, f.Enum))
		return nil
	}
	return &Value{Span: n.Span, Lit: n.Value}
}

// data reads any YAML data; ${…} inside its strings is evaluated.
func (ld *loader) data(n *ydoc.Node, f *decl.Field, c *context) *Value {
	v := &Value{Span: n.Span}
	ok := true
	switch n.Kind {
	case ydoc.Scalar:
		if n.Bad {
			return nil
		}
		if cond.IsTemplate(n.Value) {
			t, _ := ld.template(n, c)
			return t
		}
		if ld.surprise(n, "") {
			return nil
		}
		x, err := n.Data()
		if err != nil {
			ld.badData(n, f.Name, err)
			return nil
		}
		ld.unevaluated(n, c)
		v.Lit = x
	case ydoc.Seq:
		v.Form = IsList
		for _, i := range n.Items {
			e := ld.data(i, f, c)
			v.List = append(v.List, e)
			ok = ok && e != nil
		}
	case ydoc.Map:
		v.Form, v.Map = IsMap, map[string]*Value{}
		for _, p := range n.Pairs {
			e := ld.data(p.Value, f, c)
			v.Map[p.Key.Value] = e
			ok = ok && e != nil
		}
	}
	if !ok {
		return nil
	}
	return v
}

// pattern reads what expect looks for: text, {regex: …}, or several of these
// below any: or all:.
func (ld *loader) pattern(n *ydoc.Node, f *decl.Field, inner bool) *Value {
	switch n.Kind {
	case ydoc.Scalar:
		if n.Value == "" {
			ld.add(codeEmpty, n.Span, f.Name+": the empty text is found in any output", "It would check nothing.", "")
			return nil
		}
		if f.Name == "expect" && strings.Contains(n.Value, "\n") {
			ld.add(codeShape, n.Span, f.Name+": no line holds a line break", `It is looked for in each line by itself, without the line feed that ends it. For several lines write an expect for each; {all: […]} takes them in any order.`, "")
			return nil
		}
		return &Value{Span: n.Span, Lit: n.Value}
	case ydoc.Map:
		return ld.patternMap(n, f, inner)
	}
	ld.shape(n, f.Name, takes(f))
	return nil
}

// patternWords are the keys of a pattern that is a mapping.
var patternWords = []string{"regex", "any", "all"}

func (ld *loader) patternMap(n *ydoc.Node, f *decl.Field, inner bool) *Value {
	known := patternWords
	if inner {
		known = known[:1]
	}
	ld.unknownKeys(n, known, f.Name+":")
	var given []*ydoc.Pair
	for _, k := range known {
		if p := n.Pair(k); p != nil {
			given = append(given, p)
		}
	}
	switch {
	case len(given) > 1:
		ld.add(codeContradict, given[1].Key.Span, f.Name+": has "+given[0].Key.Value+": and "+given[1].Key.Value+":", "One of them says what to look for.", "")
		return nil
	case len(given) == 0:
		if len(n.Pairs) == 0 || ld.absent(n, "regex", known) && ld.absent(n, "any", known) && ld.absent(n, "all", known) {
			ld.shape(n, f.Name, takes(f))
		}
		return nil
	case given[0].Key.Value == "regex":
		return ld.regex(n, given[0].Value)
	}
	key, list := given[0].Key.Value, given[0].Value
	if list.Kind != ydoc.Seq {
		ld.shape(list, key, "a list of texts or {regex: …}")
		return nil
	}
	if len(list.Items) < 2 {
		ld.add(codeEmpty, list.Span, key+": takes at least two", "One text needs no list.", "")
		return nil
	}
	out := &Value{Span: list.Span, Form: IsList}
	for _, i := range list.Items {
		if v := ld.pattern(i, f, true); v != nil {
			out.List = append(out.List, v)
		}
	}
	if len(out.List) < len(list.Items) {
		return nil
	}
	return &Value{Span: n.Span, Form: IsMap, Map: map[string]*Value{key: out}}
}

func (ld *loader) regex(n, r *ydoc.Node) *Value {
	if r.Kind != ydoc.Scalar {
		ld.shape(r, "regex", "a regular expression")
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
	return &Value{Span: n.Span, Form: IsMap, Map: map[string]*Value{"regex": {Span: r.Span, Lit: r.Value}}}
}
