package prims

import (
	"math"

	"ipcrun/spec/decl"
)

// WorkerDied is what a task ends with whose worker did not live to finish it.
const WorkerDied = "WorkerDied"

func init() {
	decl.RegisterError(WorkerDied, "the worker process that did the task, or was to do it, ended before the task was done (with multiprocessing the caller would wait for ever)")
}

// Operations of a pool that no step names.
const (
	PoolTake   = "take"    // a worker takes the next task
	PoolFinish = "finish"  // and hands over what came of it
	poolSubmit = "submit"  // a caller hands a task over
	poolTaken  = "collect" // a caller has what came of it
	poolSeen   = "see"     // a caller knows that it is done
	poolNext   = "next"    // imap takes the next result
)

func init() { Register(&poolKind) }

var (
	taskRefs  = []string{"task"}
	taskField = decl.Field{Name: "task", Shape: decl.Ref, Refs: taskRefs, Required: true, Doc: "the task, one of those under tasks:", Example: "square"}
	argsField = decl.Field{Name: "args", Shape: decl.Any, Default: "none", Doc: "its arguments: a mapping from its params to values, or a list of values in the order of its params", Example: "{x: 3}"}
	overField = decl.Field{Name: "over", Shape: decl.List, Required: true, Doc: "the elements, each of which one task gets: as its only param, or, if the task has several, as a list or mapping of them", Example: "[1, 2, 3]"}
	asField   = decl.Field{Name: "as", Shape: decl.Ident, Required: true, Doc: "the variable that holds the result", Example: "y"}
	doBody    = decl.Field{Name: "do", Shape: decl.Steps, Required: true, Doc: "the steps for each result"}
	jobField  = decl.Field{Name: "job", Shape: decl.Int, Required: true, Doc: "the number that apply_async gave", Example: "${job}"}
)

const taskErrorsDoc = `
If the task ends with an error, so does this step: with the same name, and with a
text that says in which line of the task and in which worker it happened. If its
worker ends first, it is WorkerDied.`

// taskErrors are those of whoever waits for a task, beside what it may end with itself.
var taskErrors = []string{Closed, Full, Invalid, Timeout, WorkerDied}

var poolKind = Descriptor{
	Kind: decl.Kind{
		Name:    "pool",
		Summary: "worker processes that do tasks for others",
		Doc: `A pool of n has n worker processes, forked with all others before the first
step. They are processes like any other: crew.worker[0] has facts, can be sent
signals and appears in the picture. Each takes one task after the other, the
oldest first; which worker takes which is not defined. What a task does is
declared under tasks:, with params, steps and a result; workers inherit the
primitives that the tasks use.

Any process may use the pool. apply waits for the result, apply_async gives a
number with which get fetches it later, map does the task once for each element
and keeps their order, imap gives the results one by one.

An error in a task ends neither the worker nor the pool: it travels to whoever
asks for the result. One that nobody asks for fails the scenario at the end. A
worker that ends in the middle of a task ends that task with WorkerDied; it is
not replaced, and once none is left every task ends so.

close lets no further task in; the workers end when all is done. join waits for
that, terminate ends the workers at once. When the last other process has ended
the pool is closed by itself. What a process has applied is done even if it has
ended meanwhile, where multiprocessing drops it.`,
		Main: &decl.Field{Name: "workers", Shape: decl.Int, Required: true, Min: decl.Num(1), Max: decl.Num(1000), Static: true,
			Doc: "how many worker processes it has", Example: "3"},
		Facts: []decl.Fact{
			{Name: "size", Shape: decl.Int, Doc: "how many workers it was declared with"},
			{Name: "worker", Shape: decl.List, Elem: decl.Map, Doc: "its workers, with the facts of a process: crew.worker[0].pid"},
			{Name: "queued", Shape: decl.Int, Doc: "how many tasks wait for a worker"},
			{Name: "running", Shape: decl.Int, Doc: "how many tasks are being done"},
			{Name: "closed", Shape: decl.Bool, Doc: "whether it takes no further tasks"},
			{Name: "waiters", Shape: decl.List, Elem: decl.String, Doc: "names of the processes that wait for results, and of the workers that have nothing to do"},
		},
		Verbs: []decl.Verb{
			{
				Name: "apply", Summary: "have a pool do a task, and wait for its result", Waits: true, Result: decl.Any, Place: decl.InProcess, AnyError: true,
				Doc: `Blocks until a worker has done the task; into: receives its result. With
timeout: it fails with Timeout, no earlier than that, and the task goes on
without anybody who waits for it. After close or terminate it fails with Closed
(ValueError in multiprocessing).` + taskErrorsDoc,
				Fields:  []decl.Field{taskField, argsField},
				Errors:  taskErrors,
				Example: "{apply: crew, task: square, args: {x: 3}, into: y}",
			},
			{
				Name: "apply_async", Summary: "have a pool do a task, and go on", Result: decl.Int, Place: decl.InProcess,
				Doc: `Never blocks. into: receives a number with which get fetches the result. After
close or terminate it fails with Closed; with Full when 65,536 tasks are in the
pool whose results nobody has fetched.`,
				Fields:  []decl.Field{taskField, argsField},
				Errors:  []string{Closed, Full, Invalid, WorkerDied},
				Example: "{apply_async: crew, task: square, args: {x: 3}, into: job}",
			},
			{
				Name: "get", Summary: "fetch the result of a task", Waits: true, Result: decl.Any, Place: decl.InProcess, AnyError: true,
				Doc: `Blocks until the task is done; into: receives its result. With timeout: it fails
with Timeout, no earlier than that, with block: false with WouldBlock at once;
both leave the result to a later get. Once fetched a result is gone: a second
get fails with Invalid, and so does one by another process than that which
applied the task.` + taskErrorsDoc,
				Fields:  []decl.Field{jobField, blockField},
				Errors:  []string{Invalid, Timeout, WouldBlock, WorkerDied},
				Example: "{get: crew, job: \"${job}\", into: y}",
			},
			{
				Name: "ready", Summary: "ask whether a task is done", Result: decl.Bool, Place: decl.InProcess,
				Doc:     "Never blocks. True once get would not wait, whether for a result or for an error.",
				Fields:  []decl.Field{jobField},
				Errors:  []string{Invalid},
				Example: "{ready: crew, job: \"${job}\", into: done}",
			},
			{
				Name: "map", Summary: "have a pool do a task for every element of a list", Waits: true, Result: decl.List, Place: decl.InProcess, AnyError: true,
				Doc: `Blocks until all are done; into: receives the list of results, in the order of
the elements. An empty list gives an empty list. Every element is a task of its
own: there are no chunks. A task with several params gets its arguments from an
element that is a list or a mapping, as in starmap. With timeout: it fails with
Timeout, no earlier than that.

If tasks end with errors, all others are done first; then the step ends with the
error of the first such element.` + taskErrorsDoc,
				Fields:  []decl.Field{taskField, overField},
				Errors:  taskErrors,
				Example: "{map: crew, task: square, over: [1, 2, 3], into: squares}",
			},
			{
				Name: "imap", Summary: "do steps with each result of a task, in the order of the elements", Waits: true, Place: decl.InProcess, AnyError: true,
				Doc: `Hands over a task for every element and then does the steps for one result
after the other, in the order of the elements, while the workers go on. timeout:
bounds the wait for each. An error in a task ends the loop; with error: the step
is then done.` + taskErrorsDoc,
				Fields:  []decl.Field{taskField, overField, asField, doBody},
				Errors:  taskErrors,
				Example: "{imap: crew, task: square, over: [1, 2, 3], as: y, do: [{print: \"${y}\"}]}",
			},
			{
				Name: "imap_unordered", Summary: "do steps with each result of a task, as they come", Waits: true, Place: decl.InProcess, AnyError: true,
				Doc:     `Like imap, but the results come as soon as they are there, in any order.`,
				Fields:  []decl.Field{taskField, overField, asField, doBody},
				Errors:  taskErrors,
				Example: "{imap_unordered: crew, task: square, over: [1, 2, 3], as: y, do: [{print: \"${y}\"}]}",
			},
			{
				Name: "close", Summary: "let no further tasks into a pool", Place: decl.InProcess,
				Doc:     "Never blocks. What was applied is done; then the workers exit with code 0. It holds for all processes. Closing twice changes nothing.",
				Example: "close: crew",
			},
			{
				Name: "join", Summary: "wait until the workers of a pool have ended", Waits: true, Place: decl.InProcess,
				Doc: `Blocks until the last worker has ended. Before close or terminate it fails with
Invalid (ValueError in multiprocessing); with timeout: it fails with Timeout.`,
				Errors:  []string{Invalid, Timeout},
				Example: "join: crew",
			},
			{
				Name: "terminate", Summary: "end the workers of a pool at once", Waits: true, Place: decl.InProcess,
				Doc: `Sends SIGTERM to every worker and blocks until all have ended. Tasks that were
going on, and those that had not begun, end with WorkerDied. A worker whose task
has SIGTERM ignored or handled ends when the task is done. With timeout: it
fails with Timeout.`,
				Errors:  []string{Timeout},
				Example: "terminate: crew",
			},
		},
		Example: "crew: {pool: 3}",
		Source:  "multiprocessing.pool.Pool",
		Staff:   &decl.Staff{Name: "worker", Many: true, Tasks: true},
	},
	Inner: []decl.Verb{
		{Name: PoolTake, Summary: "take the next task", Waits: true},
		{Name: PoolFinish, Summary: "hand over what came of a task"},
		{Name: poolSubmit, Summary: "hand a task over to the workers"},
		{Name: poolTaken, Summary: "receive what came of a task"},
		{Name: poolSeen, Summary: "see that a task is done"},
		{Name: poolNext, Summary: "take the next result", Waits: true, Result: decl.Any, AnyError: true},
	},
	ArenaSize: poolArena,
	Roles:     func(Args) []Role { return []Role{{Name: "tasks", Mapped: true}} },
	Create:    createPool,
	Attach:    attachPool,
	Detach:    detachPool,
	Facts: func(h any, _ View) map[string]any {
		p := h.(*pool)
		return map[string]any{"size": p.size, "queued": p.queued(), "running": p.running(), "closed": p.mode.Load() != poolOpen}
	},
	Ops: []Op{
		{Verb: "apply", Do: poolApply, Ready: poolJobReady},
		{Verb: "apply_async", Do: poolApplyAsync},
		{Verb: "get", Do: poolGet, Ready: poolJobReady},
		{Verb: "ready", Do: poolReady},
		{Verb: "map", Do: poolMap, Ready: poolJobReady},
		{Verb: "imap", Do: poolImap},
		{Verb: "imap_unordered", Do: poolImap},
		{Verb: "close", Do: poolClose},
		{Verb: "join", Do: poolJoin, Ready: poolGone, Order: Acquire},
		{Verb: "terminate", Do: poolTerminate, Ready: poolGone, Order: Acquire},
		{Verb: PoolTake, Do: poolTakeTask, Ready: func(h any, _ uint64) bool { return h.(*pool).canTake() }, Order: Acquire, Keyed: true},
		{Verb: PoolFinish, Do: poolFinishTask, Order: Release, Keyed: true},
		{Verb: poolSubmit, Do: notByItself, Order: Release, Keyed: true},
		{Verb: poolTaken, Do: notByItself, Order: Acquire, Keyed: true},
		{Verb: poolSeen, Do: notByItself, Order: Acquire, Keyed: true},
		{Verb: poolNext, Do: poolNextResult, Ready: poolJobReady},
	},
	Explain: func(h any, verb string, arg uint64) Blocked { return h.(*pool).explain(verb, arg) },
	Died:    func(h any, slot int) { h.(*pool).died(slot) },
	Model:   newPoolModel,
}

// notByItself is the real form of operations that are only parts of others.
func notByItself(any, *Call) error { return errPart }

var errPart = &decl.Failure{Name: Invalid, Detail: "this is a part of another operation"}

// What a blocked process waits for, beside the numbers of tasks: the end of the
// workers, or any of several tasks.
const (
	waitEnd = math.MaxUint64
	waitAny = math.MaxUint64 - 1
)
