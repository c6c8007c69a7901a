//go:build linux

package sandbox

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"ipcrun/engine/proc"
)

// Usage is what a tree of processes uses, its root not included.
type Usage struct {
	Processes int // that have not ended
	Zombies   int // that have, and nobody has asked how
	CPU       time.Duration
	Memory    int64 // bytes that are nobody else's, resident
}

// ticks per second, in which the process file system counts time. It is the
// same on all architectures that this program is built for.
const ticksPerSecond = 100

// Measure adds up what the processes below root use, and what those have used
// that have ended and were reaped there. It is true of no single moment. With
// most above zero it looks at no more than so many processes and one more: to
// look at thousands takes longer than they should have. The error matches
// fs.ErrNotExist if there is no such process.
func Measure(root, most int) (Usage, error) {
	tree, err := proc.Children(root)
	if err != nil {
		return Usage{}, err
	}
	var u Usage
	seen := map[int]bool{root: true}
	var ticks int
	if t, ok := readTimes(root); ok {
		ticks += t.children
	}
	page := int64(os.Getpagesize())
	for ; len(tree) > 0 && (most <= 0 || u.Processes <= most); tree = tree[1:] {
		pid := tree[0]
		t, ok := readTimes(pid)
		if !ok || seen[pid] {
			continue
		}
		seen[pid] = true
		if kids, err := proc.Children(pid); err == nil {
			tree = append(tree, kids...)
		}
		ticks += t.own + t.children
		teller := pid
		if t.state == 'Z' {
			// Its main thread has left. Others may go on, and one of them tells of its
			// memory.
			if f, err := proc.ReadFacts(pid); err == nil {
				t.state, teller = f.State, f.Tid
			}
		}
		if t.state == 'Z' || t.state == 'X' {
			u.Zombies++
			continue
		}
		u.Processes++
		if text, err := proc.ReadFile(fmt.Sprintf("/proc/%d/statm", teller)); err == nil {
			f := bytes.Fields(text)
			if len(f) > 2 {
				resident, _ := strconv.ParseInt(string(f[1]), 10, 64)
				shared, _ := strconv.ParseInt(string(f[2]), 10, 64)
				u.Memory += (resident - shared) * page
			}
		}
	}
	u.CPU = time.Duration(ticks) * time.Second / ticksPerSecond
	return u, nil
}

type times struct {
	state         byte
	own, children int // in ticks
}

func readTimes(pid int) (t times, ok bool) {
	text, err := proc.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return t, false
	}
	end := bytes.LastIndexByte(text, ')')
	if end < 0 {
		return t, false
	}
	f := bytes.Fields(text[end+1:])
	if len(f) < 15 {
		return t, false
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(string(f[i]))
		return n
	}
	return times{f[0][0], number(11) + number(12), number(13) + number(14)}, true
}

// Over says which limit a tree is over, "" if it is within all of them: those
// that the kernel holds each process to by itself hold for the tree, too.
func (u Usage) Over(l Limits) string {
	switch {
	case l.Processes > 0 && u.Processes > l.Processes:
		return fmt.Sprintf("it has more than %d processes", l.Processes)
	case l.CPU > 0 && u.CPU > l.CPU+time.Second/ticksPerSecond:
		return fmt.Sprintf("it used more than %v of CPU time", l.CPU)
	case l.Memory > 0 && u.Memory > l.Memory:
		return fmt.Sprintf("it has more than %s of memory", size(uint64(l.Memory)))
	}
	return ""
}
