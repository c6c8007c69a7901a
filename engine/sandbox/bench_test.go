//go:build linux

package sandbox

import (
	"testing"

	"golang.org/x/sys/unix"
	"ipcrun/engine/proc"
)

// BenchmarkStart is what a box adds to the start of a program: the stage.
func BenchmarkStart(b *testing.B) {
	b.Run("fork", func(b *testing.B) {
		for b.Loop() {
			reap(b)(proc.Fork(proc.Start{Path: "/bin/true", Files: []int{0, 1, 2}, Ctty: -1}))
		}
	})
	b.Run("stage", func(b *testing.B) {
		box := Box{Umask: -1}
		for b.Loop() {
			reap(b)(box.Start(proc.Start{Path: "/bin/true", Files: []int{0, 1, 2}, Ctty: -1}, -1))
		}
	})
}

// BenchmarkSpaces is what namespaces add to the start of a supervisor: a trial,
// which furnishes them.
func BenchmarkSpaces(b *testing.B) {
	for name, s := range map[string]Spaces{"none": 0, "PID IPC mount": PID | IPC | Mount, "and network": PID | IPC | Mount | Network} {
		b.Run(name, func(b *testing.B) {
			if s&^Here().Spaces != 0 {
				b.Skip("refused here")
			}
			for b.Loop() {
				if t := try(s|Here().Spaces&User, nil); t.start != nil {
					b.Fatal(t.start)
				}
			}
		})
	}
}

// BenchmarkProbe is what the first program of a run waits for.
func BenchmarkProbe(b *testing.B) {
	for b.Loop() {
		Probe()
	}
}

func reap(b *testing.B) func(pid, pidfd int, err error) {
	return func(pid, pidfd int, err error) {
		if err != nil {
			b.Fatal(err)
		}
		if _, err := unix.Wait4(pid, nil, 0, nil); err != nil {
			b.Fatal(err)
		}
		unix.Close(pidfd)
	}
}
