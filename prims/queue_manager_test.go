//go:build linux

package prims

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"ipcrun/prims/arena"
)

// managed is a declaration with manager: true.
func managed(a Args) Args {
	return Args{Main: a.Main, Fields: map[string]any{managerKey: true}}
}

func init() {
	loops["queue: manage"] = func(w *worker, _ order) reply {
		must(w.d.Op(QueueServe).Do(w.h, &Call{Self: w.self}))
		return reply{}
	}
}

// manage starts the manager in a slot. Its desk is then open in no other process,
// and the door in the workers alone.
func (c *crew) manage(slot int) {
	c.args.Fields[FirstOfStaff] = slot
	c.handle.(*proxy).slot = slot
	c.manager = c.start(slot, managerPart)
	if err := c.manager.tell(order{Verb: "queue: manage", Rounds: 1}); err != nil {
		c.t.Fatalf("%v", err)
	}
	c.files[roleDoor].Close()
	c.files[roleDesk].Close()
}

// booked is how many workers are blocked by the books of the arena.
func (c *crew) booked() int {
	if c.manager == nil {
		return c.arena.Blocked()
	}
	slot := c.arena.Slot(c.handle.(*proxy).slot)
	for until := time.Now().Add(patience); time.Now().Before(until); time.Sleep(time.Millisecond) {
		if slot.State() == arena.Blocked {
			return c.arena.Blocked() - 1
		}
	}
	return c.arena.Blocked()
}

// waits waits until the manager keeps so many requests of a worker waiting.
func (c *crew) waits(t fatal, i int, n uint64) {
	t.Helper()
	place := &c.handle.(*proxy).board.places[i]
	for until := time.Now().Add(patience); place.waits.Load() != n; time.Sleep(20 * time.Microsecond) {
		if time.Now().After(until) {
			t.Fatalf("the manager keeps %d requests of worker %d waiting, not %d", place.waits.Load(), i, n)
		}
	}
}

func (c *crew) killManager() {
	_ = c.manager.cmd.Process.Kill()
	_ = c.manager.cmd.Wait()
	c.buried(c.handle.(*proxy).slot)
}

// dead kills a worker and waits until nothing is left of it.
func (c *crew) dead(i int) {
	_ = c.workers[i].cmd.Process.Kill()
	_ = c.workers[i].cmd.Wait()
	c.buried(i)
}

// TestManagerLosesNothing: whoever is killed while it waits takes nothing with
// it and leaves nothing, also where the item was on its way to it.
func TestManagerLosesNothing(t *testing.T) {
	put := func(v any) order { return order{Verb: "put", Value: v, Given: true} }
	t.Run("a blocked get", func(t *testing.T) {
		c := newCrew(t, "queue", managed(Args{}), 3)
		c.tell(0, order{Verb: "get"})
		c.waits(t, 0, 1)
		c.dead(0)
		c.do(t, 1, put("x"))
		if r := c.do(t, 2, order{Verb: "get", NoWait: true}); r.Result != "x" {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a stopped get, to which the item was sent", func(t *testing.T) {
		c := newCrew(t, "queue", managed(Args{}), 3)
		c.tell(0, order{Verb: "get"})
		c.waits(t, 0, 1)
		halt(t, c.workers[0].cmd.Process)
		c.do(t, 1, put("x"))
		c.do(t, 1, put("y"))
		c.waits(t, 0, 0)
		if r := c.do(t, 1, order{Verb: "qsize"}); r.Result != 1 {
			t.Errorf("%+v", r)
		}
		c.dead(0)
		for _, want := range []string{"x", "y"} {
			if r := c.do(t, 2, order{Verb: "get"}); r.Result != want {
				t.Errorf("%+v, want %s", r, want)
			}
		}
	})
	t.Run("a blocked put", func(t *testing.T) {
		c := newCrew(t, "queue", managed(Args{Main: 1}), 3)
		c.do(t, 1, put("x"))
		c.tell(0, put("lost"))
		c.waits(t, 0, 1)
		c.dead(0)
		c.tell(1, put("y"))
		c.waits(t, 1, 1)
		for _, want := range []string{"x", "y"} {
			if r := c.do(t, 2, order{Verb: "get"}); r.Result != want {
				t.Errorf("%+v, want %s", r, want)
			}
		}
		c.hear(t, 1)
		if r := c.do(t, 2, order{Verb: "get", NoWait: true}); r.Fail != Empty {
			t.Errorf("%+v", r)
		}
	})
	t.Run("a get withdrawn for a handler that never comes back", func(t *testing.T) {
		c := newCrew(t, "queue", managed(Args{}), 2)
		c.tell(0, order{Verb: "queue: interrupted get", Rounds: 1})
		if r := c.hear(t, 0); r.Text != "" {
			t.Fatal(r.Text)
		}
		c.do(t, 1, put("x"))
		if r := c.do(t, 1, order{Verb: "get", After: patience}); r.Result != "x" {
			t.Errorf("%+v", r)
		}
	})
}

func init() {
	// A get that a signal interrupts and that is not done again.
	loops["queue: interrupted get"] = func(w *worker, _ order) reply {
		w.self.Interrupt.Store(1)
		c := &Call{Self: w.self, Args: &Values{}}
		err := w.d.Op("get").Do(w.h, c)
		w.self.Interrupt.Store(0)
		if err != ErrInterrupted {
			return reply{Text: "get was not interrupted"}
		}
		// A handler's own get finds nothing, and nothing of the other.
		if r := w.do(order{Verb: "get", NoWait: true}); r.Fail != Empty {
			return reply{Text: "the handler got something: " + r.Fail}
		}
		return reply{}
	}
}

// TestManagerHandlers: a get that is interrupted when its item is on its way. A
// get of the handler takes that item and no later one; where the handler does
// something else the item is the first again.
func TestManagerHandlers(t *testing.T) {
	for _, verb := range []string{"get", "qsize"} {
		c := newCrew(t, "queue", managed(Args{}), 2)
		for i := 1; i <= 3; i++ {
			c.do(t, 1, order{Verb: "put", Value: i, Given: true})
		}
		c.do(t, 0, order{Verb: "qsize"})
		halt(t, c.manager.cmd.Process)
		c.tell(0, order{Verb: "queue: handler with " + verb, Rounds: 1})
		// It has sent both requests, and waits for the second answer.
		for until := time.Now().Add(patience); word64(c.arena.Prims(), scratch).Load() == 0; time.Sleep(50 * time.Microsecond) {
			if time.Now().After(until) {
				t.Fatal("it does not come to the handler")
			}
		}
		c.blocked(t, 0)
		_ = c.manager.cmd.Process.Signal(unix.SIGCONT)
		if r := c.hear(t, 0); r.Text != "" {
			t.Fatal(r.Text)
		}
		if r := c.do(t, 1, order{Verb: "get", NoWait: true}); r.Result != 3 {
			t.Errorf("%s: %+v, want 3", verb, r)
		}
		if r := c.do(t, 1, order{Verb: "get", NoWait: true}); r.Fail != Empty {
			t.Errorf("%s: %+v is left", verb, r)
		}
	}
}

func init() {
	handler := func(verb string, wants ...any) func(w *worker, _ order) reply {
		return func(w *worker, _ order) reply {
			w.self.Interrupt.Store(1)
			c := &Call{Self: w.self, Args: &Values{}}
			if err := w.d.Op("get").Do(w.h, c); err != ErrInterrupted {
				return reply{Text: fmt.Sprintf("get was not interrupted: %v", err)}
			}
			w.self.Interrupt.Store(0)
			word64(w.mem, scratch).Store(1)
			var got []any
			got = append(got, w.do(order{Verb: verb}).Result)
			if err := w.d.Op("get").Do(w.h, c); err != nil { // done again
				return reply{Text: err.Error()}
			}
			got = append(got, c.Result)
			for len(got) < len(wants) {
				got = append(got, w.do(order{Verb: "get"}).Result)
			}
			if !reflect.DeepEqual(got, wants) {
				return reply{Text: fmt.Sprintf("%s in the handler: %v, want %v", verb, got, wants)}
			}
			return reply{}
		}
	}
	loops["queue: handler with get"] = handler("get", 1, 2)
	loops["queue: handler with qsize"] = handler("qsize", 2, 1, 2)
}

// TestManagerDies: who is blocked in a queue whose manager dies, who had used it
// and who had not are all told so by name, and the items are gone.
func TestManagerDies(t *testing.T) {
	c := newCrew(t, "queue", managed(Args{Main: 2}), 4)
	c.do(t, 0, order{Verb: "put", Value: 1, Given: true})
	c.do(t, 0, order{Verb: "put", Value: 2, Given: true})
	c.tell(1, order{Verb: "put", Value: 3, Given: true})
	c.waits(t, 1, 1)
	c.do(t, 2, order{Verb: "qsize"})
	c.killManager()
	if r := c.hear(t, 1); r.Fail != ManagerDied {
		t.Errorf("a blocked put: %+v", r)
	}
	for worker, verb := range []string{"get", "put", "qsize", "empty"} {
		for _, how := range []order{{}, {NoWait: true}, {After: time.Hour}} {
			how.Verb, how.Given = verb, verb == "put"
			if r := c.do(t, worker, how); r.Fail != ManagerDied {
				t.Errorf("%s: %+v", verb, r)
			}
		}
	}
	if f := c.d.Facts(c.handle, names{}); f["size"] != 0 || f["empty"] != true {
		t.Errorf("%v", f)
	}
	c.do(t, 0, order{Verb: "close"})
	if r := c.do(t, 0, order{Verb: "get"}); r.Fail != Closed {
		t.Errorf("%+v", r)
	}
}

// TestManagerKilled: at any moment, while everybody is in the middle of
// something.
func TestManagerKilled(t *testing.T) {
	for round := range 6 {
		c := newCrew(t, "queue", managed(Args{Main: []int{0, 1, 3}[round%3]}), 4)
		pad := strings.Repeat("p", []int{100, 60000}[round%2])
		for i := range 4 {
			c.tell(i, order{Verb: []string{"queue put for ever", "queue get for ever"}[i%2], Value: pad, Rounds: 1 << 30})
		}
		time.Sleep(time.Duration(rand.IntN(8000)) * time.Microsecond)
		c.killManager()
		for i := range 4 {
			want := []string{"put: ManagerDied", "got <nil> (ManagerDied)"}[i%2]
			r := c.hear(t, i)
			// A get that fails has no result: the loop takes that for the end.
			if i%2 == 1 && r.Text == "" || r.Text == want {
				continue
			}
			t.Errorf("round %d, worker %d: %q, want %q", round, i, r.Text, want)
		}
		c.stop()
		c.workers, c.manager = nil, nil
	}
}

// TestManagerStopped: everybody waits for a manager that is stopped, signals
// are handled meanwhile, and afterwards all is as if nothing had been.
func TestManagerStopped(t *testing.T) {
	c := newCrew(t, "queue", managed(Args{Main: 1}), 3)
	c.do(t, 0, order{Verb: "put", Value: "x", Given: true})
	halt(t, c.manager.cmd.Process)
	c.tell(0, order{Verb: "put", Value: "y", Given: true, After: time.Millisecond})
	c.tell(1, order{Verb: "get"})
	c.tell(2, order{Verb: "qsize"})
	for i := range 3 {
		c.blocked(t, i)
		c.disturb(i)
	}
	for i, verb := range []string{"put", "get", "qsize"} {
		if c.d.Op(verb).Ready(c.handle, 0) {
			t.Errorf("%s can go on although the manager is stopped", verb)
		}
		select {
		case r := <-c.workers[i].replies:
			t.Errorf("%s: %+v", verb, r)
		case <-time.After(5 * time.Millisecond):
		}
	}
	_ = c.manager.cmd.Process.Signal(unix.SIGCONT)
	if r := c.hear(t, 1); r.Result != "x" {
		t.Errorf("%+v", r)
	}
	r, size := c.hear(t, 0), c.hear(t, 2)
	if r.Fail != "" && r.Fail != Full || size.Fail != "" {
		t.Errorf("%+v, %+v", r, size)
	}
	want := 0
	if r.Fail == "" {
		want = 1
	}
	if r := c.do(t, 2, order{Verb: "qsize"}); r.Result != want {
		t.Errorf("%+v, want %d", r, want)
	}
}

// TestManagerAround: an answer that a process does not read, because it is
// stopped, holds up nobody, and 16 MiB pass unchanged.
func TestManagerAround(t *testing.T) {
	c := newCrew(t, "queue", managed(Args{}), 3)
	for _, n := range []int{0, 1, 4096, 100_000, times(4<<20, 16<<20)} {
		for i, verb := range []string{"queue put text", "queue get text"} {
			if r := c.do(t, i, order{Verb: verb, Rounds: n + 1}); r.Text != "" {
				t.Fatalf("%s of %d bytes: %s", verb, n, r.Text)
			}
		}
	}
	c.tell(0, order{Verb: "get"})
	c.waits(t, 0, 1)
	halt(t, c.workers[0].cmd.Process)
	c.do(t, 1, order{Verb: "queue put text", Rounds: 4 << 20})
	for i := range 20 {
		c.do(t, 1, order{Verb: "put", Value: i, Given: true})
		if r := c.do(t, 2, order{Verb: "get"}); r.Result != i {
			t.Fatalf("%+v", r)
		}
	}
	c.dead(0)
	if r := c.do(t, 2, order{Verb: "queue get text", Rounds: 4 << 20}); r.Text != "" {
		t.Error("what was half sent did not come back: " + r.Text)
	}
}

// TestManagerEnds: by itself, when nobody is left who could use the queue.
func TestManagerEnds(t *testing.T) {
	c := newCrew(t, "queue", managed(Args{}), 2)
	c.do(t, 0, order{Verb: "put", Value: 1, Given: true})
	c.dead(0)
	select {
	case <-c.manager.replies:
		t.Fatal("the manager ended while a process was left")
	case <-time.After(5 * time.Millisecond):
	}
	c.dead(1)
	select {
	case r := <-c.manager.replies:
		if r.Err != "" {
			t.Error(r.Err)
		}
	case <-time.After(patience):
		t.Fatal("the manager does not end")
	}
	if f := c.d.Facts(c.handle, names{}); f["size"] != 1 {
		t.Errorf("how it stood in the end: %v", f)
	}
}

// TestDeskAgainstNonsense: whatever comes in, the desk refuses it or carries it
// out, and what it holds adds up.
func TestDeskAgainstNonsense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		region := make([]byte, boardBytes)
		d := newDesk(newQueueBoard(make([]byte, queueMem), region), 2)
		all := []*visitor{{slot: 0}, {slot: 1}}
		for range rapid.IntRange(1, 30).Draw(t, "messages") {
			v := rapid.SampledFrom(all).Draw(t, "visitor")
			item := rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "item")
			what := rapid.ByteRange(0, askReturn+1).Draw(t, "what")
			if what == askReturn && len(v.given) > 0 && rapid.Bool().Draw(t, "right") {
				item = binary.LittleEndian.AppendUint64(nil, v.given[0].number)
			}
			v.in = appendRequest(v.in, uint32(rapid.IntRange(0, 3).Draw(t, "id")), what, item)
			if rapid.Bool().Draw(t, "spoilt") {
				v.in = v.in[:rapid.IntRange(0, len(v.in)).Draw(t, "bytes")]
			}
			before := len(v.in)
			if _, err := d.read(v); err != nil || rapid.IntRange(0, 9).Draw(t, "leaves") == 0 {
				d.left(v)
				*v = visitor{slot: v.slot}
			} else if len(v.in) > before {
				t.Fatal("it has grown")
			}
			bytes := 0
			for _, it := range d.items[d.first:] {
				bytes += len(it)
			}
			now := d.board.now()
			if bytes != d.bytes || now.size() != d.size() || len(d.gets) > 0 && d.size() > 0 || len(d.puts) > 0 && d.size() < d.limit {
				t.Fatalf("%d bytes of %d, %d items of %d, %d gets and %d puts wait", bytes, d.bytes, now.size(), d.size(), len(d.gets), len(d.puts))
			}
			var waits uint64
			for _, v := range all {
				waits += d.board.places[v.slot].waits.Load()
			}
			if waits != uint64(len(d.gets)+len(d.puts)) {
				t.Fatalf("%d wait, by the board", waits)
			}
		}
	})
}
