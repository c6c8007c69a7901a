//go:build linux

package prims

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// at and part name elements: row[i], row[from:to].
func at(i int) Elems          { return Elems{Given: true, Single: true, From: i, To: i + 1} }
func part(from, to int) Elems { return Elems{Given: true, From: from, To: to} }
func after(from int) Elems    { return Elems{Given: true, From: from, Open: true} }

func TestArray(t *testing.T) {
	list := func(v ...any) []any { return v }
	read := func(w int, e Elems, v any) stage {
		return now(ask{worker: w, order: order{Verb: "read", Elems: e}, result: v})
	}
	write := func(w int, e Elems, v, becomes any) stage {
		return now(ask{worker: w, order: order{Verb: "write", Elems: e, Value: v, Given: true}, result: becomes})
	}
	add := func(w int, e Elems, v, becomes any) stage {
		return now(ask{worker: w, order: order{Verb: "add", Elems: e, Value: v, Given: true}, result: becomes})
	}
	refused := func(s stage) stage { s.fail, s.result = Invalid, nil; return s }
	all := Elems{}
	ten := Args{Main: "i", Fields: map[string]any{"initial": list(680, 626, 934, 821, 150, 233, 548, 982, 714, 831)}}
	zero := func(letter string, n int) Args { return Args{Main: letter, Fields: map[string]any{"size": n}} }
	plays(t, []scene{
		{"an array from a list keeps length and order [test_array]", "array", ten, []stage{
			facts("size", 10, "value", ten.Fields["initial"]), read(1, all, ten.Fields["initial"]), read(0, at(0), 680), read(1, at(9), 831)}},
		{"slices read and write [test_array]", "array", ten, []stage{
			read(0, part(2, 8), list(934, 821, 150, 233, 548, 982)), write(1, part(4, 8), list(1, 2, 3, 4), list(1, 2, 3, 4)),
			read(0, all, list(680, 626, 934, 821, 1, 2, 3, 4, 714, 831)), read(0, after(8), list(714, 831)), read(0, part(0, 1), list(680))}},
		{"an array from a number is zero-filled [test_array_from_size]", "array", zero("i", 10), []stage{
			read(0, all, list(0, 0, 0, 0, 0, 0, 0, 0, 0, 0))}},
		{"an element-wise update by another process is visible [test_array]", "array", ten, []stage{
			write(1, at(1), 626+680, 1306), write(1, at(2), 1306+934, 2240), read(0, part(0, 3), list(680, 1306, 2240))}},
		{"negative indices count from the end (documentation of sequence types)", "array", ten, []stage{
			read(0, at(-1), 831), read(0, at(-10), 680), read(0, part(-2, -1), list(714)), read(0, after(-2), list(714, 831)), write(0, at(-1), 5, 5), read(1, at(9), 5)}},
		{"an index that does not exist is refused (IndexError)", "array", ten, []stage{
			refused(read(0, at(10), nil)), refused(read(0, at(-11), nil)), refused(write(0, at(10), 1, nil)), refused(add(0, at(-11), 1, nil)),
			refused(read(0, part(0, 11), nil)), refused(read(0, part(-11, 2), nil)), refused(read(0, part(5, 4), nil)), refused(read(0, part(3, 3), nil)), refused(read(0, after(10), nil)), refused(read(0, after(11), nil))}},
		{"a slice takes as many elements as it has, all or none (ValueError in ctypes)", "array", ten, []stage{
			refused(write(0, part(0, 2), list(1), nil)), refused(write(0, part(0, 2), list(1, 2, 3), nil)), refused(write(0, all, list(1), nil)),
			refused(write(0, part(0, 2), list(1, "x"), nil)), refused(write(0, part(0, 2), 7, nil)), refused(write(0, at(0), list(7), nil)), refused(write(0, all, "text", nil)),
			read(1, part(0, 3), list(680, 626, 934))}},
		{"Array('c', 6) holds text of 6 bytes; value is what comes before the first zero (documentation of sharedctypes)", "array", zero("c", 6), []stage{
			read(0, all, ""), facts("value", "", "size", 6), write(1, all, "hello!", "hello!"), read(0, all, "hello!"), facts("value", "hello!"),
			write(0, all, "hi", "hi"), read(1, all, "hi"), read(1, at(1), "i"), read(1, at(2), ""), read(1, at(5), ""),
			refused(write(0, all, "too long", nil)), write(0, at(1), "o", "o"), refused(write(0, at(1), "oo", nil)), read(1, part(0, 4), "ho"),
			write(0, part(1, 3), "ex", "ex"), refused(write(0, part(1, 3), "e", nil)), read(1, all, "hex"), write(0, part(0, 2), list("a", "b"), list("a", "b")).text("ab"),
			refused(write(0, all, 5, nil)), refused(add(0, at(0), 1, nil))}},
		{"text as the initial value gives the size (documentation of multiprocessing.Array)", "array", Args{Main: "c", Fields: map[string]any{"initial": "hello"}}, []stage{
			facts("size", 5, "value", "hello"), write(0, at(0), "j", "j"), read(1, all, "jello")}},
		{"elements have the precision of their type: float", "array", Args{Main: "f", Fields: map[string]any{"initial": list(0.1, 1)}}, []stage{
			read(0, all, list(float64(float32(0.1)), 1)), add(1, at(1), 0.5, 1.5)}},
		{"integers wrap (C11 6.2.5)", "array", zero("B", 3), []stage{
			add(0, at(1), -1, 255), add(0, at(1), 2, 1), write(1, all, list(256, 257, -1), list(0, 1, 255)), read(0, all, list(0, 1, 255))}},
		{"add is for one element, and adds one without a value", "array", zero("i", 3), []stage{
			now(ask{order: order{Verb: "add", Elems: at(2)}, result: 1}), refused(add(0, all, 1, nil)), refused(add(0, part(0, 1), 1, nil)), read(1, all, list(0, 0, 1))}},
		{"more elements than initial values: the rest is zero", "array", Args{Main: "h", Fields: map[string]any{"size": 4, "initial": list(1, 2)}}, []stage{read(0, all, list(1, 2, 0, 0))}},
	})
}

// text gives a stage another result: what was a list is read as text.
func (s stage) text(v string) stage { s.result = v; return s }

// TestArrayDeclarations: what makes no array.
func TestArrayDeclarations(t *testing.T) {
	for _, tt := range []struct {
		fields map[string]any
		says   string
	}{
		{map[string]any{}, "needs size: or initial:"},
		{map[string]any{"size": 0}, "elements, not 0"},
		{map[string]any{"size": maxElements + 1}, "not 16777217"},
		{map[string]any{"initial": []any{}}, "elements, not 0"},
		{map[string]any{"initial": []any{1, 2}, "size": 1}, "initial: has 2 elements, size: is 1"},
		{map[string]any{"initial": []any{1, "x"}}, `cannot hold the text "x"`},
		{map[string]any{"initial": []any{1, "n - 1"}}, `cannot hold the text "n - 1"; what is to be computed stands in ${…}`},
		{map[string]any{"initial": "text"}, "take a list, not the text"},
		{map[string]any{"initial": 5}, "take a list, not 5"},
	} {
		_, err := Get("array").Model(Args{Main: "i", Fields: tt.fields}, 1)
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v: %v, want %q", tt.fields, err, tt.says)
		}
		if err := createArray(&Creation{Name: "row", Args: Args{Main: "i", Fields: tt.fields}}); err == nil {
			t.Errorf("%v makes an array", tt.fields)
		}
	}
}

// TestArrayLayout: the elements lie as C has them, at the beginning of the
// memory that all map.
func TestArrayLayout(t *testing.T) {
	cr := &Creation{Name: "row", Args: Args{Main: "h", Fields: map[string]any{"initial": []any{1, -2, 300}}}}
	if err := createArray(cr); err != nil {
		t.Fatal(err)
	}
	defer cr.Files[0].Close()
	mem, err := unix.Mmap(int(cr.Files[0].Fd()), 0, 6, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	if got := *(*[3]int16)(unsafe.Pointer(&mem[0])); got != [3]int16{1, -2, 300} {
		t.Errorf("%v", got)
	}
}

// TestArrayTouched: what the race detector is told.
func TestArrayTouched(t *testing.T) {
	c := newCrew(t, "array", Args{Main: "i", Fields: map[string]any{"size": 8}}, 0)
	for _, tt := range []struct {
		e           Elems
		first, last int
	}{{Elems{}, 0, 8}, {at(3), 3, 4}, {at(-1), 7, 8}, {part(2, 5), 2, 5}, {after(6), 6, 8}} {
		call := callOf(c.arena.Self(0, -1), nil)
		call.Elems = tt.e
		if err := arrayRead(c.handle, call); err != nil || call.First != tt.first || call.Last != tt.last {
			t.Errorf("%+v: %d to %d, %v", tt.e, call.First, call.Last, err)
		}
	}
}

func init() {
	modelled(arrayAgainstModel, "array")
	modelled(ownLockAgainstModel, "value", "array")
}

func arrayAgainstModel(t *testing.T) {
	for _, ct := range ctypes {
		t.Run(ct.Letter, func(t *testing.T) {
			checks(t, 8)
			args := Args{Main: ct.Letter, Fields: map[string]any{"size": 5}}
			c := newCrew(t, "array", args, 2)
			model, err := c.d.Model(args, 2)
			if err != nil {
				t.Fatal(err)
			}
			a := c.handle.(*array)
			m := &modelTest{c: c, model: model, verbs: []string{"read", "write", "add"}}
			m.reset = func() {
				for i := range a.shape.n {
					a.shape.t.store(a.at(i), 0)
				}
			}
			m.free = func(*modelTest, *rapid.T) {}
			single := rapid.OneOf(
				rapid.Map(rapid.IntRange(-70000, 70000), func(i int) any { return i }),
				rapid.Map(rapid.Float64Range(-1e6, 1e6), func(f float64) any { return math.Trunc(f) + 0.5 }),
				rapid.Map(rapid.SampledFrom([]string{"", "a", "z", "long", "five5", "sixsix"}), func(s string) any { return s }),
				rapid.Map(rapid.Bool(), func(b bool) any { return b }),
			)
			m.values = func(t *rapid.T, verb string) (any, bool) {
				if verb == "read" || verb == "add" && rapid.Bool().Draw(t, "default") {
					return nil, false
				}
				if rapid.Bool().Draw(t, "several") {
					return append([]any{}, rapid.SliceOfN(single, 0, 6).Draw(t, "values")...), true
				}
				return single.Draw(t, "value"), true
			}
			m.elems = func(t *rapid.T, _ string) Elems {
				i := rapid.IntRange(-6, 6)
				return rapid.OneOf(rapid.Just(Elems{}), rapid.Map(i, at), rapid.Map(i, after),
					rapid.Custom(func(t *rapid.T) Elems { return part(i.Draw(t, "from"), i.Draw(t, "to")) })).Draw(t, "elements")
			}
			rapid.Check(t, m.check)
		})
	}
}

// TestOwnLock: value and array come with a re-entrant lock [test_getobj_getlock],
// and have none with lock: false.
func TestOwnLock(t *testing.T) {
	const d = 30 * time.Millisecond
	for _, k := range []struct {
		kind string
		args Args
	}{
		{"value", Args{Main: "i"}},
		{"array", Args{Main: "i", Fields: map[string]any{"size": 3}}},
	} {
		none := Args{Main: k.args.Main, Fields: map[string]any{"lock": false, "size": 3}}
		write := now(ask{worker: 1, order: order{Verb: "write", Value: 1, Given: true}, result: 1})
		if k.kind == "array" {
			write.Elems = at(0)
		}
		plays(t, []scene{
			{"it is re-entrant: two acquires need two releases, a third is refused [test_rlock]", k.kind, k.args, []stage{
				now(acquire(0)), now(acquire(0)), facts("locked", true, "holder", "a", "depth", 2), now(try(1)), now(release(0)), now(try(1)), now(release(0)),
				facts("locked", false, "holder", "", "depth", 0), now(acquire(1)), now(refuses(release(0), Invalid)), now(release(1)), now(refuses(release(1), Invalid))}},
			{"acquire blocks until the holder has released, and gives up no earlier than its timeout", k.kind, k.args, []stage{
				now(acquire(0)), now(within(1, "acquire", d)), begins(acquire(2)), now(release(0)), ends(2, true, "")}},
			{"reading and writing do not ask for the lock (documentation of multiprocessing.Value)", k.kind, k.args, []stage{now(acquire(0)), write}},
			{"lock=False: there is none [test_getobj_getlock]", k.kind, none, []stage{
				now(refuses(acquire(0), Invalid)), now(refuses(release(0), Invalid)), write}},
		})
	}
}

func ownLockAgainstModel(t *testing.T) {
	for _, tt := range []struct {
		kind string
		args Args
	}{
		{"value", Args{Main: "i"}},
		{"array", Args{Main: "i", Fields: map[string]any{"size": 3}}},
		{"array", Args{Main: "i", Fields: map[string]any{"size": 3, "lock": false}}},
	} {
		t.Run(fmt.Sprint(tt.kind, tt.args.Fields), func(t *testing.T) {
			checks(t, 15)
			c := newCrew(t, tt.kind, tt.args, 3)
			model, err := c.d.Model(tt.args, 3)
			if err != nil {
				t.Fatal(err)
			}
			lock := func() *ownLock {
				if a, ok := c.handle.(*array); ok {
					return &a.lock
				}
				return &c.handle.(*value).lock
			}()
			m := &modelTest{c: c, model: model, verbs: []string{"acquire", "release", "acquire", "release", "read"}, waits: map[string]bool{"acquire": true}, any: true}
			m.reset = func() { lock.word.Store(0) }
			m.values = func(t *rapid.T, verb string) (any, bool) {
				if verb == "acquire" && len(m.waiting) == 2 {
					t.Skip("the holder has to release")
				}
				return nil, false
			}
			m.free = func(m *modelTest, t *rapid.T) {
				for len(m.waiting) > 0 {
					m.perform(t, lock.owner(), order{Verb: "release"})
				}
			}
			rapid.Check(t, m.check)
		})
	}
}

func init() {
	loops["own lock"] = func(w *worker, o order) (r reply) {
		e := Elems{}
		if w.d.Name == "array" {
			e = at(1)
		}
		for range o.Rounds {
			took := w.do(order{Verb: "acquire"})
			seen := w.do(order{Verb: "read", Elems: e})
			wrote := w.do(order{Verb: "write", Value: seen.Result.(int) + 1, Given: true, Elems: e})
			gave := w.do(order{Verb: "release"})
			if f := took.Fail + seen.Fail + wrote.Fail + gave.Fail; f != "" {
				r.Text = f
			}
			if !(took.Seq < seen.Seq && seen.Seq < wrote.Seq && wrote.Seq < gave.Seq) {
				r.Text = fmt.Sprint("numbers ", took.Seq, seen.Seq, wrote.Seq, gave.Seq)
			}
		}
		return r
	}
}

// TestOwnLockKeepsUpdates: under its lock nothing is lost (asserted by CPython's
// tests for a Value), with signals all the time.
func TestOwnLockKeepsUpdates(t *testing.T) {
	const workers, rounds = 3, 2000
	for kind, args := range map[string]Args{"value": {Main: "i"}, "array": {Main: "i", Fields: map[string]any{"size": 3}}} {
		c := newCrew(t, kind, args, workers)
		stop := c.disturbing()
		for p, r := range c.each(order{Verb: "own lock", Rounds: rounds}) {
			if r.Text != "" {
				t.Errorf("%s: worker %d: %s", kind, p, r.Text)
			}
		}
		stop()
		o := order{Verb: "read"}
		if kind == "array" {
			o.Elems = at(1)
		}
		if r := c.do(t, 0, o); r.Result != workers*rounds {
			t.Errorf("%s: %v after %d additions", kind, r.Result, workers*rounds)
		}
	}
}

// TestOwnLockOfTheDead: a holder that is killed keeps it, as the original does;
// a waiter that is killed costs the others nothing.
func TestOwnLockOfTheDead(t *testing.T) {
	c := newCrew(t, "value", Args{Main: "i"}, 4)
	c.do(t, 0, order{Verb: "acquire"})
	c.tell(1, order{Verb: "acquire"})
	c.blocked(t, 1)
	c.tell(2, order{Verb: "acquire"})
	c.blocked(t, 2)
	c.kill(1)
	c.do(t, 0, order{Verb: "release"})
	if r := c.hear(t, 2); r.Result != true {
		t.Errorf("%+v", r)
	}
	c.kill(2)
	if r := c.do(t, 3, order{Verb: "acquire", After: 20 * time.Millisecond}); r.Fail != Timeout {
		t.Errorf("%+v", r)
	}
	if h := c.d.Holders(c.handle); len(h) != 1 || h[0] != 2 {
		t.Errorf("holders %v", h)
	}
}
