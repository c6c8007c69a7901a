//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// probeLimits asks what bounds programs here.
func (m *Machine) probeLimits() {
	f := Finding{Name: "limit on processes"}
	switch {
	case !m.Root:
		f.Allowed = true
		f.Reason = "RLIMIT_NPROC counts all processes and threads of a user, those outside of a run included."
		f.Follows = "ipcrun counts each program's processes itself."
		if m.Spaces.Has(User) {
			f.Reason = "In a user namespace of its own RLIMIT_NPROC counts a program's processes and threads, and no others."
			f.Follows = "The kernel refuses a fork beyond a program's limit."
		}
	case m.OwnPids:
		f.Allowed = true
		f.Reason = "RLIMIT_NPROC does not count for root; a PID namespace has a bound of its own, not below 300."
		f.Follows = "ipcrun counts each program's processes itself, and the kernel stops a fork bomb a little later."
	default:
		f.Reason = "RLIMIT_NPROC does not count for root."
		f.Follows = "ipcrun counts each program's processes itself, and ends the program when there are too many."
	}
	m.add(f)

	m.add(cgroupFinding())
	m.add(niceFinding())

	in := inForce()
	f = Finding{Name: "limits in force", Allowed: true, Reason: "Whoever started ipcrun has set none that matters.", Follows: "Programs can be given any limit."}
	if len(in) > 0 {
		f.Reason = "Hard limits: " + strings.Join(in, ", ") + "."
		f.Follows = "Programs can be given lower ones, and no higher ones."
		if capable(unix.CAP_SYS_RESOURCE) {
			f.Follows = "Programs are given lower ones. They could be raised, and are not."
		}
	}
	m.add(f)
}

// niceFinding tries whether a nice value may be lower than that of ipcrun itself.
func niceFinding() Finding {
	f := Finding{Name: "lower nice values", Follows: "nice: may have any value."}
	var now int
	err := make(chan error)
	// On a thread that nobody uses afterwards: it has the value alone.
	go func() {
		runtime.LockOSThread()
		raw, e := unix.Getpriority(unix.PRIO_PROCESS, 0)
		now = 20 - raw
		if e == nil && now > -20 {
			e = unix.Setpriority(unix.PRIO_PROCESS, 0, now-1)
		}
		err <- e
	}()
	if e := <-err; e != nil {
		f.Reason = fmt.Sprintf("setpriority fails (%s) below %d, the value of ipcrun itself: that is for those with CAP_SYS_NICE.", unix.ErrnoName(errnoOf(e)), now)
		f.Follows = fmt.Sprintf("A process with nice: below %d fails before its first step, and says so.", now)
		return f
	}
	f.Allowed, f.Reason = true, fmt.Sprintf("The kernel takes values below %d, that of ipcrun itself.", now)
	return f
}

// resources are the limits that programs are given, or run into.
var resources = []struct {
	n     int
	name  string
	bytes bool
}{
	{unix.RLIMIT_CPU, "CPU time", false},
	{unix.RLIMIT_AS, "address space", true},
	{unix.RLIMIT_DATA, "data", true},
	{unix.RLIMIT_FSIZE, "file size", true},
	{unix.RLIMIT_NOFILE, "descriptors", false},
	{unix.RLIMIT_NPROC, "processes of the user", false},
	{unix.RLIMIT_STACK, "stack", true},
	{unix.RLIMIT_MEMLOCK, "locked memory", true},
	{unix.RLIMIT_MSGQUEUE, "message queues", true},
	{unix.RLIMIT_SIGPENDING, "queued signals", false},
}

// inForce lists the hard limits that are not infinite.
func inForce() []string {
	var out []string
	for _, r := range resources {
		var l unix.Rlimit
		if err := unix.Prlimit(0, r.n, nil, &l); err != nil || l.Max == unix.RLIM_INFINITY {
			continue
		}
		amount := fmt.Sprint(l.Max)
		if r.bytes {
			amount = size(l.Max)
		}
		if r.n == unix.RLIMIT_CPU {
			amount += " s"
		}
		out = append(out, r.name+" "+amount)
	}
	return out
}

// cgroupFinding asks whether this process may divide its own control group.
func cgroupFinding() Finding {
	f := Finding{Name: "control groups", Follows: "Limits are those of processes; ipcrun adds up what a program's processes use."}
	dir, missing := ownCgroup()
	if missing != "" {
		f.Reason = missing
		return f
	}
	text, _ := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	controllers := strings.Fields(string(text))
	var without []string
	for _, c := range []string{"pids", "memory"} {
		if !slices.Contains(controllers, c) {
			without = append(without, c)
		}
	}
	switch {
	case len(without) > 0:
		f.Reason = fmt.Sprintf("Version 2 is mounted, without the controllers that would help (%s).", strings.Join(without, ", "))
	case unix.Access(dir, unix.W_OK) != nil || unix.Access(filepath.Join(dir, "cgroup.subtree_control"), unix.W_OK) != nil:
		f.Reason = "Version 2 is mounted, and this user may not make groups in " + dir + "."
	default:
		f.Allowed = true
		f.Reason = "This user may make groups in " + dir + "."
		f.Follows = "They are not needed: limits are those of processes, and ipcrun adds up what a program's processes use."
	}
	return f
}

// ownCgroup is the directory of this process's group of version 2, or a
// sentence about what is missing.
func ownCgroup() (dir, missing string) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", "The kernel has no control groups."
	}
	group, found := "", false
	for line := range strings.Lines(string(text)) {
		if g, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			group, found = g, true
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || !found {
		return "", "Control groups of version 2 are not there."
	}
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if len(fields) > 4 && strings.HasPrefix(after, "cgroup2 ") {
			return filepath.Join(fields[4], group), ""
		}
	}
	return "", "Control groups of version 2 are not mounted."
}
