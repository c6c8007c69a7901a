//go:build !linux

package prims

func socketBuffer() int { return 0 }
