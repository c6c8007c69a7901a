//go:build linux && (amd64 || arm64)

package observe

import (
	"sync"

	"golang.org/x/sys/unix"
)

// spec describes a system call of the table.
type spec struct {
	nr     int
	name   string
	when   condition // which of them to stop at
	params []param   // by position; those that mean nothing to users are left out at the end
	// blocks: it may wait for somebody else, and a Begin tells so.
	blocks bool
	// onObject: it is told only if its first argument, a descriptor, is an
	// object of interprocess communication.
	onObject bool
	// forgets: after it, descriptors mean something else.
	forgets func(f *files, args *[6]uint64)
	// results tell what a call that has not failed wrote.
	results func(t *tracer, c *call, result int64) []Arg
}

// param is a parameter and how it is read; one without a name is skipped.
type param struct {
	name string
	as   reading
}

// table is built when it is first needed: most processes of this binary never do.
var table = sync.OnceValue(func() []*spec { return append(common(), ofThisArchitecture()...) })

func common() []*spec {
	return []*spec{
		// Descriptors.
		{nr: unix.SYS_PIPE2, name: "pipe2", params: []param{{}, {"flags", asHex}}, results: pairAt(0, "read", "write")},
		{nr: unix.SYS_SOCKETPAIR, name: "socketpair", params: []param{{"family", asInt}, {"type", asInt}}, results: pairAt(3, "first", "second")},
		{nr: unix.SYS_EVENTFD2, name: "eventfd2", params: []param{{"initial", asInt}, {"flags", asHex}}},
		{nr: unix.SYS_SIGNALFD4, name: "signalfd4", params: []param{{"fd", asInt}, {"signals", asSet}}},
		{nr: unix.SYS_READ, name: "read", params: fdAndSize, blocks: true, onObject: true, results: taken},
		{nr: unix.SYS_WRITE, name: "write", params: fdAndSize, blocks: true, onObject: true},
		{nr: unix.SYS_READV, name: "readv", params: fdAlone, blocks: true, onObject: true},
		{nr: unix.SYS_WRITEV, name: "writev", params: fdAlone, blocks: true, onObject: true},
		{nr: unix.SYS_SENDTO, name: "sendto", params: fdAndSize, blocks: true, onObject: true},
		{nr: unix.SYS_RECVFROM, name: "recvfrom", params: fdAndSize, blocks: true, onObject: true},
		{nr: unix.SYS_SENDMSG, name: "sendmsg", params: fdAlone, blocks: true, onObject: true},
		{nr: unix.SYS_RECVMSG, name: "recvmsg", params: fdAlone, blocks: true, onObject: true},
		{nr: unix.SYS_SPLICE, name: "splice", params: []param{{"in", asFd}, {}, {"out", asFd}, {}, {"size", asSize}}, blocks: true},
		{nr: unix.SYS_TEE, name: "tee", params: []param{{"in", asFd}, {"out", asFd}, {"size", asSize}}, blocks: true},
		{nr: unix.SYS_VMSPLICE, name: "vmsplice", params: fdAlone, blocks: true, onObject: true},
		{nr: unix.SYS_SHUTDOWN, name: "shutdown", params: []param{{"fd", asFd}, {"how", asInt}}, onObject: true},
		{nr: unix.SYS_CLOSE, name: "close", params: fdAlone, onObject: true, forgets: forgetFirst},
		{nr: unix.SYS_CLOSE_RANGE, name: "close_range", params: []param{{"first", asInt}, {"last", asInt}}, forgets: forgetAll},
		{nr: unix.SYS_DUP, name: "dup", params: fdAlone, onObject: true},
		{nr: unix.SYS_DUP3, name: "dup3", params: []param{{"fd", asFd}, {"as", asInt}}, onObject: true, forgets: forgetSecond},
		{nr: unix.SYS_FCNTL, name: "fcntl", when: condition{arg: 1, is: []uint32{unix.F_DUPFD, unix.F_DUPFD_CLOEXEC}},
			params: []param{{"fd", asFd}, {}, {"from", asInt}}, onObject: true},

		// FIFOs and sockets: how two who did not inherit from one another meet.
		{nr: unix.SYS_MKNODAT, name: "mknodat", when: condition{arg: 2, has: unix.S_IFIFO}, params: []param{{}, {"path", asPath}, {"mode", asMode}}},
		{nr: unix.SYS_OPENAT, name: "openat", params: []param{{}, {"path", asFifo}, {"flags", asOpenFlags}}, blocks: true},
		{nr: unix.SYS_SOCKET, name: "socket", when: condition{arg: 0, is: []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6}},
			params: []param{{"family", asFamily}, {"type", asSocketType}}},
		{nr: unix.SYS_BIND, name: "bind", params: fdAndAddress, onObject: true},
		{nr: unix.SYS_LISTEN, name: "listen", params: []param{{"fd", asFd}, {"backlog", asInt}}, onObject: true},
		{nr: unix.SYS_CONNECT, name: "connect", params: fdAndAddress, blocks: true, onObject: true},
		{nr: unix.SYS_ACCEPT, name: "accept", params: fdAlone, blocks: true, onObject: true, results: accepted},
		{nr: unix.SYS_ACCEPT4, name: "accept4", params: fdAlone, blocks: true, onObject: true, results: accepted},

		// Waiting for any of several.
		{nr: unix.SYS_PPOLL, name: "ppoll", params: []param{{"fds", asPollList}, {}, {"timeout", asTime}}, blocks: true, results: pollAnswer},
		{nr: unix.SYS_PSELECT6, name: "pselect6", params: []param{{"fds", asSelectSets}, {}, {}, {}, {"timeout", asTime}}, blocks: true, results: selectAnswer},
		{nr: unix.SYS_EPOLL_CREATE1, name: "epoll_create1", params: []param{{"flags", asHex}}},
		{nr: unix.SYS_EPOLL_CTL, name: "epoll_ctl", params: []param{{"epoll", asInt}, {"operation", asEpollOperation}, {"fd", asObject}, {"events", asEpollEvent}}},
		{nr: unix.SYS_EPOLL_PWAIT, name: "epoll_pwait", params: epollWait, blocks: true, results: epollAnswer},
		{nr: unix.SYS_EPOLL_PWAIT2, name: "epoll_pwait2", params: []param{{"fds", asEpollList}, {}, {}, {"timeout", asTime}}, blocks: true, results: epollAnswer},

		// System V.
		{nr: unix.SYS_MSGGET, name: "msgget", params: []param{{"key", asKey}, {"flags", asHex}}},
		{nr: unix.SYS_MSGSND, name: "msgsnd", params: []param{{"id", asInt}, {"type", asLongAt}, {"size", asSize}, {"flags", asHex}}, blocks: true},
		{nr: unix.SYS_MSGRCV, name: "msgrcv", params: []param{{"id", asInt}, {}, {"size", asSize}, {"type", asLong}, {"flags", asHex}}, blocks: true, results: messageType},
		{nr: unix.SYS_MSGCTL, name: "msgctl", params: []param{{"id", asInt}, {"command", asCommand}}},
		{nr: unix.SYS_SEMGET, name: "semget", params: []param{{"key", asKey}, {"count", asInt}, {"flags", asHex}}},
		{nr: unix.SYS_SEMOP, name: "semop", params: []param{{"id", asInt}, {"operations", asOperations}}, blocks: true},
		{nr: unix.SYS_SEMTIMEDOP, name: "semtimedop", params: []param{{"id", asInt}, {"operations", asOperations}, {}, {"timeout", asTime}}, blocks: true},
		{nr: unix.SYS_SEMCTL, name: "semctl", params: []param{{"id", asInt}, {"number", asInt}, {"command", asCommand}, {"value", asInt}}},
		{nr: unix.SYS_SHMGET, name: "shmget", params: []param{{"key", asKey}, {"size", asSize}, {"flags", asHex}}},
		{nr: unix.SYS_SHMAT, name: "shmat", params: []param{{"id", asInt}}},
		{nr: unix.SYS_SHMDT, name: "shmdt", params: []param{{"address", asHex}}},
		{nr: unix.SYS_SHMCTL, name: "shmctl", params: []param{{"id", asInt}, {"command", asCommand}}},

		// POSIX queues and shared memory. Named semaphores and shared memory are
		// files under /dev/shm: they appear when they are mapped, and as futexes.
		{nr: unix.SYS_MQ_OPEN, name: "mq_open", params: []param{{"name", asText}, {"flags", asHex}}},
		{nr: unix.SYS_MQ_UNLINK, name: "mq_unlink", params: []param{{"name", asText}}},
		{nr: unix.SYS_MQ_TIMEDSEND, name: "mq_timedsend", params: []param{{"fd", asFd}, {}, {"size", asSize}, {"priority", asInt}, {"deadline", asTime}}, blocks: true},
		{nr: unix.SYS_MQ_TIMEDRECEIVE, name: "mq_timedreceive", params: []param{{"fd", asFd}, {}, {"size", asSize}, {}, {"deadline", asTime}}, blocks: true, results: priority},
		{nr: unix.SYS_MQ_NOTIFY, name: "mq_notify", params: fdAlone},
		{nr: unix.SYS_MQ_GETSETATTR, name: "mq_getsetattr", params: fdAlone},
		{nr: unix.SYS_MMAP, name: "mmap", when: condition{arg: 3, has: unix.MAP_SHARED},
			params: []param{{}, {"size", asSize}, {"protection", asHex}, {"flags", asHex}, {"fd", asFd}, {"offset", asSize}}},
		{nr: unix.SYS_FUTEX, name: "futex", when: condition{arg: 1, hasNot: futexPrivate}, params: []param{{"word", asWord}, {"operation", asFutex}, {"value", asInt}}, blocks: true},

		// Signals.
		{nr: unix.SYS_KILL, name: "kill", params: []param{{"pid", asInt}, {"signal", asSignal}}},
		{nr: unix.SYS_TKILL, name: "tkill", params: []param{{"tid", asInt}, {"signal", asSignal}}},
		{nr: unix.SYS_TGKILL, name: "tgkill", params: []param{{"pid", asInt}, {"tid", asInt}, {"signal", asSignal}}},
		{nr: unix.SYS_RT_SIGQUEUEINFO, name: "rt_sigqueueinfo", params: []param{{"pid", asInt}, {"signal", asSignal}, {"value", asQueued}}},
		{nr: unix.SYS_RT_TGSIGQUEUEINFO, name: "rt_tgsigqueueinfo", params: []param{{"pid", asInt}, {"tid", asInt}, {"signal", asSignal}, {"value", asQueued}}},
		{nr: unix.SYS_PIDFD_SEND_SIGNAL, name: "pidfd_send_signal", params: []param{{"fd", asInt}, {"signal", asSignal}}},
		{nr: unix.SYS_SETITIMER, name: "setitimer", params: []param{{"which", asInt}, {"microseconds", asInterval}}},
		{nr: unix.SYS_RT_SIGACTION, name: "rt_sigaction", params: []param{{"signal", asSignal}, {"action", asAction}}},
		{nr: unix.SYS_RT_SIGPROCMASK, name: "rt_sigprocmask", params: []param{{"how", asHow}, {"signals", asSet}}},
		{nr: unix.SYS_RT_SIGSUSPEND, name: "rt_sigsuspend", params: []param{{"blocked", asSet}}, blocks: true},
		{nr: unix.SYS_RT_SIGTIMEDWAIT, name: "rt_sigtimedwait", params: []param{{"signals", asSet}, {}, {"timeout", asTime}}, blocks: true, results: waited},

		// Children.
		{nr: unix.SYS_WAIT4, name: "wait4", params: []param{{"pid", asInt}, {}, {"options", asHex}}, blocks: true, results: childStatus},
		{nr: unix.SYS_WAITID, name: "waitid", params: []param{{"type", asInt}, {"id", asInt}, {}, {"options", asHex}}, blocks: true, results: childInfo},

		// The kernel's own way to go on with a call after a stop.
		{nr: unix.SYS_RESTART_SYSCALL, name: "restart_syscall", blocks: true},
	}
}

var (
	fdAlone      = []param{{"fd", asFd}}
	fdAndSize    = []param{{"fd", asFd}, {}, {"size", asSize}}
	fdAndAddress = []param{{"fd", asFd}, {"address", asAddress}}
	epollWait    = []param{{"fds", asEpollList}, {}, {}, {"timeout", asMilliseconds}}
)

const futexPrivate = 128

// byNumber finds a spec by the number of its call.
var byNumber = sync.OnceValue(func() *[512]*spec {
	var numbers [512]*spec
	for _, s := range table() {
		numbers[s.nr] = s
	}
	return &numbers
})
