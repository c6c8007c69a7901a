package engine_test

import "testing"

// TestCatchesWhileStarting: the runtime of a declared process catches every signal
// from its first instant on, which is not what its script handles.
func TestCatchesWhileStarting(t *testing.T) {
	const text = `
name: x
processes:
  mother: [{fork: kid}, {wait: kid}]
  kid: {parent: mother, signals: {SIGUSR2: [{print: two}]}, steps: [pause]}
steps:
  - while: kid.started == nil
    do:
      - assert: '"SIGUSR1" not in kid.catches'
      - {assert: 'kid.catches == ["SIGUSR2"]', when: 'len(kid.catches) > 0'}
  - assert: kid.catches == ["SIGUSR2"]
  - {kill: kid, signal: SIGUSR2}
`
	for range 5 {
		passes(t, text)
	}
}
