package engine

import (
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/agent"
	"ipcrun/engine/plan"
	"ipcrun/engine/proc"
)

// handOver gives a program what it uses: descriptors behind those that it has
// already, and in its environment their numbers and the names of what has a name.
// done closes what only the program needs.
func (r *run) handOver(slot int, files []int) (all []int, env []string, done func(), err error) {
	d := r.plan.Slots[slot].Proc
	done = func() {}
	tell := func(name, value string) { env = append(env, name+"="+value) }
	for _, h := range r.plan.Handed(d) {
		switch kind := r.plan.Prims[h.Prim].Kind; {
		case h.ID:
			tell(h.Env, strconv.Itoa(kind.ID(r.handles[h.Prim])))
			continue
		case h.Fd < 0:
			tell(h.Env, kind.Address(r.handles[h.Prim]))
			continue
		}
		tell(h.Env, strconv.Itoa(len(files)))
		files = append(files, int(r.fds[h.Fd].Fd()))
	}
	if len(r.programText(slot).Uses) == 0 {
		return files, env, done, nil
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, done, fmt.Errorf("socketpair: %w", err)
	}
	defer unix.Close(fds[0])
	if err := r.startAttendant(slot, fds[0]); err != nil {
		unix.Close(fds[1])
		return nil, nil, done, err
	}
	tell(plan.EnvSteps, strconv.Itoa(len(files)))
	return append(files, fds[1]), env, func() { unix.Close(fds[1]) }, nil
}

// startAttendant starts the process that does steps for a program.
func (r *run) startAttendant(slot, asks int) error {
	cmd := agent.Attend(agent.Command(r.text, slot, r.plan.Slots[slot].Name, r.programText(slot), agent.Files{
		Std: [3]int{int(r.null.Fd()), r.console[1], r.console[1]}, Arena: r.arena.Fd(),
		Lifeline: int(r.lifeline.ReadEnd().Fd()), Wake: r.wakeFd,
		Prims: func(n int) int { return int(r.fds[n].Fd()) },
	}), asks)
	cmd.Setpgid = true
	pid, pidfd, err := r.engine.spawner.Start(cmd)
	if err != nil {
		return err
	}
	r.procs[slot].program.attendant = pid
	r.others = append(r.others, &helper{pid: pid, pidfd: pidfd, slot: slot, attends: true})
	return r.watcher.Add(pidfd, tagHelper|uint64(len(r.others)-1))
}

// dismiss ends the attendant of a program that has ended: what it was asked for
// and has not done yet will not be done.
func (r *run) dismiss(slot int) {
	for _, h := range r.others {
		if !h.attends || h.slot != slot || h.reaped {
			continue
		}
		_ = unix.Kill(h.pid, unix.SIGKILL)
		p := []unix.PollFd{{Fd: int32(h.pidfd), Events: unix.POLLIN}}
		for until := time.Now().Add(time.Second); time.Now().Before(until); {
			if n, err := unix.Poll(p, 100); err == nil && n > 0 {
				break
			}
		}
		_, reaped, err := proc.WaitPidfd(h.pidfd)
		if h.reaped = reaped && err == nil; h.reaped {
			r.watcher.Remove(h.pidfd)
		}
	}
}
