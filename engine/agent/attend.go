package agent

import (
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/script"
	"ipcrun/prims"
	"ipcrun/spec/decl"
)

// An attendant does steps for a program that somebody else wrote. What lives in
// the shared memory of a run is no program's to touch; so it asks, over a socket,
// and the attendant does the step in its name: it shows what it waits for in the
// program's slot and records what happens in the program's ring. When the
// program ends, the engine kills its attendant before anybody hears of the end.

// attendantName is what the argument vector of an attendant begins with.
const attendantName = "ipcrun-attendant"

// Attend turns the command of an agent for the slot of a program into that of
// its attendant. asks is the attendant's end of the socket, in the place of
// Files.Orders.
func Attend(c proc.Start, asks int) proc.Start {
	c.Args[0] = attendantName
	c.Files[FdOrders] = asks
	return c
}

// maxAsked bounds a step that is asked for, bytes.
const maxAsked = 64 << 20

// attend does what is asked until the program has closed its end.
func (a *agent) attend() {
	c := &conversation{a: a}
	for {
		text, err := c.next()
		if err != nil {
			os.Exit(0) // nobody asks any more
		}
		if err := c.answer(a.asked(text)); err != nil {
			os.Exit(0)
		}
	}
}

// asked does a step and returns the answer to it.
func (a *agent) asked(text []byte) map[string]any {
	v, err := prims.ParseJSON(text)
	req, isMap := v.(map[string]any)
	if err == nil && !isMap {
		err = decl.Fail(prims.Invalid, "a step is a mapping, as {\"acquire\": \"gate\"}")
	} else if err != nil {
		err = decl.Fail(prims.Invalid, "no JSON: %v", err)
	}
	var act *script.Action
	if err == nil {
		act, err = script.Ask(a.common, a.prog.Uses, a.Now(), req)
	}
	if err != nil {
		return refusal(err)
	}
	for {
		res, err := act.Verb.Run(a, act)
		switch {
		case err == script.ErrInterrupted:
			continue // there are no handlers here
		case err != nil:
			a.failed(0, act.Verb.ID(), err, event.FlagExpected|event.FlagAnswered)
			return refusal(err)
		}
		return map[string]any{"result": res}
	}
}

func refusal(err error) map[string]any {
	var f *decl.Failure
	if errors.As(err, &f) {
		return map[string]any{"error": f.Name, "detail": f.Detail}
	}
	return map[string]any{"error": "Error", "detail": err.Error()}
}

// conversation is the socket, and how the program writes on it: a length of 4
// bytes, big-endian, before each text, or lines. A text begins with {, and no
// length that is allowed does.
type conversation struct {
	a     *agent
	have  []byte
	lines bool
}

var errBroken = errors.New("no step")

// next is the next step that is asked for.
func (c *conversation) next() ([]byte, error) {
	for {
		if len(c.have) > 0 {
			c.lines = c.have[0] == '{'
		}
		if c.lines {
			for i, b := range c.have {
				if b == '\n' {
					return c.take(i, 1), nil
				}
			}
		} else if len(c.have) >= 4 {
			n := int(binary.BigEndian.Uint32(c.have))
			if n > maxAsked {
				return nil, errBroken
			}
			if len(c.have) >= 4+n {
				c.have = c.have[4:]
				return c.take(n, 0), nil
			}
		}
		if len(c.have) > maxAsked+4 {
			return nil, errBroken
		}
		var buf [4096]byte
		n, err := unix.Read(FdOrders, buf[:])
		switch {
		case err == unix.EINTR:
		case err != nil || n == 0:
			return nil, errBroken
		default:
			c.have = append(c.have, buf[:n]...)
		}
	}
}

// take cuts off the first n bytes, and then some more that are dropped.
func (c *conversation) take(n, more int) []byte {
	out := append([]byte(nil), c.have[:n]...)
	c.have = append(c.have[:0], c.have[n+more:]...)
	return out
}

func (c *conversation) answer(v map[string]any) error {
	text, err := prims.AppendJSON(nil, v)
	if err != nil {
		return err
	}
	var b []byte
	if c.lines {
		b = append(text, '\n')
	} else {
		b = append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
	}
	for len(b) > 0 {
		n, err := unix.Write(FdOrders, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// runAttendant is run for the attendant of a program: the slot is the program's,
// and what the engine says of it stays as it is.
func runAttendant(slot int, name string) {
	a := open(slot, name)
	if err := a.load(); err != nil {
		die("%s: %v", name, err)
	}
	a.assign()
	if err := a.attach(); err != nil {
		die("%s: %v", name, err)
	}
	var err error
	if a.m, err = script.New(a.common, a.prog, a.text.Slot(slot).Index, a); err != nil {
		die("%s: %v", name, err)
	}
	if a.sig, err = newSignals(a); err != nil {
		die("%s: %v", name, err)
	}
	a.dropPassed()
	a.attend()
}
