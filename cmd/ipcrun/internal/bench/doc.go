// Package bench measures what the primitives cost between real processes: it
// writes small scenarios, has the engine run them, and takes the times from
// the event log. What is measured is therefore what a scenario's author gets:
// steps, every one of them recorded.
//
// It knows how to say each case as a scenario and how long to repeat it. It
// must never know terminals, tables or formats, nor how a primitive is made: a
// kind that the vocabulary does not have is simply not offered.
//
//	for _, c := range bench.Cases(plan.Vocabulary(), []int{8, 1 << 20}) {
//		r, err := bench.Measure(ctx, eng, c, bench.Effort{Time: 50 * time.Millisecond, Runs: 3})
//	}
package bench
