//go:build !linux

package prims

func createQueue(*Creation) error { return errLinux }

func attachQueue(*Attachment) (any, error) { return nil, errLinux }

func detachQueue(any) {}

func discard([]byte) {}
