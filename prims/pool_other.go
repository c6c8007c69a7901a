//go:build !linux

package prims

import "ipcrun/prims/arena"

func createPool(*Creation) error { return errLinux }

func attachPool(*Attachment) (any, error) { return nil, errLinux }

func detachPool(any) {}

func howEnded(*arena.Slot) string { return "ended" }
