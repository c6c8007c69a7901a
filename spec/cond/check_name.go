package cond

import (
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"

	"ipcrun/spec/decl"
)

// elsewhere is what a word of other languages is called here, "" where it is none.
func elsewhere(word string) string {
	switch word {
	case "True", "TRUE", "False", "FALSE", "AND", "OR", "NOT", "IN":
		return strings.ToLower(word)
	case "None", "null", "NULL", "nullptr", "undefined":
		return "nil"
	}
	return ""
}

// narrow is a word with ASCII in the place of full-width letters and digits.
func narrow(word string) string {
	return strings.Map(func(r rune) rune {
		if r >= '！' && r <= '～' {
			return r - '！' + '!'
		}
		return r
	}, word)
}

func (c *typer) knows(name string) bool {
	for _, l := range c.locals {
		if l.name == name {
			return true
		}
	}
	_, ok := c.scope.Names[name]
	return ok
}

func (c *typer) name(n *ast.IdentifierNode) Type {
	for i := len(c.locals) - 1; i >= 0; i-- {
		if c.locals[i].name == n.Value {
			return c.locals[i].typ
		}
	}
	if t, ok := c.scope.Names[n.Value]; ok {
		return t
	}
	_, isBuiltin := builtinCalled(n.Value)
	if isBuiltin || len(c.scope.overloads(n.Value)) > 0 {
		return c.fail(n, "call it: "+n.Value+"(…)", "%s is a function", n.Value)
	}
	return c.fail(n, c.nameHint(n.Value), "unknown name %q", n.Value)
}

func (c *typer) nameHint(word string) string {
	if s := elsewhere(word); s != "" {
		return "write " + s
	}
	if ascii := narrow(word); ascii != word {
		return "these are full-width characters: write " + ascii
	}
	if bare := strings.TrimLeft(word, "$"); bare != word && (c.knows(bare) || bare == "") {
		return "names are written without $"
	}
	if hint := c.elementField(word); hint != "" {
		return hint
	}
	if why := c.scope.why(word); why != "" {
		return why
	}
	names := c.scope.names()
	for _, l := range c.locals {
		names = append(names, l.name)
	}
	if s := c.scope.suggest(word, names); s != "" {
		return "did you mean " + s + "?"
	}
	if s := c.scope.suggest(word, c.scope.funcNames()); s != "" {
		return "did you mean the function " + s + "(…)?"
	}
	if len(names) > 0 {
		return "known here: " + list(names)
	}
	return ""
}

// elementField is a hint if word is a field of the element that the predicate
// around is about.
func (c *typer) elementField(word string) string {
	if depth := len(c.elements); depth > 0 {
		if _, ok := c.elements[depth-1].fields[word]; ok {
			return "a field of the element is written with a dot: ." + word
		}
	}
	return ""
}

func (c *typer) member(n *ast.MemberNode) Type {
	base := c.check(n.Node)
	field, named := n.Property.(*ast.StringNode)
	if !named {
		return c.index(n, base, c.check(n.Property))
	}
	dotted := c.tree.extents().runes[n.Property.Location().From] != '"' && c.tree.extents().runes[n.Property.Location().From] != '\''
	switch base.kind {
	case anyKind, mapKind:
		return Type{}
	case objectKind:
		if t, ok := base.fields[field.Value]; ok {
			return t
		}
		c.field(n, base, field)
		return Type{}
	case listKind:
		of := c.tree.quote(n.Node)
		if _, ok := base.element().fields[field.Value]; ok && dotted {
			return c.fail(n, fmt.Sprintf("pick one, as in %s[0].%s, or ask them all, as in all(%s, .%s …)", of, field.Value, of, field.Value),
				"%s is a list and has no field %q itself", of, field.Value)
		}
		if field.Value == "length" || field.Value == "size" || field.Value == "len" {
			return c.fail(n, "write len("+of+")", "%s is a list and has no field %q", of, field.Value)
		}
		return c.fail(n, "an element is picked by its number, as in "+of+"[0]", "%s is a list and has no field %q", of, field.Value)
	}
	return c.fail(n, "", "%s is %s and has no field %q", c.tree.quote(n.Node), base, field.Value)
}

// field reports a field that an object does not have; only its name is to
// blame.
func (c *typer) field(n *ast.MemberNode, base Type, field *ast.StringNode) {
	of := c.tree.quote(n.Node)
	names := base.fieldNames()
	what := of
	switch _, plain := n.Node.(*ast.IdentifierNode); {
	case plain && base.name != "" && base.name != of:
		what = base.name + " " + of
	case base.name != "":
		what = decl.Article(base.name)
	case of == "." || of == "#":
		what = "the element"
	}
	hint := c.scope.why(of + "." + field.Value)
	if hint == "" {
		if s := c.scope.suggest(field.Value, names); s != "" {
			hint = "did you mean " + s + "?"
		} else if len(names) > 0 {
			hint = what + " has: " + list(names)
		}
	}
	loc := field.Location()
	c.failAt(loc.From, loc.To, hint, "%s has no field %q", what, field.Value)
}

func (c *typer) index(n *ast.MemberNode, base, by Type) Type {
	of := c.tree.quote(n.Node)
	switch base.kind {
	case anyKind:
		return Type{}
	case listKind:
		if !by.maybe(intKind) {
			c.fail(n.Property, "", "an element of a list is picked by a whole number, but %s is %s", c.tree.quote(n.Property), by)
		}
		return base.element()
	case mapKind, objectKind:
		if by.maybe(stringKind) {
			return Type{}
		}
		if base.kind == mapKind {
			return c.fail(n.Property, "", "an entry of a map is picked by text, but %s is %s", c.tree.quote(n.Property), by)
		}
		return c.fail(n, compareHint(of, base), "%s is not a list, so it has no [%s]", of, c.tree.quote(n.Property))
	case stringKind:
		i := c.tree.quote(n.Property)
		next := i + "+1"
		if lit, ok := n.Property.(*ast.IntegerNode); ok {
			next = fmt.Sprint(lit.Value + 1)
		}
		return c.fail(n, fmt.Sprintf("cut out a piece, as in %s[%s:%s]", of, i, next), "%s is text, and text has no elements", of)
	}
	return c.fail(n, "", "%s is %s and has no elements", of, base)
}
