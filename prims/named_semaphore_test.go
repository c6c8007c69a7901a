//go:build linux

package prims

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNamedSemaphore(t *testing.T) {
	const d = 30 * time.Millisecond
	value := func(w, v int) stage { return now(yields(call(w, "get_value"), v)) }
	plays(t, []scene{
		{"sem_wait takes one, sem_trywait on 0: EAGAIN [P sem_wait, sem_trywait]", "named_semaphore", Args{Main: 2}, []stage{
			value(0, 2), now(acquire(0)), value(1, 1), now(acquire(1)), now(try(0)), now(try(1)), value(0, 0), facts("value", 0),
		}},
		{"sem_timedwait: ETIMEDOUT no earlier [P sem_timedwait]", "named_semaphore", Args{Main: 0}, []stage{now(within(0, "acquire", d)), value(0, 0)}},
		{"sem_getvalue is never negative on Linux [P sem_getvalue]", "named_semaphore", Args{Main: 0}, []stage{
			begins(acquire(0)), begins(acquire(1)), value(2, 0), now(release(2)), now(release(2)), ends(0, true, ""), ends(1, true, ""), value(2, 0),
		}},
		{"above SEM_VALUE_MAX: EOVERFLOW [sem_post(3)]", "named_semaphore", Args{Main: maxSemaphore}, []stage{
			now(refuses(release(0), Invalid)), value(0, maxSemaphore), now(acquire(1)), now(release(0)),
		}},
		{"the first value is 1 where none is given", "named_semaphore", Args{}, []stage{now(acquire(0)), now(try(1))}},
	})
}

// TestNamedSemaphoreDeaths: a POSIX semaphore is not released when its holder
// dies (LTP), and a waiter that is killed costs the others nothing.
func TestNamedSemaphoreDeaths(t *testing.T) {
	c := newCrew(t, "named_semaphore", Args{Main: 1}, 4)
	c.do(t, 0, order{Verb: "acquire"})
	c.kill(0)
	if r := c.do(t, 1, order{Verb: "acquire", After: 20 * time.Millisecond}); r.Fail != Timeout {
		t.Errorf("%+v", r)
	}
	c.tell(1, order{Verb: "acquire"})
	c.blocked(t, 1)
	c.tell(2, order{Verb: "acquire"})
	c.blocked(t, 2)
	c.kill(1)
	c.do(t, 3, order{Verb: "release"})
	if r := c.hear(t, 2); r.Result != true {
		t.Errorf("%+v", r)
	}
}

func init() {
	modelled(namedSemaphoreAgainstModel, "named_semaphore")
}

func namedSemaphoreAgainstModel(t *testing.T) {
	c := newCrew(t, "named_semaphore", Args{Main: 1}, 4)
	model, err := c.d.Model(Args{Main: 1}, 4)
	if err != nil {
		t.Fatal(err)
	}
	m := &modelTest{c: c, model: model, verbs: []string{"acquire", "release", "get_value"}, any: true, waits: map[string]bool{"acquire": true}}
	m.reset = func() { c.handle.(*namedSemaphore).data.Store(1) }
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
	m.values = func(t *rapid.T, verb string) (any, bool) {
		if verb == "acquire" && len(m.waiting) == 3 {
			t.Skip("all others are blocked")
		}
		return nil, false
	}
	rapid.Check(t, m.check)
	if n := c.handle.(*namedSemaphore).waiting(); n != 0 {
		t.Errorf("%d are counted as waiting", n)
	}
}

// semPeer takes turns with another program: it waits for one semaphore and posts
// the other, so many times, and then leaves a value behind.
const semPeer = `
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
	sem_t *in = sem_open(argv[1], 0), *out = sem_open(argv[2], 0);
	if (in == SEM_FAILED || out == SEM_FAILED) { perror("sem_open"); return 1; }
	for (int i = atoi(argv[3]); i > 0; i--)
		if (sem_wait(in) || sem_post(out)) { perror("sem"); return 1; }
	int v = -1;
	sem_getvalue(in, &v);
	printf("%d\n", v);
	return sem_close(in) || sem_close(out);
}
`

// TestNamedSemaphoreInC: a program that was compiled against the C library's
// semaphores takes 10,000 turns with a worker; both sleep and both are woken by
// the other.
func TestNamedSemaphoreInC(t *testing.T) {
	program := compileC(t, semPeer)
	ping := newCrew(t, "named_semaphore", Args{Main: 0, Fields: map[string]any{"name": testName(t) + "-ping"}}, 1)
	pong := newCrew(t, "named_semaphore", Args{Main: 0, Fields: map[string]any{"name": testName(t) + "-pong"}}, 1)
	const turns = 10_000
	peer := startC(t, program, ping.d.Address(ping.handle), pong.d.Address(pong.handle), "10000")
	// One worker each: a worker has one instance. The test carries the turn over in
	// batches, so that there is traffic in both directions at once.
	for range turns / 100 {
		ping.tell(0, order{Verb: "release, many", Rounds: 100})
		pong.tell(0, order{Verb: "acquire, many", Rounds: 100})
		if r := ping.hear(t, 0); r.Text != "" {
			t.Fatal(r.Text)
		}
		if r := pong.hear(t, 0); r.Text != "" {
			t.Fatal(r.Text)
		}
	}
	if out := peer.ends(); strings.TrimSpace(out) != "0" {
		t.Errorf("the program found %q", out)
	}
	for _, c := range []*crew{ping, pong} {
		s := c.handle.(*namedSemaphore)
		if s.value() != 0 || s.waiting() != 0 {
			t.Errorf("value %d, %d waiting", s.value(), s.waiting())
		}
	}
}

func init() {
	many := func(verb string) func(w *worker, o order) reply {
		return func(w *worker, o order) (r reply) {
			for range o.Rounds {
				if got := w.do(order{Verb: verb}); got.Fail != "" {
					r.Text = got.Fail
				}
			}
			return r
		}
	}
	loops["release, many"], loops["acquire, many"] = many("release"), many("acquire")
}
