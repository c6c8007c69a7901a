//go:build linux

package sandbox

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"ipcrun/engine/proc"
	"ipcrun/engine/sandbox/refuse"
)

func init() {
	// probe THINGS: what a machine says that refuses them.
	registerHelper("probe", func(args []string) {
		if args[0] != "" {
			if err := refuse.Apply(strings.Split(args[0], ",")...); err != nil {
				panic(err)
			}
		}
		if err := json.NewEncoder(os.Stdout).Encode(Probe()); err != nil {
			panic(err)
		}
	})
}

// probeRefused is what Probe says where things are refused.
func probeRefused(t *testing.T, things string) *Machine {
	t.Helper()
	cmd := exec.Command(proc.Self(), things)
	cmd.Env = append(os.Environ(), helperEnv+"=probe")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("refused %s: %v", things, err)
	}
	m := &Machine{}
	if err := json.Unmarshal(out, m); err != nil {
		t.Fatal(err)
	}
	return m
}

// allowed fails unless a finding is there and says so.
func (m *Machine) allowed(t *testing.T, name string, want bool) {
	t.Helper()
	f := m.Find(name)
	if f == nil {
		t.Fatalf("there is no finding %q", name)
	}
	if f.Allowed != want {
		t.Errorf("%s: allowed %v: %s", name, f.Allowed, f.Reason)
	}
}

// TestProbe: it starts nothing that stays, and every finding says why and what
// follows.
func TestProbe(t *testing.T) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	m := Probe(func() Finding { return Finding{Name: "asked by somebody else"} })
	if !m.Able() {
		t.Error("the tests run, and ipcrun cannot?")
	}
	seen := map[string]bool{"asked by somebody else": true}
	for _, f := range m.Findings {
		if f.Name == "asked by somebody else" {
			continue
		}
		if seen[f.Name] {
			t.Errorf("%s is found twice", f.Name)
		}
		seen[f.Name] = true
		for _, text := range []string{f.Reason, f.Follows} {
			if !strings.HasSuffix(text, ".") || strings.HasSuffix(text, "..") {
				t.Errorf("%s: no sentence: %q", f.Name, text)
			}
		}
	}
	if m.Find("asked by somebody else") == nil {
		t.Error("a question of somebody else's was not asked")
	}
	if after, err := os.ReadFile("/proc/self/mountinfo"); err != nil || string(after) != string(mounts) {
		t.Errorf("the mounts are others now: %v", err)
	}
	if m.Spaces.Has(PID) != m.Find("PID namespace").Allowed && m.Find("fresh /proc") == nil {
		t.Errorf("namespaces are %v, and the finding says otherwise", m.Spaces)
	}
}

// TestProbeRefused: what is refused is found, and so is why; the rest is as
// it is without.
func TestProbeRefused(t *testing.T) {
	here := probeRefused(t, "")
	if f := here.Find("seccomp filter"); !f.Allowed {
		t.Skip("nothing can be refused without a filter: " + f.Reason)
	}
	for _, test := range []struct {
		refuse string
		gone   []string
	}{
		{"namespaces", []string{"user namespace", "PID namespace", "IPC namespace", "mount namespace", "network namespace",
			"private /dev/shm", "private /tmp", "read-only files"}},
		{"pid-namespace", []string{"PID namespace"}},
		{"network-namespace", []string{"network namespace"}},
		{"mount", []string{"fresh /proc", "mount namespace", "private /dev/shm", "private /tmp", "read-only files"}},
		{"landlock", []string{"landlock"}},
		{"seccomp", []string{"seccomp filter"}},
		{"mqueue", []string{"POSIX message queues"}},
		{"mqueue-denied", []string{"POSIX message queues"}},
		{"sysv", []string{"System V IPC"}},
		{"sysv-denied", []string{"System V IPC"}},
		{"pidfd", []string{"pidfd"}},
	} {
		t.Run(test.refuse, func(t *testing.T) {
			m := probeRefused(t, test.refuse)
			for _, name := range test.gone {
				m.allowed(t, name, false)
			}
			gone := strings.Join(test.gone, ",")
			for _, f := range here.Findings {
				// Findings of their own go with others: no PID, no fresh /proc;
				// and what bounds the processes of root is a namespace.
				switch {
				case strings.Contains(gone, f.Name), f.Name == "fresh /proc", f.Name == "exit status by pidfd", f.Name == "user namespace", f.Name == "limit on processes":
				case m.Find(f.Name) == nil:
					t.Errorf("%s: nothing is said", f.Name)
				default:
					m.allowed(t, f.Name, f.Allowed)
				}
			}
			switch test.refuse {
			case "namespaces":
				if m.Spaces != 0 || m.OwnPids || m.PrivateShm || m.PrivateTmp || m.ReadOnly || m.Mqueue {
					t.Errorf("%+v", m)
				}
				if f := m.Find("PID namespace"); !strings.Contains(f.Reason, "EPERM") || !strings.Contains(f.Reason, "seccomp filter is in force") {
					t.Errorf("the reason: %s", f.Reason)
				}
			case "pid-namespace", "mount":
				if m.Spaces.Has(PID) {
					t.Errorf("a PID namespace would be used: %v", m.Spaces)
				}
			case "landlock":
				if m.Landlock != 0 {
					t.Errorf("landlock %d", m.Landlock)
				}
			case "pidfd":
				if m.Able() {
					t.Error("it says that it can run")
				}
			}
		})
	}
}
