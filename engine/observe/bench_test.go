//go:build linux && (amd64 || arm64)

package observe

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ipcrun/engine/proc"
)

// Each measurement is the program's own, of short runs that take turns; the best
// of each way is compared, which other load on the machine disturbs least. Pin the
// benchmark to one processor.

// measure runs a program that prints its time in one of several ways in turn and
// returns the best times.
func measure(b *testing.B, ways ...func(argv ...string) *exec.Cmd) func(argv ...string) []float64 {
	return func(argv ...string) []float64 {
		b.Helper()
		times := make([][]float64, len(ways))
		for range max(b.N, 20) {
			for i, way := range ways {
				cmd := way(argv...)
				cmd.Stderr = os.Stderr
				out, err := cmd.Output()
				if err != nil {
					b.Fatal(err)
				}
				ns, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
				if err != nil {
					b.Fatal(err)
				}
				times[i] = append(times[i], ns)
			}
		}
		best := make([]float64, len(ways))
		for i := range times {
			best[i] = slices.Min(times[i])
		}
		return best
	}
}

func plain(argv ...string) *exec.Cmd { return exec.Command(argv[0], argv[1:]...) }

// observed runs a program under the helper, whose events go nowhere.
func observed(b *testing.B, helper string) func(argv ...string) *exec.Cmd {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { null.Close() })
	return func(argv ...string) *exec.Cmd {
		cmd := exec.Command(proc.Self(), argv...)
		cmd.Env = append(os.Environ(), helperEnv+"="+helper)
		cmd.ExtraFiles = []*os.File{null}
		return cmd
	}
}

// BenchmarkSlowdown: what observing costs a program that does not communicate, and
// what strace takes for the same calls.
func BenchmarkSlowdown(b *testing.B) {
	needTracing(b, Options{Calls: true})
	for _, what := range []string{"compute", "calls", "files"} {
		b.Run(what, func(b *testing.B) {
			ways := []func(argv ...string) *exec.Cmd{plain, observed(b, "supervise"), observed(b, "supervise-calls")}
			if _, err := exec.LookPath("strace"); err == nil {
				ways = append(ways, strace("-f", "--seccomp-bpf"), strace("-f", "-y", "--seccomp-bpf"))
			}
			m := measure(b, ways...)(compiled(b, "busy"), what)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(100*(m[1]/m[0]-1), "%slower")
			b.ReportMetric(100*(m[2]/m[0]-1), "%slower-with-calls")
			if len(m) > 3 {
				b.ReportMetric(100*(m[3]/m[0]-1), "%slower-strace-bpf")
				b.ReportMetric(100*(m[4]/m[0]-1), "%slower-strace-bpf-y")
			}
		})
	}
}

// straceCalls are those of our table that the programs make, and the rest of their
// kind.
const straceCalls = "trace=open,openat,pipe,pipe2,socketpair,read,write,close,dup,dup2,dup3,kill,tgkill,wait4,waitid,rt_sigaction,rt_sigprocmask,futex,mmap"

// strace is a way to run a program under strace, which shows such calls.
func strace(options ...string) func(argv ...string) *exec.Cmd {
	return func(argv ...string) *exec.Cmd {
		return exec.Command("strace", slices.Concat(options, []string{"-o", os.DevNull, "-e", straceCalls, "--"}, argv)...)
	}
}

// BenchmarkPingPong: the cost of observing every call of a program that does
// nothing but communicate, beside what strace takes for it in the same minute.
func BenchmarkPingPong(b *testing.B) {
	needTracing(b, Options{Calls: true})
	ways := []func(argv ...string) *exec.Cmd{plain, observed(b, "supervise"), observed(b, "supervise-calls")}
	if _, err := exec.LookPath("strace"); err == nil {
		ways = append(ways, strace("-f"), strace("-f", "--seccomp-bpf"), strace("-f", "-y", "--seccomp-bpf"))
	} else {
		b.Log("strace is not here to compare with")
	}
	m := measure(b, ways...)(compiled(b, "pingpong"), "300")
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(m[0]/1e3, "µs-plain")
	b.ReportMetric(m[1]/m[0], "×events")
	b.ReportMetric(m[2]/m[0], "×calls")
	if len(m) > 3 {
		b.ReportMetric(m[3]/m[0], "×strace")
		b.ReportMetric(m[4]/m[0], "×strace-bpf")
		b.ReportMetric(m[5]/m[0], "×strace-bpf-y")
		b.ReportMetric(m[3]/m[2], "strace/ours")
	}
}
