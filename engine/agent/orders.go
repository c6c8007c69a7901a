package agent

import (
	"errors"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/prims/arena"
)

// obey carries out the orders of the script, one after the other, until the
// engine closes its end of the socket.
func (a *agent) obey() {
	buf := make([]byte, MaxOrder)
	a.m.Obey()
	for {
		_, interrupted, err := a.poll(arena.Wait{On: arena.OnOrder}, FdOrders)
		if err != nil {
			die("%s: orders: %v", a.name, err)
		}
		if interrupted {
			a.sig.deliver()
			a.runHandlers()
			if a.m.End() != nil {
				return
			}
			continue
		}
		n, err := unix.Read(FdOrders, buf)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			die("%s: orders: %v", a.name, err)
		}
		if n == 0 {
			return
		}
		v, _, err := event.ReadValue(buf[:n])
		order, ok := v.(map[string]any)
		if err != nil || !ok {
			die("%s: a broken order: %v", a.name, err)
		}
		id, _ := order["id"].(int)
		number, _ := order["order"].(int)
		vars, _ := order["vars"].(map[string]any)
		if err := a.m.Order(number, vars); err != nil {
			die("%s: %v", a.name, err)
		}
		a.work()
		if a.m.End() != nil {
			return
		}
		res, _ := a.m.OrderDone()
		a.emit(&event.Rec{Kind: event.OrderDone, Obj: event.NoObj, Value: map[string]any{"id": id, "result": res, "vars": a.m.Vars()}})
	}
}

// runHandlers runs what a signal wants done while no order is being carried
// out.
func (a *agent) runHandlers() {
	for a.m.InHandler() != 0 {
		act := a.m.Next()
		if act == nil {
			return
		}
		a.do(act)
	}
}

// MaxOrder is the largest order, bytes: variables of the script go along.
const MaxOrder = 128 << 10

// EncodeOrder is an order as it travels.
func EncodeOrder(id, number int, vars map[string]any) []byte {
	return event.AppendValue(nil, map[string]any{"id": id, "order": number, "vars": vars})
}
