//go:build !linux

package prims

func createShared(*Creation) error { return errLinux }

func attachShared(*Attachment) (any, error) { return nil, errLinux }
