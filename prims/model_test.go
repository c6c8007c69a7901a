//go:build linux

package prims

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What a real primitive does is held against its model: random operations by
// random processes, one beginning at a time. An operation that the model says
// blocks is left blocked in its process while others go on; when the model
// says that it can go on, it has to come back, with the model's result.

// properties are the tests that hold kinds against their models; each stands
// beside the other tests of its kind and says which ones it is about.
var properties []property

type property struct {
	test  func(t *testing.T)
	kinds []string
}

func modelled(test func(t *testing.T), kinds ...string) {
	properties = append(properties, property{test, kinds})
}

// TestAgainstModel runs them, sees that several real processes took part, and
// that no kind is without one.
func TestAgainstModel(t *testing.T) {
	missing := map[string]bool{}
	for _, d := range All() {
		missing[d.Name] = true
	}
	for _, p := range properties {
		for _, k := range p.kinds {
			delete(missing, k)
			manned.Delete(k)
		}
		name := runtime.FuncForPC(reflect.ValueOf(p.test).Pointer()).Name()
		t.Run(name[strings.LastIndex(name, ".")+1:], func(t *testing.T) {
			checks(t, 15)
			p.test(t)
			for _, k := range p.kinds {
				if n, _ := manned.Load(k); !t.Failed() && (n == nil || n.(int) < 2) {
					t.Errorf("%s is not used from several processes", k)
				}
			}
		})
	}
	for k := range missing {
		t.Errorf("nothing holds the real %s against its model: write a test that does, from several processes at once, and register it with modelled (see lock)", k)
	}
}

type modelTest struct {
	c       *crew
	model   Model
	st      []byte
	waiting map[int]order // by worker: what it is blocked in
	verbs   []string
	// any: which of several waiters goes on is not defined.
	any bool
	// values draws the value parameter of a verb, and whether it is given.
	values func(t *rapid.T, verb string) (any, bool)
	// elems, if set, draws the elements that an operation names.
	elems func(t *rapid.T, verb string) Elems
	// more, if set, draws other parameters.
	more func(t *rapid.T, verb string) map[string]any
	// part, if set, draws the end that an operation names.
	part func(t *rapid.T, verb string) string
	// waits are the verbs that take block: false.
	waits map[string]bool
	// timed are the verbs that take a timeout and no block: false.
	timed map[string]bool
	// fits, if set, says whether an operation has one outcome only.
	fits func(p int, o order) bool
	// free lets all waiters go on, at the end of a check.
	free func(m *modelTest, t *rapid.T)
	// reset puts the real form into its initial state.
	reset func()
}

func (m *modelTest) check(t *rapid.T) {
	m.st = make([]byte, m.model.Size())
	m.model.Init(m.st)
	m.reset()
	m.waiting = map[int]order{}
	t.Repeat(map[string]func(*rapid.T){
		"operation": m.operation,
		"disturb": func(t *rapid.T) {
			// A process that is blocked and handles a signal goes on as before.
			for i := range m.waiting {
				m.c.blocked(t, i)
				m.c.disturb(i)
				return
			}
			t.Skip("nobody is blocked")
		},
	})
	m.free(m, t)
	if len(m.waiting) > 0 {
		t.Fatalf("still blocked: %v", m.waiting)
	}
}

func (m *modelTest) operation(t *rapid.T) {
	p := rapid.IntRange(0, len(m.c.workers)-1).Draw(t, "process")
	if _, busy := m.waiting[p]; busy {
		t.Skip("it is blocked")
	}
	o := order{Verb: rapid.SampledFrom(m.verbs).Draw(t, "verb")}
	if m.values != nil {
		o.Value, o.Given = m.values(t, o.Verb)
	}
	if m.elems != nil {
		o.Elems = m.elems(t, o.Verb)
	}
	if m.part != nil {
		o.Part = m.part(t, o.Verb)
	}
	if m.more != nil {
		o.More = m.more(t, o.Verb)
	}
	if m.waits[o.Verb] {
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0:
			o.NoWait = true
		case 1:
			o.After = 200_000 // nanoseconds: it may just as well have passed
		}
	}
	if m.timed[o.Verb] && rapid.IntRange(0, 3).Draw(t, "limited") == 0 {
		o.After = 200_000
	}
	if m.fits != nil && !m.fits(p, o) {
		t.Skip("its outcome is not defined")
	}
	m.perform(t, p, o)
}

// modelCall is an order as a model takes it. Done again, it waits without end.
func modelCall(o order, first bool) ModelCall {
	size, _ := o.More["size"].(int)
	number, _ := o.More["connection"].(int)
	all, _ := o.More["all"].(bool)
	args := &Values{}
	for name, v := range o.More {
		args.Names, args.Vals = append(args.Names, name), append(args.Vals, canonical(v))
	}
	c := ModelCall{Value: o.Value, Args: args, Priority: o.More["priority"], Size: size, Part: o.Part, Connection: number, All: all, Elems: o.Elems}
	if first {
		c.NoWait, c.Expired = o.NoWait, o.After != 0
	}
	return c
}

// perform does one operation in both worlds.
func (m *modelTest) perform(t *rapid.T, p int, o order) {
	t.Helper()
	result, fail, blocked := m.model.Do(m.st, p, o.Verb, modelCall(o, true))
	m.c.tell(p, o)
	if blocked {
		m.waiting[p] = o
		m.c.blocked(t, p)
		m.settle(t) // a wait may give up what others wait for
		return
	}
	failure := ""
	if fail != nil {
		failure = fail.Name
	}
	m.compare(t, p, o, m.c.hear(t, p), result, failure)
	m.settle(t)
}

func (m *modelTest) compare(t *rapid.T, p int, o order, r reply, result any, failure string) {
	t.Helper()
	if r.Fail != failure || failure == "" && !reflect.DeepEqual(canonical(result), canonical(r.Result)) {
		t.Fatalf("process %d, %+v: really %v %s, in the model %v %s", p, o, r.Result, r.Fail, result, failure)
	}
}

// settle waits for those who can go on now, until nobody can any more.
func (m *modelTest) settle(t *rapid.T) {
	t.Helper()
	for {
		var free []int
		for p, o := range m.waiting {
			st := bytes.Clone(m.st)
			if _, _, blocked := m.model.Do(st, p, o.Verb, modelCall(o, false)); !blocked {
				free = append(free, p)
			}
		}
		if len(free) == 0 {
			return
		}
		p, r := m.first(t, free)
		result, fail, blocked := m.model.Do(m.st, p, m.waiting[p].Verb, modelCall(m.waiting[p], false))
		if blocked {
			t.Fatalf("process %d went on, in the model it is blocked", p)
		}
		failure := ""
		if fail != nil {
			failure = fail.Name
		}
		m.compare(t, p, m.waiting[p], r, result, failure)
		delete(m.waiting, p)
	}
}

// first waits for the first reply of several workers.
func (m *modelTest) first(t *rapid.T, among []int) (int, reply) {
	t.Helper()
	if !m.any || len(among) == 1 {
		return among[0], m.c.hear(t, among[0])
	}
	var cases []reflect.SelectCase
	for _, p := range among {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(m.c.workers[p].replies)})
	}
	i, v, ok := reflect.Select(cases)
	if !ok {
		t.Fatalf("worker %d has ended", among[i])
	}
	r := v.Interface().(reply)
	if r.Err != "" {
		t.Fatalf("worker %d: %s", among[i], r.Err)
	}
	return among[i], r
}

func init() {
	modelled(lockAgainstModel, "lock")
	modelled(eventAgainstModel, "event")
	modelled(valueAgainstModel, "value")
}

func lockAgainstModel(t *testing.T) {
	c := newCrew(t, "lock", Args{}, 4)
	model, err := c.d.Model(Args{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	m := &modelTest{c: c, model: model, verbs: []string{"acquire", "release"}, any: true, waits: map[string]bool{"acquire": true}}
	m.reset = func() {
		l := c.handle.(*lock)
		l.word.Store(0)
		l.waiters.Store(0)
	}
	m.free = func(m *modelTest, t *rapid.T) {
		for len(m.waiting) > 0 {
			for p := range c.workers {
				if _, busy := m.waiting[p]; !busy {
					m.perform(t, p, order{Verb: "release"})
					break
				}
			}
		}
	}
	// Somebody has to be free to release: three may block at most.
	m.values = func(t *rapid.T, verb string) (any, bool) {
		if verb == "acquire" && len(m.waiting) == 3 {
			t.Skip("all others are blocked")
		}
		return nil, false
	}
	rapid.Check(t, m.check)
	if c.arena.Blocked() != 0 {
		t.Errorf("%d processes are blocked, by the books", c.arena.Blocked())
	}
}

func eventAgainstModel(t *testing.T) {
	c := newCrew(t, "event", Args{}, 4)
	model, err := c.d.Model(Args{}, 4)
	if err != nil {
		t.Fatal(err)
	}
	m := &modelTest{c: c, model: model, verbs: []string{"set", "clear", "wait", "is_set"}, waits: map[string]bool{"wait": true}}
	m.reset = func() {
		e := c.handle.(*event)
		if e.isSet() {
			e.word.Add(1)
		}
	}
	m.free = func(m *modelTest, t *rapid.T) {
		for p := range c.workers {
			if _, busy := m.waiting[p]; !busy {
				m.perform(t, p, order{Verb: "set"})
				return
			}
		}
	}
	m.values = func(t *rapid.T, verb string) (any, bool) {
		if verb == "wait" && len(m.waiting) == 3 {
			t.Skip("all others are blocked")
		}
		return nil, false
	}
	rapid.Check(t, m.check)
}

func valueAgainstModel(t *testing.T) {
	for _, ct := range ctypes {
		t.Run(ct.Letter, func(t *testing.T) {
			checks(t, 8) // of each type
			args := Args{Main: ct.Letter}
			c := newCrew(t, "value", args, 2)
			model, err := c.d.Model(args, 2)
			if err != nil {
				t.Fatal(err)
			}
			v := c.handle.(*value)
			m := &modelTest{c: c, model: model, verbs: []string{"read", "write", "add"}}
			m.reset = func() { v.t.store(v.p, 0) }
			m.free = func(*modelTest, *rapid.T) {}
			m.values = func(t *rapid.T, verb string) (any, bool) {
				if verb == "read" || verb == "add" && rapid.Bool().Draw(t, "default") {
					return nil, false
				}
				return rapid.OneOf(
					rapid.Map(rapid.IntRange(-70000, 70000), func(i int) any { return i }),
					rapid.Map(rapid.IntRange(-1<<52, 1<<52), func(i int) any { return i }),
					rapid.Map(rapid.Float64Range(-1e6, 1e6), func(f float64) any { return f }),
					rapid.Map(rapid.SampledFrom([]string{"", "a", "z", "long"}), func(s string) any { return s }),
					rapid.Map(rapid.Bool(), func(b bool) any { return b }),
				).Draw(t, "value"), true
			}
			rapid.Check(t, m.check)
		})
	}
}

// TestModelsCanBeCopied: a model's whole state is its bytes.
func TestModelsCanBeCopied(t *testing.T) {
	for _, d := range All() {
		t.Run(d.Name, func(t *testing.T) {
			args := Args{}
			if d.Main != nil {
				args.Main = d.Main.Example
			}
			m, err := d.Model(args, 3)
			if err != nil {
				t.Skipf("the example %v makes no model: %v", args.Main, err)
			}
			a := make([]byte, m.Size())
			m.Init(a)
			for _, v := range d.Verbs {
				b := bytes.Clone(a)
				r1, f1, w1 := m.Do(a, 1, v.Name, ModelCall{})
				r2, f2, w2 := m.Do(b, 1, v.Name, ModelCall{})
				if !bytes.Equal(a, b) || fmt.Sprint(r1, f1, w1) != fmt.Sprint(r2, f2, w2) {
					t.Errorf("%s: %v %v %v and %v %v %v", v.Name, r1, f1, w1, r2, f2, w2)
				}
			}
		})
	}
}
