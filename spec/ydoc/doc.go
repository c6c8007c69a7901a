// Package ydoc reads a YAML file into nodes that know where in the file they
// came from, and says in plain words what is wrong with the YAML itself. It
// is the only importer of gopkg.in/yaml.v3, a library that is no longer
// maintained: changing to its maintained fork is a change of one import.
//
//	var l diag.List
//	root := ydoc.Parse(source.New(name, data), &l)
//	if root != nil {
//		steps := root.Get("steps") // nil if there are none
//	}
//
// What YAML would accept silently and bend is refused here: duplicate keys,
// merge keys, tags, cyclic or exploding aliases, more than one document. What
// YAML refuses is positioned at the character that is to blame.
//
// It knows YAML. It must never know what a scenario is.
package ydoc
