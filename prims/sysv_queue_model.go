package prims

import (
	"encoding/binary"
	"math"

	"ipcrun/prims/sysv"
	"ipcrun/spec/decl"
)

// sysvQueueModel: a byte that is 1 once the queue was removed; the bytes in it
// and the number of messages, 4 bytes each; the messages from the first to the
// last: the type in 8 bytes, the length in 4, the number of the content in 4.
type sysvQueueModel struct {
	form     sysvForm
	capacity int
	longest  int
	items    *itemNumbers
}

const (
	modelMessage = 16
	// What the kernel has, unless somebody changed it.
	modelMsgmnb = 16384
	modelMsgmax = 8192
)

func newSysvQueueModel(a Args, _ int) (Model, error) {
	m := sysvQueueModel{form: newSysvForm(a), capacity: modelMsgmnb, longest: modelMsgmax, items: &itemNumbers{numbers: map[string]uint32{}}}
	if n, err := sysv.MaxMessage(); err == nil {
		m.longest = n
	}
	if n, given := wholeNumber(a.Fields["capacity"]); given {
		m.capacity = n
	}
	return m, nil
}

func (sysvQueueModel) Size() int   { return 9 + modelItems*modelMessage }
func (sysvQueueModel) Init([]byte) {}

func (m sysvQueueModel) Do(st []byte, _ int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	if st[0] != 0 && verb != "send" && verb != "recv" {
		return nil, modelRemoved(sysv.Queue), false
	}
	bytes, count, list := st[1:5], st[5:9], st[9:]
	used, n := int(binary.LittleEndian.Uint32(bytes)), int(binary.LittleEndian.Uint32(count))
	set := func(used, n int) {
		binary.LittleEndian.PutUint32(bytes, uint32(used))
		binary.LittleEndian.PutUint32(count, uint32(n))
	}
	switch verb {
	case "remove":
		clear(st)
		st[0] = 1
		return nil, nil, false
	case "send":
		b, err := m.form.encode(c.Value)
		typ, terr := sendType(c.Args)
		switch {
		case err != nil:
			return nil, failureOf(err), false
		case terr != nil:
			return nil, failureOf(terr), false
		case st[0] != 0:
			return nil, modelRemoved(sysv.Queue), false
		case len(b) > m.longest:
			return nil, decl.Fail(TooLong, "%d bytes", len(b)), false
		case used+len(b) <= m.capacity && n+1 <= m.capacity && n < modelItems:
			at := list[n*modelMessage:]
			item, _ := AppendValue(nil, string(b))
			binary.LittleEndian.PutUint64(at, uint64(typ))
			binary.LittleEndian.PutUint32(at[8:], uint32(len(b)))
			binary.LittleEndian.PutUint32(at[12:], m.items.number(item))
			set(used+len(b), n+1)
			return c.Value, nil, false
		}
		return modelBlocks(c, "no room")
	case "recv":
		typ, flags, size, err := recvArgs(c.Args)
		switch {
		case err != nil:
			return nil, failureOf(err), false
		case st[0] != 0:
			return nil, modelRemoved(sysv.Queue), false
		}
		i := m.search(list[:n*modelMessage], typ, flags)
		if i < 0 {
			return modelBlocks(c, "no message")
		}
		at := list[i*modelMessage:]
		has, length := int(binary.LittleEndian.Uint64(at)), int(binary.LittleEndian.Uint32(at[8:]))
		text, _ := m.items.item(binary.LittleEndian.Uint32(at[12:])).(string)
		if size >= 0 && length > size {
			if flags&sysv.NoError == 0 {
				return nil, decl.Fail(TooLong, "%d bytes", length), false
			}
			text = text[:size]
		}
		copy(at, list[(i+1)*modelMessage:n*modelMessage])
		clear(list[(n-1)*modelMessage : n*modelMessage])
		set(used-length, n-1)
		v, err := m.form.decode([]byte(text))
		if err != nil {
			return nil, failureOf(err), false
		}
		return messageResult(c.Args, has, v), nil, false
	}
	panic("sysv_queue has no verb " + verb)
}

// search finds the message that a recv takes, -1 if there is none.
func (m sysvQueueModel) search(list []byte, typ, flags int) int {
	found, lowest := -1, math.MaxInt
	for i := 0; i < len(list)/modelMessage; i++ {
		has := int(binary.LittleEndian.Uint64(list[i*modelMessage:]))
		switch {
		case typ == 0, flags&sysv.Except != 0 && has != typ, flags&sysv.Except == 0 && typ == has:
			return i
		case typ < 0 && has <= -typ && has < lowest:
			found, lowest = i, has
		}
	}
	return found
}

func modelRemoved(f sysv.Family) *decl.Failure {
	return decl.Fail(Removed, "there is no %s of that id any more", f)
}

// modelBlocks is what becomes of an operation that cannot happen now.
func modelBlocks(c ModelCall, why string) (any, *decl.Failure, bool) {
	switch {
	case c.NoWait:
		return nil, decl.Fail(WouldBlock, "%s", why), false
	case c.Expired:
		return nil, decl.Fail(Timeout, "%s", why), false
	}
	return nil, nil, true
}

func failureOf(err error) *decl.Failure {
	f, _ := err.(*decl.Failure)
	return f
}
