package named

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"strings"

	"ipcrun/prims/sysv"
)

// Classes of System V objects. The name of an entry is that of its family and
// the key, the identity what the kernel calls it and one more.
var sysvClasses = map[sysv.Family]string{sysv.Queue: "sysv-queue", sysv.Set: "sysv-set", sysv.Segment: "sysv-segment"}

func init() {
	for f, name := range sysvClasses {
		Register(Class{
			Name: name,
			Exists: func(e Entry) bool {
				_, ok := sysvOf(f, e)
				return ok
			},
			Remove: func(e Entry) error {
				id, ok := sysvOf(f, e)
				if !ok {
					return nil
				}
				if err := f.Remove(id); err != nil && err != sysv.ErrRemoved {
					return err
				}
				return nil
			},
		})
	}
}

// sysvOf is the id of the object of an entry, if it is there.
func sysvOf(f sysv.Family, e Entry) (id int, ok bool) {
	_, text, _ := strings.Cut(e.Name, " 0x")
	key, err := strconv.ParseUint(text, 16, 32)
	if err != nil {
		return 0, false
	}
	if e.ID == 0 {
		id, p, ok := f.Listed(int32(key))
		return id, ok && p.Mode&0o777 == 0
	}
	id = int(e.ID) - 1
	p, err := f.Perm(id)
	if err == sysv.ErrRemoved || err == nil && p.Key != int32(key) {
		// A removed segment that somebody is attached to has no key any more, and
		// goes by itself.
		return 0, false
	}
	return id, true
}

// SysV makes a System V object of n semaphores or bytes that only this user may
// use. A key of 0 asks for one that nobody has.
func (l *Ledger) SysV(f sysv.Family, key int32, n int) (id int, got int32, err error) {
	const tries = 100
	for i := 1; ; i++ {
		got = key
		if key == 0 {
			got = 1 + rand.Int32N(1<<31-1)
		}
		id, err = l.sysv(f, got, n)
		if key != 0 || i == tries || !errors.Is(err, fs.ErrExist) {
			return id, got, err
		}
	}
}

func (l *Ledger) sysv(f sysv.Family, key int32, n int) (id int, err error) {
	name := fmt.Sprintf("%s 0x%08x", f, uint32(key))
	err = l.Claim(sysvClasses[f], name, func() (uint64, error) {
		var err error
		if id, err = f.Create(key, n); err != nil {
			return 0, f.Refused(err, n)
		}
		return uint64(id) + 1, nil
	})
	if err != nil {
		return 0, err
	}
	if err := f.Open(id, 0o600); err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return id, nil
}
