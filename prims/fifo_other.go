//go:build !linux

package prims

func createFifo(*Creation) error { return errLinux }

func (f *fifo) openNow(*pipeEnd) (bool, error) { return false, errLinux }

func (f *fifo) dropPending(*pipeEnd) {}

func hasWriter(int) bool { return false }
