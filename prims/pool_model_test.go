//go:build linux

package prims

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ipcrun/prims/arena"
	"ipcrun/spec/decl"
)

// TestPoolModel: random operations of two callers and two workers end in the
// real form as they do in its model, blocked ones included.
func TestPoolModel(t *testing.T) { poolAgainstModel(t, newParty) }

func init() {
	modelled(poolsAgainstModel, "pool")
}

// poolsAgainstModel: the same between real processes.
func poolsAgainstModel(t *testing.T) {
	checks(t, 10)
	poolAgainstModel(t, newRealParty)
}

func poolAgainstModel(t *testing.T, partyOf func(t fatal, callers, workers int) *party) {
	rapid.Check(t, func(rt *rapid.T) {
		const callers, workers = 2, 2
		p := partyOf(rt, callers, workers)
		model, err := newPoolModel(Args{Main: workers, Fields: map[string]any{FirstOfStaff: callers}}, callers+workers)
		if err != nil {
			rt.Fatalf("%v", err)
		}
		st := make([]byte, model.Size())
		model.Init(st)

		type outcome struct {
			v   any
			err error
		}
		type pending struct {
			verb string
			call ModelCall
			done chan outcome
		}
		waiting := map[int]*pending{}
		doing := map[int]bool{} // workers that have a task
		gone := map[int]bool{}
		die := func(who int) {
			if !gone[who] {
				gone[who] = true
				model.(Mortal).Died(st, who)
				p.d.Died(p.engine, who)
			}
		}
		var threads sync.WaitGroup
		compare := func(who int, verb string, got outcome, want any, fail *decl.Failure) {
			_, is := want.(PoolTask)
			name := ""
			if fail != nil {
				name = fail.Name
			}
			if failureName(got.err) != name {
				rt.Fatalf("%s of %d: %v, the model says %q", verb, who, got.err, name)
			}
			if p.crew != nil {
				got.v, want = travelled(rt, got.v), travelled(rt, want)
			}
			if name == "" && !reflect.DeepEqual(got.v, want) {
				rt.Fatalf("%s of %d: %v, the model says %v", verb, who, got.v, want)
			}
			if verb == PoolTake {
				doing[who] = is
				if !is {
					die(who)
				}
			}
		}
		// settle lets those go on that the model lets go on.
		settle := func() {
			for moved := true; moved; {
				moved = false
				for who := range callers + workers {
					w := waiting[who]
					if w == nil || gone[who] {
						continue
					}
					v, fail, blocked := model.Do(st, who, w.verb, w.call)
					if blocked {
						select {
						case o := <-w.done:
							rt.Fatalf("%s of %d ends (%v, %v), the model blocks", w.verb, who, o.v, o.err)
						default:
						}
						continue
					}
					delete(waiting, who)
					moved = true
					select {
					case o := <-w.done:
						compare(who, w.verb, o, v, fail)
					case <-time.After(patience):
						rt.Fatalf("%s of %d does not end, the model says %v", w.verb, who, v)
					}
				}
			}
		}
		do := func(who int, verb string, mc ModelCall, c Call) {
			v, fail, blocked := model.Do(st, who, verb, mc)
			if !blocked {
				got, err := p.call(who, verb, c)
				compare(who, verb, outcome{got, err}, v, fail)
				settle()
				return
			}
			w := &pending{verb: verb, call: mc, done: make(chan outcome, 1)}
			waiting[who] = w
			threads.Add(1)
			go func() {
				defer threads.Done()
				v, err := p.call(who, verb, c)
				w.done <- outcome{v, err}
			}()
			for until := time.Now().Add(patience); p.arena.Slot(who).State() != arena.Blocked; {
				if time.Now().After(until) {
					rt.Fatalf("%s of %d does not block, the model does", verb, who)
				}
				time.Sleep(10 * time.Microsecond)
			}
			settle()
		}
		jobs := 0
		steps := rapid.IntRange(1, 40).Draw(rt, "steps")
		for range steps {
			who := rapid.IntRange(0, callers+workers-1).Draw(rt, "who")
			if waiting[who] != nil || gone[who] {
				continue
			}
			if who >= callers {
				if !doing[who] {
					// Which of two that wait gets a task is not defined.
					if slices.ContainsFunc([]int{2, 3}, func(w int) bool { return waiting[w] != nil }) {
						continue
					}
					do(who, PoolTake, ModelCall{}, Call{})
					continue
				}
				doing[who] = false
				switch rapid.IntRange(0, 5).Draw(rt, "end") {
				case 0:
					die(who)
					settle()
				case 1:
					do(who, PoolFinish, ModelCall{Value: []any{false, Empty}}, Call{Args: with("fail", decl.Fail(Empty, ""))})
				default:
					do(who, PoolFinish, ModelCall{Value: []any{true, jobs}}, Call{Args: with("result", jobs)})
				}
				continue
			}
			jobs++
			arg := rapid.SampledFrom([]any{jobs, strings.Repeat("x", 200)}).Draw(rt, "args")
			switch verb := rapid.SampledFrom([]string{"apply", "apply_async", "apply_async", "map", "get", "get", "ready", "join", "close", "terminate", "die"}).Draw(rt, "verb"); verb {
			case "apply", "apply_async":
				do(who, verb, ModelCall{Value: []any{7, arg}}, Call{Refs: []int{7}, Args: with("args", arg)})
			case "map":
				list := rapid.SampledFrom([][]any{{}, {1}, {1, arg, 3}}).Draw(rt, "over")
				do(who, verb, ModelCall{Value: []any{7, list}}, Call{Refs: []int{7}, Args: with("over", list)})
			case "get", "ready":
				job := rapid.IntRange(0, 12).Draw(rt, "job")
				now := rapid.Bool().Draw(rt, "at once")
				do(who, verb, ModelCall{Value: job, NoWait: now}, Call{Args: with("job", job), NoWait: now})
			case "join", "close":
				if verb == "close" && rapid.IntRange(0, 3).Draw(rt, "really") > 0 {
					continue
				}
				do(who, verb, ModelCall{}, Call{})
			case "terminate":
				if rapid.IntRange(0, 5).Draw(rt, "really") > 0 {
					continue
				}
				for k := range workers {
					// One that waits for a task ends, whichever way; one that has
					// a task does not come back.
					delete(waiting, callers+k)
				}
				died := func(slot, _ int) error { die(slot); return nil }
				do(who, verb, ModelCall{}, Call{Signal: died})
			case "die":
				if rapid.IntRange(0, 5).Draw(rt, "really") > 0 {
					continue
				}
				die(who)
				settle()
			}
		}
		// Who still waits goes on when the pool is closed and its workers end.
		if err := p.d.Op("close").Do(p.engine, &Call{}); err != nil {
			rt.Fatalf("%v", err)
		}
		model.Do(st, 0, "close", ModelCall{})
		settle()
		for k := range workers {
			if waiting[callers+k] == nil {
				die(callers + k)
			}
		}
		settle()
		for who, w := range waiting {
			rt.Fatalf("%d still waits in %s", who, w.verb)
		}
		threads.Wait()
		p.close()
	})
}
