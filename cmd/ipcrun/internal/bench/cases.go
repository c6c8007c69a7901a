package bench

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ipcrun/spec/decl"
)

// Group is what a case measures.
type Group string

// The groups.
const (
	// Message: one process hands a text of a size to another one, many times.
	Message Group = "message"
	// RoundTrip: two processes wait for one another in turn.
	RoundTrip Group = "round trip"
)

// Case is one thing to measure.
type Case struct {
	Group Group
	Name  string // pipe, shared memory
	Size  int    // bytes of a message, 0 for round trips
	How   string // what the processes do, in a few words
	text  string
}

// Title is the case in a few words.
func (c *Case) Title() string {
	if c.Group == RoundTrip {
		return c.Name
	}
	return c.Name + ", " + Bytes(c.Size)
}

// Bytes is a size as one writes it: 8 B, 64 KiB, 1 MiB.
func Bytes(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10 && n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}

// LeastSize and MostSize bound the sizes of messages, which are powers of 2.
const (
	LeastSize = 8
	MostSize  = 1 << 20
)

// family is a way to measure, for every size or once. Its text is the middle
// of a scenario, with words in capitals for the number of ROUNDS, the SIZE of a
// message, the PLACES that hold one, and GROW, steps that make message a text
// of the size.
type family struct {
	group Group
	name  string
	needs []string // kinds
	how   string
	text  string
}

// places is how many messages may be under way in a queue or in shared memory.
const places = 8

// grow makes a text of a size by doubling it.
const grow = `let: {message: abcdefgh}
      - repeat: DOUBLINGS
        do: [{let: {message: "${message + message}"}}]`

var families = []family{
	{Message, "pipe", []string{"pipe"}, "send and recv", `
primitives: {way: {pipe: one-way}}
processes:
  sender:
    steps:
      - GROW
      - print: begin
      - repeat: ROUNDS
        do: [{send: way.w, value: "${message}"}]
  receiver:
    steps:
      - repeat: ROUNDS
        do: [{recv: way.r, into: got}]
      - print: end
      - assert: len(got) == SIZE
`},
	{Message, "queue", []string{"queue"}, "put and get, with PLACES places", `
primitives: {way: {queue: PLACES}}
processes:
  sender:
    steps:
      - GROW
      - print: begin
      - repeat: ROUNDS
        do: [{put: way, value: "${message}"}]
  receiver:
    steps:
      - repeat: ROUNDS
        do: [{get: way, into: got}]
      - print: end
      - assert: len(got) == SIZE
`},
	{Message, "shared memory", []string{"array", "semaphore"}, "write and read PLACES arrays in turn, which two semaphores hand over", `
primitives:
  way[PLACES]: {array: c, size: SIZE}
  free: {semaphore: PLACES}
  filled: {semaphore: 0}
processes:
  sender:
    steps:
      - GROW
      - print: begin
      - repeat: ROUNDS
        as: i
        do: [{acquire: free}, {write: "way[i % PLACES]", value: "${message}"}, {release: filled}]
  receiver:
    steps:
      - repeat: ROUNDS
        as: i
        do: [{acquire: filled}, {read: "way[i % PLACES]", into: got}, {release: free}]
      - print: end
      - assert: len(got) == SIZE
`},
	{RoundTrip, "pipe", []string{"pipe"}, "send a number and recv the answer", `
primitives: {way: pipe}
processes:
  first: [{print: begin}, {repeat: ROUNDS, do: [{send: way.a, value: 1}, {recv: way.a, into: got}]}, {print: end}]
  second: [{repeat: ROUNDS, do: [{recv: way.b, into: got}, {send: way.b, value: 1}]}]
`},
	{RoundTrip, "queue", []string{"queue"}, "put a number into one and get the answer from another", `
primitives: {ping: {queue: 1}, pong: {queue: 1}}
processes:
  first: [{print: begin}, {repeat: ROUNDS, do: [{put: ping, value: 1}, {get: pong, into: got}]}, {print: end}]
  second: [{repeat: ROUNDS, do: [{get: ping, into: got}, {put: pong, value: 1}]}]
`},
	{RoundTrip, "semaphore", []string{"semaphore"}, "release one and acquire another", `
primitives: {ping: {semaphore: 0}, pong: {semaphore: 0}}
processes:
  first: [{print: begin}, {repeat: ROUNDS, do: [{release: ping}, {acquire: pong}]}, {print: end}]
  second: [{repeat: ROUNDS, do: [{acquire: ping}, {release: pong}]}]
`},
	{RoundTrip, "lock", []string{"lock", "event"}, "release one that the other process waits for, and acquire another", `
primitives: {ping: lock, pong: lock, taken: event}
processes:
  first: [{acquire: ping}, {acquire: pong}, {set: taken}, {print: begin}, {repeat: ROUNDS, do: [{release: ping}, {acquire: pong}]}, {print: end}]
  second: [{wait: taken}, {repeat: ROUNDS, do: [{acquire: ping}, {release: pong}]}]
`},
	{RoundTrip, "event", []string{"event"}, "set one, wait for another and clear it", `
primitives: {ping: event, pong: event}
processes:
  first: [{print: begin}, {repeat: ROUNDS, do: [{set: ping}, {wait: pong}, {clear: pong}]}, {print: end}]
  second: [{repeat: ROUNDS, do: [{wait: ping}, {clear: ping}, {set: pong}]}]
`},
	{RoundTrip, "barrier", []string{"barrier"}, "wait for one another", `
primitives: {meet: {barrier: 2}}
processes:
  first: [{print: begin}, {repeat: ROUNDS, do: [{wait: meet}]}, {print: end}]
  second: [{repeat: ROUNDS, do: [{wait: meet}]}]
`},
	{RoundTrip, "signal", nil, "a handler sends the signal that the handler of the other process answers", `
processes:
  first:
    signals:
      SIGUSR1:
        - let: {left: "${left - 1}"}
        - if: left > 0
          then: [{kill: second, signal: SIGUSR1}]
          else: [{print: end}, {kill: second, signal: SIGUSR2}, {exit: 0}]
    steps:
      - let: {left: ROUNDS}
      - print: begin
      - {kill: second, signal: SIGUSR1}
      - {repeat: forever, do: [pause]}
  second:
    signals:
      SIGUSR1: [{kill: first, signal: SIGUSR1}]
      SIGUSR2: [{exit: 0}]
    steps:
      - {repeat: forever, do: [pause]}
`},
}

// Cases are all that the vocabulary allows: messages of every size first,
// size by size, then round trips.
func Cases(v *decl.Vocabulary, sizes []int) []Case {
	var out []Case
	add := func(f *family, size int) {
		if slices.ContainsFunc(f.needs, func(kind string) bool { return v.Kinds[kind] == nil }) {
			return
		}
		out = append(out, Case{Group: f.group, Name: f.name, Size: size, How: fill(f.how, 0, size), text: f.text})
	}
	for _, size := range sizes {
		for i := range families {
			if families[i].group == Message {
				add(&families[i], size)
			}
		}
	}
	for i := range families {
		if families[i].group == RoundTrip {
			add(&families[i], 0)
		}
	}
	return out
}

// Scenario is the case as a scenario that does it n times.
func (c *Case) Scenario(n int) string {
	waited := "first"
	if c.Group == Message {
		waited = "receiver"
	}
	return fmt.Sprintf("name: %q\ntimeout: 2m\nrace: \"off\"\n%s\nsteps:\n  - {wait: %s, timeout: 1m}\n  - assert: %[3]s.exit_code == 0\n",
		c.Title(), strings.TrimSpace(fill(c.text, n, c.Size)), waited)
}

// fill puts numbers in for the words in capitals.
func fill(text string, rounds, size int) string {
	doublings := 0
	for s := LeastSize; s < size; s *= 2 {
		doublings++
	}
	text = strings.ReplaceAll(text, "GROW", grow)
	return strings.NewReplacer("ROUNDS", strconv.Itoa(rounds), "SIZE", strconv.Itoa(size), "PLACES", strconv.Itoa(places),
		"DOUBLINGS", strconv.Itoa(doublings)).Replace(text)
}
