package cond

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/expr-lang/expr/ast"
	exprs "github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/checker/nature"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// program compiles a subtree for expr's machine. The machine needs a map of
// everything the subtree names, so all of these are looked up before it runs,
// whether it will need them or not.
//
// The environment is declared without types: with types the compiler emits
// instructions that panic when a value is nil or of a neighbouring type.
func (l *lowerer) program(n ast.Node) lowered {
	u := uses(n)
	copied, ours := l.forMachine(n)
	prog, err := l.assemble(copied, u, ours)
	if err != nil {
		if l.err == nil {
			l.err = err
		}
		return lowered{run: func(Env, *calls) value { panic(&failure{node: n, text: err.Error()}) }}
	}
	run := func(env Env, c *calls) value {
		m := make(map[string]any, len(u.names)+len(u.calls))
		for _, id := range u.names {
			m[id.Value] = plain(canonicalOnce(look(id, env, id.Value)))
		}
		for _, call := range u.calls {
			name := call.Callee.(*ast.IdentifierNode).Value
			m[name] = func(args ...any) (any, error) {
				if own, ok := ownFunc(name); ok {
					return own.Call(args...)
				}
				for i := range args {
					args[i] = canonical(args[i])
				}
				var out any
				f, ok := attempt(func() { out = canonical(invoke(call, env, c, name, args)) })
				if !ok {
					return nil, &callError{f}
				}
				return out, nil
			}
		}
		out, err := vm.Run(prog, m)
		if err != nil {
			panic(machineFailure(l.tree, n, err))
		}
		return valueOf(canonical(out))
	}
	if len(u.names) == 0 && len(u.calls) == 0 {
		return folded(run)
	}
	return lowered{run: run}
}

// canonicalOnce converts only what valueOf would convert too.
func canonicalOnce(x any) any {
	switch x.(type) {
	case nil, bool, int, float64, string, []any, map[string]any, Record:
		return x
	}
	return canonical(x)
}

// callError carries a failure of one of our functions through the machine.
type callError struct{ f *failure }

func (e *callError) Error() string { return e.f.text }

func (l *lowerer) assemble(n ast.Node, u *usage, ours map[string]machineFunc) (prog *vm.Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			prog, err = nil, fmt.Errorf("cannot be compiled: %v", r)
		}
	}()
	env := nature.FromType(reflect.TypeFor[map[string]any]())
	env.TypeData = &nature.TypeData{Fields: map[string]nature.Nature{}}
	functions := make(conf.FunctionsTable, len(ours))
	for name, f := range ours {
		functions[name] = &exprs.Function{Name: name, Func: f}
	}
	for _, id := range u.names {
		env.Fields[id.Value] = nature.Nature{}
	}
	for _, call := range u.calls {
		env.Fields[call.Callee.(*ast.IdentifierNode).Value] = nature.Nature{}
	}
	// Optimize stays off: see the package comment.
	config := &conf.Config{
		Env:          env,
		ShortCircuit: true,
		Functions:    functions,
		Builtins:     parseConfig().Builtins,
		Disabled:     parseConfig().Disabled,
	}
	t := &parser.Tree{Node: n, Source: l.tree.source}
	if _, err := checker.Check(t, config); err != nil {
		return nil, l.positioned(n, err)
	}
	prog, err = compiler.Compile(t, config)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n") // the rest is a stack trace
		return nil, l.positioned(n, errors.New(first))
	}
	return prog, nil
}

// positioned is an error of expr's own checker: those about the arguments of
// built-in functions that our checker leaves to it.
func (l *lowerer) positioned(n ast.Node, err error) error {
	e := &Error{Source: l.tree.src, Message: err.Error()}
	e.From, e.To = l.tree.span(n)
	var fe *file.Error
	if errors.As(err, &fe) {
		e.Message = fe.Message
	}
	return e
}

func machineFailure(t *tree, n ast.Node, err error) *failure {
	var ce *callError
	if errors.As(err, &ce) {
		return ce.f
	}
	var fe *file.Error
	if !errors.As(err, &fe) {
		return &failure{node: n, text: err.Error()}
	}
	text := fe.Message
	for _, r := range [][2]string{
		{"interface conversion: interface {} is nil, not bool", "nil is neither true nor false"},
		{"<nil>", "nil"}, {"map[string]interface {}", "a map"}, {"[]interface {}", "a list"}, {"interface {}", "value"},
	} {
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	if part := at(t, n, fe.From, fe.To); part != nil {
		n = part
	}
	return &failure{node: n, text: text, err: fe.Prev}
}

// at is the smallest part of n that expr locates at a range.
func at(t *tree, n ast.Node, from, to int) ast.Node {
	var found ast.Node
	width := 0
	walk(n, func(p ast.Node) {
		if loc := p.Location(); loc.From == from && loc.To == to {
			f, e := t.span(p)
			if found == nil || e-f < width {
				found, width = p, e-f
			}
		}
	})
	return found
}
