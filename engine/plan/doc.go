// Package plan turns a loaded scenario into what runs: programs for its
// processes and its script, numbers for its primitives, slots for its
// processes, descriptors for what they share. It resolves names and decides
// nothing else; it has no side effects and needs no kernel, so explaining a
// scenario begins here too.
//
// It knows scenarios and programs; it must never know processes.
package plan
