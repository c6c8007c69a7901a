//go:build linux

package prims

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var robustArgs = Args{Fields: map[string]any{"robust": true}}

func TestReentrantLock(t *testing.T) {
	const d = 30 * time.Millisecond
	plays(t, []scene{
		{"three acquires need three releases, a fourth is an error [test_rlock; facts.md, Lock / RLock]", "rlock", Args{}, []stage{
			now(acquire(0)), now(acquire(0)), now(acquire(0)), facts("depth", 3, "holder", "a", "locked", true),
			now(release(0)), now(release(0)), facts("depth", 1, "locked", true),
			now(release(0)), facts("depth", 0, "holder", "", "locked", false),
			now(refuses(release(0), Invalid)),
		}},
		{"only the process that holds it may release it: AssertionError (documentation of multiprocessing.RLock.release)", "rlock", Args{}, []stage{
			now(acquire(0)), now(refuses(release(1), Invalid)), facts("holder", "a", "depth", 1), now(release(0)),
		}},
		{"others are kept out until the last release (documentation of multiprocessing.RLock)", "rlock", Args{}, []stage{
			now(acquire(0)), now(acquire(0)), now(try(1)), begins(acquire(1)), now(release(0)), now(try(2)),
			now(release(0)), ends(1, true, ""), facts("holder", "b", "depth", 1),
		}},
		{"acquire with timeout gives up no earlier than that; not for the owner [facts.md, Lock / RLock]", "rlock", Args{}, []stage{
			now(acquire(0)), now(within(1, "acquire", d)), now(yields(ask{order: order{Verb: "acquire", After: d}}, true)), facts("depth", 2),
		}},
	})
}

// TestReentrantDepth: 65535 acquires, and not one more.
func TestReentrantDepth(t *testing.T) {
	c := newCrew(t, "rlock", Args{}, 2)
	r := c.handle.(*reentrant)
	r.word.Store(1 | (maxDepth-1)<<depthShift)
	if got := c.do(t, 0, order{Verb: "acquire"}); got.Fail != "" || depthOf(r.word.Load()) != maxDepth {
		t.Fatalf("%+v, depth %d", got, depthOf(r.word.Load()))
	}
	if got := c.do(t, 0, order{Verb: "acquire"}); got.Fail != Invalid || depthOf(r.word.Load()) != maxDepth {
		t.Fatalf("%+v, depth %d", got, depthOf(r.word.Load()))
	}
	st := reentrantState(make([]byte, reentrantBytes))
	st.set(1, maxDepth)
	if _, fail, _ := st.acquire(0, 1, ModelCall{}); fail == nil || fail.Name != Invalid {
		t.Errorf("in the model: %v", fail)
	}
}

// TestRobust: what pthread_mutex_lock(3) says of EOWNERDEAD, of both kinds.
func TestRobust(t *testing.T) {
	for _, kind := range []string{"lock", "rlock"} {
		t.Run(kind, func(t *testing.T) {
			c := newCrew(t, kind, robustArgs, 5)
			ready := func() bool { return c.d.Op("acquire").Ready(c.handle, 0) }
			// A waiter is woken by the death, fails with OwnerDied and is the holder.
			c.do(t, 0, order{Verb: "acquire"})
			if kind == "rlock" {
				c.do(t, 0, order{Verb: "acquire"})
			}
			c.tell(1, order{Verb: "acquire"})
			c.blocked(t, 1)
			c.tell(2, order{Verb: "acquire"})
			c.blocked(t, 2)
			if ready() {
				t.Error("an acquire could go on while the holder lives")
			}
			c.kill(0)
			heir := 1
			var r reply
			select {
			case r = <-c.workers[1].replies:
			case r = <-c.workers[2].replies:
				heir = 2
			case <-time.After(patience):
				t.Fatal("nobody was woken")
			}
			if r.Fail != OwnerDied {
				t.Fatalf("%+v", r)
			}
			if h := c.d.Holders(c.handle); len(h) != 1 || h[0] != heir || ready() {
				t.Fatalf("holders %v, ready %v", h, ready())
			}
			if kind == "rlock" && c.d.Facts(c.handle, names{})["depth"] != 1 {
				t.Error("the heir holds it more than once")
			}
			// It is an ordinary lock again.
			c.do(t, heir, order{Verb: "release"})
			if r := c.hear(t, 3-heir); r.Fail != "" || r.Result != true {
				t.Fatalf("%+v", r)
			}
			c.do(t, 3-heir, order{Verb: "release"})
			// Nobody waits: the next acquire gets it, without blocking too, and even
			// before the engine has said so.
			c.do(t, 3, order{Verb: "acquire"})
			died := c.d
			c.d = &Descriptor{Kind: died.Kind, Detach: died.Detach}
			c.kill(3)
			c.d = died
			if r := c.do(t, 4, order{Verb: "acquire", NoWait: true}); r.Fail != OwnerDied {
				t.Fatalf("%+v", r)
			}
			c.d.Died(c.handle, 3) // late: it is not his any more
			if h := c.d.Holders(c.handle); len(h) != 1 || h[0] != 4 || ready() {
				t.Fatalf("holders %v, ready %v", h, ready())
			}
			if r := c.do(t, 4, order{Verb: "release"}); r.Fail != "" {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestNotRobust: without robust a lock stays locked when its holder dies
// [facts.md: a semaphore is not released when its holder dies], though everybody
// has been told.
func TestNotRobust(t *testing.T) {
	for _, kind := range []string{"lock", "rlock", "condition"} {
		c := newCrew(t, kind, Args{}, 2)
		c.do(t, 0, order{Verb: "acquire"})
		c.kill(0)
		if c.d.Op("acquire").Ready(c.handle, 0) {
			t.Errorf("%s: an acquire could go on", kind)
		}
		if r := c.do(t, 1, order{Verb: "acquire", After: 20 * time.Millisecond}); r.Fail != Timeout {
			t.Errorf("%s: %+v", kind, r)
		}
		if h := c.d.Holders(c.handle); len(h) != 1 || h[0] != 0 {
			t.Errorf("%s: holders %v", kind, h)
		}
	}
}

// mortal adds to a property that workers are killed: those that hold a lock and
// those that wait for it.
func (m *modelTest) mortal(t *rapid.T, alive map[int]bool, p int) {
	m.c.kill(p)
	delete(m.waiting, p)
	delete(alive, p)
	m.model.(Mortal).Died(m.st, p)
	m.settle(t)
}

func init() {
	modelled(reentrantAgainstModel, "rlock")
	modelled(robustAgainstModel, "lock", "rlock")
}

func reentrantAgainstModel(t *testing.T) {
	for name, args := range map[string]Args{"plain": {}, "robust": robustArgs} {
		t.Run(name, func(t *testing.T) {
			c := newCrew(t, "rlock", args, 4)
			model, err := c.d.Model(args, 4)
			if err != nil {
				t.Fatal(err)
			}
			m := &modelTest{c: c, model: model, verbs: []string{"acquire", "acquire", "release"}, any: true, waits: map[string]bool{"acquire": true}}
			m.reset = func() {
				r := c.handle.(*reentrant)
				r.word.Store(0)
				r.waiters.Store(0)
			}
			m.free = func(m *modelTest, t *rapid.T) {
				for o := c.handle.(*reentrant).owner(); o >= 0; o = c.handle.(*reentrant).owner() {
					m.perform(t, o, order{Verb: "release"})
				}
			}
			rapid.Check(t, m.check)
		})
	}
}

// robustAgainstModel: the same with processes that are killed.
func robustAgainstModel(t *testing.T) {
	for _, kind := range []string{"lock", "rlock"} {
		t.Run(kind, func(t *testing.T) {
			checks(t, 4)
			rapid.Check(t, func(rt *rapid.T) {
				const n = 6
				c := newCrew(t, kind, robustArgs, n)
				model, err := c.d.Model(robustArgs, n)
				if err != nil {
					t.Fatal(err)
				}
				m := &modelTest{c: c, model: model, st: make([]byte, model.Size()), waiting: map[int]order{}, any: true,
					verbs: []string{"acquire"}, waits: map[string]bool{"acquire": true}}
				alive := map[int]bool{0: true, 1: true, 2: true, 3: true, 4: true, 5: true}
				for range 25 {
					p := rapid.IntRange(0, n-1).Draw(rt, "process")
					_, busy := m.waiting[p]
					holds := len(c.d.Holders(c.handle)) == 1 && c.d.Holders(c.handle)[0] == p
					switch do := rapid.IntRange(0, 9).Draw(rt, "what"); {
					case !alive[p]:
					case do == 0 && len(alive) > 2 && (busy || holds):
						m.mortal(rt, alive, p)
					case busy:
					case do < 5 && holds:
						m.perform(rt, p, order{Verb: "release"})
					case do < 8 && !(holds && kind == "lock"):
						m.perform(rt, p, order{Verb: "acquire", NoWait: do == 7})
					}
				}
				for len(m.waiting) > 0 {
					o := c.d.Holders(c.handle)[0]
					m.perform(rt, o, order{Verb: "release"})
				}
				c.stop()
				c.workers, c.files = nil, nil
			})
		})
	}
}

func init() {
	// robust: critical sections, entered twice over where that is possible, in
	// which the worker counts; a heir repairs what it finds.
	loops["robust"] = func(w *worker, o order) reply {
		inside := word32(w.mem, scratch)
		twice := w.d.Name == "rlock"
		return loop(o.After, func() string {
			got := w.do(order{Verb: "acquire"})
			switch got.Fail {
			case "":
				if inside.Add(1) != 1 {
					return "two processes hold it"
				}
			case OwnerDied:
				inside.Store(1)
			default:
				return "acquire: " + got.Fail
			}
			if twice {
				if got := w.do(order{Verb: "acquire"}); got.Fail != "" {
					return "acquire again: " + got.Fail
				}
				if got := w.do(order{Verb: "release"}); got.Fail != "" {
					return "release: " + got.Fail
				}
			}
			inside.Store(0)
			if got := w.do(order{Verb: "release"}); got.Fail != "" {
				return "release: " + got.Fail
			}
			return ""
		})
	}
}

// TestRobustSurvivesKills: processes are killed at any moment, and the others go
// on.
func TestRobustSurvivesKills(t *testing.T) {
	for _, kind := range []string{"lock", "rlock"} {
		t.Run(kind, func(t *testing.T) {
			const n = 10
			c := newCrew(t, kind, robustArgs, n)
			for i := range n {
				c.tell(i, order{Verb: "robust", Rounds: 1, After: 120 * time.Millisecond})
			}
			for i := range n - 2 {
				time.Sleep(time.Duration(1+i*7%5) * 3100 * time.Microsecond)
				c.kill(i)
			}
			for i := n - 2; i < n; i++ {
				if r := c.hear(t, i); r.Text != "" || r.Seq == 0 {
					t.Errorf("worker %d: %q after %d rounds", i, r.Text, r.Seq)
				}
			}
			if r := c.do(t, n-1, order{Verb: "acquire", NoWait: true}); r.Fail != "" && r.Fail != OwnerDied {
				t.Errorf("%+v", r)
			}
		})
	}
}
