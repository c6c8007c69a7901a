//go:build linux

package prims

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func put(w int, v any) ask {
	return ask{worker: w, order: order{Verb: "put", Value: v, Given: true}, result: v}
}
func get(w int, v any) ask { return ask{worker: w, order: order{Verb: "get"}, result: v} }
func atOnce(a ask) ask     { a.NoWait = true; return a }

func TestQueue(t *testing.T) {
	const d = 30 * time.Millisecond
	asks := func(verb string, v any) stage { return now(ask{order: order{Verb: verb}, result: v}) }
	state := func(size int, full, empty bool) stage { return facts("size", size, "full", full, "empty", empty) }
	six := Args{Main: 6}
	scenes := []scene{
		{"maxsize 6: after 6 puts full and not empty, after 6 gets the reverse [test_put, test_get]", "queue", six, []stage{
			state(0, false, true), now(put(0, 1)), now(put(1, 2)), now(put(0, 3)), now(put(1, 4)), now(put(2, 5)), state(5, false, false), now(put(0, 6)),
			state(6, true, false), asks("full", true), asks("empty", false), asks("qsize", 6),
			now(get(2, 1)), now(get(1, 2)), now(get(2, 3)), now(get(2, 4)), now(get(0, 5)), now(get(1, 6)),
			state(0, false, true), asks("full", false), asks("empty", true), asks("qsize", 0)}},
		{"put on a full queue: Full at once without blocking, no earlier than a timeout with one [test_put]", "queue", Args{Main: 2}, []stage{
			now(put(0, 1)), now(put(0, 2)), now(refuses(atOnce(put(0, 3)), Full)), now(refuses(atOnce(put(1, 3)), Full)),
			now(refuses(noEarlier(put(1, 3), d), Full)), state(2, true, false), now(get(2, 1)), now(noEarlier(put(1, 3), 0)), now(get(2, 2)), now(get(2, 3))}},
		{"get on an empty queue: the same with Empty [test_get]", "queue", six, []stage{
			now(refuses(atOnce(get(0, nil)), Empty)), now(refuses(noEarlier(get(1, nil), d), Empty)),
			now(put(0, 1)), now(get(1, 1)), now(refuses(noEarlier(get(0, nil), d), Empty)), now(refuses(atOnce(get(0, nil)), Empty))}},
		{"a timeout is ignored when it must not block [test_put, test_get]", "queue", Args{Main: 1}, []stage{
			now(ask{order: order{Verb: "get", NoWait: true, After: time.Hour}, fail: Empty}),
			now(put(0, 1)), now(ask{order: order{Verb: "put", Value: 2, Given: true, NoWait: true, After: time.Hour}, fail: Full})}},
		{"a queue without maxsize is never full; Queue(0) is one (documentation of Queue)", "queue", Args{}, []stage{
			facts("maxsize", 0), now(put(0, 1)), asks("full", false), state(1, false, false)}},
		{"items of two processes that put one after the other arrive in that order [test_fork]", "queue", Args{}, []stage{
			now(put(0, 0)), now(put(0, 1)), now(put(0, 2)), now(put(1, 3)), now(put(1, 4)), now(put(0, 5)),
			now(get(2, 0)), now(get(2, 1)), now(get(2, 2)), now(get(1, 3)), now(get(0, 4)), now(get(2, 5))}},
		{"qsize counts puts minus gets [test_qsize]", "queue", Args{}, []stage{
			asks("qsize", 0), now(put(0, 1)), asks("qsize", 1), now(put(0, 5)), asks("qsize", 2), now(get(1, 1)), asks("qsize", 1), now(get(1, 5)), asks("qsize", 0)}},
		{"put and get after close: ValueError, in the process that closed it [test_closed_queue_put_get_exceptions]", "queue", Args{}, []stage{
			now(put(0, 1)), now(call(0, "close")), now(refuses(put(0, 2), Closed)), now(refuses(get(0, nil), Closed)), now(refuses(atOnce(get(0, nil)), Closed)),
			now(call(0, "close")), now(put(1, 3)), now(get(1, 1)), now(get(2, 3)), state(0, false, true)}},
		{"an item is any data and comes back equal (documentation: any picklable object)", "queue", Args{}, []stage{
			now(put(0, nil)), now(put(0, true)), now(put(0, -1.5)), now(put(0, "äöü\x00")), now(put(0, "")), now(put(0, []any{})), now(put(0, []any{1, []any{"two", 3.5}, nil})),
			now(put(0, map[string]any{"a": "b"})),
			now(get(1, nil)), now(get(1, true)), now(get(2, -1.5)), now(get(1, "äöü\x00")), now(get(1, "")), now(get(1, []any{})), now(get(1, []any{1, []any{"two", 3.5}, nil})),
			now(get(1, map[string]any{"a": "b"}))}},
		{"a put blocks until there is a place, and is behind what was there (documentation of put)", "queue", Args{Main: 1}, []stage{
			now(put(0, "one")), begins(put(1, "two")), state(1, true, false), now(get(2, "one")), ends(1, "two", ""), now(get(2, "two"))}},
		{"a get blocks until there is an item (documentation of get)", "queue", Args{Main: 1}, []stage{
			begins(get(1, nil)), state(0, false, true), now(put(0, "x")), ends(1, "x", ""), state(0, false, true)}},
	}
	plays(t, scenes)
	for i := range scenes {
		scenes[i].args = managed(scenes[i].args)
		scenes[i].source += ", through a manager"
	}
	plays(t, scenes)
}

// TestQueueWakesEach: as many blocked gets go on as items come, and as many
// blocked puts as places.
func TestQueueWakesEach(t *testing.T) {
	c := newCrew(t, "queue", Args{Main: 2}, 4)
	round := -1
	// Who is not woken looks by himself after a while.
	woken(t, func() time.Duration {
		round++
		began := time.Now()
		for i := 1; i < 4; i++ {
			c.tell(i, order{Verb: "get"})
		}
		for i := 1; i < 4; i++ {
			c.blocked(t, i)
		}
		sum := 0
		for i := range 3 {
			c.do(t, 0, order{Verb: "put", Value: 1 << i, Given: true})
		}
		for i := 1; i < 4; i++ {
			sum += c.hear(t, i).Result.(int)
		}
		if sum != 7 {
			t.Fatalf("round %d: three gets took %b", round, sum)
		}
		gets := time.Since(began)
		c.do(t, 0, order{Verb: "put", Value: 0, Given: true})
		c.do(t, 0, order{Verb: "put", Value: 0, Given: true})
		began = time.Now()
		for i := 1; i < 4; i++ {
			c.tell(i, order{Verb: "put", Value: 1 << i, Given: true})
		}
		for i := 1; i < 4; i++ {
			c.blocked(t, i)
		}
		if got := c.d.Facts(c.handle, names{})["size"]; got != 2 {
			t.Fatalf("round %d: %v items while three puts are blocked", round, got)
		}
		sum = 0
		for range 5 {
			sum += c.do(t, 0, order{Verb: "get"}).Result.(int)
		}
		for i := 1; i < 4; i++ {
			if r := c.hear(t, i); r.Fail != "" {
				t.Fatalf("round %d: %+v", round, r)
			}
		}
		if sum != 14 {
			t.Fatalf("round %d: five gets took %b", round, sum)
		}
		return max(gets, time.Since(began))
	})
	if n := c.arena.Blocked(); n != 0 {
		t.Errorf("%d processes are blocked, by the books", n)
	}
	if q := c.handle.(*queue); q.getters.Load() != 0 || q.putters.Load() != 0 || q.short.Load() != 0 {
		t.Errorf("%d getters, %d putters, %d short of memory are left", q.getters.Load(), q.putters.Load(), q.short.Load())
	}
}

// textOf is a text of n bytes.
func textOf(n int) string {
	return strings.Repeat("0123456789abcde\n", n/16+1)[:n]
}

// TestQueueLarge: 16 MiB pass unchanged, as through a pipe [test_connection].
func TestQueueLarge(t *testing.T) {
	c := newCrew(t, "queue", Args{}, 2)
	for _, n := range []int{1, segSize - itemHead - 5, segSize, 16 << 20} {
		for i, verb := range []string{"queue put text", "queue get text"} {
			if r := c.do(t, i, order{Verb: verb, Rounds: n}); r.Text != "" {
				t.Errorf("%s of %d bytes: %s", verb, n, r.Text)
			}
		}
	}
}

func init() {
	modelled(queueAgainstModel, "queue")
}

func queueAgainstModel(t *testing.T) {
	for _, args := range []Args{{Main: 1}, {Main: 3}, {}, managed(Args{Main: 2}), managed(Args{})} {
		t.Run(fmt.Sprint(args.Main, hasManager(args)), func(t *testing.T) {
			checks(t, 15)
			c := newCrew(t, "queue", args, 4)
			model, err := c.d.Model(args, 4)
			if err != nil {
				t.Fatal(err)
			}
			waits := map[string]bool{"put": true, "get": true}
			m := &modelTest{c: c, model: model, verbs: []string{"put", "get", "qsize", "full", "empty", "put", "get"}, waits: waits, any: true}
			m.reset = func() {
				for c.do(t, 0, order{Verb: "get", NoWait: true}).Fail == "" {
				}
			}
			m.values = func(t *rapid.T, verb string) (any, bool) {
				if waits[verb] && len(m.waiting) == 3 {
					t.Skip("all others are blocked")
				}
				if verb != "put" {
					return nil, false
				}
				return rapid.OneOf(
					rapid.Map(rapid.IntRange(0, 5), func(i int) any { return i }),
					rapid.Map(rapid.IntRange(0, 40000), func(n int) any { return strings.Repeat("x", n) }),
				).Draw(t, "item"), true
			}
			m.free = func(m *modelTest, t *rapid.T) {
				for len(m.waiting) > 0 {
					verb := "put" // gets wait, or puts, never both
					for _, o := range m.waiting {
						if o.Verb == "put" {
							verb = "get"
						}
					}
					for p := range c.workers {
						if _, busy := m.waiting[p]; !busy {
							m.perform(t, p, order{Verb: verb, Value: 1, Given: verb == "put"})
							break
						}
					}
				}
			}
			rapid.Check(t, m.check)
			if n := c.booked(); n != 0 {
				t.Errorf("%d processes are blocked, by the books", n)
			}
		})
	}
}

func init() {
	// items of a worker: its number and how many it has put before
	item := func(w *worker, i int) int { return w.self.Index*1_000_000 + i }
	ways := []order{{}, {NoWait: true}, {After: 50 * time.Microsecond}}
	// insist does it in one of three ways, and at last in the way that waits.
	insist := func(w *worker, o order, i int) reply {
		o.NoWait, o.After = ways[i%3].NoWait, ways[i%3].After
		r := w.do(o)
		if r.Fail == Full || r.Fail == Empty {
			o.NoWait, o.After = false, 0
			r = w.do(o)
		}
		return r
	}
	loops["queue put"] = func(w *worker, o order) (r reply) {
		list := []any{}
		for i := range o.Rounds {
			got := insist(w, order{Verb: "put", Value: item(w, i), Given: true}, i)
			if got.Fail != "" {
				r.Text = "put: " + got.Fail
			}
			list = append(list, []any{"put", int(got.Seq), item(w, i)})
		}
		r.Result = list
		return r
	}
	loops["queue get"] = func(w *worker, o order) (r reply) {
		list := []any{}
		for i := range o.Rounds {
			got := insist(w, order{Verb: "get"}, i)
			if got.Fail != "" {
				r.Text = "get: " + got.Fail
			}
			list = append(list, []any{"get", int(got.Seq), got.Result})
		}
		r.Result = list
		return r
	}
	// Large items are made and looked at by the workers themselves.
	// A text of o.Rounds bytes, o.Value times.
	loops["queue put text"] = func(w *worker, o order) (r reply) {
		text, n := textOf(o.Rounds), 1
		if v, ok := o.Value.(int); ok {
			n = v
		}
		for ; n > 0 && r.Text == ""; n-- {
			r.Text = w.do(order{Verb: "put", Value: text, Given: true}).Fail
		}
		return r
	}
	loops["queue get text"] = func(w *worker, o order) (r reply) {
		text, n := textOf(o.Rounds), 1
		if v, ok := o.Value.(int); ok {
			n = v
		}
		for ; n > 0 && r.Text == ""; n-- {
			if got := w.do(order{Verb: "get", NoWait: true}); got.Result != text {
				r.Text = "another text: " + got.Fail
			}
		}
		return r
	}
	// Of the workers that may be killed: o.Value is text that goes with each
	// item, so that large ones are among them. What was done is counted in
	// memory that outlives them.
	loops["queue put for ever"] = func(w *worker, o order) (r reply) {
		pad, _ := o.Value.(string)
		for i := range o.Rounds {
			n := len(pad)
			if i%20 != 0 {
				n = 0
			}
			if got := w.do(order{Verb: "put", Value: []any{w.self.Index, i, pad[:n]}, Given: true}); got.Fail != "" {
				return reply{Text: "put: " + got.Fail}
			}
			word64(w.mem, scratch).Add(1)
		}
		return r
	}
	loops["queue get for ever"] = func(w *worker, o order) (r reply) {
		pad, _ := o.Value.(string)
		last := map[int]int{}
		// Where a manager takes back what it had sent to a getter that was killed,
		// one item of each killed getter may come after later ones.
		late := 0
		for {
			got := w.do(order{Verb: "get"})
			if got.Fail == "" && got.Result == nil {
				return r // the test says that it is over
			}
			it, _ := got.Result.([]any)
			if len(it) != 3 {
				return reply{Text: fmt.Sprintf("got %v (%s)", got.Result, got.Fail)}
			}
			p, i, text := it[0].(int), it[1].(int), it[2].(string)
			before, seen := last[p]
			switch _, managed := w.h.(*proxy); {
			case !seen || before < i:
				last[p] = i
			case managed && before > i && late < 3:
				late++
			default:
				return reply{Text: fmt.Sprintf("got item %d of %d after item %d", i, p, before)}
			}
			if want := i%20 == 0; want && text != pad || !want && text != "" {
				return reply{Text: fmt.Sprintf("item %d of %d is damaged: %d bytes", i, p, len(text))}
			}
			word64(w.mem, scratch+8).Add(1)
		}
	}
}

// TestQueueHistory: the numbers of the operations are an order in which each
// get takes the first item. Signals interrupt waiting processes all the time.
func TestQueueHistory(t *testing.T) {
	for _, args := range []Args{{Main: 0}, {Main: 1}, {Main: 3}, managed(Args{Main: 0}), managed(Args{Main: 2})} {
		maxsize, rounds := args.Main.(int), times(1000, 10_000)
		if hasManager(args) {
			rounds /= 3
		}
		t.Run(fmt.Sprint(maxsize, hasManager(args)), func(t *testing.T) {
			c := newCrew(t, "queue", args, 4)
			stop := c.disturbing()
			for i := range 4 {
				c.tell(i, order{Verb: []string{"queue put", "queue get"}[i%2], Rounds: rounds})
			}
			var all [][]any
			for i := range 4 {
				r := c.hear(t, i)
				if r.Text != "" {
					t.Errorf("worker %d: %s", i, r.Text)
				}
				for _, o := range r.Result.([]any) {
					all = append(all, o.([]any))
				}
			}
			stop()
			sort.Slice(all, func(i, j int) bool { return all[i][1].(int) < all[j][1].(int) })
			var items []any
			for i, o := range all {
				if o[1] != i+1 {
					t.Fatalf("operation %d has the number %v", i+1, o[1])
				}
				switch {
				case o[0] == "put" && maxsize > 0 && len(items) == maxsize:
					t.Fatalf("operation %d puts into a full queue", i+1)
				case o[0] == "put":
					items = append(items, o[2])
				case len(items) == 0:
					t.Fatalf("operation %d takes out of an empty queue", i+1)
				case items[0] != o[2]:
					t.Fatalf("operation %d takes %v, the first is %v", i+1, o[2], items[0])
				default:
					items = items[1:]
				}
			}
			if len(items) != 0 || c.booked() != 0 {
				t.Errorf("%d items are left, %d processes are blocked", len(items), c.booked())
			}
		})
	}
}

// TestQueueSurvivesKills: processes that are killed at any moment of a put or a
// get leave whole items behind, take one with them at most, and hold nobody up.
func TestQueueSurvivesKills(t *testing.T) {
	// Nine processes are started for each round. In short every queue has one of
	// the sizes of items, in turn; at length it has both, several times.
	turn := rand.IntN(2)
	for round := range times(8, 40) {
		if !atLength() && (round/2+round)%2 == turn {
			continue
		}
		args := Args{Main: []int{0, 2}[round%2]}
		if round%8 >= 4 {
			args = managed(args)
		}
		c := newCrew(t, "queue", args, 9)
		pad := strings.Repeat("p", []int{3000, 60000}[round/2%2])
		for i := range 8 {
			c.tell(i, order{Verb: []string{"queue put for ever", "queue get for ever"}[i%2], Value: pad, Rounds: 1 << 30})
		}
		for i := range 6 { // two are left: one that puts, one that gets
			time.Sleep(time.Duration(rand.IntN(12_000)) * time.Microsecond)
			c.kill(i)
		}
		before := word64(c.arena.Prims(), scratch+8).Load()
		for until := time.Now().Add(patience); word64(c.arena.Prims(), scratch+8).Load() < before+1000; {
			if time.Now().After(until) {
				t.Fatalf("round %d: the others do not go on: %v", round, c.d.Facts(c.handle, names{}))
			}
			select {
			case r := <-c.workers[7].replies:
				t.Fatalf("round %d: %s", round, r.Text)
			default:
			}
			time.Sleep(time.Millisecond)
		}
		c.kill(6)
		if r := c.do(t, 8, order{Verb: "put", Given: true}); r.Fail != "" {
			t.Fatal(r.Fail)
		}
		if r := c.hear(t, 7); r.Text != "" {
			t.Fatalf("round %d: %s", round, r.Text)
		}
		in, out := int(word64(c.arena.Prims(), scratch).Load()), int(word64(c.arena.Prims(), scratch+8).Load())
		if out > in+4 || out < in-3 {
			t.Errorf("round %d: %d items were put, %d were got; 4 puts and 3 gets were killed", round, in, out)
		}
		c.stop()
		c.workers, c.manager = nil, nil
	}
}

// TestQueueAroundTheStopped: a process that is stopped in the middle of
// whatever it does holds nobody up.
func TestQueueAroundTheStopped(t *testing.T) {
	c := newCrew(t, "queue", Args{Main: 3}, 4)
	for i := range 4 {
		c.tell(i, order{Verb: []string{"queue put for ever", "queue get for ever"}[i%2], Value: "pad", Rounds: 1 << 30})
	}
	for round := range times(30, 300) {
		victim := c.workers[round%2].cmd.Process // a putter or a getter of two
		halt(t, victim)
		before := word64(c.arena.Prims(), scratch+8).Load()
		for until := time.Now().Add(patience); word64(c.arena.Prims(), scratch+8).Load() < before+200; time.Sleep(100 * time.Microsecond) {
			if time.Now().After(until) {
				t.Fatalf("round %d: the others do not go on: %v", round, c.d.Facts(c.handle, names{}))
			}
		}
		if err := victim.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Microsecond)
	}
}

// TestQueueReady: what the engine asks of a blocked put or get.
func TestQueueReady(t *testing.T) {
	c := newCrew(t, "queue", Args{Main: 1}, 2)
	ready := func(verb string, i int) bool {
		return c.d.Op(verb).Ready(c.handle, max(c.arena.Slot(i).Look().Wait.Arg, itemAlign))
	}
	c.tell(1, order{Verb: "get"})
	c.blocked(t, 1)
	if ready("get", 1) {
		t.Error("a get can go on although the queue is empty")
	}
	if !ready("put", 1) {
		t.Error("a put cannot go on although the queue is empty")
	}
	c.do(t, 0, order{Verb: "put", Value: 1, Given: true})
	c.hear(t, 1)
	c.do(t, 0, order{Verb: "put", Value: 1, Given: true})
	c.tell(1, order{Verb: "put", Value: 2, Given: true})
	c.blocked(t, 1)
	if ready("put", 1) || !ready("get", 1) {
		t.Error("a put can go on although the queue is full, or a get cannot")
	}
	c.do(t, 0, order{Verb: "get"})
	c.hear(t, 1)
}

// TestQueuePagesGoBack: what was in a queue is no memory of the machine any
// more once it has been got.
func TestQueuePagesGoBack(t *testing.T) {
	c := newCrew(t, "queue", Args{}, 2)
	used := func() int64 {
		var st unix.Stat_t
		if err := unix.Fstat(int(c.files[0].Fd()), &st); err != nil {
			t.Fatal(err)
		}
		return st.Blocks * 512
	}
	for _, size := range []int{3000, 100_000, 3 << 20} {
		n := 12 << 20 / size
		if r := c.do(t, 0, order{Verb: "queue put text", Rounds: size, Value: n}); r.Text != "" {
			t.Fatalf("%+v", r)
		}
		if used() < int64(n*size) {
			t.Errorf("%d bytes are in the queue, and it uses %d", n*size, used())
		}
		if r := c.do(t, 1, order{Verb: "queue get text", Rounds: size, Value: n}); r.Text != "" {
			t.Fatalf("%+v", r)
		}
		if left := used(); left > (keepFirst+keepLast+2)*segSize+1<<20 {
			t.Errorf("items of %d bytes: the empty queue uses %d bytes", size, left)
		}
	}
}

// TestQueueTakesAnyData: through the real form, into the same process.
func TestQueueTakesAnyData(t *testing.T) {
	q, selfs := smallQueue(t, Args{}, 64*segSize, 1)
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue().Draw(t, "item")
		if err := queuePut(q, callOf(selfs[0], v)); err != nil {
			t.Fatal(err)
		}
		c := callOf(selfs[0], nil)
		if err := queueGet(q, c); err != nil || !reflect.DeepEqual(c.Result, v) {
			t.Fatalf("%#v came back as %#v (%v)", v, c.Result, err)
		}
	})
}
