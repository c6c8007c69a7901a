//go:build !linux

package prims

func createNamedSemaphore(*Creation) error { return errLinux }

func attachNamedSemaphore(*Attachment) (any, error) { return nil, errLinux }

func detachNamedSemaphore(any) {}
