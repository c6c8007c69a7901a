// Package report turns finished runs into text for people: the line of a
// scenario that passed, the block of one that did not, the timeline, the
// summary.
//
// Everything here is a pure function of the source file and the event log. The
// package knows how a log reads, where a step stands in its file and how wide
// a Chinese character is. It must never know how anything runs, and never
// decide whether a scenario passed: that is event.Judge's.
package report
