// Package script is the machine that steps through a compiled script: control
// flow, variables, expressions, expected errors and signal handlers are
// interpreted here, once. What a step does to the world (a lock is taken, a
// signal sent) it leaves to a World. An agent gives it a World of real
// primitives, the engine one that drives the top-level script.
//
// The package also holds the verbs of the language that are not operations of
// a primitive, one file each (step_kill.go, step_repeat.go…): a descriptor and
// either how it is lowered (control flow) or what it asks of the World.
//
// It must never know real processes; it reaches them through World.
package script
