//go:build linux

package proc

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Facts is what the process file system tells about one process.
type Facts struct {
	Pid, Ppid, Pgid, Sid int
	// Tid is the thread that State, the masks and what belongs to a thread are of: the
	// main thread, which has the number of the process, or, where that one has left and
	// others live on, the one of those with the lowest number.
	Tid            int
	Tty            int    // device number of the controlling terminal; 0 is none
	Tpgid          int    // that terminal's foreground group; -1 is none
	State          byte   // R S D T t Z X I, as in ps
	Threads        int    // 0 once it is a zombie
	SigPnd         uint64 // pending for that thread alone
	ShdPnd         uint64 // pending for the process
	SigBlk         uint64 // blocked in that thread
	SigIgn, SigCgt uint64 // ignored, caught: shared by all threads
	StartTime      uint64 // in clock ticks since boot: pid and StartTime together never recur
	Name           string // at most 15 bytes
	Nice           int    // of that thread, -20 to 19
	Umask          int    // -1 for a zombie
	// Layout tells address spaces apart: a child has that of its parent until it
	// executes something. 0 where the kernel does not say it to this user, and for
	// a zombie.
	Layout uint64
	Ticks  uint64 // processor time used, in clock ticks
	// Exiting: its end has begun. From then on its memory and its descriptors go,
	// before it is a zombie.
	Exiting bool

	// Traced: somebody traces it. When it ends, its parent is told only after them.
	Traced bool

	waitStatus int // of a zombie; see ZombieStatus
}

// SignalSet lists the signals of a mask in ascending order. As in the kernel,
// bit n-1 stands for signal n.
func SignalSet(mask uint64) []syscall.Signal {
	var set []syscall.Signal
	for n := 1; n <= 64; n++ {
		if mask&Bit(n) != 0 {
			set = append(set, syscall.Signal(n))
		}
	}
	return set
}

// gone is the error about a process that does not exist (any more).
func gone(pid int) error { return fmt.Errorf("process %d: %w", pid, fs.ErrNotExist) }

// ReadFacts reads the facts of a process. It does not block. The error
// matches fs.ErrNotExist if there is no such process. A zombie still has
// facts. A process whose main thread has left is none: its other threads go on, and
// the kernel shows the main thread as a zombie until they have ended. The masks of
// threads may differ.
func ReadFacts(pid int) (Facts, error) {
	// The directory pins the process: both files speak of the same one, even
	// if the pid is used again in between.
	dir, err := unix.Open(procPath(pid, ""), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return Facts{}, procError(pid, "", err)
	}
	defer unix.Close(dir)
	buf := factsBuffers.Get().(*[4096]byte)
	defer factsBuffers.Put(buf)
	f := Facts{Pid: pid, Tid: pid}

	n, err := readAt(dir, "stat", buf[:])
	if err != nil {
		return Facts{}, procError(pid, "stat", err)
	}
	if !f.parseStat(buf[:n]) {
		return Facts{}, fmt.Errorf("process %d: stat has an unknown form: %.80q", pid, buf[:n])
	}
	if f.State == 'Z' && f.Threads > 1 {
		if tid, t, masks := survivor(dir, pid, buf[:]); tid != 0 {
			f.Tid, f.State, f.Exiting, f.Nice, f.Layout = tid, t.State, t.Exiting, t.Nice, t.Layout
			f.parseStatus(masks)
			return f, nil
		}
	}
	if n, err = readAt(dir, "status", buf[:]); err != nil {
		return Facts{}, procError(pid, "status", err)
	}
	if !f.parseStatus(buf[:n]) {
		return Facts{}, fmt.Errorf("process %d: status has an unknown form: %.80q", pid, buf[:n])
	}
	return f, nil
}

var factsBuffers = sync.Pool{New: func() any { return new([4096]byte) }}

// readAt reads a small file of a process directory. The kernel makes such a
// file up whole and hands it over in one go.
func readAt(dir int, name string, buf []byte) (int, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	n, err := readOnce(fd, buf)
	_ = unix.Close(fd)
	return n, err
}

func readOnce(fd int, buf []byte) (int, error) {
	for {
		n, err := unix.Read(fd, buf)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

func procPath(pid int, name string) string {
	var b [48]byte
	p := append(b[:0], "/proc/"...)
	p = strconv.AppendInt(p, int64(pid), 10)
	if name != "" {
		p = append(p, '/')
		p = append(p, name...)
	}
	return string(p)
}

// procError names what is missing: the process, or the file system itself.
func procError(pid int, name string, err error) error {
	if err != unix.ENOENT && err != unix.ESRCH {
		return fmt.Errorf("process %d: %s: %w", pid, name, err)
	}
	if unix.Access("/proc/self/stat", unix.F_OK) != nil {
		return fmt.Errorf("process %d: the process file system is not mounted on /proc", pid)
	}
	return gone(pid)
}

// Fields of stat, counted from the one behind the name.
const (
	statState     = 0
	statPpid      = 1
	statPgid      = 2
	statSid       = 3
	statTty       = 4
	statTpgid     = 5
	statFlags     = 6
	statUser      = 11
	statSystem    = 12
	statNice      = 16
	statThreads   = 17
	statStartTime = 19
	statStack     = 25
	statArgs      = 45
	statExit      = 49
)

// parseStat understands "PID (NAME) STATE PPID …". The name may itself hold
// spaces and parentheses, so the last closing one ends it.
func (f *Facts) parseStat(b []byte) bool {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open || end+2 >= len(b) {
		return false
	}
	f.Name = string(b[open+1 : end])
	b = b[end+2:]
	field := 0
	for ; len(b) > 0; field++ {
		word := b
		if i := bytes.IndexByte(b, ' '); i >= 0 {
			word, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		switch field {
		case statState:
			f.State = word[0]
		case statPpid:
			f.Ppid = decimal(word)
		case statPgid:
			f.Pgid = decimal(word)
		case statSid:
			f.Sid = decimal(word)
		case statTty:
			f.Tty = decimal(word)
		case statTpgid:
			f.Tpgid = decimal(word)
		case statFlags:
			const exiting = 0x4 // PF_EXITING of the kernel's linux/sched.h
			f.Exiting = decimal(word)&exiting != 0
		case statNice:
			f.Nice = decimal(word)
		case statThreads:
			f.Threads = decimal(word)
		case statStartTime:
			f.StartTime = uint64(decimal(word))
		case statUser, statSystem:
			f.Ticks += uint64(decimal(word))
		case statStack, statArgs:
			// Where its stack and its arguments lie: chosen at random by each exec.
			f.Layout = f.Layout*31 + unsigned(word)
		case statExit:
			f.waitStatus = decimal(word)
		}
	}
	return field > statStartTime
}

// parseStatus takes the masks out of the "Key:\tvalue" lines.
func (f *Facts) parseStatus(b []byte) bool {
	found := 0
	f.Umask = -1
	for len(b) > 0 {
		line := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		if octal, ok := bytes.CutPrefix(line, []byte("Umask:\t")); ok {
			if n, err := strconv.ParseUint(string(octal), 8, 32); err == nil {
				f.Umask = int(n)
			}
		}
		if tracer, ok := bytes.CutPrefix(line, []byte("TracerPid:\t")); ok {
			f.Traced = decimal(tracer) != 0
		}
		if len(line) < 8 || line[6] != ':' {
			continue
		}
		var mask *uint64
		switch string(line[:6]) {
		case "SigPnd":
			mask = &f.SigPnd
		case "ShdPnd":
			mask = &f.ShdPnd
		case "SigBlk":
			mask = &f.SigBlk
		case "SigIgn":
			mask = &f.SigIgn
		case "SigCgt":
			mask = &f.SigCgt
		default:
			continue
		}
		*mask = hexadecimal(line[8:])
		found++
	}
	return found == 5
}

func decimal(b []byte) int {
	n, sign := 0, 1
	for _, c := range b {
		switch {
		case c == '-':
			sign = -1
		case c >= '0' && c <= '9':
			n = n*10 + int(c-'0')
		}
	}
	return n * sign
}

func unsigned(b []byte) (n uint64) {
	for _, c := range b {
		if c >= '0' && c <= '9' {
			n = n*10 + uint64(c-'0')
		}
	}
	return n
}

func hexadecimal(b []byte) uint64 {
	var n uint64
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | uint64(c-'a'+10)
		}
	}
	return n
}
