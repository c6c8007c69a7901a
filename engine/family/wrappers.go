package family

import (
	"path"
	"slices"
	"strings"
)

// shells run commands one after the other, and programs as well.
var shells = []string{"sh", "dash", "bash", "rbash", "ash", "ksh", "ksh93", "mksh", "zsh", "yash", "busybox", "fish"}

// launchers do nothing of their own but to start another program and wait for it.
var launchers = []string{
	"timeout", "env", "nice", "nohup", "stdbuf", "setsid", "time", "ionice", "chrt", "taskset", "setpriv", "runuser", "su", "sudo",
	"unshare", "prlimit", "strace", "ltrace", "valgrind", "script", "flock", "unbuffer", "tini", "dumb-init", "catchsegv", "faketime",
	"make", "gmake", "ninja", "npm", "npx", "yarn", "uv", "poetry", "pipenv", "cargo", "go",
}

// helpers of runtimes are children that no scenario means; their own children
// count as those of who uses them.
var (
	trackers = []string{"multiprocessing.resource_tracker"}
	servers  = []string{"multiprocessing.forkserver"}
)

func base(m *Member) string {
	b := path.Base(m.Exe)
	if m.Exe == "" {
		b = m.Name
	}
	return strings.TrimSuffix(b, " (deleted)")
}

func (m *Member) isShell() bool    { return slices.Contains(shells, base(m)) }
func (m *Member) isLauncher() bool { return slices.Contains(launchers, base(m)) }

func (m *Member) argvHas(words []string) bool {
	for _, a := range m.Argv {
		for _, w := range words {
			if strings.Contains(a, w) {
				return true
			}
		}
	}
	return false
}

// isServer: a process that forks on behalf of its parent.
func (m *Member) isServer() bool  { return !m.Cloned && m.argvHas(servers) }
func (m *Member) isTracker() bool { return !m.Cloned && m.argvHas(trackers) }

const (
	sigint  = 2
	sigquit = 3
	sigchld = 17
)

// traps: a shell handles signals beside those that it needs for itself, so it is
// a program.
func (m *Member) traps() bool {
	const own = 1<<(sigint-1) | 1<<(sigchld-1)
	return m.Catches&^own != 0
}

// background: a shell has started it with &, so its input is nothing, and SIGINT
// and SIGQUIT are ignored (POSIX, Shell Command Language 2.11). The latter tells only
// where the input cannot: a program in the foreground may ignore the two by itself.
func (m *Member) background(shell *Member) bool {
	const keys = 1<<(sigint-1) | 1<<(sigquit-1)
	if m.In != "/dev/null" {
		return false
	}
	return shell.In != "/dev/null" || m.Ignores&^shell.Ignores&keys == keys
}

// substitution: a shell reads what it prints, as in $(…).
func (m *Member) substitution(shell *Member) bool {
	return strings.HasPrefix(m.Out, "pipe:") && m.Out != shell.Out
}

// standsFor follows the wrappers from a process to the program that it is there
// for, itself if it is no wrapper. taken says which processes are declared ones of
// their own.
func standsFor(m *Member, taken func(*Member) bool) *Member {
	for range 32 {
		next := m.runs(taken)
		if next == nil {
			break
		}
		m = next
	}
	return m
}

// runs is the one process that a wrapper runs now, nil if it is none.
func (m *Member) runs(taken func(*Member) bool) *Member {
	shell := m.isShell()
	if m.Ended || !shell && !m.isLauncher() || shell && m.traps() {
		return nil
	}
	var last *Member
	for _, k := range m.kids() {
		if k.Cloned && !k.settled || k.unseen && !k.Ended {
			continue // what it reads and executes is still to be arranged, or to be looked at
		}
		if k.Gone || k.Ended && shell || taken(k) || shell && (k.background(m) || k.substitution(m)) {
			continue
		}
		if last != nil && !k.Ended && !last.Ended {
			return nil // several at once: a pipeline
		}
		last = k
	}
	return last
}

// heir is whom a process that has ended left behind, if it is exactly one: a
// daemon forks twice and keeps the second.
func (m *Member) heir() *Member {
	if !m.Ended {
		return nil
	}
	var heir *Member
	for _, k := range m.Kids {
		if k.Ended {
			continue
		}
		if heir != nil || !k.Cloned {
			return nil
		}
		heir = k
	}
	return heir
}
