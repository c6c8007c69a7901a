//go:build linux && (amd64 || arm64)

package observe

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"

	"ipcrun/engine/proc"
)

// Who waits for any of several descriptors says so in a list, a pair of sets, or
// with epoll long before. Such a call counts if one of them is an object.

// eventNames are those that say something about a pipe or a socket.
var eventNames = []struct {
	bit  uint32
	name string
}{{unix.POLLIN, "in"}, {unix.POLLOUT, "out"}, {unix.POLLHUP, "hangup"}, {unix.POLLERR | unix.POLLNVAL, "error"}}

// polledText is a list as a call shows it: pipe:[7] in and pipe:[8] out.
func polledText(t *tracer, c *call, list []proc.Polled) (text string, counts bool) {
	var parts []string
	for _, p := range list {
		var a Arg
		counts = asObject(t, c, uint64(uint32(p.Fd)), &a) || counts
		for _, e := range eventNames {
			if p.Events&e.bit != 0 {
				a.Text += " " + e.name
			}
		}
		parts = append(parts, a.Text)
	}
	return strings.Join(parts, " and "), counts
}

func asPollList(t *tracer, c *call, v uint64, a *Arg) (counts bool) {
	a.Text, counts = polledText(t, c, proc.PollList(c.th.tid, v, c.raw[1], false))
	return counts
}

func pollAnswer(t *tracer, c *call, result int64) []Arg {
	return ready(t, c, result, func() []proc.Polled { return proc.PollList(c.th.tid, c.raw[0], c.raw[1], true) })
}

func asSelectSets(t *tracer, c *call, v uint64, a *Arg) (counts bool) {
	a.Text, counts = polledText(t, c, proc.SelectSets(c.th.tid, v, c.raw[1], c.raw[2]))
	return counts
}

func selectAnswer(t *tracer, c *call, result int64) []Arg {
	return ready(t, c, result, func() []proc.Polled { return proc.SelectSets(c.th.tid, c.raw[0], c.raw[1], c.raw[2]) })
}

func asEpollList(t *tracer, c *call, v uint64, a *Arg) (counts bool) {
	a.Text, counts = polledText(t, c, proc.EpollList(c.th.pid, int(int32(v))))
	return counts
}

// epollAnswer finds the descriptors again by what the program gave along with them.
func epollAnswer(t *tracer, c *call, result int64) []Arg {
	return ready(t, c, result, func() (out []proc.Polled) {
		asked := proc.EpollList(c.th.pid, int(int32(c.raw[0])))
		b, _ := memory(c.th.tid, c.raw[1], int(result)*epollEventSize)
		for ; len(b) >= epollEventSize; b = b[epollEventSize:] {
			data := binary.NativeEndian.Uint64(b[epollEventSize-8:])
			for _, p := range asked {
				if p.Data == data {
					out = append(out, proc.Polled{Fd: p.Fd, Events: binary.NativeEndian.Uint32(b)})
					break
				}
			}
		}
		return out
	})
}

// ready tells what is ready, if anything is.
func ready(t *tracer, c *call, result int64, list func() []proc.Polled) []Arg {
	if result <= 0 {
		return nil
	}
	text, _ := polledText(t, c, list())
	return []Arg{{Name: "ready", Text: text}}
}

func asEpollOperation(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number, a.Text = int64(v), nameOf([]string{unix.EPOLL_CTL_ADD: "add", unix.EPOLL_CTL_DEL: "delete", unix.EPOLL_CTL_MOD: "modify"}, int(min(v, 9)))
	return true
}

// asEpollEvent reads which events are asked for.
func asEpollEvent(_ *tracer, c *call, v uint64, a *Arg) bool {
	b, ok := memory(c.th.tid, v, 4)
	if !ok {
		a.Text = "none"
		return true
	}
	a.Number = int64(binary.NativeEndian.Uint32(b))
	var names []string
	for _, e := range eventNames {
		if uint32(a.Number)&e.bit != 0 {
			names = append(names, e.name)
		}
	}
	a.Text = strings.Join(names, " ")
	return true
}
