//go:build !linux

package prims

import "errors"

// Pipes work on Linux only: elsewhere none can be created.

var errPipeLinux = errors.New("pipes are created on Linux only")

type pipeSys struct{}

func createPipe(*Creation) error { return errPipeLinux }

func (p *pipe) attach(*Attachment) error { return errPipeLinux }

func sysClose(int) {}

func (p *pipe) sysRead(*pipeEnd, []byte) (int, error) { return 0, errPipeLinux }

func (p *pipe) sysReadPiece(*pipeEnd, []byte, *byte) (int, error) { return 0, errPipeLinux }

func (p *pipe) sysReadWhole(*pipeEnd, []byte, []byte) (int, error) { return 0, errPipeLinux }

func (p *pipe) sysWrite(*pipeEnd, *Call, []byte) (int, error) { return 0, errPipeLinux }

func (p *pipe) sysAvailable(*pipeEnd) (int, error) { return 0, errPipeLinux }

func (p *pipe) sysReady(*pipeEnd) (bool, error) { return false, errPipeLinux }

func (p *pipe) drained(*pipeEnd) bool { return false }
