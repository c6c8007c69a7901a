//go:build linux && (amd64 || arm64)

package observe

import (
	"bytes"
	"strconv"

	"golang.org/x/sys/unix"
)

func procFile(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

// read fills buf from a file of a process and returns what was there, nothing if
// the process is gone or hides it.
func read(pid int, name string, buf []byte) []byte {
	fd, err := unix.Open(procFile(pid, name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	total := 0
	for total < len(buf) {
		n, err := unix.Read(fd, buf[total:])
		if n <= 0 || err != nil {
			break
		}
		total += n
	}
	return buf[:total]
}

// field is the value of a line of a status file.
func field(status []byte, name string) []byte {
	_, after, ok := bytes.Cut(status, []byte("\n"+name+":\t"))
	if !ok {
		return nil
	}
	value, _, _ := bytes.Cut(after, []byte("\n"))
	return value
}

// family is a thread's process and that one's parent.
func family(tid int) (pid, ppid int) {
	var buf [2048]byte
	status := read(tid, "status", buf[:])
	pid, _ = strconv.Atoi(string(field(status, "Tgid")))
	ppid, _ = strconv.Atoi(string(field(status, "PPid")))
	if pid == 0 {
		pid = tid
	}
	return pid, ppid
}

// disposition is what a process has arranged for a signal.
func disposition(pid, signal int) Disposition {
	var buf [2048]byte
	status := read(pid, "status", buf[:])
	has := func(name string) bool {
		mask, _ := strconv.ParseUint(string(field(status, name)), 16, 64)
		return mask>>(signal-1)&1 == 1
	}
	switch {
	case len(status) == 0:
		return Unknown
	case has("SigIgn"):
		return Ignored
	case has("SigCgt"):
		return Caught
	}
	return Default
}

// pending is the mask of the signals that wait for a thread alone.
func pending(tid int) uint64 {
	var buf [2048]byte
	mask, _ := strconv.ParseUint(string(field(read(tid, "status", buf[:]), "SigPnd")), 16, 64)
	return mask
}

// isZombie reports whether the first thread of a process has ended.
func isZombie(pid int) bool {
	var buf [2048]byte
	state := field(read(pid, "status", buf[:]), "State")
	return len(state) > 0 && state[0] == 'Z'
}

// program is what a process executes.
func program(pid int) (exe string, argv []string) {
	var buf [MaxArgv]byte
	n, err := unix.Readlink(procFile(pid, "exe"), buf[:4096])
	if err == nil {
		exe = string(buf[:n])
	}
	line := read(pid, "cmdline", buf[:])
	for len(line) > 0 {
		arg, rest, _ := bytes.Cut(line, []byte{0})
		argv = append(argv, string(arg))
		line = rest
	}
	return exe, argv
}

// readAll is a whole file of a process, however long.
func readAll(pid int, name string) string {
	for size := 16 << 10; ; size *= 2 {
		b := read(pid, name, make([]byte, size))
		if len(b) < size {
			return string(b)
		}
	}
}

// uid is the user of a process.
func uid(pid int) uint32 {
	var st unix.Stat_t
	_ = unix.Stat(procFile(pid, ""), &st)
	return st.Uid
}
