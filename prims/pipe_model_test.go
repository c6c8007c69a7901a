//go:build linux

package prims

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// TestPipeAgainstModel: random operations by random processes, one beginning at
// a time. What the model says blocks is left blocked while others go on; when
// the model says that it can go on it has to come back, with the same result.
func TestPipeAgainstModel(t *testing.T) {
	checks(t, 25)
	pipeAgainstModel(t, newRig)
}

func init() {
	modelled(pipesAgainstModel, "pipe")
}

// pipesAgainstModel: the same between real processes.
func pipesAgainstModel(t *testing.T) {
	checks(t, 6)
	pipeAgainstModel(t, newRealRig)
}

func pipeAgainstModel(t *testing.T, rigOf func(t fatal, args Args, parts ...[]string) *rig) {
	for name, args := range map[string]Args{
		"two-way":        {},
		"two-way, bytes": {Fields: map[string]any{"bytes": true}},
		"one-way":        {Main: oneWay, Fields: map[string]any{"capacity": 8192}},
		"one-way, bytes": {Main: oneWay, Fields: map[string]any{"bytes": true, "capacity": 8192}},
	} {
		t.Run(name, func(t *testing.T) {
			if !isOneWay(args) {
				asModelled(t)
			}
			rapid.Check(t, func(t *rapid.T) {
				m := &pipeCheck{parts: pipeParts(args), raw: isStream(args), waiting: map[int]pipeOrder{}}
				m.r = rigOf(t, args, m.parts[:], m.parts[:], m.parts[:1], m.parts[1:])
				defer m.r.stop()
				model, err := m.r.d.Model(args, 4)
				if err != nil {
					t.Fatal(err)
				}
				m.model, m.st = model, make([]byte, model.Size())
				model.Init(m.st)
				holder := model.(pipeModel)
				holder.Inherits(m.st, 2, m.parts[:1])
				holder.Inherits(m.st, 3, m.parts[1:])
				t.Repeat(map[string]func(*rapid.T){"operation": m.operation, "fill": m.fill, "disturb": func(t *rapid.T) {
					for p := range m.waiting {
						m.disturb(t, p)
						return
					}
					t.Skip("nobody is blocked")
				}})
				m.free(t)
			})
		})
	}
}

// asModelled skips where the kernel counts the memory of sockets otherwise.
func asModelled(t *testing.T) {
	s, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(s[0])
	defer unix.Close(s[1])
	if n, err := unix.GetsockoptInt(s[0], unix.SOL_SOCKET, unix.SO_SNDBUF); err != nil || n != modelLimit {
		t.Skipf("sockets hold %d here, %v", n, err)
	}
	for _, n := range []int{1, 192, 193, 704, 705, 1728, 1729, 3776, 3777, 4096} {
		if _, err := unix.Write(s[0], make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		cost, err := asked(s[0], unix.TIOCOUTQ)
		if _, err := unix.Read(s[1], make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		if err != nil || cost != bufferCost(n) {
			t.Skipf("%d bytes cost %d here, %v", n, cost, err)
		}
	}
}

type pipeCheck struct {
	r       *rig
	model   Model
	st      []byte
	parts   [2]string
	raw     bool
	waiting map[int]pipeOrder
}

// disturb interrupts a process. After a signal a step is begun anew, and a send
// needs less room to begin than to be woken.
func (m *pipeCheck) disturb(t *rapid.T, p int) {
	m.r.blocked(p)
	slot := m.r.arena.Slot(p)
	before := slot.Look().Epoch
	m.r.disturb(p)
	m.st[3*p+2] = 0
	o := m.waiting[p]
	if _, _, blocked := m.model.Do(bytes.Clone(m.st), p, o.verb, m.call(o)); blocked {
		m.model.Do(m.st, p, o.verb, m.call(o))
		for slot.Look().Epoch < before+2 {
			time.Sleep(20 * time.Microsecond)
		}
		m.r.blocked(p)
	}
	m.settle(t)
}

func (m *pipeCheck) idle(t *rapid.T) int {
	p := rapid.IntRange(0, 3).Draw(t, "process")
	if _, busy := m.waiting[p]; busy {
		t.Skip("it is blocked")
	}
	return p
}

func (m *pipeCheck) message(t *rapid.T) any {
	if m.raw {
		return pattern(rapid.SampledFrom([]int{0, 1, 2, 100, 1000, 3000, 4095, 4096}).Draw(t, "bytes"))
	}
	return rapid.OneOf(
		rapid.Map(rapid.SampledFrom([]int{0, 1, 182, 190, 1000, 1720, 3000, 4000, 4090}), func(n int) any { return pattern(n) }),
		rapid.Map(rapid.Int(), func(n int) any { return n }),
		rapid.Just[any](nil),
	).Draw(t, "message")
}

func (m *pipeCheck) operation(t *rapid.T) {
	p := m.idle(t)
	o := pipeOrder{
		verb: rapid.SampledFrom([]string{"send", "send", "send", "recv", "recv", "recv", "poll", "close"}).Draw(t, "verb"),
		part: rapid.SampledFrom(m.parts[:]).Draw(t, "end"),
	}
	if o.verb == "close" && rapid.IntRange(0, 3).Draw(t, "really") > 0 {
		t.Skip("not yet")
	}
	if o.verb == "send" {
		o.value = m.message(t)
	}
	if o.verb == "recv" && m.raw {
		o.size = rapid.SampledFrom([]int{1, 5, 100, 4096, 5000, 65536}).Draw(t, "size")
	}
	switch rapid.IntRange(0, 2).Draw(t, "how") {
	case 0:
		o.noWait = o.verb != "poll" && o.verb != "close"
	case 1:
		o.after = 200 * time.Microsecond
	default:
		if len(m.waiting) == 2 {
			t.Skip("somebody has to be free")
		}
		for _, w := range m.waiting {
			if w.verb == o.verb && w.part == o.part && (m.raw || o.verb == "send") {
				t.Skip("which of two goes on first cannot be seen")
			}
		}
	}
	m.perform(t, p, o)
}

// fill sends until no more fits, or a while.
func (m *pipeCheck) fill(t *rapid.T) {
	p := m.idle(t)
	o := pipeOrder{verb: "send", part: rapid.SampledFrom(m.parts[:]).Draw(t, "end"), value: m.message(t), noWait: true}
	for range rapid.IntRange(0, 120).Draw(t, "times") {
		if m.perform(t, p, o) != "" {
			return
		}
	}
}

func (m *pipeCheck) call(o pipeOrder) ModelCall {
	return ModelCall{Value: o.value, Part: o.part, Size: o.size, NoWait: o.noWait, Expired: o.after != 0}
}

// perform does one operation in both worlds and returns its failure.
func (m *pipeCheck) perform(t *rapid.T, p int, o pipeOrder) string {
	result, fail, blocked := m.model.Do(m.st, p, o.verb, m.call(o))
	m.r.tell(p, o)
	if blocked {
		m.waiting[p] = o
		m.r.blocked(p)
		return WouldBlock
	}
	name := ""
	if fail != nil {
		name = fail.Name
	}
	got := m.r.hear(p)
	if o.verb == "recv" && m.raw && name == "" && got.Fail == "" {
		result = m.joined(t, p, o, got.Result, result)
	}
	m.compare(t, p, o, got, result, name)
	m.settle(t)
	return name
}

// joined is what the model receives if those who wait to send go on while the
// receiver is at it: a socket's buffers become free one after another, so what
// a woken sender appends may still be part of the same recv.
func (m *pipeCheck) joined(t *rapid.T, p int, o pipeOrder, really, result any) any {
	t.Helper()
	whole, _ := really.(string)
	have, _ := result.(string)
	for len(have) < len(whole) {
		w := m.sender(o.part)
		if w < 0 {
			return have
		}
		sent, fail, _ := m.model.Do(m.st, w, "send", m.call(m.waiting[w]))
		name := ""
		if fail != nil {
			name = fail.Name
		}
		m.compare(t, w, m.waiting[w], m.r.hear(w), sent, name)
		delete(m.waiting, w)
		rest := m.call(o)
		rest.Size = len(whole) - len(have)
		more, _, _ := m.model.Do(m.st, p, "recv", rest)
		text, _ := more.(string)
		have += text
	}
	return have
}

// sender is a process whose blocked send to an end can go on now, -1 if there
// is none.
func (m *pipeCheck) sender(to string) int {
	for w, o := range m.waiting {
		if o.verb != "send" || o.part == to {
			continue
		}
		if _, _, blocked := m.model.Do(bytes.Clone(m.st), w, o.verb, m.call(o)); !blocked {
			return w
		}
	}
	return -1
}

func (m *pipeCheck) compare(t *rapid.T, p int, o pipeOrder, got reply, result any, fail string) {
	t.Helper()
	if got.Fail != fail || fail == "" && !reflect.DeepEqual(got.Result, result) {
		t.Fatalf("process %d, %s %s %s: really %s %s, in the model %s %s", p, o.verb, o.part, short(o.value), short(got.Result), got.Fail, short(result), fail)
	}
}

// settle waits for those who can go on now. Of several who want the same, any
// may be the first.
func (m *pipeCheck) settle(t *rapid.T) {
	for {
		var free []int
		for p, o := range m.waiting {
			if _, _, blocked := m.model.Do(bytes.Clone(m.st), p, o.verb, m.call(o)); !blocked {
				free = append(free, p)
			}
		}
		if len(free) == 0 {
			return
		}
		var cases []reflect.SelectCase
		for _, p := range free {
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(m.r.procs[p].reply)})
		}
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(time.After(patience))})
		i, v, _ := reflect.Select(cases)
		if i == len(free) {
			t.Fatalf("nobody of %v goes on: %v", free, m.waiting)
		}
		p := free[i]
		result, fail, _ := m.model.Do(m.st, p, m.waiting[p].verb, m.call(m.waiting[p]))
		name := ""
		if fail != nil {
			name = fail.Name
		}
		got, _ := v.Interface().(reply)
		m.compare(t, p, m.waiting[p], got, result, name)
		delete(m.waiting, p)
	}
}

// free closes the ends of those who are not blocked, and receives what is
// there, until nobody is blocked any more.
func (m *pipeCheck) free(t *rapid.T) {
	dead := map[int]bool{}
	for range 1000 {
		if len(m.waiting) == 0 {
			return
		}
		for p := range m.r.procs {
			for _, part := range m.parts {
				if _, busy := m.waiting[p]; !busy && !dead[p] && len(m.waiting) > 0 {
					m.perform(t, p, pipeOrder{verb: "recv", part: part, noWait: true})
				}
			}
		}
		for p := range m.r.procs {
			for _, part := range m.parts {
				if _, busy := m.waiting[p]; !busy && !dead[p] {
					m.perform(t, p, pipeOrder{verb: "close", part: part})
				}
			}
			if len(m.waiting) == 0 {
				return
			}
		}
		// Those who are left hold one another's ends.
		for p := range m.waiting {
			m.r.kill(p)
			dead[p] = true
			m.model.(Mortal).Died(m.st, p)
			m.r.disturb(p) // its copies are closed, so it finds nothing to wait for
			<-m.r.procs[p].reply
			delete(m.waiting, p)
			m.settle(t)
			break
		}
	}
	t.Fatal(fmt.Sprint("still blocked: ", m.waiting))
}

// TestPipeModelEnds: Died and Inherits change who holds what.
func TestPipeModelEnds(t *testing.T) {
	model, err := newPipeModel(Args{Main: oneWay}, 2)
	if err != nil {
		t.Fatal(err)
	}
	m := model.(pipeModel)
	st := make([]byte, m.Size())
	m.Init(st)
	m.Inherits(st, 1, []string{"r"})
	if _, fail, _ := m.Do(st, 1, "send", ModelCall{Part: "w", Value: 1}); fail == nil || fail.Name != Closed {
		t.Error(fail)
	}
	if _, _, blocked := m.Do(st, 1, "recv", ModelCall{Part: "r"}); !blocked {
		t.Error("process 0 can still send")
	}
	m.Died(st, 0)
	if _, fail, _ := m.Do(st, 1, "recv", ModelCall{Part: "r"}); fail == nil || fail.Name != EOF {
		t.Error(fail)
	}
	if _, err := newPipeModel(Args{Main: oneWay, Fields: map[string]any{"capacity": 12}}, 1); err == nil {
		t.Error("a pipe of 12 bytes")
	}
}
