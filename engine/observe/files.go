//go:build linux && (amd64 || arm64)

package observe

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// files is what a process's descriptors are, as far as anybody asked. What was
// once seen holds until the descriptor is closed or replaced, which are calls of
// the table, or the process executes. Processes that share their descriptors
// share this.
type files struct {
	seen map[int]string
}

// object is the name of what a descriptor refers to if processes talk through it:
// pipe:[7], socket:[8], the path of a FIFO; else it is empty.
func (f *files) object(pid, fd int) string {
	if name, ok := f.seen[fd]; ok {
		return name
	}
	name := link(pid, fd)
	if name == "" {
		return "" // not open now; the next call that makes one may use the number
	}
	switch {
	case strings.HasPrefix(name, "pipe:"), strings.HasPrefix(name, "socket:"),
		strings.HasPrefix(name, "anon_inode:[eventfd"), strings.HasPrefix(name, "anon_inode:[signalfd"):
	case strings.HasPrefix(name, "/") && isFifo(pid, fd):
	default:
		name = ""
	}
	if f.seen == nil {
		f.seen = map[int]string{}
	}
	f.seen[fd] = name
	return name
}

func forgetFirst(f *files, args *[6]uint64)  { delete(f.seen, int(int32(args[0]))) }
func forgetSecond(f *files, args *[6]uint64) { delete(f.seen, int(int32(args[1]))) }
func forgetAll(f *files, _ *[6]uint64)       { clear(f.seen) }

// link is what the process file system calls a descriptor's object.
func link(pid, fd int) string {
	var buf [512]byte
	n, err := unix.Readlink(procFile(pid, "fd/"+strconv.Itoa(fd)), buf[:])
	if err != nil {
		return ""
	}
	return string(buf[:n])
}

func isFifo(pid, fd int) bool {
	var st unix.Stat_t
	return unix.Stat(procFile(pid, "fd/"+strconv.Itoa(fd)), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO
}

// sharesFiles reports whether two processes have the same descriptors, as clone
// can make them.
func sharesFiles(a, b int) bool {
	const kcmpFiles = 2
	r, _, errno := unix.RawSyscall6(unix.SYS_KCMP, uintptr(a), uintptr(b), kcmpFiles, 0, 0, 0)
	return errno == 0 && r == 0
}

// sharedAt is the shared mapping that holds an address, and the place in it; the
// same in all processes that map the same. ok is false if the address is the
// process's own.
func sharedAt(pid int, address uint64) (name string, ok bool) {
	maps := readAll(pid, "maps")
	for line := range strings.Lines(maps) {
		// 7f00-8000 rw-s 00001000 00:01 77   /dev/shm/x
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		low, high, _ := strings.Cut(f[0], "-")
		from, err1 := strconv.ParseUint(low, 16, 64)
		to, err2 := strconv.ParseUint(high, 16, 64)
		if err1 != nil || err2 != nil || address < from || address >= to {
			continue
		}
		if !strings.HasSuffix(f[1], "s") {
			return "", false
		}
		offset, _ := strconv.ParseUint(f[2], 16, 64)
		name = "memory"
		if len(f) > 5 && !strings.HasPrefix(f[5], "/dev/zero") {
			name = f[5]
		}
		return name + " [" + f[4] + "]+" + strconv.FormatUint(offset+address-from, 10), true
	}
	return "", false
}
