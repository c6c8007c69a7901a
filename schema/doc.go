// Package schema describes scenario files as JSON Schema (draft 2020-12), for
// editors that complete, explain and check while one types. It is made of the
// vocabulary alone, so whatever a scenario can say is in it.
//
// A schema sees the shape of a file: keys, kinds of values, words from a fixed
// list. Names, expressions and what steps mean to one another are beyond it;
// those the loader checks.
//
// It knows the fields of spec and the descriptors of decl; it must never know
// an engine, and nothing of the binary depends on how it is written.
//
//	data, err := schema.JSON()
package schema
