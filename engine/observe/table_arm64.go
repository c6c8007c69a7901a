//go:build linux

package observe

// ofThisArchitecture: nothing beyond what all have.
func ofThisArchitecture() []*spec { return nil }

// epollEventSize is that of a struct epoll_event, whose last 8 bytes are the
// program's own.
const epollEventSize = 16
