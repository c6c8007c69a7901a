package prims

import (
	"fmt"
	"sync/atomic"

	"ipcrun/prims/sysv"
	"ipcrun/spec/decl"
)

func init() { Register(&sysvSemaphoreKind) }

func amountField() decl.Field {
	return decl.Field{Name: "amount", Shape: decl.Int, Default: "1", Min: decl.Num(1), Max: decl.Num(sysv.MaxValue), Doc: "by how much", Example: "2"}
}

var undoField = decl.Field{Name: "undo", Shape: decl.Bool, Default: "false", Doc: "true: the kernel takes it back when the process ends, however that happens (SEM_UNDO)", Example: "true"}
var setValueField = decl.Field{Name: "value", Shape: decl.Any, Required: true, Doc: "the value of each semaphore that the step names: a number for all, or a list", Example: "1"}

const setWaiting = `With block: false (IPC_NOWAIT) it fails with WouldBlock at once, with timeout:
(semtimedop) with Timeout, no earlier than that.`
const setWhich = `A slice, or the set itself, means several semaphores: all of them at once, or
nothing happens.`

var sysvSemaphoreKind = Descriptor{
	Kind: decl.Kind{
		Name:    "sysv_semaphore",
		Summary: "a System V semaphore set: counters that are changed together",
		Doc: `A set has one semaphore or several, each a number from 0 to 32767. Steps name one
(slots[1]), a slice (slots[0:2]) or all of them (slots), counted from 0. What a
step does to several it does in one moment: either to all, or to none while one of
them does not allow it. acquire takes, release gives, wait waits for zero, and
semop does any combination of the three.

Nobody owns a semaphore: any process may release it. With undo: true the kernel
notes what a process has taken and given, and takes it back when that process ends,
killed or not: a lock whose holder dies is free again. set_value makes it forget
what it has noted of that semaphore, for all processes.

Which of several waiting processes goes on first is not defined.

The set lives in the system, under a key, and any program finds it there with
semget(key, 0, 0). It is made at the start, for this user alone, with its initial
values, and removed at the end of the run, whatever happens.`,
		Main: &decl.Field{Name: "sysv_semaphore", Shape: decl.Int, Default: "1", Min: decl.Num(1), Max: decl.Num(sysvMaxSet), Static: true,
			Doc: "how many semaphores the set has", Example: "3"},
		Fields: []decl.Field{
			{Name: "initial", Shape: decl.Any, Default: "0", Static: true, Doc: "their first values: a number for all, or a list", Example: "[1, 0, 5]"},
			keyField,
		},
		Named:    "key",
		Elements: true,
		Facts: []decl.Fact{
			{Name: "value", Shape: decl.Int, Doc: "the value of the first semaphore"},
			{Name: "values", Shape: decl.List, Elem: decl.Int, Doc: "the values of all"},
			{Name: "size", Shape: decl.Int, Doc: "how many semaphores it has"},
			{Name: "ncnt", Shape: decl.List, Elem: decl.Int, Doc: "of each, how many processes wait for it to grow (semncnt), those of other programs included"},
			{Name: "zcnt", Shape: decl.List, Elem: decl.Int, Doc: "of each, how many processes wait for it to be 0 (semzcnt)"},
			{Name: "last", Shape: decl.List, Elem: decl.Int, Doc: "of each, the pid of the last that operated on it or set it (sempid); at first that of ipcrun"},
			waitersFact,
			idFact, keyFact, removedFact,
		},
		Verbs: []decl.Verb{
			{
				Name: "acquire", Summary: "take from semaphores of a set, waiting while they are too small", Waits: true, Result: decl.Bool, Place: decl.InProcess,
				Doc: `semop(2) with a negative number. Blocks while the value is less than amount, and
takes it. ` + setWhich + "\n" + setWaiting + `
With into: the variable becomes true or false instead.`,
				Fields:  []decl.Field{amountField(), undoField, blockField},
				Errors:  []string{WouldBlock, Timeout, Removed, Range, Invalid},
				Example: "{acquire: slots, undo: true}",
			},
			{
				Name: "release", Summary: "add to semaphores of a set", Place: decl.InProcess,
				Doc: `semop(2) with a positive number. Never blocks. ` + setWhich + `
A value above 32767 fails with Range.`,
				Fields:  []decl.Field{amountField(), undoField},
				Errors:  []string{Range, Removed, Invalid},
				Example: "{release: slots, amount: 2}",
			},
			{
				Name: "wait", Summary: "wait until semaphores of a set are 0", Waits: true, Result: decl.Bool, Place: decl.InProcess,
				Doc: `semop(2) with 0. Blocks until the semaphore is 0, several until all of them are at
the same moment, and changes nothing. ` + setWaiting + `
With into: the variable becomes true or false instead.`,
				Fields:  []decl.Field{blockField},
				Errors:  []string{WouldBlock, Timeout, Removed, Invalid},
				Example: "wait: slots",
			},
			{
				Name: "semop", Summary: "do several operations on a semaphore set in one moment", Waits: true, Result: decl.Bool, Place: decl.InProcess,
				Doc: `semop(2). ops: lists the operations, each with sem, the number of the semaphore, op,
what to add (negative: what to take; 0: it must be 0), and, if wanted, undo: true.
They are done in that order and in one moment, or not at all: blocks until none of
them has to wait. ` + setWaiting + `
With into: the variable becomes true or false instead.`,
				Fields: []decl.Field{
					{Name: "ops", Shape: decl.List, Required: true, Doc: "the operations: {sem: 0, op: -1}, with undo: true if wanted", Example: "[{sem: 0, op: -1}, {sem: 1, op: 2}]"},
					blockField,
				},
				Errors:  []string{WouldBlock, Timeout, Removed, Range, Invalid},
				Example: "{semop: slots, ops: [{sem: 0, op: -1}, {sem: 1, op: 1}]}",
			},
			{
				Name: "get_value", Summary: "ask for the values of semaphores of a set", Result: decl.Any, Place: decl.InProcess,
				Doc: `semctl(2), GETVAL and GETALL. Never blocks. A number for one semaphore and for a set
of one, else a list.`,
				Errors:  []string{Removed, Invalid},
				Example: "{get_value: slots, into: left}",
			},
			{
				Name: "set_value", Summary: "give semaphores of a set a value", Place: decl.InProcess,
				Doc: `semctl(2), SETVAL and SETALL. Never blocks, and lets those go on that wait for such
a value. What was to be undone of these semaphores is forgotten. It takes one
semaphore or the set, which is set in one moment; the kernel knows no way to set a
part of it so, and a slice fails with Invalid. A value that is not between 0 and
32767 fails with Range.`,
				Fields:  []decl.Field{setValueField},
				Errors:  []string{Range, Removed, Invalid},
				Example: "{set_value: slots, value: 3}",
			},
			removeVerb("System V semaphore set", "who waits for one of them fails with Removed.", "slots"),
		},
		Check: func(main any, fields map[string]any) (key, problem string) {
			if _, err := firstValues(Args{Main: main, Fields: fields}); err != nil {
				return "initial", err.Error()
			}
			return checkSysvKey(fields)
		},
		Example: "slots: {sysv_semaphore: 3, initial: [1, 0, 5]}",
		Source:  "semget(2), semop(2), semctl(2)",
	},
	ArenaSize: func(a Args) int { return sysvMem + 4*setSize(a) },
	Create: func(c *Creation) error {
		first, err := firstValues(c.Args)
		if err != nil {
			return fmt.Errorf("%s: %w", c.Name, err)
		}
		id, err := createSysv(c, sysv.Set, len(first))
		if err == nil {
			err = sysv.SetAll(id, first)
		}
		return err
	},
	Attach: func(a *Attachment) (any, error) {
		return &sysvSet{sysvObject: newSysvObject(a, sysv.Set), n: setSize(a.Args), mem: a.Mem}, nil
	},
	Facts: func(h any, _ View) map[string]any { return h.(*sysvSet).facts() },
	Ops: []Op{
		{Verb: "acquire", Do: setAcquire, Ready: neverReady, Order: Acquire | Release},
		{Verb: "release", Do: setRelease, Order: Release},
		{Verb: "wait", Do: setWait, Ready: neverReady, Order: Acquire},
		{Verb: "semop", Do: setSemop, Ready: neverReady, Order: Acquire | Release},
		{Verb: "get_value", Do: setGetValue, Order: Acquire},
		{Verb: "set_value", Do: setSetValue, Order: Release},
		{Verb: "remove", Do: func(h any, c *Call) error { return h.(*sysvSet).remove(c) }, Order: Release},
	},
	Explain: func(h any, verb string, arg uint64) Blocked { return h.(*sysvSet).explain(verb, arg) },
	Address: func(h any) string { return h.(*sysvSet).address() },
	ID:      func(h any) int { return h.(*sysvSet).id },
	Model:   newSysvSetModel,
}

// sysvMaxSet is SEMMSL, how many semaphores a set has at most.
const sysvMaxSet = 32000

func setSize(a Args) int {
	if n, ok := wholeNumber(a.Main); ok {
		return n
	}
	return 1
}

// firstValues are the initial values of a declaration.
func firstValues(a Args) ([]int, error) { return valuesFor(setSize(a), a.Fields["initial"]) }

// valuesFor reads the values of n semaphores: a number for all, or a list.
func valuesFor(n int, v any) ([]int, error) {
	list, many := v.([]any)
	switch {
	case many && len(list) != n:
		return nil, decl.Fail(Invalid, "%d semaphores do not take %d values", n, len(list))
	case v == nil:
		v = 0
	}
	out := make([]int, n)
	for i := range out {
		x := v
		if many {
			x = list[i]
		}
		k, ok := wholeNumber(x)
		switch {
		case !ok:
			return nil, decl.Fail(Invalid, "the value of a semaphore is a whole number, not %s", describe(x))
		case k < 0 || k > sysv.MaxValue:
			return nil, decl.Fail(Range, "the value of a semaphore is between 0 and %d, not %d", sysv.MaxValue, k)
		}
		out[i] = k
	}
	return out, nil
}

// sysvSet is a handle. In the arena, behind what all objects have, is for each
// semaphore the slot and one more of the process that was the last to take from
// it, 0 once somebody has given: for the explanation of a deadlock.
type sysvSet struct {
	sysvObject
	n   int
	mem []byte
}

func (s *sysvSet) taker(num int) *atomic.Uint32 { return word32(s.mem, sysvMem+4*num) }

func (s *sysvSet) facts() map[string]any {
	values, err := sysv.GetAll(s.id, s.n)
	f := s.sysvObject.facts(err)
	f["size"], f["value"] = s.n, 0
	if err == nil {
		f["value"] = values[0]
	}
	each := func(ask func(id, num int) (int, error)) []any {
		list := make([]any, s.n)
		for i := range list {
			list[i] = 0
			if err == nil {
				if x, err := ask(s.id, i); err == nil {
					list[i] = x
				}
			}
		}
		return list
	}
	f["values"] = each(func(_, i int) (int, error) { return values[i], nil })
	f["ncnt"], f["zcnt"], f["last"] = each(sysv.GetNcnt), each(sysv.GetZcnt), each(sysv.GetPid)
	return f
}

// chosen are the semaphores that a step names.
func (s *sysvSet) chosen(e Elems) (span, error) { return setSpan(s.n, e) }

func setSpan(n int, e Elems) (span, error) {
	sp, err := arrayShape{n: n}.span(e)
	if err != nil {
		return sp, decl.Fail(Invalid, "there is no such semaphore: they go from 0 to %d", n-1)
	}
	if n == 1 {
		sp.one = true
	}
	return sp, nil
}

// sameOps is one operation for all semaphores that a step names; sign is what is
// to be done with amount:, 0 to wait for zero.
func sameOps(n int, e Elems, args *Values, sign int) ([]sysv.Op, error) {
	sp, err := setSpan(n, e)
	if err != nil {
		return nil, err
	}
	amount, err := intArg(args, "amount", 1, 1, sysv.MaxValue)
	if err != nil {
		return nil, err
	}
	flag := int16(0)
	if boolArg(args, "undo") {
		flag = sysv.Undo
	}
	ops := make([]sysv.Op, sp.to-sp.from)
	for i := range ops {
		ops[i] = sysv.Op{Num: uint16(sp.from + i), Op: int16(sign * amount), Flag: flag}
	}
	return ops, nil
}

// listedOps reads the ops: of a semop.
func listedOps(n int, e Elems, args *Values) ([]sysv.Op, error) {
	if e.Given {
		return nil, decl.Fail(Invalid, "semop names its semaphores in ops:")
	}
	list, _ := args.Get("ops").([]any)
	if len(list) == 0 {
		return nil, decl.Fail(Invalid, "ops: is a list of {sem: …, op: …}, not %s", describe(args.Get("ops")))
	}
	var ops []sysv.Op
	for _, x := range list {
		m, ok := x.(map[string]any)
		num, okNum := wholeNumber(m["sem"])
		op, okOp := wholeNumber(m["op"])
		undo, okUndo := m["undo"].(bool)
		known := 2
		if _, given := m["undo"]; given {
			known++
		} else {
			okUndo = true
		}
		switch {
		case !ok || !okNum || !okOp || !okUndo || len(m) != known:
			return nil, decl.Fail(Invalid, "an operation is {sem: …, op: …}, with undo: true if wanted, not %s", describe(x))
		case num < 0 || num >= n:
			return nil, decl.Fail(Invalid, "there is no semaphore %d: they go from 0 to %d", num, n-1)
		case op < -sysv.MaxValue || op > sysv.MaxValue:
			return nil, decl.Fail(Range, "an operation adds or takes at most %d, not %d", sysv.MaxValue, op)
		}
		o := sysv.Op{Num: uint16(num), Op: int16(op)}
		if undo {
			o.Flag = sysv.Undo
		}
		ops = append(ops, o)
	}
	return ops, nil
}

func setAcquire(h any, c *Call) error {
	s := h.(*sysvSet)
	ops, err := sameOps(s.n, c.Elems, c.Args, -1)
	if err != nil {
		return err
	}
	return s.operate(c, ops)
}

func setRelease(h any, c *Call) error {
	s := h.(*sysvSet)
	ops, err := sameOps(s.n, c.Elems, c.Args, 1)
	if err != nil {
		return err
	}
	err = s.operate(c, ops)
	c.Result = nil
	return err
}

func setWait(h any, c *Call) error {
	s := h.(*sysvSet)
	ops, err := sameOps(s.n, c.Elems, nil, 0)
	if err != nil {
		return err
	}
	return s.operate(c, ops)
}

func setSemop(h any, c *Call) error {
	s := h.(*sysvSet)
	ops, err := listedOps(s.n, c.Elems, c.Args)
	if err != nil {
		return err
	}
	return s.operate(c, ops)
}

// operate is semop(2). Its first number is taken before anybody can see what it
// gives, its second one when it has seen what others gave: see Twofold. Who waits
// for zero is let go on by who takes, so taking is giving, too, for those alone.
func (s *sysvSet) operate(c *Call, ops []sysv.Op) error {
	t := Twofold{}
	takes := false
	for _, o := range ops {
		t.Gives = t.Gives || o.Op > 0
		t.All = t.All || o.Op == 0
		takes = takes || o.Op < 0
		if o.Flag&sysv.Undo != 0 {
			s.undone.Store(1) // before it can be undone
		}
	}
	number := func() {
		if t.Gives || takes {
			t.Before = s.seq.Add(1)
			c.Seq = t.Before
		}
	}
	number()
	err := semop(c, s.id, ops, false)
	if err == errSysvAgain && !c.NoWait {
		c.Self.Enter(c.wait(s.blocking(ops)))
		defer c.Self.Leave()
		for err == errSysvAgain {
			number()
			err = semop(c, s.id, ops, true)
		}
	}
	switch {
	case err == errSysvTooBig:
		n, _ := sysv.MaxOps()
		return decl.Fail(Invalid, "%d operations at once are too many: kernel.sem allows %d", len(ops), n)
	case err != nil:
		return s.failure(c, err, s.why(ops), "still "+s.why(ops))
	}
	for _, o := range ops {
		switch {
		case o.Op < 0:
			s.taker(int(o.Num)).Store(uint32(c.Self.Index) + 1)
		case o.Op > 0:
			s.taker(int(o.Num)).Store(0)
		}
	}
	c.Result = true
	if !takes && !t.All {
		return nil // it only gives
	}
	c.Seq = s.seq.Add(1)
	t.Ends = s.undone.Load() != 0
	c.Note = t.Note(nil)
	return nil
}

// blocking is the first of the operations that has to wait, as an operand: the
// number of its semaphore and what it takes, 0 if it waits for zero.
func (s *sysvSet) blocking(ops []sysv.Op) uint64 {
	values, err := sysv.GetAll(s.id, s.n)
	for _, o := range ops {
		if err != nil {
			break
		}
		v := values[o.Num]
		if o.Op == 0 && v != 0 || v+int(o.Op) < 0 {
			return uint64(o.Num)<<16 | uint64(uint16(-min(o.Op, 0)))
		}
		values[o.Num] += int(o.Op)
	}
	return uint64(ops[0].Num)<<16 | uint64(uint16(-min(ops[0].Op, 0)))
}

// semaphoreName is how an author names one of the set.
func (s *sysvSet) semaphoreName(num int) string {
	if s.n == 1 {
		return s.name
	}
	return fmt.Sprintf("%s[%d]", s.name, num)
}

// why says what an operation that has to wait has found.
func (s *sysvSet) why(ops []sysv.Op) string {
	arg := s.blocking(ops)
	num, need := int(arg>>16), int(arg&0xffff)
	v, err := sysv.GetVal(s.id, num)
	if err != nil {
		return "not possible"
	}
	if need == 0 {
		return fmt.Sprintf("not 0: %s is %d", s.semaphoreName(num), v)
	}
	return fmt.Sprintf("too small: %s is %d", s.semaphoreName(num), v)
}

func (s *sysvSet) explain(_ string, arg uint64) Blocked {
	num, need := int(arg>>16), int(arg&0xffff)
	name := s.semaphoreName(num)
	v, err := sysv.GetVal(s.id, num)
	switch {
	case err != nil:
		return Blocked{Doing: "waits for " + name}
	case need == 0:
		return Blocked{Doing: fmt.Sprintf("waits until %s is 0, and it is %d", name, v)}
	}
	b := Blocked{Doing: fmt.Sprintf("waits to acquire %d from %s, which is %d", need, name, v)}
	if t := s.taker(num).Load(); t != 0 {
		b.Doing += " since somebody took from it"
		b.By = []int{int(t) - 1}
	}
	return b
}

func setGetValue(h any, c *Call) error {
	s := h.(*sysvSet)
	sp, err := s.chosen(c.Elems)
	if err != nil {
		return err
	}
	values, err := sysv.GetAll(s.id, s.n)
	if err != nil {
		return s.failure(c, err, "", "")
	}
	c.Seq = s.seq.Add(1)
	c.Result = picked(values, sp)
	return nil
}

// picked are the values of the semaphores that a step names, as it sees them.
func picked(values []int, sp span) any {
	if sp.one {
		return values[sp.from]
	}
	list := make([]any, sp.to-sp.from)
	for i := range list {
		list[i] = values[sp.from+i]
	}
	return list
}

// settings are the semaphores that a set_value names, and their new values.
func settings(n int, e Elems, v any) (sp span, values []int, err error) {
	if sp, err = setSpan(n, e); err != nil {
		return sp, nil, err
	}
	if k := sp.to - sp.from; k != 1 && k != n {
		return sp, nil, decl.Fail(Invalid, "set_value sets one semaphore, or all %d: no part of a set can be set in one moment", n)
	}
	values, err = valuesFor(sp.to-sp.from, v)
	return sp, values, err
}

func setSetValue(h any, c *Call) error {
	s := h.(*sysvSet)
	sp, values, err := settings(s.n, c.Elems, c.Args.Get("value"))
	if err != nil {
		return err
	}
	c.Seq = s.seq.Add(1)
	if len(values) == s.n {
		err = sysv.SetAll(s.id, values)
	} else {
		err = sysv.SetVal(s.id, sp.from, values[0])
	}
	if err != nil {
		return s.failure(c, err, "", "")
	}
	for i := range values {
		s.taker(sp.from + i).Store(0)
	}
	c.Result = picked(values, span{0, len(values), sp.one})
	return nil
}
