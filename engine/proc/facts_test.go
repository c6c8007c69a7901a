//go:build linux

package proc

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func init() {
	// family DEPTH: a chain of processes, each the parent of the next.
	registerHelper("family", func(args []string) {
		depth, err := strconv.Atoi(args[0])
		must(err)
		if depth > 0 {
			_, _, err := Fork(helperStart("family", []string{strconv.Itoa(depth - 1)}, fdOrders, fdReport))
			must(err)
		}
		report(os.Getpid())
		for {
			_ = unix.Pause()
		}
	})
	registerHelper("rename", func(args []string) {
		must(os.WriteFile("/proc/self/comm", []byte(args[0]), 0))
		must(Sigaction(int(unix.SIGUSR1), Ignore))
		report("ready")
		awaitOrder()
	})
}

func TestReadFactsOfOneself(t *testing.T) {
	f, err := ReadFacts(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	sid, err := unix.Getsid(0)
	if err != nil {
		t.Fatal(err)
	}
	if f.Pid != os.Getpid() || f.Ppid != os.Getppid() || f.Pgid != unix.Getpgrp() || f.Sid != sid {
		t.Errorf("%+v", f)
	}
	if f.Threads < 1 || f.StartTime == 0 || !strings.ContainsRune("RSD", rune(f.State)) || f.Name == "" {
		t.Errorf("%+v", f)
	}
	// The Go runtime catches SIGINT and everything like it.
	if f.SigCgt&Bit(int(unix.SIGINT)) == 0 || f.SigCgt&Bit(int(unix.SIGKILL)) != 0 {
		t.Errorf("caught: %x", f.SigCgt)
	}
}

func TestReadFactsOfOddNames(t *testing.T) {
	for _, name := range []string{"plain", "a b", "a) R 1 (b", "((", "))", "中文名", "x\ny"} {
		h := startHelper(t, Fork, nil, "rename", name)
		if got := h.line(); got != "ready" {
			t.Fatal(got)
		}
		f, err := ReadFacts(h.pid)
		if err != nil || f.Name != name || f.Ppid != os.Getpid() {
			t.Errorf("%q: %+v, %v", name, f, err)
		}
		if f.SigIgn&Bit(int(unix.SIGUSR1)) == 0 {
			t.Errorf("ignored: %v, want SIGUSR1 among them", SignalSet(f.SigIgn))
		}
		h.order("end")
		h.wait()
	}
}

func TestParseStat(t *testing.T) {
	const tail = " 0 0 0 0 0 0 0 0 0 0 20 0 3 0 987654321 0 0"
	var f Facts
	if !f.parseStat([]byte("42 (a) b (c) T 7 8 9 34816 -1" + tail)) {
		t.Fatal("refused")
	}
	want := Facts{Ppid: 7, Pgid: 8, Sid: 9, Tty: 34816, Tpgid: -1, State: 'T', Name: "a) b (c", Nice: 20}
	f.Threads, f.StartTime = 0, 0
	if f != want {
		t.Errorf("%+v, want %+v", f, want)
	}
	// Bit 2 of the flags says so.
	for flags, exiting := range map[string]bool{"4194304": false, "4194564": true, "4": true, "3": false} {
		f = Facts{}
		if !f.parseStat([]byte("42 (a) R 7 8 9 0 -1 "+flags+tail[2:])) || f.Exiting != exiting {
			t.Errorf("flags %s: exiting %v", flags, f.Exiting)
		}
	}
	for _, bad := range []string{"", "1", "1 (", "1 (a", "1 (a)", "1 (a) ", ") (", "1 (a) R 2 3"} {
		if f := (Facts{}); f.parseStat([]byte(bad)) {
			t.Errorf("%q passes for a stat file: %+v", bad, f)
		}
	}
}

func TestParseStatus(t *testing.T) {
	var f Facts
	ok := f.parseStatus([]byte("Name:\tSigBlk\nThreads:\t2\nSigQ:\t0/7\nSigPnd:\t0000000000000001\n" +
		"ShdPnd:\t8000000000000000\nSigBlk:\tfffffffffffbfeff\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000000000\n"))
	if !ok || f.SigPnd != 1 || f.ShdPnd != 1<<63 || f.SigBlk != blockable || f.SigIgn != 1<<12 {
		t.Errorf("%v, %+v", ok, f)
	}
	for _, bad := range []string{"", "SigPnd:\t1\n", "SigBlk:"} {
		if f := (Facts{}); f.parseStatus([]byte(bad)) {
			t.Errorf("%q passes for a status file", bad)
		}
	}
}

func TestFactsOfNobody(t *testing.T) {
	h := startHelper(t, Fork, nil, "exit", "0")
	waitReadable(t, h.pidfd)
	// A zombie still has facts.
	if f, err := ReadFacts(h.pid); err != nil || f.State != 'Z' || f.Ppid != os.Getpid() {
		t.Errorf("of a zombie: %+v, %v", f, err)
	}
	h.wait()
	if _, err := ReadFacts(h.pid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadFacts: %v", err)
	}
	if _, err := Children(h.pid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Children: %v", err)
	}
	if _, err := Tree(h.pid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Tree: %v", err)
	}
	if _, err := Descriptors(h.pid); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Descriptors: %v", err)
	}
}

func TestChildrenAndTree(t *testing.T) {
	h := startHelper(t, Fork, nil, "family", "2")
	pids := []int{h.number(), h.number(), h.number()} // in any order
	tree, err := Tree(h.pid)
	if err != nil || len(tree) != 2 {
		t.Fatalf("tree of %d: %v, %v; the family is %v", h.pid, tree, err, pids)
	}
	for _, pid := range tree {
		if pid == h.pid || !slices.Contains(pids, pid) {
			t.Errorf("%d in the tree of %d is not of the family %v", pid, h.pid, pids)
		}
	}
	for i, parent := range []int{h.pid, tree[0], tree[1]} {
		want := tree[i:min(i+1, len(tree))]
		if got, err := Children(parent); err != nil || !slices.Equal(got, want) {
			t.Errorf("children of %d: %v, %v; want %v", parent, got, err, want)
		}
	}
	whole, err := Tree(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(whole, append([]int{h.pid}, tree...)) {
		t.Errorf("our own tree is %v, want %d and %v", whole, h.pid, tree)
	}
	fds := []int{adopted(t, tree[0]), adopted(t, tree[1])}
	for _, pid := range tree {
		if err := Kill(pid, int(unix.SIGKILL)); err != nil {
			t.Fatal(err)
		}
	}
	// They are the helper's to reap until it ends, and ours then.
	_ = Kill(h.pid, int(unix.SIGKILL))
	h.wait()
	for _, fd := range fds {
		waitReadable(t, fd)
		eventually(t, "the orphan is ours", func() bool {
			_, reaped, err := WaitPidfd(fd)
			return err == nil && reaped
		})
	}
}

func TestDescriptors(t *testing.T) {
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fds, err := Descriptors(os.Getpid())
	if err != nil || fds[int(f.Fd())] != "/dev/null" {
		t.Errorf("%v, %v", fds, err)
	}
}

func TestSignalSet(t *testing.T) {
	got := SignalSet(Bit(1) | Bit(34) | Bit(64))
	if len(got) != 3 || got[0] != unix.SIGHUP || got[1] != 34 || got[2] != 64 {
		t.Errorf("%v", got)
	}
	if got := SignalSet(0); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

func BenchmarkReadFacts(b *testing.B) {
	pid := os.Getpid()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadFacts(pid); err != nil {
			b.Fatal(err)
		}
	}
}
