// Package sandbox keeps programs that somebody else wrote in their box, and
// says what the box is made of on this machine.
//
// It knows namespaces, landlock, seccomp, limits and the process file system;
// it must never know scenarios or verdicts.
//
//	m := sandbox.Probe()           // what the kernel allows here
//	m.Spaces                       // the namespaces that a program can have
//	for _, f := range m.Findings { // the same in words
//		fmt.Println(f.Name, f.Allowed, f.Reason)
//	}
//
// Some of its functions must run in a process of their own. Such a process is
// this binary again, told by what its argument vector begins with; the init of
// this package takes it over before anything above it is initialised.
package sandbox
