package engine_test

import (
	"reflect"
	"testing"

	"ipcrun/engine/event"
)

// TestEachInOrder: events that are made one by one are those that are made at once,
// and in the same order, though the log has them as they were heard.
func TestEachInOrder(t *testing.T) {
	o := run(t, `
name: x
primitives: {gate: lock, jobs: {queue: 3}}
processes:
  a[3]: {steps: [{repeat: 3000, do: [{with: gate, do: [{print: "${index}"}]}]}, {put: jobs, value: "${index}"}]}
  b: {steps: [{fork: c}, {wait: c}]}
  c: {parent: b, steps: [{repeat: 3, do: [{get: jobs}]}]}
steps:
  - wait: a
  - wait: c
  - assert: jobs.empty
`)
	all := o.All()
	i := 0
	for e := range o.Each() {
		if i >= len(all) || !reflect.DeepEqual(*e, all[i]) {
			t.Fatalf("event %d is %+v, not %+v", i, *e, all[min(i, len(all)-1)])
		}
		i++
	}
	if i != len(all) || i < 18_000 {
		t.Errorf("%d events of %d", i, len(all))
	}
	for e := range o.Each() {
		if e.Type == event.Ready.String() {
			return // and whoever has enough may stop
		}
	}
	t.Error("nobody was ready")
}
