package agent

import (
	"strconv"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
	"ipcrun/prims/arena"
)

// supervise leads the session of a terminal for the process of a slot, whose
// descriptors 0 to n-1 this process holds in its place. It does not return.
func supervise(slot int, name string, n int) {
	files := make([]int, n)
	for i := range files {
		files[i] = i
	}
	if err := proc.ArmLifeline(FdLifeline); err != nil {
		die("%v", err)
	}
	files[FdLifeline] = proc.LifelineFd()
	for i := 3; i < n; i++ {
		unix.CloseOnExec(i)
	}
	a, err := arena.Attach(FdArena)
	if err != nil {
		die("%v", err)
	}
	s := a.Slot(slot)
	child := proc.Start{
		Path: proc.Self(), Args: []string{agentName, strconv.Itoa(slot), name},
		Env: Environment(), Files: files, Ctty: -1,
	}
	err = proc.Supervise(0, child,
		func(pid int) {
			s.MarkForked(pid)
			a.WakeEngine(FdWake)
		},
		func(st proc.Status) {
			s.RecordStatus(EncodeStatus(st))
			a.WakeEngine(FdWake)
		})
	die("%v", err)
}

// EncodeStatus is a wait status as wait(2) returns it.
func EncodeStatus(st proc.Status) uint32 {
	switch {
	case st.Signaled && st.Core:
		return uint32(st.Signal) | 0x80
	case st.Signaled:
		return uint32(st.Signal)
	}
	return uint32(st.Code&0xff) << 8
}

// DecodeStatus is the inverse of EncodeStatus.
func DecodeStatus(ws uint32) proc.Status {
	if n := ws & 0x7f; n != 0 {
		return proc.Status{Known: true, Signaled: true, Signal: unix.Signal(n), Core: ws&0x80 != 0}
	}
	return proc.Status{Known: true, Exited: true, Code: int(ws >> 8 & 0xff)}
}
