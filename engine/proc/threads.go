//go:build linux

package proc

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// AnyThreadRuns reports whether a thread of a process runs or is about to: a
// thread that was woken counts from the moment of the wake-up, whether or not
// it has had a processor yet. Of a process that is gone it says true, since
// its end is news too.
func AnyThreadRuns(pid int) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return true
	}
	var buf [512]byte
	for _, e := range entries {
		fd, err := unix.Open(dir+"/"+e.Name()+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return true // the thread has just ended
		}
		n, err := unix.Read(fd, buf[:])
		_ = unix.Close(fd)
		// The state follows the name, which stands in parentheses and may
		// contain some.
		end := -1
		if err == nil && n > 0 {
			end = bytes.LastIndexByte(buf[:n], ')')
		}
		if end < 0 || end+2 >= n {
			return true
		}
		switch buf[end+2] {
		case 'S', 'T', 't', 'Z', 'X':
		default:
			return true
		}
	}
	return false
}

// survivor is the thread with the lowest number that lives in a process whose main
// thread has left, with its facts and the text of its status, in buf; 0 if there is
// none. dir is the directory of the process.
func survivor(dir, pid int, buf []byte) (tid int, t Facts, status []byte) {
	threads, err := numericEntriesAt(dir, "task")
	if err != nil {
		return 0, t, nil
	}
	for _, tid := range threads {
		if tid == pid {
			continue
		}
		own := "task/" + strconv.Itoa(tid) + "/"
		n, err := readAt(dir, own+"stat", buf)
		if t = (Facts{}); err != nil || !t.parseStat(buf[:n]) || t.State == 'Z' || t.State == 'X' {
			continue // it has just ended
		}
		if n, err = readAt(dir, own+"status", buf); err == nil && new(Facts).parseStatus(buf[:n]) {
			return tid, t, buf[:n]
		}
	}
	return 0, t, nil
}

// teller is the number under which the process file system tells of a process what
// belongs to all of its threads, its memory and its descriptors: its own, or that of
// a thread that lives where its main thread has left, for then there is nothing under
// its own.
func teller(pid int) int {
	if f, err := ReadFacts(pid); err == nil {
		return f.Tid
	}
	return pid
}

// readOf reads a file of a process, of one whose main thread has left, too.
func readOf(pid int, name string) ([]byte, error) {
	b, err := ReadFile(procPath(pid, name))
	if len(b) > 0 {
		return b, err
	}
	if tid := teller(pid); tid != pid {
		return ReadFile(procPath(tid, name))
	}
	return b, err
}

// linkOf reads a link of a process, of one whose main thread has left, too.
func linkOf(pid int, name string) string {
	to := link(procPath(pid, name))
	if to == "" {
		if tid := teller(pid); tid != pid {
			return link(procPath(tid, name))
		}
	}
	return to
}

// Exists reports whether a process exists, as a zombie too.
func Exists(pid int) bool { return unix.Kill(pid, 0) != unix.ESRCH }

// Sleeps reports whether all threads of a process sleep, or are stopped, and have done
// so since this was asked. AnyThreadRuns looks at one after the other, and may miss
// two of which one wakes the other and goes to sleep. A process that is gone does not
// sleep.
func Sleeps(pid int) bool {
	before, err := switches(pid)
	if err != nil || AnyThreadRuns(pid) {
		return false
	}
	after, err := switches(pid)
	return err == nil && after == before
}

// switches is how often the threads of a process, of which it says how many there
// are, have given a processor away.
func switches(pid int) (sum [2]int, err error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return sum, err
	}
	for _, e := range entries {
		b, err := ReadFile(dir + "/" + e.Name() + "/status")
		if err != nil {
			return sum, err
		}
		sum[0]++
		for line := range bytes.Lines(b) {
			if key, n, _ := bytes.Cut(line, []byte(":")); bytes.HasSuffix(key, []byte("voluntary_ctxt_switches")) {
				sum[1] += decimal(n)
			}
		}
	}
	return sum, nil
}
