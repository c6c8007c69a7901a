package agent

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/script"
	"ipcrun/spec/decl"
)

// unheld is what the kernel would not hold of this process, and the place in the
// file that asks for it.
type unheld struct {
	at  uint32
	err error
}

// hold sets what the declaration asks for. What the kernel refuses is an error of
// this process like that of a step, and as there are none yet it waits until
// everybody is ready.
func (a *agent) hold(h *script.Held) *unheld {
	if h == nil {
		return nil
	}
	set := map[string]any{}
	if h.Nice != nil {
		if err := renice(*h.Nice); err != nil {
			return &unheld{h.NiceAt, err}
		}
		set["nice"] = *h.Nice
	}
	if h.CPU > 0 {
		if err := limitCPU(h.CPU); err != nil {
			return &unheld{h.CPUAt, err}
		}
		set["cpu"] = h.CPU
	}
	if h.Umask != nil {
		unix.Umask(*h.Umask)
		set["umask"] = fmt.Sprintf("%03o", *h.Umask)
	}
	a.emit(&event.Rec{Kind: event.Held, Obj: event.NoObj, Value: set})
	return nil
}

// renice sets the nice value of this process.
func renice(to int) error {
	err := proc.Renice(to)
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) {
		now, _ := proc.Nice()
		return decl.Fail(script.Permission, "%s", proc.RefusedNice(now, to))
	}
	return err
}

// limitCPU limits the processor time of this process: after so many seconds comes
// SIGXCPU, and after one more SIGKILL.
func limitCPU(seconds int) error {
	l := unix.Rlimit{Cur: uint64(seconds), Max: uint64(seconds) + 1}
	err := unix.Prlimit(0, unix.RLIMIT_CPU, &l, nil)
	if errors.Is(err, unix.EPERM) {
		_ = unix.Prlimit(0, unix.RLIMIT_CPU, nil, &l)
		return decl.Fail(script.Permission, "its hard limit of processor time is %d s, which it has inherited, and the kernel refuses %d s: higher ones are for those with CAP_SYS_RESOURCE", l.Max, seconds+1)
	}
	return err
}
