package prims

import (
	"encoding/binary"

	"ipcrun/prims/sysv"
	"ipcrun/spec/decl"
)

// sysvSetModel: a byte that is 1 once the set was removed; the values, 2 bytes
// each; for each process what the kernel undoes of each semaphore when it ends, 2
// bytes each.
type sysvSetModel struct {
	n, procs int
	first    []int
}

func newSysvSetModel(a Args, n int) (Model, error) {
	first, err := firstValues(a)
	return sysvSetModel{len(first), n, first}, err
}

func (m sysvSetModel) Size() int { return 1 + 2*m.n + 2*m.n*m.procs }

func (m sysvSetModel) Init(st []byte) {
	for i, v := range m.first {
		m.set(st, i, v)
	}
}

func (m sysvSetModel) get(st []byte, i int) int { return int(binary.LittleEndian.Uint16(st[1+2*i:])) }
func (m sysvSetModel) set(st []byte, i, v int) {
	binary.LittleEndian.PutUint16(st[1+2*i:], uint16(v))
}

// undo is where what process p has to undo of semaphore i is kept.
func (m sysvSetModel) undo(st []byte, p, i int) []byte { return st[1+2*m.n+2*(p*m.n+i):] }

// Died implements Mortal: the kernel takes back what was to be undone, as far as
// the values allow.
func (m sysvSetModel) Died(st []byte, p int) {
	for i := range m.n {
		u := m.undo(st, p, i)
		m.set(st, i, min(max(m.get(st, i)+int(int16(binary.LittleEndian.Uint16(u))), 0), sysv.MaxValue))
		clear(u[:2])
	}
}

func (m sysvSetModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	var ops []sysv.Op
	var err error
	switch verb {
	case "acquire":
		ops, err = sameOps(m.n, c.Elems, c.Args, -1)
	case "release":
		ops, err = sameOps(m.n, c.Elems, c.Args, 1)
	case "wait":
		ops, err = sameOps(m.n, c.Elems, nil, 0)
	case "semop":
		args := c.Args
		if args == nil {
			args = &Values{}
		}
		ops, err = listedOps(m.n, c.Elems, args)
	default:
		return m.control(st, verb, c)
	}
	if err != nil {
		return nil, failureOf(err), false
	}
	if st[0] != 0 {
		return nil, modelRemoved(sysv.Set), false
	}
	now := make([]int, m.n)
	for i := range now {
		now[i] = m.get(st, i)
	}
	undo := map[int]int{}
	for _, o := range ops {
		i := int(o.Num)
		v := now[i] + int(o.Op)
		if v < 0 || o.Op == 0 && now[i] != 0 {
			return modelBlocks(c, "too small, or not 0")
		}
		if v > sysv.MaxValue {
			return nil, decl.Fail(Range, "a semaphore is at most %d", sysv.MaxValue), false
		}
		if o.Flag&sysv.Undo != 0 {
			if _, there := undo[i]; !there {
				undo[i] = int(int16(binary.LittleEndian.Uint16(m.undo(st, p, i))))
			}
			undo[i] -= int(o.Op)
			if undo[i] < -sysv.MaxValue-1 || undo[i] > sysv.MaxValue {
				return nil, decl.Fail(Range, "too much to undo"), false
			}
		}
		now[i] = v
	}
	for i, v := range now {
		m.set(st, i, v)
	}
	for i, u := range undo {
		binary.LittleEndian.PutUint16(m.undo(st, p, i), uint16(int16(u)))
	}
	if verb == "release" {
		return nil, nil, false
	}
	return true, nil, false
}

// control are the verbs that ask and set.
func (m sysvSetModel) control(st []byte, verb string, c ModelCall) (any, *decl.Failure, bool) {
	if verb == "remove" {
		if st[0] != 0 {
			return nil, modelRemoved(sysv.Set), false
		}
		clear(st)
		st[0] = 1
		return nil, nil, false
	}
	sp, err := setSpan(m.n, c.Elems)
	if err != nil {
		return nil, failureOf(err), false
	}
	values := make([]int, m.n)
	for i := range values {
		values[i] = m.get(st, i)
	}
	switch verb {
	case "get_value":
		if st[0] != 0 {
			return nil, modelRemoved(sysv.Set), false
		}
		return picked(values, sp), nil, false
	case "set_value":
		sp, fresh, err := settings(m.n, c.Elems, c.Value)
		if err != nil {
			return nil, failureOf(err), false
		}
		if st[0] != 0 {
			return nil, modelRemoved(sysv.Set), false
		}
		for i, v := range fresh {
			m.set(st, sp.from+i, v)
			for p := range m.procs {
				clear(m.undo(st, p, sp.from+i)[:2])
			}
		}
		return picked(fresh, span{0, len(fresh), sp.one}), nil, false
	}
	panic("sysv_semaphore has no verb " + verb)
}
