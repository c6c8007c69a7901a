//go:build linux

package sandbox

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/engine/sandbox/internal/filter"
)

// scopeVersion is the first one that holds signals back.
const scopeVersion = 6

// landlockVersion asks for the version of the interface.
func landlockVersion() (int, error) {
	v, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(v), nil
}

const (
	changeFile = unix.LANDLOCK_ACCESS_FS_WRITE_FILE
	changeDir  = unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
		unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_SYM
)

// lock has landlock refuse this process what the box does, for good. It also
// gives up the right to gain privileges by executing a file.
func (b *Box) lock() error {
	version, err := landlockVersion()
	if err != nil {
		return err
	}
	file, dir := uint64(changeFile), uint64(changeDir)
	if version >= 2 {
		dir |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		file |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	attr := unix.LandlockRulesetAttr{}
	if b.Confined {
		attr.Handled_access_fs = file | dir
	}
	length := unsafe.Sizeof(attr.Handled_access_fs)
	if b.Scoped && version >= scopeVersion {
		attr.Scoped = unix.LANDLOCK_SCOPE_SIGNAL
		length = unsafe.Offsetof(attr.Scoped) + unsafe.Sizeof(attr.Scoped)
	}
	if attr.Handled_access_fs == 0 && attr.Scoped == 0 {
		return nil
	}
	set, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), length, 0)
	if errno != 0 {
		return fmt.Errorf("create the ruleset: %w", errno)
	}
	defer unix.Close(int(set))
	if b.Confined {
		// Devices can be written to; what they allow is not ours to say.
		for _, path := range []string{"/dev", "/proc"} {
			if err := allow(int(set), path, file, 0); err != nil {
				return err
			}
		}
		free := append(append([]string{}, b.Writable...), b.covered()...)
		if unix.Access(shmDir, unix.F_OK) == nil {
			free = append(free, shmDir)
		}
		// Queues are files, too, wherever their file system is mounted.
		if mounted(mqueueDir, mqueueMagic) {
			free = append(free, mqueueDir)
		} else if fd, err := detachedMqueue(); err == nil {
			defer unix.Close(fd)
			free = append(free, fmt.Sprintf("/proc/self/fd/%d/.", fd))
		}
		for _, path := range free {
			if err := allow(int(set), path, file, dir); err != nil {
				return err
			}
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return fmt.Errorf("restrict: %w", errno)
	}
	return nil
}

// allow allows accesses below a path; those to directories only if it is one.
func allow(set int, path string, file, dir uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: file, Parent_fd: int32(fd)}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		rule.Allowed_access |= dir
	}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	runtime.KeepAlive(&rule)
	if errno != 0 {
		return fmt.Errorf("%s: %w", path, errno)
	}
	return nil
}

// filter has signals refused that would hit us: those to everybody, and those
// to the processes that are to be spared, which cannot be traced either. It is for
// accidents, and does not stop somebody who looks for a way.
func (b *Box) filter() error {
	all := uint32(0xffffffff) // -1
	kill := filter.Rule{Call: unix.SYS_KILL, Values: []uint32{all}, Errno: unix.EPERM}
	trace := filter.Rule{Call: unix.SYS_PTRACE, Arg: 1, Errno: unix.EPERM}
	others := []filter.Rule{
		{Call: unix.SYS_TKILL, Errno: unix.EPERM},
		{Call: unix.SYS_TGKILL, Errno: unix.EPERM},
		{Call: unix.SYS_RT_SIGQUEUEINFO, Errno: unix.EPERM},
		{Call: unix.SYS_RT_TGSIGQUEUEINFO, Errno: unix.EPERM},
		{Call: unix.SYS_PIDFD_OPEN, Errno: unix.EPERM},
	}
	for _, pid := range b.Spare {
		kill.Values = append(kill.Values, uint32(pid), uint32(-pid))
		for i := range others {
			others[i].Values = append(others[i].Values, uint32(pid))
		}
		trace.Values = append(trace.Values, uint32(pid))
	}
	rules := []filter.Rule{kill}
	if len(b.Spare) > 0 {
		rules = append(append(rules, trace), others...)
	}
	return filter.Install(rules, false)
}
