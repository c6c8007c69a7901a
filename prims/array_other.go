//go:build !linux

package prims

func createArray(*Creation) error { return errLinux }

func attachArray(*Attachment) (any, error) { return nil, errLinux }

func detachArray(any) {}
