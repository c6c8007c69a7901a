//go:build linux

// Package refuse makes a process one to which the kernel refuses things, as a
// container or a careful administrator would. It is for tests: what ipcrun
// does where something is not to be had can be tried where everything is.
//
//	refuse.Apply("namespaces", "landlock")
//	unix.Exec(ipcrun, …)
package refuse

import (
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"ipcrun/engine/sandbox/internal/filter"
)

const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWNS |
	unix.CLONE_NEWNET | unix.CLONE_NEWUTS | unix.CLONE_NEWCGROUP

// things are what can be refused, by name.
var things = map[string][]filter.Rule{
	// As container runtimes do it. clone3 has its flags behind a pointer, so
	// that it is said not to exist; everybody then uses clone.
	"namespaces": {
		{Call: unix.SYS_UNSHARE, Errno: unix.EPERM},
		{Call: unix.SYS_SETNS, Errno: unix.EPERM},
		{Call: unix.SYS_CLONE, Bits: newNamespaces, Errno: unix.EPERM},
		{Call: unix.SYS_CLONE3, Errno: unix.ENOSYS},
	},
	// A kernel that was built with user namespaces alone.
	"pid-namespace": {
		{Call: unix.SYS_UNSHARE, Bits: unix.CLONE_NEWPID, Errno: unix.EINVAL},
		{Call: unix.SYS_CLONE, Bits: unix.CLONE_NEWPID, Errno: unix.EINVAL},
		{Call: unix.SYS_CLONE3, Errno: unix.ENOSYS},
	},
	"network-namespace": {
		{Call: unix.SYS_UNSHARE, Bits: unix.CLONE_NEWNET, Errno: unix.EPERM},
		{Call: unix.SYS_CLONE, Bits: unix.CLONE_NEWNET, Errno: unix.EPERM},
		{Call: unix.SYS_CLONE3, Errno: unix.ENOSYS},
	},
	// A user namespace whose capabilities are worth nothing, as some
	// distributions have it.
	"mount": {
		{Call: unix.SYS_MOUNT, Errno: unix.EACCES},
		{Call: unix.SYS_MOUNT_SETATTR, Errno: unix.EACCES},
		{Call: unix.SYS_MOVE_MOUNT, Errno: unix.EACCES},
	},
	// A kernel before 5.13, or one that has it switched off.
	"landlock": {
		{Call: unix.SYS_LANDLOCK_CREATE_RULESET, Errno: unix.ENOSYS},
		{Call: unix.SYS_LANDLOCK_ADD_RULE, Errno: unix.ENOSYS},
		{Call: unix.SYS_LANDLOCK_RESTRICT_SELF, Errno: unix.ENOSYS},
	},
	"ptrace": {{Call: unix.SYS_PTRACE, Errno: unix.EPERM}},
	"seccomp": {
		{Call: unix.SYS_SECCOMP, Errno: unix.EPERM},
		{Call: unix.SYS_PRCTL, Values: []uint32{unix.PR_SET_SECCOMP}, Errno: unix.EPERM},
	},
	// What container runtimes and old kernels have no objects of.
	"mqueue": {
		{Call: unix.SYS_MQ_OPEN, Errno: unix.ENOSYS},
		{Call: unix.SYS_MQ_UNLINK, Errno: unix.ENOSYS},
	},
	"mqueue-denied": {
		{Call: unix.SYS_MQ_OPEN, Errno: unix.EACCES},
		{Call: unix.SYS_MQ_UNLINK, Errno: unix.EACCES},
	},
	"sysv":        sysvCalls(unix.ENOSYS),
	"sysv-denied": sysvCalls(unix.EPERM),
	"pidfd":       {{Call: unix.SYS_PIDFD_OPEN, Errno: unix.ENOSYS}},
}

// sysvCalls refuses everything of System V.
func sysvCalls(errno unix.Errno) (out []filter.Rule) {
	for _, call := range []int{unix.SYS_MSGGET, unix.SYS_MSGCTL, unix.SYS_SEMGET, unix.SYS_SEMCTL, unix.SYS_SHMGET, unix.SYS_SHMCTL} {
		out = append(out, filter.Rule{Call: call, Errno: errno})
	}
	return out
}

// Names lists what can be refused.
func Names() []string {
	var out []string
	for name := range things {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Apply refuses the named things to this process and to all that it starts,
// for good.
func Apply(names ...string) error {
	var rules []filter.Rule
	for _, n := range names {
		r, ok := things[n]
		if !ok {
			return fmt.Errorf("refuse %s: known are %v", n, Names())
		}
		rules = append(rules, r...)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return filter.Install(rules, true)
}
