//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// Object is something that lives under a name in the system until somebody
// removes it. It travels as JSON.
type Object struct {
	Kind string // "System V queue", "POSIX semaphore", ...
	Name string // of a POSIX object, with its slash
	Key  int32  // of a System V object; 0 is IPC_PRIVATE
	ID   int64  // of a System V object; of others it tells two of one name apart
	UID  uint32 // who made it
	Pid  int    // who made it, where the kernel tells (System V shared memory)
}

// String names it for people.
func (o Object) String() string {
	if o.Name != "" {
		return o.Kind + " " + o.Name
	}
	if o.Key == 0 {
		return fmt.Sprintf("%s id %d (IPC_PRIVATE)", o.Kind, o.ID)
	}
	return fmt.Sprintf("%s key 0x%x id %d", o.Kind, uint32(o.Key), o.ID)
}

// The kinds of objects.
const (
	sysvQueue      = "System V queue"
	sysvSemaphores = "System V semaphore set"
	sysvMemory     = "System V shared memory"
	posixQueue     = "POSIX message queue"
	posixSemaphore = "POSIX semaphore"
	posixMemory    = "POSIX shared memory"
)

// Objects lists all objects that this process sees: those of its own IPC and
// mount namespaces. In a box of a program's own that is what the program has
// made and nothing else; have the supervisor ask.
func Objects() ([]Object, error) {
	var out []Object
	var errs []error
	for _, f := range []struct{ kind, file, id string }{
		{sysvQueue, "/proc/sysvipc/msg", "msqid"},
		{sysvSemaphores, "/proc/sysvipc/sem", "semid"},
		{sysvMemory, "/proc/sysvipc/shm", "shmid"},
	} {
		text, err := os.ReadFile(f.file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a kernel without them
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, parseSysV(string(text), f.kind, f.id)...)
	}
	shm, err := posixObjects(shmDir, func(name string) (string, string) {
		if sem, ok := strings.CutPrefix(name, "sem."); ok {
			return posixSemaphore, "/" + sem
		}
		return posixMemory, "/" + name
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		errs = append(errs, err)
	}
	out = append(out, shm...)
	queues, err := messageQueues()
	if err != nil {
		errs = append(errs, err)
	}
	return append(out, queues...), errors.Join(errs...)
}

// parseSysV reads a table whose first line names its columns.
func parseSysV(text, kind, id string) []Object {
	var out []Object
	var head []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if head == nil {
			head = f
			continue
		}
		number := func(name string) int64 {
			i := slices.Index(head, name)
			if i < 0 || i >= len(f) {
				return 0
			}
			n, _ := strconv.ParseInt(f[i], 10, 64)
			return n
		}
		out = append(out, Object{Kind: kind, Key: int32(number("key")), ID: number(id), UID: uint32(number("cuid")), Pid: int(number("cpid"))})
	}
	return out
}

// posixObjects lists the files of a directory.
func posixObjects(dir string, name func(file string) (kind, name string)) ([]Object, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []Object
	for _, e := range entries {
		var st unix.Stat_t
		if unix.Lstat(dir+"/"+e.Name(), &st) != nil {
			continue // gone meanwhile
		}
		o := Object{UID: st.Uid, ID: int64(st.Ino)}
		o.Kind, o.Name = name(e.Name())
		out = append(out, o)
	}
	return out, nil
}

// messageQueues lists the queues of this IPC namespace. Where their file system
// is not mounted it is made visible to this process alone, which takes the
// right to mount; without it they are not seen.
func messageQueues() ([]Object, error) {
	name := func(file string) (string, string) { return posixQueue, "/" + file }
	if mounted(mqueueDir, mqueueMagic) {
		return posixObjects(mqueueDir, name)
	}
	fd, err := detachedMqueue()
	if err != nil {
		return nil, nil
	}
	defer unix.Close(fd)
	return posixObjects("/proc/self/fd/"+strconv.Itoa(fd)+"/.", name)
}

// detachedMqueue is the file system of queues, mounted nowhere.
func detachedMqueue() (int, error) {
	kind := []byte("mqueue\x00")
	fs, _, errno := unix.Syscall(unix.SYS_FSOPEN, uintptr(unsafe.Pointer(&kind[0])), unix.FSOPEN_CLOEXEC, 0)
	if errno != 0 {
		return -1, errno
	}
	defer unix.Close(int(fs))
	if _, _, errno := unix.Syscall6(unix.SYS_FSCONFIG, fs, unix.FSCONFIG_CMD_CREATE, 0, 0, 0, 0); errno != 0 {
		return -1, errno
	}
	fd, _, errno := unix.Syscall(unix.SYS_FSMOUNT, fs, unix.FSMOUNT_CLOEXEC, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

// Leaks lists what is there now and was not there before, of one user, in
// order. Where nobody but the program uses the namespaces, that is what the
// program has left. Elsewhere another program of the same user may have made
// it, unless the kernel names a maker who still lives and is not below root; a
// root of 0 is for objects of a namespace whose numbers mean nothing here.
func Leaks(before, now []Object, uid int, root int) []Object {
	var out []Object
	for _, o := range now {
		old := slices.ContainsFunc(before, func(b Object) bool { return b.Kind == o.Kind && b.Name == o.Name && b.ID == o.ID })
		if old || o.UID != uint32(uid) || o.Pid != 0 && root != 0 && livesElsewhere(o.Pid, root) {
			continue
		}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b Object) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// livesElsewhere reports whether a process is there and not below root.
func livesElsewhere(pid, root int) bool {
	if pid == root || unix.Kill(pid, 0) == unix.ESRCH {
		return false
	}
	h := Hunt{Root: root}
	f, err := proc.ReadFacts(pid)
	return err == nil && !h.descends(f, 0, h.known())
}
