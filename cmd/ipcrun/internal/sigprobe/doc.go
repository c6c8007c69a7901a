// Package sigprobe asks the running kernel which signals there are and which
// of them a process can handle and block. It changes nothing that outlives a
// call: an action is replaced by itself, a mask is that of a thread which puts
// it back.
//
// It knows numbers and system calls; it must never know names, meanings or
// what a scenario makes of a signal.
//
//	s := sigprobe.Ask(9) // there, but it can be neither handled nor blocked
package sigprobe
