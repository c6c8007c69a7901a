//go:build linux

package sandbox

import (
	"golang.org/x/sys/unix"
)

// keptCapabilities are those that a program started by root keeps: what it
// takes to own, read and change files, to signal, and to become another user.
// Those that reach the machine as a whole are not among them: mounting, modules,
// devices, the clock, the network, raising limits, looking into others.
var keptCapabilities = []int{
	unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH, unix.CAP_FOWNER, unix.CAP_FSETID,
	unix.CAP_KILL, unix.CAP_SETGID, unix.CAP_SETUID, unix.CAP_SETPCAP, unix.CAP_NET_BIND_SERVICE,
	unix.CAP_IPC_OWNER, unix.CAP_SYS_CHROOT, unix.CAP_LEASE,
}

// dropCapabilities sees to it that the program has no others, whoever this
// process is. It needs CAP_SETPCAP for those of root; who does not have it has
// none that an exec would bring.
func dropCapabilities() error {
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return err
	}
	if !capable(unix.CAP_SETPCAP) {
		return nil
	}
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		kept := false
		for _, k := range keptCapabilities {
			kept = kept || c == k
		}
		if kept {
			continue
		}
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err != nil && err != unix.EINVAL {
			return err // EINVAL: an older kernel does not have it
		}
	}
	return nil
}
