package cond

import (
	"sort"

	"ipcrun/spec/decl"
)

type kind uint8

const (
	anyKind kind = iota
	nilKind
	boolKind
	intKind
	floatKind
	stringKind
	listKind
	mapKind
	objectKind
)

// Type is the static type of a name or of an expression. The zero Type is
// AnyType: nothing is known before the expression runs. Types are immutable
// and may be shared.
type Type struct {
	kind    kind
	seconds bool // a float that is a time span; shown with its unit
	elem    *Type
	fields  map[string]Type
	name    string   // what an object is, such as "event"
	signal  bool     // text that is the name of a signal
	enum    []string // the only texts there are, if they are few
}

// Of returns the type of a value of the given shape. elem matters for lists
// only; None there means elements of unknown type. Shapes that are text in an
// expression (Signal, Ident, Ref, …) become strings, Duration becomes a float
// in seconds, and a shape that says nothing about its value becomes AnyType.
func Of(s decl.Shape, elem decl.Shape) Type {
	switch s {
	case decl.Bool:
		return Type{kind: boolKind}
	case decl.Int:
		return Type{kind: intKind}
	case decl.Float, decl.Points:
		return Type{kind: floatKind}
	case decl.Duration:
		return Type{kind: floatKind, seconds: true}
	case decl.Signal:
		return Type{kind: stringKind, signal: true}
	case decl.String, decl.Text, decl.Error, decl.Ident, decl.Ref, decl.Key, decl.CType:
		return Type{kind: stringKind}
	case decl.Signals:
		return ListOf(Of(decl.Signal, decl.None))
	case decl.Refs:
		return ListOf(Type{kind: stringKind})
	case decl.List:
		return ListOf(Of(elem, decl.None))
	case decl.Map, decl.Vars:
		return Type{kind: mapKind}
	}
	return Type{}
}

// Object is a closed set of fields: asking for any other is an error when the
// expression is compiled. The map is kept and must not change afterwards.
func Object(fields map[string]Type) Type {
	return Type{kind: objectKind, fields: fields}
}

// ListOf is a list whose elements all have the given type.
func ListOf(elem Type) Type {
	return Type{kind: listKind, elem: &elem}
}

// AnyType is the type of a value about which nothing is known.
func AnyType() Type { return Type{} }

// Named returns t with a word for what it is, such as "event" or "process",
// to be used in messages: "event ready has: set, waiters".
func (t Type) Named(what string) Type {
	t.name = what
	return t
}

// OneOf returns t, the type of a text, with the only texts there are.
func (t Type) OneOf(texts []string) Type {
	t.enum = texts
	return t
}

// Shape is the decl.Shape that comes nearest to t. Any means unknown.
func (t Type) Shape() decl.Shape {
	switch t.kind {
	case boolKind:
		return decl.Bool
	case intKind:
		return decl.Int
	case floatKind:
		return decl.Float
	case stringKind:
		return decl.String
	case listKind:
		return decl.List
	case mapKind, objectKind:
		return decl.Map
	}
	return decl.Any
}

// String describes t as messages do: "a whole number", "text", "an event".
func (t Type) String() string {
	if t.name != "" {
		return decl.Article(t.name)
	}
	switch t.kind {
	case nilKind:
		return "nil"
	case boolKind:
		return "true or false"
	case intKind:
		return "a whole number"
	case floatKind:
		if t.seconds {
			return "a number of seconds"
		}
		return "a number"
	case stringKind:
		return "text"
	case listKind:
		return "a list"
	case mapKind:
		return "a map"
	case objectKind:
		return "a group of facts"
	}
	return "a value of unknown type"
}

func (t Type) number() bool { return t.kind == intKind || t.kind == floatKind }

// maybe reports whether a value of t may turn out to be of kind k.
func (t Type) maybe(k kind) bool { return t.kind == k || t.kind == anyKind }

func (t Type) maybeNumber() bool { return t.number() || t.kind == anyKind }

// element is the type of an element of t, if t is a list.
func (t Type) element() Type {
	if t.kind == listKind && t.elem != nil {
		return *t.elem
	}
	return Type{}
}

func (t Type) fieldNames() []string {
	names := make([]string, 0, len(t.fields))
	for n := range t.fields {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// join is the type of a value that is of type a or of type b.
func join(a, b Type) Type {
	switch {
	case a.kind == nilKind:
		return b
	case b.kind == nilKind:
		return a
	case a.kind != b.kind:
		return Type{}
	case a.kind == listKind:
		return ListOf(join(a.element(), b.element()))
	case a.kind == objectKind:
		return Type{}
	}
	a.seconds = a.seconds && b.seconds
	a.signal = a.signal && b.signal
	a.enum = nil
	return a
}

// comparable reports whether == between the two can ever be true.
func comparable(a, b Type) bool {
	switch {
	case a.kind == anyKind, b.kind == anyKind, a.kind == nilKind, b.kind == nilKind:
		return true
	case a.number():
		return b.number()
	case a.kind == listKind:
		return b.kind == listKind && comparable(a.element(), b.element())
	case a.kind == mapKind, a.kind == objectKind:
		return b.kind == mapKind || b.kind == objectKind
	}
	return a.kind == b.kind
}
