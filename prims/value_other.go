//go:build !linux

package prims

import "errors"

var errLinux = errors.New("shared memory is created on Linux only")

func createValue(*Creation) error { return errLinux }

func attachValue(*Attachment) (any, error) { return nil, errLinux }

func detachValue(any) {}
