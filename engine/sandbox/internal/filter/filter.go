//go:build linux

// Package filter makes seccomp filters that refuse system calls. It knows
// numbers and arguments of calls; it must never know why they are refused.
package filter

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Rule refuses a system call: always, or only if one of its arguments has a
// bit of Bits, or is one of Values. Of arguments the low 32 bits are looked
// at, which is all that flags and process numbers have.
type Rule struct {
	Call   int
	Arg    int // 0 to 5
	Bits   uint32
	Values []uint32
	Errno  unix.Errno
}

// Offsets in the kernel's struct seccomp_data.
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16
)

const (
	load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	anyBit = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
	jump   = unix.BPF_JMP | unix.BPF_JA
	answer = unix.BPF_RET | unix.BPF_K
)

// architecture is the kernel's number for the one this binary is built for.
func architecture() (uint32, error) {
	switch runtime.GOARCH {
	case "amd64":
		return unix.AUDIT_ARCH_X86_64, nil
	case "arm64":
		return unix.AUDIT_ARCH_AARCH64, nil
	}
	return 0, errors.New("seccomp filter: not for " + runtime.GOARCH)
}

// compile turns rules into a program. Calls of another architecture, which a
// kernel may also offer, are let through: they have other numbers.
func compile(rules []Rule) ([]unix.SockFilter, error) {
	arch, err := architecture()
	if err != nil {
		return nil, err
	}
	out := []unix.SockFilter{
		{Code: load, K: offsetArch},
		{Code: equal, K: arch, Jt: 1},
		{Code: answer, K: unix.SECCOMP_RET_ALLOW},
	}
	for _, r := range rules {
		var check []unix.SockFilter
		if r.Bits != 0 || len(r.Values) > 0 {
			check = append(check, unix.SockFilter{Code: load, K: uint32(offsetArgs + 8*r.Arg)})
		}
		if r.Bits != 0 {
			// To the answer, which comes next unless there are values.
			check = append(check, unix.SockFilter{Code: anyBit, K: r.Bits, Jt: uint8(len(r.Values) + 1)})
		}
		for i, v := range r.Values {
			check = append(check, unix.SockFilter{Code: equal, K: v, Jt: uint8(len(r.Values) - i)})
		}
		if len(check) > 0 {
			check = append(check, unix.SockFilter{Code: jump, K: 1}) // past the answer
		}
		if len(check) > 200 {
			return nil, errors.New("seccomp filter: too many values")
		}
		out = append(out,
			unix.SockFilter{Code: load, K: offsetNumber},
			unix.SockFilter{Code: equal, K: uint32(r.Call), Jf: uint8(len(check) + 1)})
		out = append(out, check...)
		out = append(out, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ERRNO | uint32(r.Errno)})
	}
	return append(out, unix.SockFilter{Code: answer, K: unix.SECCOMP_RET_ALLOW}), nil
}

// Install puts the rules in force, for good, for the calling thread and what
// it executes or forks; with all, for all threads of the process. It also
// gives up the right to gain privileges by executing a file (no_new_privs),
// without which only root may install a filter.
func Install(rules []Rule, all bool) error {
	program, err := compile(rules)
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	var flags uintptr
	if all {
		flags = unix.SECCOMP_FILTER_FLAG_TSYNC
	}
	prog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(program)
	if errno != 0 {
		return fmt.Errorf("seccomp filter: %w", errno)
	}
	if r != 0 {
		return fmt.Errorf("seccomp filter: thread %d has another one", r)
	}
	return nil
}
