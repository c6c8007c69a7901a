//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Finding is what this machine says to one question.
type Finding struct {
	Name      string // of what is asked for, as in "PID namespace"
	Allowed   bool
	Essential bool   // without it ipcrun cannot run anything
	Reason    string // one sentence: what was found, or why it is refused
	Follows   string // one sentence: what ipcrun does about it
}

// Machine is what this machine allows this user.
type Machine struct {
	Findings []Finding // in the order in which they are best read

	// Spaces are the namespaces that a program can be given, the user
	// namespace among them where the others need it. A PID namespace is only
	// here if /proc can be mounted in it: numbers there would not be those
	// that the program knows.
	Spaces Spaces
	// What can be done inside of them.
	PrivateShm, PrivateTmp, Mqueue, ReadOnly, OwnPids bool

	Landlock int  // version of the interface, 0 for none
	Filter   bool // a process may restrict its own system calls
	Root     bool // limits on the number of processes do not count for it
}

// Able reports whether ipcrun can run at all.
func (m *Machine) Able() bool {
	for _, f := range m.Findings {
		if f.Essential && !f.Allowed {
			return false
		}
	}
	return true
}

// Find is the finding of a name, or nil.
func (m *Machine) Find(name string) *Finding {
	for i := range m.Findings {
		if m.Findings[i].Name == name {
			return &m.Findings[i]
		}
	}
	return nil
}

func (m *Machine) add(f ...Finding) { m.Findings = append(m.Findings, f...) }

// Probe asks the kernel, by trying. It starts up to seven processes of its
// own, one after the other, each of which has two seconds; where everything
// is allowed it is two and takes some milliseconds. Nothing is left of it.
//
// More questions, which other packages answer, come before those about limits.
func Probe(more ...func() Finding) *Machine {
	m := &Machine{Root: os.Geteuid() == 0}
	m.probeEssentials()
	m.probeSpaces()
	m.probeLandlock()
	m.probeFilter()
	for _, f := range more {
		m.add(f())
	}
	m.probeCalls()
	m.probeIPC()
	m.probeLimits()
	return m
}

// Here is what Probe says of this machine, asked once.
var Here = sync.OnceValue(func() *Machine { return Probe() })

// because turns an error of the kernel's into the reason of a finding.
func because(what string, err error) string {
	return fmt.Sprintf("%s: %s.", what, sayErrno(err))
}

// sayErrno says an error of the kernel's in words.
func sayErrno(err error) string {
	switch errno := errnoOf(err); errno {
	case unix.EPERM:
		return "the kernel does not permit it (EPERM)"
	case unix.EACCES:
		return "access is denied (EACCES)"
	case unix.ENOSYS:
		return "the kernel does not know the call, or a filter hides it (ENOSYS)"
	case unix.EINVAL:
		return "the kernel was built without it (EINVAL)"
	case unix.ENOSPC, unix.EUSERS:
		return fmt.Sprintf("a limit on their number is reached (%s)", unix.ErrnoName(errno))
	case unix.EIO:
		return err.Error()
	default:
		return fmt.Sprintf("%v (%s)", errno, unix.ErrnoName(errno))
	}
}
