//go:build linux

package sandbox

import (
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// Spaces is a set of namespaces, in the kernel's numbers.
type Spaces uintptr

// The namespaces that a program can have of its own.
const (
	User    Spaces = unix.CLONE_NEWUSER
	PID     Spaces = unix.CLONE_NEWPID
	IPC     Spaces = unix.CLONE_NEWIPC
	Mount   Spaces = unix.CLONE_NEWNS
	Network Spaces = unix.CLONE_NEWNET
)

// spaceNames are in the order in which people name them.
var spaceNames = []struct {
	s    Spaces
	name string
}{{User, "user"}, {PID, "PID"}, {IPC, "IPC"}, {Mount, "mount"}, {Network, "network"}}

// Has reports whether all of x are in s.
func (s Spaces) Has(x Spaces) bool { return s&x == x }

// String lists them: "PID, IPC and mount"; of none it says "no".
func (s Spaces) String() string {
	var names []string
	for _, n := range spaceNames {
		if s.Has(n.s) {
			names = append(names, n.name)
		}
	}
	return listed(names)
}

// listed joins words as a sentence does.
func listed(words []string) string {
	switch n := len(words); n {
	case 0:
		return "no"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

// innerCaps are what the first process of a new user namespace needs to set up
// its mounts and its network, and to take capabilities away from others.
var innerCaps = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_NET_ADMIN, unix.CAP_SETPCAP}

// Enclose has a process start in namespaces of its own. A user namespace keeps
// its number for this user and no other, so that files and checks look as they
// do outside. The process has the capabilities it needs to go on with Furnish.
func (s Spaces) Enclose(start *proc.Start) {
	start.Cloneflags |= uintptr(s)
	if s.Has(User) {
		uid, gid := os.Getuid(), os.Getgid()
		start.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		start.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		if uid != 0 {
			start.AmbientCaps = innerCaps
		}
	}
	if s.Has(PID) {
		start.Pdeathsig = unix.SIGKILL
	}
}

// capable reports whether this process has a capability in its user namespace.
func capable(c int) bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&hdr, &data[0]) != nil {
		return false
	}
	return data[c/32].Effective&(1<<(c%32)) != 0
}
