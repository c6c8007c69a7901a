//go:build linux

package observe

import "golang.org/x/sys/unix"

// ofThisArchitecture are calls that newer architectures do without.
func ofThisArchitecture() []*spec {
	return []*spec{
		{nr: unix.SYS_PIPE, name: "pipe", params: []param{}, results: pairAt(0, "read", "write")},
		{nr: unix.SYS_MKNOD, name: "mknod", when: condition{arg: 1, has: unix.S_IFIFO}, params: []param{{"path", asPath}, {"mode", asMode}}},
		{nr: unix.SYS_OPEN, name: "open", params: []param{{"path", asFifo}, {"flags", asOpenFlags}}, blocks: true},
		{nr: unix.SYS_POLL, name: "poll", params: []param{{"fds", asPollList}, {}, {"timeout", asMilliseconds}}, blocks: true, results: pollAnswer},
		{nr: unix.SYS_SELECT, name: "select", params: []param{{"fds", asSelectSets}, {}, {}, {}, {"timeout", asTimeval}}, blocks: true, results: selectAnswer},
		{nr: unix.SYS_EPOLL_CREATE, name: "epoll_create", params: []param{}},
		{nr: unix.SYS_EPOLL_WAIT, name: "epoll_wait", params: epollWait, blocks: true, results: epollAnswer},
		{nr: unix.SYS_DUP2, name: "dup2", params: []param{{"fd", asFd}, {"as", asInt}}, onObject: true, forgets: forgetSecond},
		{nr: unix.SYS_EVENTFD, name: "eventfd", params: []param{{"initial", asInt}}},
		{nr: unix.SYS_SIGNALFD, name: "signalfd", params: []param{{"fd", asInt}, {"signals", asSet}}},
		{nr: unix.SYS_ALARM, name: "alarm", params: []param{{"seconds", asInt}}},
		{nr: unix.SYS_PAUSE, name: "pause", params: []param{}, blocks: true},
	}
}

// epollEventSize is that of a struct epoll_event, whose last 8 bytes are the
// program's own. It is packed on this architecture alone.
const epollEventSize = 12
