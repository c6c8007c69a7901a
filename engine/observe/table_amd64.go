//go:build linux

package observe

import "golang.org/x/sys/unix"

// ofThisArchitecture are calls that newer architectures do without.
func ofThisArchitecture() []*spec {
	return []*spec{
		{nr: unix.SYS_PIPE, name: "pipe", params: []param{}, results: pairAt(0, "read", "write")},
		{nr: unix.SYS_DUP2, name: "dup2", params: []param{{"fd", asFd}, {"as", asInt}}, onObject: true, forgets: forgetSecond},
		{nr: unix.SYS_EVENTFD, name: "eventfd", params: []param{{"initial", asInt}}},
		{nr: unix.SYS_SIGNALFD, name: "signalfd", params: []param{{"fd", asInt}, {"signals", asSet}}},
		{nr: unix.SYS_ALARM, name: "alarm", params: []param{{"seconds", asInt}}},
		{nr: unix.SYS_PAUSE, name: "pause", params: []param{}, blocks: true},
	}
}
