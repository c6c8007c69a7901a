//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// probeEssentials asks for what every run needs.
func (m *Machine) probeEssentials() {
	f := Finding{Name: "process file system", Allowed: true, Essential: true,
		Reason: "It is mounted on /proc.", Follows: "States, masks and descriptors of processes can be read."}
	if _, err := proc.ReadFacts(unix.Getpid()); err != nil {
		f.Allowed, f.Reason, f.Follows = false, err.Error()+".", "Nothing can be run."
	}
	m.add(f)

	f = Finding{Name: "pidfd", Allowed: true, Essential: true,
		Reason: "Processes can be held by descriptors, whose meaning never changes.", Follows: "No signal ever reaches a process that got the number of another."}
	fd, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err != nil {
		f.Allowed, f.Reason, f.Follows = false, because("pidfd_open is refused", err), "Nothing can be run."
		m.add(f)
	} else {
		m.add(f)
		m.probePidfdInfo(fd)
		unix.Close(fd)
	}

	f = Finding{Name: "subreaper", Allowed: true, Essential: true,
		Reason: "A process can adopt the orphans below it.", Follows: "Nothing hides by outliving its parent."}
	var is int32
	if err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&is)), 0, 0, 0); err != nil {
		f.Allowed, f.Reason, f.Follows = false, because("It is refused", err), "Nothing can be run."
	}
	m.add(f)

	f = Finding{Name: "shared memory", Allowed: true, Essential: true,
		Reason: "Memory without a name can be made (memfd).", Follows: "Processes of a run share it by inheritance; no name is left behind."}
	if fd, err := unix.MemfdCreate("ipcrun-probe", unix.MFD_CLOEXEC); err != nil {
		f.Allowed, f.Reason, f.Follows = false, because("memfd_create is refused", err), "Nothing can be run."
	} else {
		unix.Close(fd)
	}
	m.add(f)

	f = Finding{Name: "pseudo-terminal", Allowed: true, Reason: "One can be opened.", Follows: "Processes can have a terminal of their own."}
	if t, err := proc.OpenTerminal(24, 80); err != nil {
		f.Allowed, f.Reason, f.Follows = false, because("Opening one is refused", err), "Scenarios with terminal: true cannot run."
	} else {
		_ = t.Close()
	}
	m.add(f)
}

// probePidfdInfo asks about a process that lives; that the kernel keeps the
// status of one that has ended came two versions later and is told by the mask.
func (m *Machine) probePidfdInfo(fd int) {
	f := Finding{Name: "exit status by pidfd", Allowed: true,
		Reason: "The kernel tells it to whoever holds a descriptor of the process (PIDFD_GET_INFO).", Follows: "How a grandchild ended is known, whoever reaps it."}
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT}
	switch err := unix.IoctlPidfdInfo(fd, &info); {
	case err != nil:
		f.Allowed, f.Reason = false, because("PIDFD_GET_INFO is refused, which came with Linux 6.13", err)
	case !keepsExit():
		f.Allowed, f.Reason = false, "PIDFD_GET_INFO is there but keeps no status, which came with Linux 6.15."
	}
	if !f.Allowed {
		f.Follows = "How a grandchild ended that its parent has reaped is known only if it is observed."
	}
	m.add(f)
}

// keepsExit asks for the status of a process that has ended.
func keepsExit() bool {
	pid, fd, err := proc.Fork(proc.Start{Path: proc.Self(), Args: []string{trialName, "0"}, Dir: "/", Ctty: -1})
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	_, _ = unix.Wait4(pid, nil, 0, nil)
	_, ok := proc.PidfdStatus(fd)
	return ok
}

func (m *Machine) probeLandlock() {
	f := Finding{Name: "landlock"}
	v, err := landlockVersion()
	m.Landlock = v
	switch {
	case err != nil:
		f.Reason = because("It is refused, or the kernel was built or started without it", err)
		f.Follows = "The mount namespace alone keeps programs from writing elsewhere."
		if !m.ReadOnly {
			f.Follows = "Nothing but file permissions keeps a program from writing elsewhere."
		}
	case v < scopeVersion:
		f.Allowed = true
		f.Reason = fmt.Sprintf("Version %d of its interface is there.", v)
		f.Follows = "A program writes only where it was told to. Its signals are not held back, which takes version 6."
	default:
		f.Allowed = true
		f.Reason = fmt.Sprintf("Version %d of its interface is there.", v)
		f.Follows = "A program writes only where it was told to, and signals nobody but itself and its children."
	}
	m.add(f)
}

// probeFilter asks whether the kernel filters system calls. Whether this
// process may install one is only known by doing so, which a process cannot
// take back; the trial is a call with an address that cannot be read.
func (m *Machine) probeFilter() {
	f := Finding{Name: "seccomp filter"}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, 0)
	if errno == unix.EFAULT {
		m.Filter, f.Allowed = true, true
		f.Reason = "A process can have its own system calls filtered."
		f.Follows = "Where there is no PID namespace, a filter keeps a program's signals from ipcrun."
	} else {
		f.Reason = because("Installing one is refused", errno)
		f.Follows = "System calls of programs cannot be filtered or observed one by one."
	}
	m.add(f)
}

const (
	sysFutexWaitv = 449 // on all architectures
	wrongFlags    = 1 << 31
)

// probeCalls asks for calls by making them with arguments that are wrong.
func (m *Machine) probeCalls() {
	f := Finding{Name: "futex_waitv", Allowed: true, Reason: "A process can wait for two words of memory at once.",
		Follows: "A process that is blocked in a primitive notices signals at once."}
	if _, _, errno := unix.Syscall6(sysFutexWaitv, 0, 0, wrongFlags, 0, 0, 0); errno != unix.EINVAL {
		f.Allowed = false
		f.Reason = because("It is refused, or the kernel is older than 5.16", errno)
		f.Follows = "A second thread wakes processes that a signal interrupts, which takes a little longer."
	}
	m.add(f)
}

// probeIPC asks for the objects that live under a name in the system.
func (m *Machine) probeIPC() {
	f := Finding{Name: "System V IPC"}
	if _, _, errno := unix.Syscall(unix.SYS_MSGCTL, ^uintptr(0), unix.IPC_RMID, 0); errno == unix.ENOSYS || errno == unix.EPERM {
		f.Reason = because("It is refused", errno)
		f.Follows = "Scenarios with System V objects are skipped."
	} else {
		f.Allowed = true
		f.Reason = fmt.Sprintf("Queues, semaphores and shared memory are there%s.", msgLimits())
		f.Follows = "Scenarios can have System V objects."
	}
	m.add(f)

	f = Finding{Name: "POSIX message queues"}
	name := append([]byte("ipcrun-probe-of-a-name-that-nobody-has"), 0)
	_, _, errno := unix.Syscall(unix.SYS_MQ_UNLINK, uintptr(unsafe.Pointer(&name[0])), 0, 0)
	runtime.KeepAlive(name)
	if errno != unix.ENOENT {
		f.Reason = because("They are refused", errno)
		f.Follows = "Scenarios with POSIX message queues are skipped."
	} else {
		f.Allowed = true
		f.Reason = fmt.Sprintf("They are there; at most %d of %d messages of %d bytes each.",
			sysctl("fs/mqueue/queues_max"), sysctl("fs/mqueue/msg_max"), sysctl("fs/mqueue/msgsize_max"))
		f.Follows = "Queues that are left over are found in " + mqueueDir + "."
		if !mounted(mqueueDir, mqueueMagic) {
			f.Reason += " " + mqueueDir + " is not mounted."
			f.Follows = "Outside of an IPC namespace of a program's own, queues that it leaves are not found."
		}
	}
	m.add(f)

	f = Finding{Name: "/dev/shm"}
	var fs unix.Statfs_t
	switch err := unix.Statfs("/dev/shm", &fs); {
	case err != nil:
		f.Reason = because("It cannot be looked at", err)
	case unix.Access("/dev/shm", unix.W_OK|unix.X_OK) != nil:
		f.Reason = "This user may not write there."
	default:
		f.Allowed = true
		f.Reason = fmt.Sprintf("%s, of which %s are free.", size(fs.Blocks*uint64(fs.Bsize)), size(fs.Bavail*uint64(fs.Bsize)))
		f.Follows = "POSIX shared memory and named semaphores have that much room."
	}
	if !f.Allowed {
		f.Follows = "Scenarios with named semaphores and shared memory are skipped; programs that use shm_open or sem_open fail."
		if m.PrivateShm {
			f.Follows = "Scenarios with named semaphores and shared memory are skipped; programs have a directory of their own."
		}
	}
	m.add(f)
}

const mqueueMagic = 0x19800202

func mounted(dir string, magic int64) bool {
	var fs unix.Statfs_t
	return unix.Statfs(dir, &fs) == nil && int64(fs.Type) == magic
}

// msgLimits says what the system allows; nothing where it does not tell.
func msgLimits() string {
	sem, err := os.ReadFile("/proc/sys/kernel/sem")
	words := strings.Fields(string(sem))
	queues := sysctl("kernel/msgmni")
	if err != nil || len(words) != 4 || queues < 0 {
		return ""
	}
	return fmt.Sprintf("; at most %d queues of %d bytes and %s semaphore sets", queues, sysctl("kernel/msgmnb"), words[3])
}

// size says a number of bytes in the largest unit that keeps it above one.
func size(n uint64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	rest := float64(n)
	for rest >= 1024 && i < len(units)-1 {
		rest /= 1024
		i++
	}
	if i == 0 || rest >= 100 || rest == float64(int(rest)) {
		return fmt.Sprintf("%.0f %s", rest, units[i])
	}
	return fmt.Sprintf("%.1f %s", rest, units[i])
}
