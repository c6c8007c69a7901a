//go:build linux

package prims

import (
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestCondition(t *testing.T) {
	const d = 30 * time.Millisecond
	wait := func(w int) ask { return call(w, "wait") }
	all := func(w int) ask { return call(w, "notify_all") }
	one := func(w int) ask { return call(w, "notify") }
	plays(t, []scene{
		{"wait and notify need the lock: RuntimeError (documentation of threading.Condition)", "condition", Args{}, []stage{
			now(refuses(wait(0), Invalid)), now(refuses(one(0), Invalid)), now(refuses(all(0), Invalid)),
			now(acquire(1)), now(refuses(wait(0), Invalid)), now(refuses(one(0), Invalid)), facts("holder", "b"),
		}},
		{"its lock is a re-entrant one (documentation of multiprocessing.Condition)", "condition", Args{}, []stage{
			now(acquire(0)), now(acquire(0)), now(try(1)), now(release(0)), now(try(1)), now(release(0)), now(refuses(release(0), Invalid)), now(acquire(1)),
		}},
		{"wait(t) gives the lock up, is False no earlier than t, and holds the lock then [test_timeout, test_wait_result]", "condition", Args{}, []stage{
			now(acquire(0)), now(refuses(noEarlier(wait(0), d), Timeout)), facts("holder", "a", "depth", 1, "waiting", 0), now(try(1)), now(release(0)),
		}},
		{"it is given up as a whole and taken again as deep (_release_save of RLock)", "condition", Args{}, []stage{
			now(acquire(0)), now(acquire(0)), now(acquire(0)), begins(wait(0)), facts("locked", false, "waiting", 1),
			now(acquire(1)), now(one(1)), facts("waiting", 0, "holder", "b"), now(release(1)), ends(0, true, ""), facts("depth", 3, "holder", "a"),
		}},
		{"a waiter goes on when the lock is given back, not with the notify (documentation of threading.Condition.notify)", "condition", Args{}, []stage{
			now(acquire(0)), begins(wait(0)), now(acquire(1)), now(one(1)), now(yields(ask{worker: 1, order: order{Verb: "acquire"}}, true)),
			facts("depth", 2, "holder", "b"), now(release(1)), now(release(1)), ends(0, true, ""), facts("holder", "a"),
		}},
		{"a notify that finds nobody is lost", "condition", Args{}, []stage{
			now(acquire(1)), now(one(1)), now(all(1)), now(release(1)), now(acquire(0)), now(refuses(noEarlier(wait(0), d), Timeout)),
		}},
		{"notify wakes one, notify(n) n of them, (documentation of threading.Condition.notify)", "condition", Args{}, []stage{
			now(acquire(0)), begins(wait(0)), now(acquire(1)), begins(wait(1)), facts("waiting", 2),
			now(acquire(2)), now(notify(2, 0)), facts("waiting", 2), now(one(2)), facts("waiting", 1), now(release(2)),
			ends(0, true, ""), now(release(0)), now(acquire(2)), facts("waiting", 1), now(refuses(notify(2, -1), Invalid)),
			now(notify(2, 5)), facts("waiting", 0), now(release(2)), ends(1, true, ""), now(release(1)), facts("locked", false),
		}},
	})
}

// TestConditionWakesAll: notify_all wakes everybody [test_notify_all].
func TestConditionWakesAll(t *testing.T) {
	const n = 5
	c := newCrew(t, "condition", Args{}, n)
	for i := range n - 1 {
		c.do(t, i, order{Verb: "acquire"})
		c.tell(i, order{Verb: "wait"})
		c.blocked(t, i)
	}
	c.do(t, n-1, order{Verb: "acquire"})
	c.do(t, n-1, order{Verb: "notify_all"})
	for i := range n - 1 {
		if c.d.Op("wait").Ready(c.handle, uint64(i)<<argShift|argRetake) {
			t.Error("ready while another process holds the lock")
		}
	}
	c.do(t, n-1, order{Verb: "release"})
	var late []reflect.SelectCase
	for i := range n - 1 {
		late = append(late, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c.workers[i].replies)})
	}
	late = append(late, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(time.After(patience))})
	for woken := range n - 1 {
		i, v, _ := reflect.Select(late)
		if i == n-1 {
			t.Fatalf("%d of %d were woken", woken, n-1)
		}
		if r := v.Interface().(reply); r.Result != true {
			t.Errorf("worker %d: %+v", i, r)
		}
		c.do(t, i, order{Verb: "release"})
	}
}

func init() {
	modelled(conditionAgainstModel, "condition")
}

func conditionAgainstModel(t *testing.T) {
	const n = 4
	c := newCrew(t, "condition", Args{}, n)
	model, err := c.d.Model(Args{}, n)
	if err != nil {
		t.Fatal(err)
	}
	k := c.handle.(*condition)
	m := &modelTest{c: c, model: model, verbs: []string{"acquire", "acquire", "release", "wait", "wait", "notify", "notify_all"}, any: true,
		waits: map[string]bool{"acquire": true}, timed: map[string]bool{"wait": true}}
	m.reset = func() {
		k.lock.word.Store(0)
		k.lock.waiters.Store(0)
	}
	m.fits = func(_ int, o order) bool {
		// Who waits for the lock may get it before a wait has it back.
		return !(o.Verb == "wait" && o.After != 0 && len(m.waiting) > 0) && (o.Verb == "release" || o.Verb[0] == 'n' || len(m.waiting) < n-1)
	}
	m.free = func(m *modelTest, t *rapid.T) {
		for {
			p := k.lock.owner()
			if p < 0 {
				if len(m.waiting) == 0 {
					return
				}
				for p = 0; ; p++ {
					if _, busy := m.waiting[p]; !busy {
						break
					}
				}
				m.perform(t, p, order{Verb: "acquire"})
			}
			m.perform(t, p, order{Verb: "notify_all"})
			for k.lock.owner() == p {
				m.perform(t, p, order{Verb: "release"})
			}
		}
	}
	rapid.Check(t, m.check)
	if k.waiting() != 0 || c.arena.Blocked() != 0 {
		t.Errorf("%d wait, %d are blocked", k.waiting(), c.arena.Blocked())
	}
}

func init() {
	// until: waits for the number in the scratch to be o.Value, holding the lock,
	// and tells by Result how often it has looked.
	loops["until"] = func(w *worker, o order) (r reply) {
		level, looks := word32(w.mem, scratch), 0
		w.do(order{Verb: "acquire"})
		w.until = func() (bool, error) {
			looks++
			if _, held := w.h.(*condition).lock.heldBy(&Call{Self: w.self}); !held {
				r.Text = "it looked without the lock"
			}
			return int(level.Load()) >= o.Value.(int), nil
		}
		got := w.do(order{Verb: "wait", After: o.After})
		w.until = nil
		if freed := w.do(order{Verb: "release"}); freed.Fail != "" {
			r.Text = "it does not hold the lock: " + freed.Fail
		}
		r.Fail, r.Took, r.Result = got.Fail, got.Took, looks
		return r
	}
	// rise: adds one to the scratch and notifies all.
	loops["rise"] = func(w *worker, _ order) (r reply) {
		w.do(order{Verb: "acquire"})
		word32(w.mem, scratch).Add(1)
		w.do(order{Verb: "notify_all"})
		return w.do(order{Verb: "release"})
	}
	// turns: as many of producer and consumer as o.Value says share a place.
	loops["turns"] = func(w *worker, o order) reply {
		place, mine := word32(w.mem, scratch), uint32(w.self.Index%2)
		return loop(o.After, func() string {
			if got := w.do(order{Verb: "acquire", After: 20 * time.Millisecond}); got.Fail != "" {
				return ""
			}
			for place.Load() != mine {
				if got := w.do(order{Verb: "wait", After: 2 * time.Millisecond}); got.Fail != "" && got.Fail != Timeout {
					return "wait: " + got.Fail
				} else if got.Fail == Timeout {
					break
				}
			}
			place.Store(1 - mine)
			for _, verb := range []string{"notify_all", "release"} {
				if got := w.do(order{Verb: verb}); got.Fail != "" {
					return verb + ": " + got.Fail
				}
			}
			return ""
		})
	}
}

// TestWaitFor: returns only when the predicate holds, or with a failure after
// the whole timeout [test_waitfor, test_waitfor_timeout].
func TestWaitFor(t *testing.T) {
	c := newCrew(t, "condition", Args{}, 3)
	waitFor := func(w int, level int, d time.Duration) {
		c.tell(w, order{Verb: "until", Rounds: 1, Value: level, After: d})
	}
	rise := order{Verb: "rise", Rounds: 1}
	waitFor(0, 0, 0)
	if r := c.hear(t, 0); r.Fail != "" || r.Text != "" || r.Result != 1 {
		t.Errorf("it holds already: %+v", r)
	}
	waitFor(0, 3, 0)
	// Who was notified waits again only when it has looked.
	waits := func() {
		t.Helper()
		for until := time.Now().Add(patience); c.handle.(*condition).waiting() != 1; time.Sleep(20 * time.Microsecond) {
			if time.Now().After(until) {
				t.Fatal("it does not wait")
			}
		}
	}
	for looks := range 2 {
		waits()
		c.do(t, 1, rise)
		select {
		case r := <-c.workers[0].replies:
			t.Fatalf("it went on after %d notifies: %+v", looks+1, r)
		case <-time.After(10 * time.Millisecond):
		}
	}
	waits()
	c.do(t, 1, rise)
	if r := c.hear(t, 0); r.Fail != "" || r.Text != "" || r.Result != 4 {
		t.Errorf("%+v", r)
	}
	waitFor(0, 100, 60*time.Millisecond)
	for range 3 { // notifies do not prolong it
		time.Sleep(10 * time.Millisecond)
		c.do(t, 1, rise)
	}
	if r := c.hear(t, 0); r.Fail != Timeout || r.Text != "" || r.Took < 60*time.Millisecond {
		t.Errorf("%+v", r)
	}
	if c.handle.(*condition).waiting() != 0 || c.handle.(*condition).lock.owner() >= 0 {
		t.Error("something is left")
	}
}

// TestNotifyIsForTheLiving: a notify goes to a waiter that lives, and neither a
// stopped waiter nor a killed one takes those of the others.
func TestNotifyIsForTheLiving(t *testing.T) {
	c := newCrew(t, "condition", Args{}, 4)
	for i := range 3 {
		c.do(t, i, order{Verb: "acquire"})
		c.tell(i, order{Verb: "wait"})
		c.blocked(t, i)
	}
	// The slot tells of its end before anybody has told the condition.
	d := c.d
	c.d = &Descriptor{Kind: d.Kind}
	c.kill(0)
	c.d = d
	if n := c.handle.(*condition).waiting(); n != 3 {
		t.Errorf("%d wait", n)
	}
	halt(t, c.workers[1].cmd.Process)
	c.do(t, 3, order{Verb: "acquire"})
	c.do(t, 3, order{Verb: "notify", Value: 2, Given: true, Param: "n"})
	c.do(t, 3, order{Verb: "release"})
	d.Died(c.handle, 0)
	if n := c.handle.(*condition).waiting(); n != 0 {
		t.Errorf("%d wait", n)
	}
	if r := c.hear(t, 2); r.Result != true {
		t.Errorf("%+v", r)
	}
	c.do(t, 2, order{Verb: "release"})
	if err := c.workers[1].cmd.Process.Signal(unix.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if r := c.hear(t, 1); r.Result != true {
		t.Errorf("%+v", r)
	}
}

// TestConditionSurvivesKills: processes are killed at any moment. If one held
// the lock then, it stays locked for ever; else the others go on.
func TestConditionSurvivesKills(t *testing.T) {
	const n = 5
	for round := range 6 {
		c := newCrew(t, "condition", Args{}, n)
		k := c.handle.(*condition)
		for i := range n {
			c.tell(i, order{Verb: "turns", Rounds: 1, After: 50 * time.Millisecond})
		}
		time.Sleep(time.Duration(5_000+round*1_373) * time.Microsecond)
		victim := round % n
		for until := time.Now().Add(20 * time.Millisecond); round%2 == 1 && time.Now().Before(until); {
			if o := k.lock.owner(); o >= 0 { // it will mostly hold the lock still
				victim = o
				break
			}
		}
		c.kill(victim)
		dead := k.lock.owner() == victim
		t.Logf("round %d: killed while holding the lock: %v", round, dead)
		hangs := 0
		for i := range n {
			if i == victim {
				continue
			}
			limit := patience
			if dead {
				limit = 80 * time.Millisecond
			}
			select {
			case r := <-c.workers[i].replies:
				if r.Text != "" || r.Seq == 0 {
					t.Errorf("round %d, worker %d: %q after %d rounds", round, i, r.Text, r.Seq)
				}
			case <-time.After(limit):
				hangs++
			}
		}
		if hangs > 0 && !dead {
			t.Errorf("round %d: %d hang", round, hangs)
		}
		if dead && k.lock.owner() != victim {
			t.Errorf("round %d: somebody else got the lock of a holder that died", round)
		}
		c.stop()
		c.workers, c.files = nil, nil
	}
}
