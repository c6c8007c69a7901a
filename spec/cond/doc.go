// Package cond is the expression language of scenarios: the text behind
// assert, when, if and while, and the ${…} inside strings. It compiles an
// expression against the names that are in scope, says what is wrong with it
// in words a student can act on, evaluates it, and explains a failure by the
// values of its parts.
//
// It knows expr-lang/expr, and is the only package that does. It must never
// know YAML, processes, or what a scenario is: names and their types come in
// through a Scope, values through an Env, suggestions through a function.
//
// How it works:
//
//  1. expr's parser turns the text into a tree (parse.go); its errors are put
//     into our words (syntax.go).
//  2. The tree is checked against the Scope by our own checker (check.go),
//     because expr's stops at the first error and blames operator tokens.
//  3. The tree is lowered to Go closures (lower.go). What they do not cover
//     (predicates, most built-in functions, let, slices, optional chains) runs
//     on expr's virtual machine, one program for each such subtree
//     (program.go). Neither form depends on the static types, so an agent that
//     compiles without a Scope computes exactly what the engine computes.
//
// Semantics are expr's, without its optimizer (whose rewriting of `x in [...]`
// fails when x is not of the list's type): / always yields a float, % wants
// integers, comparisons chain (1 < x < 5), == between different types is false.
// Some things differ: a name that has no value yet is an error and not nil, an
// integer that does not fit into 64 bits is one and does not wrap (numbers.go), maps
// are equal by the rule of their values, string() prints what ${…} prints, and text
// consists of characters wherever it is cut (characters.go). What the machine would
// do otherwise it leaves to functions of ours (machine.go).
//
//	sc := &cond.Scope{Names: map[string]cond.Type{
//		"jobs": cond.Object(map[string]cond.Type{"size": cond.Of(decl.Int, decl.None)}),
//	}}
//	e, problems := cond.Compile("jobs.size == 1", sc, cond.WantBool)
package cond
