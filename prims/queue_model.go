package prims

import (
	"encoding/binary"
	"fmt"
	"sync"

	"ipcrun/spec/decl"
)

// queueModel: a byte per process, 1 once it has closed the queue; the number of
// items in 4 bytes; the items from the first to the last, 4 bytes each. What
// does not fit into a state of fixed size, the items themselves, has numbers:
// equal items have the same.
type queueModel struct {
	n, maxsize, cap int
	items           *itemNumbers
}

// modelItems is how many items the model of a queue without maxsize holds, and
// the largest maxsize that it models.
const modelItems = 1024

func newQueueModel(a Args, n int) (Model, error) {
	maxsize, _ := a.Main.(int)
	if maxsize > modelItems {
		return nil, fmt.Errorf("the model of a queue holds at most %d items", modelItems)
	}
	m := queueModel{n: n, maxsize: maxsize, cap: maxsize, items: &itemNumbers{numbers: map[string]uint32{}}}
	if maxsize <= 0 {
		m.cap = modelItems
	}
	return m, nil
}

func (m queueModel) Size() int   { return m.n + 4 + 4*m.cap }
func (queueModel) Init(_ []byte) {}

func (m queueModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	count, list := st[m.n:m.n+4], st[m.n+4:]
	size := int(binary.LittleEndian.Uint32(count))
	closed := st[p] != 0
	switch verb {
	case "put":
		item, err := AppendValue(nil, c.Value)
		switch {
		case closed:
			return nil, errClosedQueue, false
		case err != nil:
			return nil, decl.Fail(Invalid, "%v", err), false
		case size < m.cap:
			binary.LittleEndian.PutUint32(list[4*size:], m.items.number(item))
			binary.LittleEndian.PutUint32(count, uint32(size+1))
			return c.Value, nil, false
		case c.NoWait, c.Expired:
			return nil, decl.Fail(Full, "it holds %d, as many as it may", m.cap), false
		}
		return nil, nil, true
	case "get":
		switch {
		case closed:
			return nil, errClosedQueue, false
		case size > 0:
			v := m.items.item(binary.LittleEndian.Uint32(list))
			copy(list, list[4:4*size])
			clear(list[4*(size-1) : 4*size])
			binary.LittleEndian.PutUint32(count, uint32(size-1))
			return v, nil, false
		case c.NoWait:
			return nil, decl.Fail(Empty, "there is no item in it"), false
		case c.Expired:
			return nil, decl.Fail(Empty, "still no item in it"), false
		}
		return nil, nil, true
	case "close":
		st[p] = 1
		return nil, nil, false
	case "qsize":
		return size, nil, false
	case "full":
		return m.maxsize > 0 && size >= m.maxsize, nil, false
	case "empty":
		return size == 0, nil, false
	}
	panic("queue has no verb " + verb)
}

// itemNumbers gives numbers to items.
type itemNumbers struct {
	mu      sync.Mutex
	numbers map[string]uint32
	list    []string
}

func (i *itemNumbers) number(item []byte) uint32 {
	i.mu.Lock()
	defer i.mu.Unlock()
	n, known := i.numbers[string(item)]
	if !known {
		n = uint32(len(i.list))
		i.numbers[string(item)] = n
		i.list = append(i.list, string(item))
	}
	return n
}

func (i *itemNumbers) item(n uint32) any {
	i.mu.Lock()
	defer i.mu.Unlock()
	v, _, _ := ReadValue([]byte(i.list[n]))
	return v
}
