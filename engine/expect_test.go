package engine_test

import (
	"testing"

	"ipcrun/engine/event"
)

// TestExpectAll: as many lines as there are texts, in any order, also where a line fits
// several of them.
func TestExpectAll(t *testing.T) {
	for _, texts := range []string{"[a, ab]", "[ab, a]", "[a, b, ab]", "[c, a, abc]", "[a, a]", `[{regex: ".+"}, b]`} {
		passes(t, `
name: x
processes: {p: [{print: abc}, {print: ab}, {print: a}, {print: c}]}
steps:
  - {expect: {all: `+texts+`}, from: p}
  - wait: p
`)
	}
	run(t, `
name: x
processes: {p: [{print: ab}, {print: a}, {print: z}]}
steps:
  - {expect: {all: [ab, a, ab]}, from: p}
`).decided(event.Failed, "fail", 5, "p has ended without printing it")
}
