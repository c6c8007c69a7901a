//go:build !linux || !(amd64 || arm64)

package prims

import "ipcrun/prims/sysv"

func msgsnd(*Call, int, []byte, bool) error { return sysv.ErrUnsupported }

func msgrcv(*Call, int, []byte, int, int, bool) (int, error) { return 0, sysv.ErrUnsupported }

func semop(*Call, int, []sysv.Op, bool) error { return sysv.ErrUnsupported }
