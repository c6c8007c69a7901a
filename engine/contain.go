package engine

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ipcrun/engine/proc"
	"ipcrun/engine/sandbox"
	"ipcrun/spec"
)

// What a program may use where the file sets no limit. It is meant for programs
// that went wrong: one that forks for ever, or fills a disk.
const (
	maxProcesses = 256
	maxFileBytes = 256 << 20
)

// boxOf is what holds a program: what the file asks for, as far as this machine
// allows it. path is its executable and dir where it starts.
func (r *run) boxOf(d *spec.Proc, path, dir string) (sandbox.Box, error) {
	l := d.Limits
	want := sandbox.Box{Umask: 0o022, Limits: sandbox.Limits{
		CPU: time.Duration(l.CPU), Memory: int64(l.Memory), Processes: l.Processes, Files: l.Files, FileBytes: int64(l.Output),
	}}
	if want.Limits.Processes == 0 {
		want.Limits.Processes = maxProcesses
	}
	if want.Limits.FileBytes == 0 {
		want.Limits.FileBytes = maxFileBytes
	}
	if d.Umask != nil {
		want.Umask = *d.Umask
	}
	if d.Nice != nil {
		if now, err := proc.Nice(); err == nil {
			want.Nice = *d.Nice - now
		}
	}
	if d.Run.Open {
		return want, nil
	}
	// Programs of one scenario may be meant to talk to each other by what has a
	// name, and by their numbers.
	if r.programs() == 1 {
		want.Spaces = sandbox.PID | sandbox.IPC | sandbox.Mount | sandbox.Network
		want.Shm, want.Tmp = true, true
	} else {
		want.Spaces = sandbox.Mount
	}
	want.Confined = true
	for i := range r.plan.Prims {
		address := r.plan.Prims[i].Kind.Address
		if address == nil {
			continue
		}
		// What has a name lives where ipcrun does, and a program may know it without
		// being told.
		want.Spaces &^= sandbox.IPC | sandbox.Network
		want.Shm = false
		if name := address(r.handles[i]); filepath.IsAbs(name) {
			if _, err := os.Stat(name); err == nil {
				want.Writable = append(want.Writable, filepath.Dir(name))
			}
		}
	}
	base, err := r.baseDir()
	if err != nil {
		return want, err
	}
	want.Hidden = d.Run.Hidden
	want.Writable = append(want.Writable, d.Run.Writable...)
	want.Visible = append(want.Visible, dir)
	if !slices.Contains(d.Run.Hidden, base) {
		want.Visible = append(want.Visible, base)
	}
	// What its command line names it is to find, wherever that lies.
	for _, arg := range append([]string{path}, d.Run.Argv...) {
		if _, err := os.Stat(arg); err == nil && filepath.IsAbs(arg) {
			want.Visible = append(want.Visible, filepath.Dir(arg))
		}
	}
	if len(d.Run.Files) > 0 {
		want.Writable = append(want.Writable, dir)
	}
	// What is hidden below them could not be changed, but moved away as a whole.
	holds := func(dir string) bool {
		return slices.ContainsFunc(want.Hidden, func(h string) bool { return strings.HasPrefix(h, dir+"/") })
	}
	want.Tmp = want.Tmp || holds("/tmp")
	box, _ := sandbox.Here().Fit(want)
	// What it does not get for itself it shares with everybody.
	if !box.Shm {
		box.Writable = append(box.Writable, "/dev/shm")
	}
	if !box.Tmp {
		box.Writable = append(box.Writable, "/tmp")
		if tmp := os.TempDir(); tmp != "/tmp" && !holds(tmp) {
			box.Writable = append(box.Writable, tmp)
		}
	}
	return box, nil
}

// programs is how many of them there are.
func (r *run) programs() (n int) {
	for i := range r.plan.Slots {
		if r.isProgram(i) {
			n++
		}
	}
	return n
}
