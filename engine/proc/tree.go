//go:build linux

package proc

import (
	"os"
	"slices"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// childrenFile tells whether the kernel lists a thread's children in a file
// of their own; it is a build option.
var childrenFile = sync.OnceValue(func() bool {
	pid := unix.Getpid()
	return unix.Access(childrenPath(pid, pid), unix.R_OK) == nil
})

func childrenPath(pid, tid int) string {
	return procPath(pid, "task/"+strconv.Itoa(tid)+"/children")
}

// Children lists the children of a process in ascending order, zombies
// included. The error matches fs.ErrNotExist if there is no such process.
// The list is true of no single moment while children are being born.
func Children(pid int) ([]int, error) {
	if err := unix.Access(procPath(pid, ""), unix.F_OK); err != nil {
		return nil, procError(pid, "", err)
	}
	if childrenFile() {
		return listedChildren(pid)
	}
	families, err := scanFamilies()
	if err != nil {
		return nil, err
	}
	return families[pid], nil
}

// Tree lists all descendants of a process, itself not included, parents
// before their children. The error matches fs.ErrNotExist if there is no such
// process. A tree that is growing may have to be read again: what is missing
// in it was born meanwhile.
func Tree(pid int) ([]int, error) {
	if err := unix.Access(procPath(pid, ""), unix.F_OK); err != nil {
		return nil, procError(pid, "", err)
	}
	children := listedChildren
	if !childrenFile() {
		families, err := scanFamilies()
		if err != nil {
			return nil, err
		}
		children = func(pid int) ([]int, error) { return families[pid], nil }
	}
	var tree []int
	seen := map[int]bool{pid: true}
	for next := []int{pid}; len(next) > 0; next = next[1:] {
		kids, err := children(next[0])
		if err != nil {
			continue // it ended while we looked; its children moved up
		}
		for _, kid := range kids {
			if !seen[kid] {
				seen[kid] = true
				tree = append(tree, kid)
				next = append(next, kid)
			}
		}
	}
	return tree, nil
}

// listedChildren reads the children of every thread.
func listedChildren(pid int) ([]int, error) {
	dir, err := unix.Open(procPath(pid, "task"), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, procError(pid, "task", err)
	}
	defer unix.Close(dir)
	threads, err := numericEntriesAt(dir, ".")
	if err != nil {
		return nil, procError(pid, "task", err)
	}
	var kids []int
	var b []byte
	for _, tid := range threads {
		b, err = readFileAt(dir, strconv.Itoa(tid)+"/children", b[:0])
		if err != nil {
			continue // the thread ended; its children are another thread's now
		}
		n := 0
		for _, c := range b {
			if c >= '0' && c <= '9' {
				n = n*10 + int(c-'0')
			} else if n > 0 {
				kids = append(kids, n)
				n = 0
			}
		}
		if n > 0 {
			kids = append(kids, n)
		}
	}
	slices.Sort(kids)
	return slices.Compact(kids), nil
}

// scanFamilies asks every process for its parent.
func scanFamilies() (map[int][]int, error) {
	pids, err := numericEntries("/proc")
	if err != nil {
		return nil, err
	}
	families := make(map[int][]int)
	var buf [1024]byte
	for _, pid := range pids {
		fd, err := unix.Open(procPath(pid, "stat"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue // ended meanwhile
		}
		n, err := readOnce(fd, buf[:])
		_ = unix.Close(fd)
		var f Facts
		if err == nil && f.parseStat(buf[:n]) {
			families[f.Ppid] = append(families[f.Ppid], pid)
		}
	}
	return families, nil
}

// numericEntries lists the names of a directory that are numbers, ascending.
func numericEntries(path string) ([]int, error) { return numericEntriesAt(unix.AT_FDCWD, path) }

// numericEntriesAt does so below an open directory.
func numericEntriesAt(dir int, path string) ([]int, error) {
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	d := os.NewFile(uintptr(fd), path)
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		if e, ok := err.(*os.SyscallError); ok {
			return nil, e.Err
		}
		return nil, err
	}
	numbers := make([]int, 0, len(names))
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// Descriptors tells what each open descriptor of a process leads to, in the
// kernel's words: a path, "pipe:[inode]", "anon_inode:[eventfd]". The error
// matches fs.ErrNotExist if there is no such process and fs.ErrPermission if
// this user may not look.
func Descriptors(pid int) (map[int]string, error) {
	fds, err := numericEntries(procPath(pid, "fd"))
	if len(fds) == 0 {
		if tid := teller(pid); tid != pid {
			pid = tid
			fds, err = numericEntries(procPath(pid, "fd"))
		}
	}
	if err != nil {
		return nil, procError(pid, "fd", err)
	}
	open := make(map[int]string, len(fds))
	buf := make([]byte, unix.PathMax)
	for _, fd := range fds {
		n, err := unix.Readlink(procPath(pid, "fd/"+strconv.Itoa(fd)), buf)
		if err == nil { // else it was closed meanwhile
			open[fd] = string(buf[:n])
		}
	}
	return open, nil
}
