package cond

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"

	"ipcrun/spec/decl"
)

func (c *typer) builtin(n *ast.BuiltinNode) Type {
	name := n.Location()
	b, ok := builtinCalled(n.Name)
	if !ok {
		for _, a := range n.Arguments {
			if _, predicate := a.(*ast.PredicateNode); !predicate {
				c.check(a)
			}
		}
		c.failAt(name.From, name.To, Instead(n.Name), "%s is not available in conditions", n.Name)
		return Type{}
	}
	least, most, letters := b.arity()
	if len(n.Arguments) < least || most >= 0 && len(n.Arguments) > most {
		for _, a := range n.Arguments {
			c.check(a)
		}
		return c.fail(n, "", "%s takes %s, not %d", n.Name, arguments(least, most), len(n.Arguments))
	}
	args := make([]Type, len(n.Arguments))
	for i, a := range n.Arguments {
		letter := letters[min(i, len(letters)-1)]
		if p, ok := a.(*ast.PredicateNode); ok {
			args[i] = c.predicate(n, p, args[0])
			continue
		}
		args[i] = c.check(a)
		if ok, wants := takes(letter, args[i]); !ok {
			hint := ""
			switch {
			case args[i].kind != objectKind:
			case letter == 'l':
				hint = "it works on a list, such as all of what name[n] declares"
			case letter == 'c':
				hint = compareHint(c.tree.quote(a), args[i])
			}
			c.fail(a, hint, "%s wants %s here, but %s is %s", n.Name, wants, c.tree.quote(a), args[i])
			args[i] = Type{}
		}
	}
	return b.result(args)
}

func (c *typer) predicate(n *ast.BuiltinNode, p *ast.PredicateNode, over Type) Type {
	if len(c.elements) == maxPredicates {
		return c.fail(n, "split the condition in two", "%s is nested too deeply: at most %d levels of all(…), any(…), map(…) and their like", n.Name, maxPredicates)
	}
	c.elements = append(c.elements, over.element())
	t := c.check(p.Node)
	c.elements = c.elements[:len(c.elements)-1]
	if n.Name == "sum" && !t.maybeNumber() {
		hint := ""
		if t.kind == listKind || t.kind == stringKind {
			hint = "to add up lengths, write len(" + c.tree.quote(p) + ")"
		}
		return c.fail(p, hint, "sum adds up numbers, but %s is %s", c.tree.quote(p), t)
	}
	if b, _ := builtinCalled(n.Name); b.tests() && !t.maybe(boolKind) {
		c.fail(p, compareHint(c.tree.quote(p), t), "%s asks something true or false of each element, but %s is %s", n.Name, c.tree.quote(p), t)
	}
	return t
}

func arguments(least, most int) string {
	switch {
	case most < 0:
		return fmt.Sprintf("at least %s", count(least))
	case least == most:
		return count(least)
	}
	return fmt.Sprintf("%d to %d arguments", least, most)
}

func count(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return strconv.Itoa(n) + " arguments"
}

func (c *typer) call(n *ast.CallNode) Type {
	id, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return c.method(n)
	}
	fs := c.scope.overloads(id.Value)
	if len(fs) == 0 {
		c.arguments(n)
		c.noFunction(id)
		return Type{}
	}
	f, ok := pick(fs, len(n.Arguments))
	if !ok {
		c.arguments(n)
		return c.fail(n, "as in "+signatures(fs), "%s takes %s, not %d", id.Value, arities(fs), len(n.Arguments))
	}
	for i, a := range n.Arguments {
		c.argument(f.Decl, f.Decl.Params[i], a)
	}
	if id.Value == durationName {
		c.duration(n.Arguments[0])
	}
	return Of(f.Decl.Result, f.Decl.Elem)
}

func (c *typer) arguments(n *ast.CallNode) {
	for _, a := range n.Arguments {
		c.check(a)
	}
}

func (c *typer) argument(f decl.Func, p decl.Param, a ast.Node) {
	if p.Class != "" {
		if _, ok := a.(*ast.StringNode); ok {
			return
		}
		hint := ""
		if id, ok := a.(*ast.IdentifierNode); ok {
			hint = fmt.Sprintf("put it in quotes: %q", id.Value)
		}
		c.fail(a, hint, "%s wants the name of %s in quotes as its argument %s", f.Name, decl.Article(p.Class), p.Name)
		return
	}
	t := c.check(a)
	want := Of(p.Shape, decl.None)
	if t.kind == nilKind || comparable(t, want) && !(want.kind == intKind && t.kind == floatKind) {
		return
	}
	c.fail(a, "", "%s wants %s as its argument %s, but %s is %s", f.Name, want, p.Name, c.tree.quote(a), t)
}

// method reports x.f(…): values are frozen facts and have none.
func (c *typer) method(n *ast.CallNode) Type {
	c.arguments(n)
	m, ok := n.Callee.(*ast.MemberNode)
	if !ok {
		return c.fail(n, "", "%s cannot be called", c.tree.quote(n.Callee))
	}
	field, ok := m.Property.(*ast.StringNode)
	if !ok {
		return c.fail(n, "", "%s cannot be called", c.tree.quote(m))
	}
	base := c.check(m.Node)
	of := c.tree.quote(m.Node)
	_, isField := base.fields[field.Value]
	b, isBuiltin := builtinCalled(field.Value)
	switch {
	case isField:
		return c.fail(n, "leave out the parentheses: "+of+"."+field.Value, "%s.%s is a fact, not a function", of, field.Value)
	case isBuiltin || len(c.scope.overloads(field.Value)) > 0:
		args := of + ", …"
		if isBuiltin {
			if least, _, _ := b.arity(); least == 1 {
				args = of
			}
		}
		return c.fail(n, fmt.Sprintf("write %s(%s)", field.Value, args), "%s is a function and does not follow a dot", field.Value)
	case base.kind == objectKind:
		c.field(m, base, field)
		return Type{}
	}
	return c.fail(n, c.methodHint(n, of, base, field.Value), "%s has no function %q", of, field.Value)
}

// methodHint says how what other languages write as a method of of is written here.
func (c *typer) methodHint(n *ast.CallNode, of string, base Type, method string) string {
	operator := ""
	switch method {
	case "strip":
		return "write trim(" + of + ")"
	case "length", "size":
		return "write len(" + of + ")"
	case "contains", "includes":
		operator = "contains"
	case "startsWith", "startswith":
		operator = "startsWith"
	case "endsWith", "endswith":
		operator = "endsWith"
	case "matches", "match":
		operator = "matches"
	}
	switch {
	case operator == "" || len(n.Arguments) != 1:
		return ""
	case operator == "contains" && base.kind == listKind:
		return "write " + c.tree.quote(n.Arguments[0]) + " in " + of
	}
	return "write " + of + " " + operator + " " + c.tree.quote(n.Arguments[0])
}

func (c *typer) noFunction(id *ast.IdentifierNode) {
	loc := id.Location()
	if hint := Instead(id.Value); hint != "" {
		c.failAt(loc.From, loc.To, hint, "%s is not available in conditions", id.Value)
		return
	}
	if c.knows(id.Value) {
		c.failAt(loc.From, loc.To, "leave out the parentheses", "%s is not a function", id.Value)
		return
	}
	hint := c.scope.why(id.Value)
	if hint == "" {
		if s := c.scope.suggest(id.Value, c.scope.funcNames()); s != "" {
			hint = "did you mean " + s + "?"
		}
	}
	c.failAt(loc.From, loc.To, hint, "unknown function %q", id.Value)
}

func pick(fs []Func, args int) (Func, bool) {
	for _, f := range fs {
		if len(f.Decl.Params) == args {
			return f, true
		}
	}
	return Func{}, false
}

func arities(fs []Func) string {
	var ns []int
	for _, f := range fs {
		ns = append(ns, len(f.Decl.Params))
	}
	sort.Ints(ns)
	if len(ns) == 1 {
		return count(ns[0])
	}
	words := make([]string, len(ns))
	for i, n := range ns {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1] + " arguments"
}

func signatures(fs []Func) string {
	var out []string
	for _, f := range fs {
		var ps []string
		for _, p := range f.Decl.Params {
			ps = append(ps, p.Name)
		}
		out = append(out, f.Decl.Name+"("+strings.Join(ps, ", ")+")")
	}
	return strings.Join(out, " or ")
}
