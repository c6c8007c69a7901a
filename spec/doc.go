// Package spec is a scenario as its author wrote it: what a file declares, what
// its steps say, and the rules that hold before anything runs. Load reads a
// file against a vocabulary and reports every mistake in it at once, each with
// its place, the reason and the nearest valid thing.
//
// It knows YAML nodes, expressions and the vocabulary; it must never know
// system calls or how anything runs.
package spec
