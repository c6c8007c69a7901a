//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What follows is for a process in a mount namespace of its own. Each function
// changes the whole namespace, whichever thread calls it.

// setApart keeps every mount that is made from here on to this namespace.
func setApart() error {
	return wrap("keep mounts to this namespace", unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
}

// mountProc puts the process file system of this PID namespace on /proc. The
// kernel refuses it where parts of the one outside are covered, as container
// runtimes do.
func mountProc() error {
	return wrap("mount /proc", unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""))
}

// mountEmpty puts an empty file system in memory on a directory. Anybody may
// write there, as in /tmp. Zero bytes mean the kernel's half of the memory.
func mountEmpty(dir string, bytes int64) error {
	options := "mode=1777"
	if bytes > 0 {
		options += ",size=" + strconv.FormatInt(bytes, 10)
	}
	return wrap("mount an empty "+dir, unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, options))
}

// hide puts an empty file system on a directory, of next to no size: there is
// room for the places of what is put back below it.
func hide(dir string) error {
	return wrap("hide "+dir, unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "mode=0755,size=64k"))
}

const mqueueDir = "/dev/mqueue"

// mountMqueue puts the message queues of this IPC namespace on /dev/mqueue, if
// there is such a directory. Queues work without it; only nobody sees them.
func mountMqueue() error {
	if unix.Access(mqueueDir, unix.F_OK) != nil {
		return nil
	}
	return wrap("mount "+mqueueDir, unix.Mount("mqueue", mqueueDir, "mqueue", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""))
}

// makeReadOnly makes everything read-only that is mounted now.
func makeReadOnly() error {
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	return wrap("make everything read-only", unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &attr))
}

// pickUp takes hold of what is at path, as it is mounted now, whatever is
// mounted over it later. The descriptor belongs to the caller.
func pickUp(path string) (int, error) {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	at := unix.AT_FDCWD
	fd, _, errno := unix.Syscall(unix.SYS_OPEN_TREE, uintptr(at), uintptr(unsafe.Pointer(p)),
		unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if errno != 0 {
		return -1, fmt.Errorf("take hold of %s: %w", path, errno)
	}
	return int(fd), nil
}

// putDown mounts what pickUp took hold of.
func putDown(fd int, path string) error {
	p, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	empty, at := byte(0), unix.AT_FDCWD
	_, _, errno := unix.Syscall6(unix.SYS_MOVE_MOUNT, uintptr(fd), uintptr(unsafe.Pointer(&empty)),
		uintptr(at), uintptr(unsafe.Pointer(p)), unix.MOVE_MOUNT_F_EMPTY_PATH, 0)
	if errno != 0 {
		return fmt.Errorf("mount %s: %w", path, errno)
	}
	return nil
}

// raiseLoopback switches the loopback interface of a new network namespace on.
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return wrap("switch the loopback interface on", err)
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return wrap("switch the loopback interface on", unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo))
}

// firstFreePid is the lowest number that a kernel uses again: it leaves the
// first ones to what a system starts with.
const firstFreePid = 300

// limitPids bounds how many processes a PID namespace can have, which also
// holds for root. The kernel bounds numbers, not processes, and refuses low
// bounds, so that there may be 300 more. Before 6.14 the bound is that of the
// whole system, and nobody is allowed to change it here.
func limitPids(n int) error {
	if own, err := ownPidMax(); err != nil || !own {
		return wrap("limit the numbers of processes", orElse(err, unix.EOPNOTSUPP))
	}
	text := strconv.Itoa(firstFreePid + 1 + n)
	return wrap("limit the numbers of processes", os.WriteFile(pidMaxFile, []byte(text), 0))
}

const pidMaxFile = "/proc/sys/kernel/pid_max"

// ownPidMax reports whether the bound is this namespace's own.
func ownPidMax() (bool, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return false, err
	}
	major, minor := 0, 0
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor); err != nil {
		return false, err
	}
	return major > 6 || major == 6 && minor >= 14, nil
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// wrap says what was being done, if it failed.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
