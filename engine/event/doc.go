// Package event is the log of a run: what happened, in which process, when,
// and the verdict as a fold over it. Everything that is ever shown of a run (a
// line, a timeline, a report) is a pure function of the source file and this
// log, so reports are tested from recorded logs and can be made again later.
//
// It has two forms. A Rec is what a process writes into its ring: fixed-size,
// cheap, with numbers for names. An Event is what people and reports read:
// names, positions, one JSON line each.
//
// The package knows nothing of how anything runs and imports nothing of the
// project.
package event
