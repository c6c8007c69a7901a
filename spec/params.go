package spec

import (
	"sort"

	"ipcrun/spec/cond"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
	"ipcrun/spec/ydoc"
)

// params reads the params of a scenario and puts those of the command line in
// their place.
func (ld *loader) params(n *ydoc.Node) {
	if n != nil && n.Kind != ydoc.Map {
		ld.shape(n, "params", "a mapping from names to values, as {rounds: 1000}")
		ld.incomplete = true
		return
	}
	if n != nil {
		for _, p := range n.Pairs {
			ld.param(p)
		}
	}
	ld.unknownParams(n)
}

func (ld *loader) param(p ydoc.Pair) {
	name := p.Key.Value
	if !ld.goodName(p.Key) || ld.surprise(p.Value, "param "+name+": ") {
		ld.enterBroken(name, p.Key.Span)
		return
	}
	v, err := p.Value.Data()
	if err != nil {
		ld.badData(p.Value, "param "+name, err)
		ld.enterBroken(name, p.Key.Span)
		return
	}
	if text, given := ld.opt.Params[name]; given {
		if over, ok := ld.override(p, text, v); ok {
			v = over
		}
	}
	ld.sc.Params[name] = v
	ld.enter(name, &entry{class: "param", span: p.Key.Span, param: v})
}

// unknownParams reports what the command line sets and the scenario lacks.
func (ld *loader) unknownParams(n *ydoc.Node) {
	var have, unknown []string
	if n != nil {
		for _, p := range n.Pairs {
			have = append(have, p.Key.Value)
		}
	}
	for name := range ld.opt.Params {
		if !contains(have, name) {
			unknown = append(unknown, name)
		}
	}
	sort.Strings(unknown)
	for _, name := range unknown {
		detail := ""
		if len(have) == 0 {
			detail = "This scenario declares no params."
		}
		ld.add(codeParam, source.Span{}, "--param "+name+": the scenario has no such param", detail, diag.Suggest(name, have))
	}
}

// override reads the text of --param as YAML and holds it against the type of
// the default.
func (ld *loader) override(p ydoc.Pair, text string, def any) (any, bool) {
	name := p.Key.Value
	if _, isText := def.(string); isText {
		return text, true
	}
	sub := &diag.List{}
	var v any = text
	if node := ydoc.Parse(source.New("--param "+name, []byte(text)), sub); node != nil && !sub.HasErrors() {
		if d, err := node.Data(); err == nil {
			v = d
		}
	}
	if typeName(v) == typeName(def) || def == nil {
		return v, true
	}
	if i, ok := v.(int); ok {
		if _, f := def.(float64); f {
			return float64(i), true
		}
	}
	ld.add(codeParam, p.Key.Span, "--param "+name+"="+text+" is "+typeName(v)+", the scenario's "+name+" is "+typeName(def),
		"The default here is "+cond.Text(def)+".", "")
	return nil, false
}

// typeName says what a value is.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case bool:
		return "true or false"
	case int:
		return "a whole number"
	case float64:
		return "a number"
	case string:
		return "text"
	case []any:
		return "a list"
	}
	return "a mapping"
}
