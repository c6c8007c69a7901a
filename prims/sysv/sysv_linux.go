//go:build linux && (amd64 || arm64)

package sysv

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	ipcCreat = 0o1000
	ipcExcl  = 0o2000
	ipcRmid  = 0
	ipcSet   = 1
	ipcStat  = 2

	semGetPid = 11
	semGetVal = 12
	semGetAll = 13
	semGetN   = 14
	semGetZ   = 15
	semSetVal = 16
	semSetAll = 17
)

// perm is struct ipc64_perm, the same on amd64 and arm64.
type perm struct {
	key, uid, gid, cuid, cgid uint32
	mode                      uint32
	seq, _                    uint16
	_, _                      uint64
}

type msqid struct {
	perm                 perm
	stime, rtime, ctime  int64
	cbytes, qnum, qbytes uint64
	lspid, lrpid         int32
	_, _                 uint64
}

type shmid struct {
	perm                perm
	segsz               uint64
	atime, dtime, ctime int64
	cpid, lpid          int32
	nattch              uint64
	_, _                uint64
}

// semid begins with perm on both; the rest differs and is not needed.
type semid struct {
	perm perm
	_    [10]uint64
}

func (p *perm) out() Perm { return Perm{Key: int32(p.key), Mode: p.mode, Uid: p.uid} }

var (
	getCalls = [...]uintptr{unix.SYS_MSGGET, unix.SYS_SEMGET, unix.SYS_SHMGET}
	ctlCalls = [...]uintptr{unix.SYS_MSGCTL, unix.SYS_SEMCTL, unix.SYS_SHMCTL}
)

// Create makes an object with mode 0, so that nobody can use it yet, and fails
// with an error that is fs.ErrExist if there is one with that key. n is the
// number of semaphores, or the size of the segment.
func (f Family) Create(key int32, n int) (id int, err error) {
	return f.get(key, n, ipcCreat|ipcExcl)
}

// Find is the id of the object with a key.
func (f Family) Find(key int32) (id int, err error) { return f.get(key, 0, 0) }

func (f Family) get(key int32, n, flags int) (int, error) {
	a2, a3 := uintptr(n), uintptr(flags)
	if f == Queue {
		a2, a3 = uintptr(flags), 0
	}
	r, _, e := unix.RawSyscall(getCalls[f], uintptr(uint32(key)), a2, a3)
	if e != 0 {
		return 0, e
	}
	return int(int32(r)), nil
}

// ctl is msgctl(2), semctl(2) and shmctl(2) with a structure.
func (f Family) ctl(id, cmd int, p unsafe.Pointer) error {
	var e unix.Errno
	if f == Set {
		_, _, e = unix.RawSyscall6(ctlCalls[f], uintptr(id), 0, uintptr(cmd), uintptr(p), 0, 0)
	} else {
		_, _, e = unix.RawSyscall(ctlCalls[f], uintptr(id), uintptr(cmd), uintptr(p))
	}
	return said(e)
}

// said tells the end of an object from other errors. EINVAL means that as well
// where nothing else can be wrong.
func said(e unix.Errno) error {
	switch e {
	case 0:
		return nil
	case unix.EIDRM, unix.EINVAL:
		return ErrRemoved
	}
	return e
}

// Remove removes an object. Who waits for it goes on, with EIDRM; a segment
// lives until the last process has detached it.
func (f Family) Remove(id int) error { return f.ctl(id, ipcRmid, nil) }

// Open gives an object that Create has made its mode.
func (f Family) Open(id int, mode uint32) error {
	uid, gid := uint32(unix.Geteuid()), uint32(unix.Getegid())
	p := perm{uid: uid, gid: gid, mode: mode}
	switch f {
	case Queue:
		// The capacity is set with the mode, and cannot be read before it has one:
		// what a new queue gets is what the kernel gives to all.
		qbytes, err := limit("msgmnb")
		if err != nil {
			return err
		}
		return f.ctl(id, ipcSet, unsafe.Pointer(&msqid{perm: p, qbytes: uint64(qbytes)}))
	case Set:
		return f.ctl(id, ipcSet, unsafe.Pointer(&semid{perm: p}))
	}
	return f.ctl(id, ipcSet, unsafe.Pointer(&shmid{perm: p}))
}

// Resize gives a queue another capacity, bytes. More than kernel.msgmnb needs
// CAP_SYS_RESOURCE.
func Resize(id, capacity int) error {
	var st msqid
	if err := Queue.ctl(id, ipcStat, unsafe.Pointer(&st)); err != nil {
		return err
	}
	st.qbytes = uint64(capacity)
	return Queue.ctl(id, ipcSet, unsafe.Pointer(&st))
}

// Perm is what the kernel says of an object, if it may be read.
func (f Family) Perm(id int) (Perm, error) {
	switch f {
	case Queue:
		st, err := StatQueue(id)
		return st.Perm, err
	case Segment:
		st, err := StatSegment(id)
		return st.Perm, err
	}
	var st semid
	err := f.ctl(id, ipcStat, unsafe.Pointer(&st))
	return st.perm.out(), err
}

// StatQueue asks for the state of a queue.
func StatQueue(id int) (QueueStat, error) {
	var st msqid
	err := Queue.ctl(id, ipcStat, unsafe.Pointer(&st))
	return QueueStat{st.perm.out(), int(st.cbytes), int(st.qnum), int(st.qbytes), int(st.lspid), int(st.lrpid)}, err
}

// StatSegment asks for the state of a segment.
func StatSegment(id int) (SegmentStat, error) {
	var st shmid
	err := Segment.ctl(id, ipcStat, unsafe.Pointer(&st))
	return SegmentStat{st.perm.out(), int(st.segsz), int(st.nattch)}, err
}

// Listed is what everybody may know of the object with a key: its id and mode,
// whether or not it may be read. ok is false where there is none.
func (f Family) Listed(key int32) (id int, p Perm, ok bool) {
	file, err := os.Open("/proc/sysvipc/" + tables[f])
	if err != nil {
		return 0, Perm{}, false
	}
	defer file.Close()
	in := bufio.NewScanner(file)
	if !in.Scan() {
		return 0, Perm{}, false
	}
	column := map[string]int{}
	for i, name := range strings.Fields(in.Text()) {
		column[name] = i
	}
	for in.Scan() {
		row := strings.Fields(in.Text())
		if len(row) < len(column) || row[0] != strconv.Itoa(int(key)) {
			continue
		}
		id, err1 := strconv.Atoi(row[1])
		mode, err2 := strconv.ParseUint(row[2], 8, 32)
		uid, err3 := strconv.ParseUint(row[column["uid"]], 10, 32)
		if err1 == nil && err2 == nil && err3 == nil {
			return id, Perm{key, uint32(mode), uint32(uid)}, true
		}
	}
	return 0, Perm{}, false
}

// GetAll is the values of a set of n semaphores.
func GetAll(id, n int) ([]int, error) {
	v := make([]uint16, n)
	if err := Set.ctl(id, semGetAll, unsafe.Pointer(&v[0])); err != nil {
		return nil, err
	}
	out := make([]int, n)
	for i, x := range v {
		out[i] = int(x)
	}
	return out, nil
}

// SetAll gives a set its values, and forgets what was to be undone.
func SetAll(id int, values []int) error {
	v := make([]uint16, len(values))
	for i, x := range values {
		v[i] = uint16(x)
	}
	return Set.ctl(id, semSetAll, unsafe.Pointer(&v[0]))
}

// GetVal is the value of one semaphore; GetPid the process of the last operation
// on it, GetNcnt and GetZcnt how many wait for it to grow and to be 0.
func GetVal(id, num int) (int, error) { return semGet(id, num, semGetVal) }

// GetPid: see GetVal.
func GetPid(id, num int) (int, error) { return semGet(id, num, semGetPid) }

// GetNcnt: see GetVal.
func GetNcnt(id, num int) (int, error) { return semGet(id, num, semGetN) }

// GetZcnt: see GetVal.
func GetZcnt(id, num int) (int, error) { return semGet(id, num, semGetZ) }

func semGet(id, num, cmd int) (int, error) {
	r, _, e := unix.RawSyscall6(unix.SYS_SEMCTL, uintptr(id), uintptr(num), uintptr(cmd), 0, 0, 0)
	if e != 0 {
		return 0, said(e)
	}
	return int(int32(r)), nil
}

// SetVal gives one semaphore a value, and forgets what was to be undone of it.
func SetVal(id, num, value int) error {
	_, _, e := unix.RawSyscall6(unix.SYS_SEMCTL, uintptr(id), uintptr(num), semSetVal, uintptr(value), 0, 0)
	return said(e)
}

// Attach maps a segment.
func Attach(id int, readOnly bool) ([]byte, error) {
	flags := 0
	if readOnly {
		flags = unix.SHM_RDONLY
	}
	mem, err := unix.SysvShmAttach(id, 0, flags)
	if e, ok := err.(unix.Errno); ok {
		return nil, said(e)
	}
	return mem, err
}

// Detach gives a mapping up.
func Detach(mem []byte) error { return unix.SysvShmDetach(mem) }

// Ftok makes a key of a file and a number, as ftok(3) does.
func Ftok(path string, id int) (int32, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, &os.PathError{Op: "ftok", Path: path, Err: err}
	}
	return int32(uint32(id&0xff)<<24 | uint32(st.Dev&0xff)<<16 | uint32(st.Ino&0xffff)), nil
}

// limit is one of the kernel's limits by its name below /proc/sys/kernel.
func limit(name string) (int, error) {
	b, err := os.ReadFile("/proc/sys/kernel/" + name)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(b)))
}

// semLimit is one of the four numbers in kernel.sem.
func semLimit(i int) (int, error) {
	b, err := os.ReadFile("/proc/sys/kernel/sem")
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b))
	if i >= len(f) {
		return 0, fmt.Errorf("kernel.sem has %d numbers", len(f))
	}
	return strconv.Atoi(f[i])
}

// Limit puts a limit of the kernel into words: kernel.msgmni is 32000.
func limitText(name string) string {
	n, err := limit(name)
	if err != nil {
		return "kernel." + name
	}
	return fmt.Sprintf("kernel.%s is %d", name, n)
}

func semText(i int, what string) string {
	n, err := semLimit(i)
	if err != nil {
		return "kernel.sem"
	}
	return fmt.Sprintf("kernel.sem allows %d %s", n, what)
}

// Refused says why the kernel has made no object of n semaphores or bytes.
func (f Family) Refused(err error, n int) error {
	why := ""
	switch e, _ := err.(unix.Errno); {
	case e == unix.ENOSYS:
		why = "this kernel, or a sandbox around us, has no System V objects"
	case e == unix.EPERM || e == unix.EACCES:
		why = "a sandbox around us forbids it"
	case f == Queue && e == unix.ENOSPC:
		why = "there are as many as it allows: " + limitText("msgmni") + ", ipcs -q lists them"
	case f == Set && e == unix.ENOSPC:
		why = "there are as many as it allows: " + semText(3, "sets") + " and " + semText(1, "semaphores") + ", ipcs -s lists them"
	case f == Set && e == unix.EINVAL:
		why = fmt.Sprintf("%d semaphores are too many for one set: %s in one", n, semText(0, "semaphores"))
	case f == Segment && e == unix.ENOSPC:
		why = "there are as many as it allows, or as much: " + limitText("shmmni") + ", " + limitText("shmall") + " pages, ipcs -m lists them"
	case f == Segment && e == unix.EINVAL:
		why = fmt.Sprintf("%d bytes are too many: %s", n, limitText("shmmax"))
	}
	if why == "" {
		return fmt.Errorf("the kernel makes no %s: %w", f, err)
	}
	return fmt.Errorf("the kernel makes no %s: %w: %s", f, err, why)
}

// MaxBytes is how many bytes a queue holds where nobody says more (kernel.msgmnb), 0 if
// that cannot be known.
func MaxBytes() int {
	n, err := limit("msgmnb")
	if err != nil {
		return 0
	}
	return n
}

// MaxMessage is the size of the longest message that can be sent (kernel.msgmax).
func MaxMessage() (int, error) { return limit("msgmax") }

// MaxOps is how many operations one semop(2) takes (SEMOPM).
func MaxOps() (int, error) { return semLimit(2) }
