// Package prims holds the primitives that processes share, one file family
// each: what it is (a descriptor), its real form over shared memory and the
// kernel, and its model for property tests.
//
// A primitive registers itself in its own file. From the descriptor alone
// follow its decoding, its verbs, its typed names in conditions, the schema,
// the help, the reference page and how its events are shown: adding one changes
// no other code (docs/internals.md says what the tests ask for beside it).
//
// The package knows shared memory and descriptors; it must never know YAML,
// expressions, or the engine.
package prims
