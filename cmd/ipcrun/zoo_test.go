package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// animal is a program that does not behave, and how it ends. It is one of those
// of engine/sandbox/testdata/zoo.c.
type animal struct {
	name  string
	does  string // its name in the zoo, if that is another
	keys  string // further ones of its process
	args  string // further ones of its own
	check string // what the script asserts of it after its end
	steps string // instead of waiting for its end
	// until is the limit of a scenario that is to run into it; none: 2s. It is longer
	// where the report is to speak of what the program has to have done by then.
	until string
	// ends is the verdict, says what the report must say.
	ends, says string
}

var zooAnimals = []animal{
	{name: "bomb", keys: "limits: {processes: 30}", check: `p.exit_signal == "SIGKILL"`, ends: "pass", says: "beyond a limit: it has more than 30 processes"},
	{name: "hop-session", check: "p.exit_code == 0", ends: "pass"},
	{name: "escape", check: "p.exit_code == 3", ends: "pass"},
	{name: "hydra", until: "6s", ends: "timeout", says: `p  (waits for a child to end|runs|is blocked in the kernel), and ignores`},
	{name: "awake", ends: "timeout", says: `p  (sleeps|runs|is blocked in the kernel)`},
	{name: "deaf", until: "6s", ends: "timeout", says: `p  (sleeps|runs|is blocked in the kernel), and ignores SIGHUP, SIGINT, SIGQUIT, SIGTERM`},
	{name: "stop", ends: "fail", says: `p  is stopped, and nobody sends SIGCONT`},
	{name: "freeze-group", ends: "fail", says: `p  is stopped, and nobody sends SIGCONT`},
	{name: "eat", keys: "limits: {memory: 64MiB}", check: `p.exit_code == 7`, ends: "pass", says: "denied after 6"},
	{name: "fill", args: ", /tmp/ipcrun-zoo-big", keys: "limits: {output: 1MiB}", check: `p.exit_signal == "SIGXFSZ"`, ends: "pass", says: "a file of it grew beyond 1 MiB"},
	{name: "spin", keys: "limits: {cpu: 1s}", check: `p.exit_signal == "SIGXCPU"`, ends: "pass", says: "it used more than 1s of CPU time"},
	{name: "assassin", check: `p.exit_code == 9 and last(p.lines) == "alive"`, ends: "pass"},
	{name: "siblings", check: `p.lines == ["killed 3"]`, ends: "pass"},
	{name: "kill-parent", ends: "timeout", says: `p  (sleeps|runs|is blocked in the kernel)`},
	{name: "stop-parent", ends: "timeout", says: `p  (sleeps|runs|is blocked in the kernel)`},
	{name: "flood", keys: "limits: {output: 64KiB}", check: `p.exit_signal == "SIGKILL" and len(p.output) == 65536`, ends: "pass", says: "it has printed more than 65536 bytes"},
	{name: "flood-errors", keys: "limits: {output: 64KiB}, terminal: false", check: `p.exit_signal == "SIGKILL" and len(p.errors) == 65536`, ends: "pass", says: "it has printed more than 65536 bytes"},
	{name: "flood-child", keys: "limits: {output: 64KiB}, terminal: false", check: `p.exit_signal == "SIGKILL" and len(p.output) == 65536`, ends: "pass", says: "it has printed more than 65536 bytes"},
	{name: "long-line", keys: "limits: {output: 64KiB}", check: `p.exit_signal == "SIGKILL" and len(p.output) == 65536`, ends: "pass", says: "it has printed more than 65536 bytes"},
	{name: "homeless", check: `p.lines == ["No such file or directory"]`, keys: "cwd: /tmp", ends: "pass"},
	{name: "closes", ends: "timeout", says: `p  (sleeps|runs|is blocked in the kernel)`},
	{name: "other", ends: "timeout", says: `p  (sleeps|runs|is blocked in the kernel)`},
	{name: "terminal", check: `p.lines == ["raw"]`, ends: "pass"},
	{name: "hoard", keys: "limits: {files: 64}", check: `p.lines == ["61: Too many open files"]`, ends: "pass"},
	{name: "escapes", check: `p.output == "\x1b[2J\x1b[1;31mred\x1b]0;title\a\x1b[?1049h\x1bc\r\b\n"`, ends: "pass"},
	{name: "fires", check: `p.lines == ["bye"]`, ends: "pass"},
	{name: "holder", check: `p.lines == ["gone"]`, ends: "pass"},
	{name: "holder-heard", does: "holder", steps: "  - {expect: never, from: p, timeout: 60s}\n", until: "6s", ends: "timeout", says: `p  has ended, but process \d+, which it has left behind, lives on`},
	{name: "kill-watcher", does: "kill-parent", keys: "contain: false", ends: "fail", says: "Something, most likely the program itself, has killed it"},
	{name: "stop-watcher", does: "stop-parent", keys: "contain: false, terminal: false", ends: "fail", says: "Something, most likely the program itself, has stopped it"},
	{name: "objects", steps: "  - wait: p\n  - no_leaked_ipc\n", ends: "fail", says: "System V queue key 0x1234"},
}

// scenario is what an animal is run by.
func (a *animal) scenario(zoo string) string {
	keys := ""
	if a.keys != "" {
		keys = ", " + a.keys
	}
	check, timeout := "", "120s"
	if a.check != "" {
		check = "  - assert: '" + a.check + "'\n"
	}
	if a.ends == "timeout" {
		timeout = cmp.Or(a.until, "2s")
	}
	does, steps := a.name, "  - wait: p\n"+check
	if a.does != "" {
		does = a.does
	}
	if a.steps != "" {
		steps = a.steps
	}
	return fmt.Sprintf("name: zoo %s\ntimeout: %s\nprocesses:\n  p: {run: [%q, %s%s]%s}\nsteps:\n%s", a.name, timeout, zoo, does, a.args, keys, steps)
}

// well is the scenario that comes after each of them, and must not notice.
const well = `
name: well %s
timeout: 60s
primitives: {gate: lock, total: {value: i}}
processes:
  p: {run: "echo well; exit 4"}
  adds[2]: {steps: [{repeat: 20, do: [{with: gate, do: [{add: total}]}]}]}
steps:
  - wait: adds
  - wait: p
  - assert: total.value == 40 and p.lines == ["well"] and p.exit_code == 4
`

// TestZoo: programs that do their worst end within their deadlines, for the
// reason that the report names; the scenario that comes next does not notice, and
// nothing is left: no process, no object, no file. So it is where the kernel
// refuses what ipcrun would like to hold them with, too.
func TestZoo(t *testing.T) {
	t.Parallel()
	zoo := filepath.Join(t.TempDir(), "zoo-of-ipcrun")
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skipf("the programs are written in C, and there is no gcc: %v", err)
	}
	if out, err := exec.Command(gcc, "-w", "-O1", "-o", zoo, "../../engine/sandbox/testdata/zoo.c", "-lrt", "-pthread").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for k, refused := range []string{"", "ptrace", "landlock", "namespaces", "ptrace,namespaces,landlock"} {
		t.Run("without "+refused, func(t *testing.T) {
			t.Parallel()
			dir, tmp := t.TempDir(), t.TempDir()
			// A copy of its own: by it its processes are known.
			zoo := copied(t, zoo, dir)
			args := []string{"ipcrun", "run", "--format", "plain", "-v", "--show-output", "all"}
			var in []animal
			for i, a := range zooAnimals {
				if (refused != "" || testing.Short()) && i%4 != k%4 && os.Getenv("IPCRUN_TEST_LONG") == "" {
					continue
				}
				if strings.Contains(refused, "namespaces") {
					switch a.name {
					case "objects": // they would stay
						continue
					case "bomb":
						// Thousands are there before anybody can count them, and it may take
						// minutes until somebody else than they has a processor.
						if os.Getenv("IPCRUN_TEST_LONG") == "" {
							continue
						}
					case "fill":
						a.args = fmt.Sprintf(", %q", tmp+"/ipcrun-zoo-big")
					}
				}
				in = append(in, a)
				for j, text := range []string{a.scenario(zoo), fmt.Sprintf(well, a.name)} {
					name := filepath.Join(dir, fmt.Sprintf("%02d%d.yaml", i, j))
					if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
					args = append(args, name)
				}
			}
			if refused != "" {
				args = append([]string{"refused", refused}, args...)
			}
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
			out, _ := cmd.CombinedOutput()
			for _, a := range in {
				a.judge(t, string(out))
			}
			nothingLeft(t, zoo, tmp)
		})
	}
}

// zooHead is the line of a scenario: its verdict, its name, how long it took.
var zooHead = regexp.MustCompile(`(?m)^(pass|fail|timeout|error|skip)  ((?:zoo|well) [\w-]+)(?:: .*\(|  \S+  )([\d.]+m?s)\b.*$`)

func copied(t *testing.T, file, dir string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, filepath.Base(file))
	if err := os.WriteFile(to, b, 0o755); err != nil {
		t.Fatal(err)
	}
	return to
}

// judge reads what a report says of an animal, and of what came after it.
func (a *animal) judge(t *testing.T, report string) {
	t.Helper()
	block := func(name string) (verdict, text string, took time.Duration) {
		heads := zooHead.FindAllStringSubmatchIndex(report, -1)
		for i, at := range heads {
			if report[at[4]:at[5]] != name {
				continue
			}
			// Between the line before and the one after stand its events, its line
			// and what belongs to it.
			from, to := 0, len(report)
			if i > 0 {
				from = heads[i-1][1]
			}
			if i+1 < len(heads) {
				to = heads[i+1][0]
			}
			took, _ = time.ParseDuration(report[at[6]:at[7]])
			return report[at[2]:at[3]], report[from:to], took
		}
		return "no report", "", 0
	}
	verdict, text, took := block("zoo " + a.name)
	switch {
	case verdict != a.ends:
		t.Errorf("%s: %s, not %s:\n%s", a.name, verdict, a.ends, text)
	case took > 3*time.Minute: // whoever else uses this machine
		t.Errorf("%s: it took %v", a.name, took)
	case !regexp.MustCompile(a.says).MatchString(text):
		t.Errorf("%s: no %q in\n%s", a.name, a.says, text)
	}
	if strings.Contains(text, "\x1b") {
		t.Errorf("%s: its escape sequences reach whoever reads the report", a.name)
	}
	if verdict, text, _ := block("well " + a.name); verdict != "pass" {
		t.Errorf("after %s: %s\n%s", a.name, verdict, text)
	}
}

// nothingLeft looks for what an animal may have left behind.
func nothingLeft(t *testing.T, zoo, tmp string) {
	t.Helper()
	exes, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, exe := range exes {
		if to, err := os.Readlink(exe); err == nil && strings.HasPrefix(to, zoo) {
			t.Errorf("%s lives on", exe)
		}
	}
	left, err := filepath.Glob("/dev/shm/*ipcrun-zoo*")
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	if list, err := os.ReadDir(tmp); err != nil || len(list) > 1 || len(list) == 1 && list[0].Name() != "ipcrun-zoo-big" {
		t.Errorf("left in its directory: %v, %v", list, err)
	}
}
