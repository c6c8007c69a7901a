package engine

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ipcrun/engine/agent"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/spec"
	"ipcrun/spec/decl"
)

// order is a step that a process carries out for the script.
type order struct {
	id     int
	slot   int
	step   uint32
	done   bool
	lost   bool // the process ended first
	result any
}

// Order hands a step to an idle process.
func (r *run) Order(a *script.Action, slot, number int, vars map[string]any, background string) (any, error) {
	r.catchUp(slot, 1)
	p := r.procs[slot]
	name := r.plan.Slots[slot].Name
	if !p.forked {
		return nil, decl.Fail(script.NoProcess, "%s has not been forked yet", name)
	}
	if p.ended {
		return nil, decl.Fail(script.NoProcess, "%s has ended", name)
	}
	o := &order{id: len(r.orders) + 1, slot: slot, step: a.Step}
	msg := agent.EncodeOrder(o.id, number, vars)
	if len(msg) > agent.MaxOrder {
		return nil, decl.Fail(prims.Invalid, "the variables of the script are %d bytes, more than an order can carry", len(msg))
	}
	r.orders[o.id] = o
	p.pending++
	if err := unix.Send(p.orders, msg, unix.MSG_NOSIGNAL); err != nil {
		p.pending--
		if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
			return nil, decl.Fail(script.NoProcess, "%s has ended", name)
		}
		return nil, fmt.Errorf("order to %s: %w", name, err)
	}
	if background != "" {
		r.backs[background] = o
		return nil, nil
	}
	return r.finishOrder(a, o)
}

// Await waits for an order that goes on in the background.
func (r *run) Await(a *script.Action, background string) (any, error) {
	o := r.backs[background]
	if o == nil {
		return nil, decl.Fail(prims.Invalid, "no step goes on in the background as %s", background)
	}
	return r.finishOrder(a, o)
}

// within reports whether a step is another one, or stands in it: an exit that was
// ordered is done when the process has ended.
func within(step uint32, outer *spec.Step) bool {
	if outer == nil || step == 0 {
		return false
	}
	if outer.ID == step {
		return true
	}
	for _, list := range outer.Blocks {
		for _, s := range list {
			if within(step, s) {
				return true
			}
		}
	}
	return false
}

func (r *run) finishOrder(a *script.Action, o *order) (any, error) {
	err := r.block(&waiter{
		what: "order", step: a.Step, deadline: a.Deadline, limit: r.stepLimit(),
		done: func() (bool, error) { return o.done, nil },
	})
	if err != nil {
		return nil, err
	}
	if o.lost {
		p := r.procs[o.slot]
		return nil, decl.Fail(script.NoProcess, "%s ended before it was done: %s", r.plan.Slots[o.slot].Name, p.status)
	}
	return o.result, nil
}

// The rest of World happens inside processes; the loader does not let such
// steps into the script.

var errInside = errors.New("happens inside a process")

// Fork happens inside a process.
func (r *run) Fork(*script.Action, int) error { return errInside }

// Pause happens inside a process.
func (r *run) Pause(*script.Action) error { return errInside }

// Alarm happens inside a process.
func (r *run) Alarm(*script.Action, int64) (float64, error) { return 0, errInside }

// Mask happens inside a process.
func (r *run) Mask(*script.Action, string, []int) error { return errInside }

// Dispose happens inside a process.
func (r *run) Dispose(*script.Action, int, string) error { return errInside }
