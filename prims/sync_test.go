//go:build linux

package prims

import (
	"flag"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"

	"ipcrun/prims/arena"
)

// What the tests of rlock, semaphore, condition and barrier have in common.

// stage is one thing of a scene that several workers play.
type stage struct {
	ask
	// begins: the operation blocks, and goes on while others do something.
	begins bool
	// ends: the operation that the worker began comes to its end.
	ends bool
	// facts must be so then.
	facts map[string]any
}

// scene is a case and the source of what it demands.
type scene struct {
	source, kind string
	args         Args
	stages       []stage
}

func now(a ask) stage    { return stage{ask: a} }
func begins(a ask) stage { return stage{ask: a, begins: true} }
func ends(w int, result any, fail string) stage {
	return stage{ask: ask{worker: w, result: result, fail: fail}, ends: true}
}
func facts(kv ...any) stage {
	f := map[string]any{}
	for i := 0; i < len(kv); i += 2 {
		f[kv[i].(string)] = kv[i+1]
	}
	return stage{facts: f}
}
func call(w int, verb string) ask          { return ask{worker: w, order: order{Verb: verb}} }
func refuses(a ask, fail string) ask       { a.fail, a.result = fail, nil; return a }
func yields(a ask, result any) ask         { a.result = result; return a }
func noEarlier(a ask, d time.Duration) ask { a.order.After, a.least = d, d; return a }
func notify(w int, n any) ask {
	return ask{worker: w, order: order{Verb: "notify", Value: n, Given: true, Param: "n"}}
}

// names makes facts without an engine.
type names struct{}

func (names) Process(slot int) string { return string(rune('a' + slot)) }
func (names) Waiters(uint32) []any    { return nil }

// plays has three workers play scenes.
func plays(t *testing.T, scenes []scene) {
	for _, sc := range scenes {
		t.Run(sc.kind+": "+sc.source, func(t *testing.T) {
			c := newCrew(t, sc.kind, sc.args, 3)
			for i, s := range sc.stages {
				var r reply
				switch {
				case s.facts != nil:
					got := c.d.Facts(c.handle, names{})
					for k, want := range s.facts {
						if !reflect.DeepEqual(got[k], want) {
							t.Fatalf("stage %d: %s is %v, want %v", i+1, k, got[k], want)
						}
					}
					continue
				case s.begins:
					c.tell(s.worker, s.order)
					c.blocked(t, s.worker)
					continue
				case s.ends:
					r = c.hear(t, s.worker)
				default:
					r = c.do(t, s.worker, s.order)
				}
				if r.Fail != s.fail || s.fail == "" && !reflect.DeepEqual(r.Result, canonical(s.result)) {
					t.Fatalf("stage %d, %+v by %d: %v %s, want %v %s", i+1, s.order, s.worker, r.Result, r.Fail, s.result, s.fail)
				}
				if r.Took < s.least {
					t.Errorf("stage %d, %+v: over after %v, not before %v", i+1, s.order, r.Took, s.least)
				}
			}
			if n := c.booked(); n != 0 {
				t.Errorf("%d processes are blocked, by the books", n)
			}
		})
	}
}

// kill ends a worker as SIGKILL does at any moment, and tells the instance as
// the engine does.
func (c *crew) kill(i int) {
	c.t.Helper()
	if err := c.workers[i].cmd.Process.Kill(); err != nil {
		c.t.Fatalf("%v", err)
	}
	for range c.workers[i].replies {
	}
	c.buried(i)
}

// buried is what the engine does once a process has ended.
func (c *crew) buried(i int) {
	s := c.arena.Slot(i)
	wasBlocked := s.State() == arena.Blocked
	s.NoteEnd(arena.Now())
	if wasBlocked {
		c.arena.Unblocked()
	}
	if c.d.Died != nil {
		c.d.Died(c.handle, i)
	}
}

// atLength says that the tests may take their time, as .ci/long has them do.
func atLength() bool { return os.Getenv("IPCRUN_TEST_LONG") != "" }

// times is n, and many at length.
func times(n, many int) int {
	if atLength() {
		return many
	}
	return n
}

// checks sets how many cases rapid draws in this test; at length it is ten times as
// many. What is drawn is another each time, so that what few cases do not meet today
// they may meet tomorrow.
func checks(t *testing.T, n int) {
	n = times(n, 10*n)
	f := flag.Lookup("rapid.checks")
	old := f.Value.String()
	if err := f.Value.Set(strconv.Itoa(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(old) })
}

// loop has a worker repeat do until its time is over, or do says what is wrong.
// The reply tells the number of rounds as the number of its one operation.
func loop(length time.Duration, do func() string) (r reply) {
	for until := arena.Now() + int64(length); arena.Now() < until; {
		if r.Text = do(); r.Text != "" {
			return r
		}
		r.Seq++
	}
	return r
}

// woken has rounds played in which somebody goes to sleep and is to be woken, until it is
// shown that he is. round tells how long it took from before he slept: less than it
// takes until he looks by himself, mostly, however busy the machine is.
func woken(t *testing.T, round func() time.Duration) {
	t.Helper()
	const wanted, most = 30, 200
	n := 0
	for range most {
		if round() < time.Duration(recheck) {
			if n++; n == wanted {
				return
			}
		}
	}
	t.Errorf("in %d of %d rounds somebody was woken", n, most)
}

// TestWakes: who lets somebody go on wakes him. Nothing would be lost without:
// waiters look by themselves from time to time, which takes far longer.
func TestWakes(t *testing.T) {
	quiet := func(c *crew, w int, verbs ...string) {
		for _, verb := range verbs {
			if r := c.do(c.t.(*testing.T), w, order{Verb: verb}); r.Fail != "" {
				c.t.Fatalf("%s: %s", verb, r.Fail)
			}
		}
	}
	for _, tt := range []struct {
		kind           string
		args           Args
		first          []string // by worker 0
		before, blocks string   // by worker 1
		then           []string // by worker 0
		after          []string // by worker 1
	}{
		{kind: "lock", first: []string{"acquire"}, blocks: "acquire", then: []string{"release"}, after: []string{"release"}},
		{kind: "rlock", first: []string{"acquire"}, blocks: "acquire", then: []string{"release"}, after: []string{"release"}},
		{kind: "semaphore", args: Args{Main: 0}, blocks: "acquire", then: []string{"release"}},
		{kind: "barrier", args: Args{Main: 2}, blocks: "wait", then: []string{"wait"}},
		{kind: "barrier", args: Args{Main: 2}, blocks: "wait", then: []string{"reset"}},
		{kind: "barrier", args: Args{Main: 2}, blocks: "wait", then: []string{"abort", "reset"}},
		{kind: "event", blocks: "wait", then: []string{"set", "clear"}},
		{kind: "condition", before: "acquire", blocks: "wait", then: []string{"acquire", "notify", "release"}, after: []string{"release"}},
		{kind: "condition", before: "acquire", blocks: "wait", then: []string{"acquire", "notify_all", "release"}, after: []string{"release"}},
	} {
		t.Run(tt.kind+" "+tt.then[len(tt.then)-1], func(t *testing.T) {
			c := newCrew(t, tt.kind, tt.args, 2)
			woken(t, func() time.Duration {
				quiet(c, 0, tt.first...)
				if tt.before != "" {
					quiet(c, 1, tt.before)
				}
				began := time.Now()
				c.tell(1, order{Verb: tt.blocks})
				c.blocked(t, 1)
				time.Sleep(200 * time.Microsecond) // let it really sleep
				quiet(c, 0, tt.then...)
				c.hear(t, 1)
				took := time.Since(began)
				quiet(c, 1, tt.after...)
				return took
			})
		})
	}
}
