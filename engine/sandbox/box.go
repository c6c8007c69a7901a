//go:build linux

package sandbox

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// Box is what holds a program. It travels as JSON. Who does what:
//
//  1. The engine says what it wants and asks the machine (Fit) what of it can
//     be had.
//  2. It starts the supervisor in namespaces of its own (Enclose).
//  3. The supervisor, before anything else, sets them up (Furnish).
//  4. It starts the program (Start), by way of a process that takes the limits
//     upon itself, gives up what the program is not to have, and executes it.
//
// The supervisor is the first process of the PID namespace: signals from inside
// do not reach it, orphans become its children, and when it ends the kernel
// kills everybody in there.
type Box struct {
	Spaces Spaces
	// Shm and Tmp give the program a /dev/shm and a /tmp (and /var/tmp) that
	// nobody else sees and that are gone with it, of at most Room bytes each.
	// They need Mount.
	Shm, Tmp bool
	Room     int64 // 0 is DefaultRoom
	// Confined lets the program write nowhere but below Writable, in its own
	// /dev/shm and /tmp, and to devices: by mounts, or else by landlock. Under
	// landlock a POSIX queue can be opened only where its file system can be
	// looked at: where it is mounted, in an IPC namespace, or by root.
	Confined bool
	Writable []string // absolute paths of directories or files that exist
	// Visible are paths that the program is to see although they lie in the
	// /tmp that its own one covers.
	Visible []string
	// Hidden are directories that the program finds empty, but for what is
	// writable or visible below them. They need Mount.
	Hidden []string

	// ReadOnly and Landlock are the two ways; Fit sets them.
	ReadOnly, Landlock bool
	// Scoped has landlock hold the program's signals back from everybody
	// outside of its own tree. Fit sets it.
	Scoped bool
	// Filtered has a filter refuse signals to all processes (kill -1), and to
	// those in Spare. Fit sets it where nothing better is to be had.
	Filtered bool
	Spare    []int

	// OwnPids has the kernel stop a fork bomb. Fit sets it.
	OwnPids bool
	Limits  Limits
	// Umask is the program's, if not negative.
	Umask int
	Nice  int // added to the caller's
}

// DefaultRoom is how much a program may store in a file system of its own.
const DefaultRoom = 256 << 20

// Limits bound what a process uses; zero is no bound. All but Processes hold
// for each process by itself: add up what the tree uses with Measure.
type Limits struct {
	CPU    time.Duration // SIGXCPU after so much, rounded up to seconds; SIGKILL a second later
	Memory int64         // bytes of private memory, in the sense of RLIMIT_DATA
	// Processes is for whoever counts them (Measure). The kernel holds them to
	// it a little later: with some more threads in a user namespace, with 300
	// more processes in a PID namespace.
	Processes int
	Files     int   // descriptors are smaller than this
	FileBytes int64 // no file grows beyond this: SIGXFSZ
}

// Fit returns what of a box can be had on this machine, and a sentence on each
// thing that cannot.
func (m *Machine) Fit(want Box) (got Box, without []string) {
	got = want
	lack := func(what, name string) {
		reason := "It was not asked for."
		if f := m.Find(name); f != nil {
			reason = f.Reason
		}
		without = append(without, what+": "+reason)
	}
	for _, n := range spaceNames {
		if n.s == User || !want.Spaces.Has(n.s) || m.Spaces.Has(n.s) {
			continue
		}
		got.Spaces &^= n.s
		name := n.name + " namespace"
		if n.s == PID && m.Find("fresh /proc") != nil {
			name = "fresh /proc"
		}
		lack("no "+n.name+" namespace", name)
	}
	// A PID namespace needs a /proc of its own, and that a mount namespace.
	if got.Spaces.Has(PID) {
		got.Spaces |= Mount
	}
	got.Spaces &^= User
	if got.Spaces != 0 {
		got.Spaces |= m.Spaces & User
	}
	if want.Shm && !(got.Spaces.Has(Mount) && m.PrivateShm) {
		got.Shm = false
		lack("no private /dev/shm", "private /dev/shm")
	}
	if want.Tmp && !(got.Spaces.Has(Mount) && m.PrivateTmp) {
		got.Tmp = false
		lack("no private /tmp", "private /tmp")
	}
	if len(want.Hidden) > 0 && !got.Spaces.Has(Mount) {
		got.Hidden = nil
		lack("the program sees what its user sees", "mount namespace")
	}
	got.ReadOnly = want.Confined && got.Spaces.Has(Mount) && m.ReadOnly
	// One way is enough, and mounts have no effects but the one that is wanted.
	got.Landlock = want.Confined && !got.ReadOnly && m.Landlock > 0
	if want.Confined && !got.ReadOnly && !got.Landlock {
		got.Confined = false
		lack("the program may write wherever its user may", "landlock")
	}
	if !got.Spaces.Has(PID) {
		switch {
		case m.Landlock >= scopeVersion:
			got.Landlock, got.Scoped = true, true
		case m.Filter:
			got.Filtered = true
		default:
			lack("the program may signal whom its user may", "seccomp filter")
		}
	}
	got.OwnPids = want.Limits.Processes > 0 && got.Spaces.Has(PID) && m.OwnPids
	return got, without
}

// Enclose has the supervisor start in the namespaces of the box.
func (b *Box) Enclose(start *proc.Start) { b.Spaces.Enclose(start) }

// Furnish sets up the namespaces that this process was started in. It changes
// nothing where there are none. An error means that the box is not what was
// promised: nothing should be started in it.
func (b *Box) Furnish() error {
	if b.Spaces.Has(Network) {
		if err := raiseLoopback(); err != nil {
			return err
		}
	}
	if !b.Spaces.Has(Mount) {
		return nil
	}
	if err := setApart(); err != nil {
		return err
	}
	return b.furnishMounts()
}

// furnishMounts does it in this order:
//
//  1. Take hold of what stays writable while it is.
//  2. Make everything read-only.
//  3. Take hold of what stays visible and is read-only now.
//  4. Cover what is to be the program's own.
//  5. Put back what was taken hold of.
func (b *Box) furnishMounts() error {
	var held []holding
	defer func() {
		for _, h := range held {
			unix.Close(h.fd)
		}
	}()
	hold := func(paths []string) error {
		for _, p := range paths {
			p, err := filepath.EvalSymlinks(p)
			if err != nil {
				return err
			}
			if slices.ContainsFunc(held, func(h holding) bool { return h.path == p }) {
				continue // as writable, which is more
			}
			fd, err := pickUp(p)
			if err != nil {
				return err
			}
			held = append(held, holding{fd, p})
		}
		return nil
	}
	own, hidden := b.covered(), b.hidden()
	covered := slices.Concat(own, hidden)
	if b.ReadOnly {
		if err := hold(b.Writable); err != nil {
			return err
		}
		if err := makeReadOnly(); err != nil {
			return err
		}
	} else if err := hold(below(b.Writable, covered)); err != nil {
		return err
	}
	if err := hold(below(b.Visible, covered)); err != nil {
		return err
	}
	if b.Spaces.Has(PID) {
		if err := mountProc(); err != nil {
			return err
		}
		if b.OwnPids {
			if err := limitPids(b.Limits.Processes); err != nil {
				return err
			}
		}
	}
	room := b.Room
	if room == 0 {
		room = DefaultRoom
	}
	for _, dir := range own {
		if err := mountEmpty(dir, room); err != nil {
			return err
		}
	}
	if b.Spaces.Has(IPC) {
		if err := mountMqueue(); err != nil {
			return err
		}
	}
	// What lies below something else goes on top of it.
	layers := slices.Clone(held)
	for _, dir := range hidden {
		layers = append(layers, holding{-1, dir})
	}
	slices.SortStableFunc(layers, func(a, b holding) int { return strings.Compare(a.path, b.path) })
	for _, l := range layers {
		put := l.putBack
		if l.fd < 0 {
			put = l.cover
		}
		if err := put(); err != nil {
			return err
		}
	}
	return nil
}

// hidden are the directories to hide, without symbolic links in their names.
func (b *Box) hidden() []string {
	var out []string
	for _, dir := range b.Hidden {
		if full, err := filepath.EvalSymlinks(dir); err == nil {
			out = append(out, full)
		}
	}
	return out
}

// covered are the directories that are to be the program's own.
func (b *Box) covered() []string {
	var out []string
	if b.Shm {
		out = append(out, shmDir)
	}
	if b.Tmp {
		out = append(out, "/tmp")
		if dir, err := filepath.EvalSymlinks("/var/tmp"); err == nil && dir != "/tmp" {
			out = append(out, dir)
		}
	}
	return out
}

const shmDir = "/dev/shm"

// below are those of the paths that lie below one of the directories.
func below(paths, dirs []string) []string {
	var out []string
	for _, p := range paths {
		for _, d := range dirs {
			if full, err := filepath.EvalSymlinks(p); err == nil && strings.HasPrefix(full, d+"/") {
				out = append(out, p)
				break
			}
		}
	}
	return out
}

// holding is a part of the file system that was taken hold of.
type holding struct {
	fd   int
	path string
}

// cover hides what is at the path; what does not show there any more is hidden
// already. Whatever lies below it is put back later, so it can be written to
// until then, and by nobody but its owner.
func (h holding) cover() error {
	if unix.Access(h.path, unix.F_OK) != nil {
		return nil
	}
	return hide(h.path)
}

// putBack mounts it where it was, under directories of its own if those that
// led there are covered.
func (h holding) putBack() error {
	var st, own unix.Stat_t
	if err := unix.Fstat(h.fd, &own); err != nil {
		return fmt.Errorf("%s: %w", h.path, err)
	}
	if unix.Stat(h.path, &st) != nil {
		if err := makeTarget(h.path, own.Mode&unix.S_IFMT == unix.S_IFDIR); err != nil {
			return fmt.Errorf("a place for %s: %w", h.path, err)
		}
	}
	return putDown(h.fd, h.path)
}
