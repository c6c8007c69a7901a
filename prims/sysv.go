package prims

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"sync/atomic"

	"ipcrun/prims/sysv"
	"ipcrun/spec/decl"
)

// What the three kinds of System V objects have in common: keys, identities, and
// that any of them can be removed under those who use it.

// Errors of System V objects.
const (
	Removed = "Removed"
	Range   = "Range"
)

func init() {
	decl.RegisterError(Removed, "the object was removed from the system, before the step or while it waited (EIDRM, or EINVAL afterwards)")
	decl.RegisterError(Range, "a semaphore would be above 32767 (ERANGE)")
}

// What the system calls say, besides success and sysv.ErrRemoved.
var (
	errSysvAgain  = errors.New("it would have to wait")
	errSysvTime   = errors.New("the timeout has passed")
	errSysvTooBig = errors.New("longer than the room for it")
	errSysvRange  = errors.New("above the highest value")
)

var keyField = decl.Field{Name: "key", Shape: decl.Any, Default: "one that nobody has", Static: true,
	Doc: "the key under which programs find it: a number, or {path: …, id: …} for what ftok makes of them", Example: "0x1234"}

var (
	idFact      = decl.Fact{Name: "id", Shape: decl.Int, Doc: "what the kernel calls it: the number that msgget, semget or shmget returns, and that ipcs lists"}
	keyFact     = decl.Fact{Name: "key", Shape: decl.Int, Doc: "its key"}
	removedFact = decl.Fact{Name: "removed", Shape: decl.Bool, Doc: "whether it was removed from the system"}
	waitersFact = decl.Fact{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes of the scenario that are blocked on it"}
)

// removeVerb describes remove, with an example's name.
func removeVerb(what, waiting, name string) decl.Verb {
	return decl.Verb{
		Name: "remove", Summary: "remove a " + what + " from the system", Place: decl.InProcess,
		Doc:     "Never blocks. IPC_RMID: " + waiting + " What is not removed is removed at the end of the run.",
		Errors:  []string{Removed},
		Example: "remove: " + name,
	}
}

// sysvKey is the key of a declaration, 0 where it gives none.
func sysvKey(a Args) (int32, error) {
	v, given := a.Fields["key"]
	if !given || v == nil {
		return 0, nil
	}
	if m, ok := v.(map[string]any); ok {
		path, id, err := ftokArgs(m)
		if err != nil {
			return 0, err
		}
		return sysv.Ftok(path, id)
	}
	n, ok := wholeNumber(v)
	switch {
	case !ok:
		return 0, fmt.Errorf("a key is a number, or {path: …, id: …}, not %s", describe(v))
	case n == 0:
		return 0, errors.New("0 is IPC_PRIVATE, the key of nothing: without key: it gets one that nobody has")
	case n < math.MinInt32 || n > math.MaxUint32:
		return 0, fmt.Errorf("a key has 32 bits, %d has more", n)
	}
	return int32(uint32(n)), nil
}

// ftokArgs reads {path: …, id: …}; the id is a number or, as in C, one character.
func ftokArgs(m map[string]any) (path string, id int, err error) {
	path, ok := m["path"].(string)
	if !ok || path == "" || len(m) != 2 {
		return "", 0, errors.New("a key of ftok is {path: …, id: …}")
	}
	switch v := m["id"].(type) {
	case int:
		id = v
	case string:
		if len(v) == 1 {
			id = int(v[0])
		}
	}
	if id < 1 || id > 255 {
		return "", 0, fmt.Errorf("the id for ftok is a number from 1 to 255 or one character, not %s", describe(m["id"]))
	}
	return path, id, nil
}

// checkSysvKey says what is wrong with the key of a declaration; that the file of
// ftok is there is not asked before the run.
func checkSysvKey(fields map[string]any) (key, problem string) {
	var err error
	if m, ok := fields["key"].(map[string]any); ok {
		_, _, err = ftokArgs(m)
	} else {
		_, err = sysvKey(Args{Fields: fields})
	}
	if err != nil {
		return "key", err.Error()
	}
	return "", ""
}

// sysvObject is the part of a handle that all three have. What the processes
// share begins with:
//
//	0   the operation counter
//	8   the id and one more, the key
//	16  how many operations there were that the kernel undoes
type sysvObject struct {
	name   string
	family sysv.Family
	id     int
	key    int32
	seq    *atomic.Uint64
	undone *atomic.Uint32
}

const sysvMem = 24

// createSysv makes an object of n semaphores or bytes.
func createSysv(c *Creation, f sysv.Family, n int) (id int, err error) {
	key, err := sysvKey(c.Args)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.Name, err)
	}
	id, key, err = c.System.SysV(f, key, n)
	if errors.Is(err, fs.ErrExist) {
		return 0, fmt.Errorf("%s: %s", c.Name, sysvTaken(f, key))
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.Name, notHere(err))
	}
	word32(c.Mem, 8).Store(uint32(id) + 1)
	word32(c.Mem, 12).Store(uint32(key))
	return id, nil
}

// sysvTaken says whose the key is that an object was to have.
func sysvTaken(f sysv.Family, key int32) string {
	text := fmt.Sprintf("there is a %s with the key 0x%x already", f, uint32(key))
	id, p, ok := f.Listed(key)
	if !ok {
		return text + "; " + f.Listing() + " shows it"
	}
	return fmt.Sprintf("%s (id %d, of user %d); it is left alone, because somebody may use it: %s %d removes it", text, id, p.Uid, f.Removal(), id)
}

func newSysvObject(a *Attachment, f sysv.Family) sysvObject {
	return sysvObject{
		name: a.Name, family: f, id: int(word32(a.Mem, 8).Load()) - 1, key: int32(word32(a.Mem, 12).Load()),
		seq: word64(a.Mem, 0), undone: word32(a.Mem, 16),
	}
}

func (o *sysvObject) address() string { return fmt.Sprintf("0x%x", uint32(o.key)) }

// facts are those of every object; err is what the kernel said when it was asked
// for its state.
func (o *sysvObject) facts(err error) map[string]any {
	return map[string]any{"id": o.id, "key": int(uint32(o.key)), "removed": err == sysv.ErrRemoved}
}

func (o *sysvObject) remove(c *Call) error {
	c.Seq = o.seq.Add(1)
	if err := o.family.Remove(o.id); err != nil {
		return o.failure(c, err, "", "")
	}
	return nil
}

// failure gives an error of the kernel its name. busy says what an operation
// found that must not block, still what one found whose time is up.
func (o *sysvObject) failure(c *Call, err error, busy, still string) error {
	switch err {
	case sysv.ErrRemoved:
		// It comes after all that the process did before it that removed it.
		c.Seq, c.Happened = o.seq.Add(1), true
		return decl.Fail(Removed, "there is no %s of that id any more", o.family)
	case errSysvAgain:
		return c.noWait(busy)
	case errSysvTime:
		return decl.Fail(Timeout, "%s", still)
	case errSysvRange:
		return decl.Fail(Range, "a semaphore is at most %d", sysv.MaxValue)
	}
	return err
}

// neverReady is the Ready of operations that block inside the kernel, which does
// what they wait for on their behalf and only then wakes them: whose operation
// could go on is not asleep any more, and that the deadlock finder asks for, too.
func neverReady(any, uint64) bool { return false }

// intArg is a whole number among the parameters.
func intArg(c *Values, name string, without, min, max int) (int, error) {
	if c == nil || !c.Has(name) {
		return without, nil
	}
	n, ok := wholeNumber(c.Get(name))
	if !ok || n < min || n > max {
		return 0, decl.Fail(Invalid, "%s: takes a whole number from %d to %d, not %s", name, min, max, describe(c.Get(name)))
	}
	return n, nil
}

func boolArg(c *Values, name string) bool {
	if c == nil {
		return false
	}
	b, _ := c.Get(name).(bool)
	return b
}
