//go:build linux

package prims

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"ipcrun/prims/named"
	"ipcrun/prims/sysv"
)

func init() {
	modelled(sysvQueueAgainstModel, "sysv_queue")
	modelled(sysvSetAgainstModel, "sysv_semaphore")
	modelled(sysvMemoryAgainstModel, "sysv_memory")
}

// needSysv skips a test where the kernel makes no System V objects.
func needSysv(t testing.TB) {
	t.Helper()
	l := named.NewLedger("probe", nil)
	defer l.Sweep()
	if _, _, err := l.SysV(sysv.Queue, 0, 0); err != nil {
		t.Skip(err)
	}
}

// blocks asks the model whether an operation would have to wait.
func (m *modelTest) blocks(p int, o order) bool {
	_, _, blocked := m.model.Do(bytes.Clone(m.st), p, o.Verb, modelCall(o, true))
	return blocked
}

// someFree is a process that is not blocked.
func (m *modelTest) someFree() int {
	for p := range m.c.workers {
		if _, busy := m.waiting[p]; !busy {
			return p
		}
	}
	return -1
}

func sysvQueueAgainstModel(t *testing.T) {
	needSysv(t)
	for _, form := range []string{"", "h"} {
		args := Args{Fields: map[string]any{"capacity": 9}}
		if form != "" {
			args.Main = form
		}
		c := newCrew(t, "sysv_queue", args, 4)
		model, err := c.d.Model(args, 4)
		if err != nil {
			t.Fatal(err)
		}
		q := c.handle.(*sysvQueue)
		m := &modelTest{c: c, model: model, verbs: []string{"send", "recv"}, any: true, waits: map[string]bool{"send": true, "recv": true}}
		m.reset = func() {
			buf := make([]byte, 100)
			for {
				if _, err := msgrcv(nil, q.id, buf, 0, 0, false); err != nil {
					return
				}
			}
		}
		m.values = func(t *rapid.T, verb string) (any, bool) {
			if verb == "recv" {
				return nil, false
			}
			if form == "" {
				return rapid.SampledFrom([]any{"", "a", "bb", "four", "twelve bytes", 5}).Draw(t, "message"), true
			}
			return rapid.SampledFrom([]any{1, -2, 70000, []any{1, 2}, []any{}, []any{3, 4, 5, 6, 7}, "text"}).Draw(t, "message"), true
		}
		m.more = func(t *rapid.T, verb string) map[string]any {
			if verb == "send" {
				return map[string]any{"type": rapid.IntRange(0, 4).Draw(t, "type")}
			}
			more := map[string]any{"type": rapid.IntRange(-4, 4).Draw(t, "type"), "whole": true}
			switch rapid.IntRange(0, 5).Draw(t, "how") {
			case 0:
				more["except"] = true
			case 1:
				more["size"] = rapid.IntRange(0, 4).Draw(t, "size")
			case 2:
				more["size"], more["truncate"] = 2*rapid.IntRange(0, 2).Draw(t, "size"), true
			}
			return more
		}
		m.fits = func(p int, o order) bool {
			if !m.blocks(p, o) {
				return true
			}
			if b, err := q.form.encode(o.Value); o.Verb == "send" && err == nil && len(b) > 9 {
				return false // it waits for ever
			}
			if len(m.waiting) == len(c.workers)-1 {
				return false
			}
			for _, w := range m.waiting {
				// Which of several senders goes on first decides what is received
				// afterwards; and who finds a message too long leaves it to the next.
				if w.Verb == "send" && o.Verb == "send" || w.Verb == "recv" && o.Verb == "recv" && (w.More["size"] != nil || o.More["size"] != nil) {
					return false
				}
			}
			return true
		}
		m.free = func(m *modelTest, t *rapid.T) {
			for len(m.waiting) > 0 {
				o := order{Verb: "recv", More: map[string]any{"whole": true}}
				if m.blocks(m.someFree(), o) {
					o = order{Verb: "send", Given: true, Value: "", More: map[string]any{"type": 1}}
					if form != "" {
						o.Value = 1
					}
					for _, w := range m.waiting {
						typ := w.More["type"].(int)
						if w.More["except"] == true {
							typ++
						}
						o.More["type"] = max(typ, 1)
					}
				}
				m.perform(t, m.someFree(), o)
			}
		}
		rapid.Check(t, m.check)
	}
}

const modelSems = 3

func sysvSetAgainstModel(t *testing.T) {
	needSysv(t)
	args := Args{Main: modelSems, Fields: map[string]any{"initial": []any{1, 0, 3}}}
	c := newCrew(t, "sysv_semaphore", args, 4)
	model, err := c.d.Model(args, 4)
	if err != nil {
		t.Fatal(err)
	}
	s := c.handle.(*sysvSet)
	m := &modelTest{c: c, model: model, any: true,
		verbs: []string{"acquire", "release", "acquire", "release", "wait", "semop", "get_value", "set_value"},
		waits: map[string]bool{"acquire": true, "wait": true, "semop": true}}
	m.reset = func() {
		if err := sysv.SetAll(s.id, []int{1, 0, 3}); err != nil {
			t.Fatal(err)
		}
	}
	m.values = func(t *rapid.T, verb string) (any, bool) {
		if verb != "set_value" {
			return nil, false
		}
		return rapid.SampledFrom([]any{0, 2, 32767, 32768, []any{0, 1, 2}, []any{4}, "text"}).Draw(t, "value"), true
	}
	m.more = drawSetArgs
	m.elems = func(t *rapid.T, verb string) Elems {
		if verb == "semop" {
			return Elems{}
		}
		i := rapid.IntRange(-3, 3)
		return rapid.OneOf(rapid.Just(Elems{}), rapid.Map(i, at), rapid.Map(i, after)).Draw(t, "semaphores")
	}
	m.fits = func(p int, o order) bool {
		if !m.blocks(p, o) {
			return true
		}
		if len(m.waiting) == len(c.workers)-1 {
			return false
		}
		for _, w := range m.waiting {
			// Of two that do several things at once one may make the other possible
			// or not, depending on which is first.
			if w.Verb == "semop" || o.Verb == "semop" {
				return false
			}
		}
		return true
	}
	m.free = func(m *modelTest, t *rapid.T) {
		for len(m.waiting) > 0 {
			values := []any{sysv.MaxValue, sysv.MaxValue, sysv.MaxValue}
			for _, w := range m.waiting {
				ops, err := sameOps(modelSems, w.Elems, nil, 0)
				if w.Verb == "semop" {
					ops, err = listedOps(modelSems, w.Elems, modelCall(w, false).Args)
				}
				if err != nil {
					t.Fatalf("%v", err)
				}
				for _, o := range ops {
					if o.Op == 0 && w.Verb != "acquire" {
						values[o.Num] = 0
					}
				}
				break
			}
			m.perform(t, m.someFree(), order{Verb: "set_value", Value: values, Given: true})
		}
	}
	rapid.Check(t, m.check)
	if c.arena.Blocked() != 0 {
		t.Errorf("%d processes are blocked, by the books", c.arena.Blocked())
	}
}

// drawSetArgs draws the parameters of operations on a set.
func drawSetArgs(t *rapid.T, verb string) map[string]any {
	more := map[string]any{}
	switch verb {
	case "acquire", "release":
		if n := rapid.SampledFrom([]any{nil, 1, 2, 3, 32767, 0, "two"}).Draw(t, "amount"); n != nil {
			more["amount"] = n
		}
		if rapid.Bool().Draw(t, "undo") {
			more["undo"] = true
		}
	case "semop":
		op := func(num int) map[string]any {
			o := map[string]any{"sem": num, "op": rapid.IntRange(-2, 2).Draw(t, "op")}
			if rapid.Bool().Draw(t, "undo") {
				o["undo"] = true
			}
			return o
		}
		first := rapid.IntRange(0, modelSems-1).Draw(t, "semaphore")
		more["ops"] = []any{op(first), op((first + 1) % modelSems)}
	}
	return more
}

// TestSysvUndoAgainstModel: whatever a process has done with undo, the kernel and
// the model take the same back when it is killed.
func TestSysvUndoAgainstModel(t *testing.T) {
	needSysv(t)
	checks(t, 10)
	args := Args{Main: modelSems, Fields: map[string]any{"initial": []any{5, 32000, 2}}}
	rapid.Check(t, func(rt *rapid.T) {
		c := newCrew(t, "sysv_semaphore", args, 2)
		model, err := c.d.Model(args, 2)
		if err != nil {
			t.Fatal(err)
		}
		m := &modelTest{c: c, model: model, st: make([]byte, model.Size()), waiting: map[int]order{}}
		model.Init(m.st)
		for range rapid.IntRange(1, 12).Draw(rt, "operations") {
			o := order{Verb: rapid.SampledFrom([]string{"acquire", "release", "semop"}).Draw(rt, "verb"), NoWait: true}
			o.More = drawSetArgs(rt, o.Verb)
			if o.Verb != "semop" {
				o.Elems = at(rapid.IntRange(0, modelSems-1).Draw(rt, "semaphore"))
			}
			m.perform(rt, rapid.IntRange(0, 1).Draw(rt, "process"), o)
		}
		c.kill(0)
		model.(Mortal).Died(m.st, 0)
		m.perform(rt, 1, order{Verb: "get_value"})
		c.kill(1)
		model.(Mortal).Died(m.st, 1)
		want, _, _ := model.Do(m.st, 0, "get_value", ModelCall{})
		if got := c.handle.(*sysvSet).facts()["values"]; fmt.Sprint(got) != fmt.Sprint(want) {
			rt.Fatalf("really %v, in the model %v", got, want)
		}
		c.stop()
	})
}

func sysvMemoryAgainstModel(t *testing.T) {
	needSysv(t)
	args := Args{Main: "h", Fields: map[string]any{"size": 4}}
	c := newCrew(t, "sysv_memory", args, 2)
	model, err := c.d.Model(args, 2)
	if err != nil {
		t.Fatal(err)
	}
	m := &modelTest{c: c, model: model, verbs: []string{"read", "write", "add"}}
	m.reset = func() {
		mem, err := sysv.Attach(c.handle.(*sysvMemory).id, false)
		if err != nil {
			t.Fatal(err)
		}
		clear(mem)
		_ = sysv.Detach(mem)
	}
	m.free = func(*modelTest, *rapid.T) {}
	single := rapid.OneOf(rapid.Map(rapid.IntRange(-70000, 70000), func(i int) any { return i }), rapid.Just[any]("text"), rapid.Just[any](1.5))
	m.values = func(t *rapid.T, verb string) (any, bool) {
		if verb == "read" {
			return nil, false
		}
		if rapid.Bool().Draw(t, "several") {
			return append([]any{}, rapid.SliceOfN(single, 0, 5).Draw(t, "values")...), true
		}
		return single.Draw(t, "value"), true
	}
	m.elems = func(t *rapid.T, _ string) Elems {
		i := rapid.IntRange(-5, 5)
		return rapid.OneOf(rapid.Just(Elems{}), rapid.Map(i, at), rapid.Map(i, after)).Draw(t, "elements")
	}
	rapid.Check(t, m.check)
}
