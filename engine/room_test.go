package engine_test

import (
	"fmt"
	"strings"
	"testing"
)

// bounded are primitives that hold no more than one or a few messages: how a is made to
// put in one more than there is room for, and b to take all of them out.
var bounded = []struct {
	name, declaration string
	aOpens, bOpens    string // what they do first
	puts, gets        string
	few               string // puts for which there is room from the start
}{
	{"queue", "q: {queue: 1}", "", "",
		"{put: q, value: 1}, {put: q, value: 2}", "{get: q}, {get: q}", "{put: q, value: 1}"},
	{"queue with a manager", "q: {queue: 1, manager: true}", "", "",
		"{put: q, value: 1}, {put: q, value: 2}", "{get: q}, {get: q}", "{put: q, value: 1}"},
	{"mqueue", "q: {mqueue: 1}", "", "",
		"{send: q, value: x}, {send: q, value: y}", "{recv: q}, {recv: q}", "{send: q, value: x}"},
	{"sysv_queue", "q: {sysv_queue, capacity: 3}", "", "",
		"{send: q, value: xx}, {send: q, value: yy}", "{recv: q}, {recv: q}", "{send: q, value: xx}"},
	{"pipe", "q: {pipe: one-way, capacity: 4096}", "", "",
		"{send: q.w, value: LONG}, {send: q.w, value: LONG}", "{recv: q.r}, {recv: q.r}", "{send: q.w, value: x}"},
	{"two-way pipe", "q: {pipe: two-way}", "", "",
		"{send: q.a, value: LONGER}, {send: q.a, value: LONGER}", "{recv: q.b}, {recv: q.b}", "{send: q.a, value: x}"},
	{"pipe of bytes", "q: {pipe: one-way, capacity: 4096, bytes: true}", "", "",
		"{send: q.w, value: LONG}, {send: q.w, value: LONG}", "{recv: q.r, size: 4000}, {recv: q.r}", "{send: q.w, value: x}"},
	{"fifo", "q: fifo", "{open: q.w}, ", "{open: q.r}, ",
		"{send: q.w, value: LONG}, {send: q.w, value: LONGER}", "{recv: q.r}, {recv: q.r}, {recv: q.r}, {recv: q.r}", "{send: q.w, value: x}"},
	{"connection", "q: unix_socket", "{connect: q.client}, ", "{accept: q.server}, ",
		"{send: q.client, value: LONGER}, {send: q.client, value: LONGER}", "{recv: q.server}, {recv: q.server}",
		"{send: q.client, value: x}"},
	{"connections that wait", "q: {unix_socket, backlog: 0}", "", "",
		"{connect: q.client}, {connect: q.client}", "{accept: q.server}, {accept: q.server}", "{connect: q.client}"},
}

func longText(s string) string {
	return strings.NewReplacer("LONGER", strings.Repeat("x", 200_000), "LONG", strings.Repeat("x", 4000)).Replace(s)
}

// TestRoomOrders: who has put something in for which there was no room comes after who
// has made that. b stays until a is done, since the end of file is something else.
func TestRoomOrders(t *testing.T) {
	for _, c := range bounded {
		t.Run(c.name, func(t *testing.T) {
			for range runs(3, 100) {
				for _, nap := range []string{"0ms", "50ms"} {
					passes(t, longText(fmt.Sprintf(`
name: x
primitives: {%s, v: {value: i}, over: event}
processes:
  a: [%s%s, {write: v, value: 1}, {set: over}]
  b: [%s{sleep: %s}, {write: v, value: 2}, %s, {wait: over}]
`, c.declaration, c.aOpens, c.puts, c.bOpens, nap, c.gets)))
				}
			}
		})
	}
}

// TestRoomOrdersNoMore: where there was room from the start, it comes after nobody, and
// who takes something out does not come before what was put in behind.
func TestRoomOrdersNoMore(t *testing.T) {
	for _, c := range bounded {
		t.Run(c.name, func(t *testing.T) {
			for name, text := range map[string]string{
				"room from the start": fmt.Sprintf(`
processes:
  a: [%s{sleep: 50ms}, %s, {write: v, value: 1}, {set: over}]
  b: [%s{write: v, value: 2}, %s, {wait: over}]
`, c.aOpens, c.few, c.bOpens, c.gets[:strings.Index(c.gets+", ", "}")+1]),
				"what follows the get": fmt.Sprintf(`
processes:
  a: [%s%s, {write: v, value: 1}, {set: over}]
  b: [%s%s, {write: v, value: 2}, {wait: over}]
`, c.aOpens, c.puts, c.bOpens, c.gets),
			} {
				o := run(t, longText(fmt.Sprintf("name: x\nprimitives: {%s, v: {value: i}, over: event}\n%s", c.declaration, text)))
				if o.Verdict.Ending != "race" {
					t.Errorf("%s: %+v\n%.2000s", name, o.Verdict, o.dump())
				}
			}
		})
	}
}
