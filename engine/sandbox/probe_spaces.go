//go:build linux

package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// nobody is the user that root asks on behalf of.
const nobody = 65534

// probeSpaces tries namespaces: all at once, and one by one if that fails.
func (m *Machine) probeSpaces() {
	base := Spaces(0)
	if !capable(unix.CAP_SYS_ADMIN) {
		base = User
	}
	want := base | PID | IPC | Mount | Network
	t := try(want, nil)
	refused := map[Spaces]error{}
	if t.start != nil {
		var all error
		if base != 0 {
			if all = try(base, nil).start; all != nil {
				refused[User] = all
			}
		}
		got := base
		for _, s := range []Spaces{PID, IPC, Mount, Network} {
			err := all
			if err == nil {
				err = try(base|s, nil).start
			}
			if err != nil {
				refused[s] = err
			} else {
				got |= s
			}
		}
		t = &tried{steps: map[string]error{}}
		if all == nil && got != base {
			t = try(got, nil)
		}
		want = got
	}
	m.judgeSpaces(base, want, refused, t)
}

// judgeSpaces turns what was tried into findings.
func (m *Machine) judgeSpaces(base, got Spaces, refused map[Spaces]error, t *tried) {
	m.judgeUser(base, refused[User])
	use := Spaces(0)

	apart := firstOf(refused[Mount], t.of("apart"))
	if apart == nil {
		use |= Mount
	}
	fresh := firstOf(refused[PID], apart, t.of("proc"))
	if fresh == nil {
		use |= PID
	}
	switch {
	case fresh == nil:
		m.add(
			Finding{Name: "PID namespace", Allowed: true, Reason: "A process can be the first one of a namespace of its own.",
				Follows: "A program sees and signals only processes of its own, and all of them end with it, by the kernel's hand."},
			Finding{Name: "fresh /proc", Allowed: true, Reason: "The process file system of the new namespace can be mounted.",
				Follows: "A program finds itself in /proc under the numbers it knows."})
	case refused[PID] != nil:
		m.add(Finding{Name: "PID namespace", Reason: becauseSpace("A new PID namespace", refused[PID]),
			Follows: "A program is held by its supervisor, its session and its limits; what it leaves is hunted down."})
	default:
		m.add(
			Finding{Name: "PID namespace", Allowed: true, Reason: "A process can be the first one of a namespace of its own.",
				Follows: "It is not used, because /proc would show other numbers than those the program knows."},
			Finding{Name: "fresh /proc", Reason: becauseSpace("Mounting /proc in a new PID namespace", fresh),
				Follows: "A program gets no PID namespace: it is held by its supervisor, its session and its limits."})
	}

	if err := firstOf(refused[IPC], t.start); err == nil {
		use |= IPC
		m.Mqueue = apart == nil && t.of("mqueue") == nil
		m.add(Finding{Name: "IPC namespace", Allowed: true, Reason: "System V objects and POSIX message queues can be a program's own.",
			Follows: "Names never clash with those of other programs, and what is left over ends with the run."})
	} else {
		m.add(Finding{Name: "IPC namespace", Reason: becauseSpace("A new IPC namespace", err),
			Follows: "Programs share keys and names with everybody; what they leave there stays; no_leaked_ipc finds it."})
	}

	if apart == nil {
		m.add(Finding{Name: "mount namespace", Allowed: true, Reason: "Mounts can be a program's own.",
			Follows: "What is mounted for a program is seen by nobody else and ends with it."})
	} else {
		m.add(Finding{Name: "mount namespace", Reason: becauseSpace("A new mount namespace", apart),
			Follows: "A program shares /tmp and /dev/shm with everybody; landlock has to keep its hands off other files."})
	}
	m.PrivateShm = m.private("private /dev/shm", apart, t.of("shm"), "Shared memory and named semaphores are a program's own.",
		"Files in /dev/shm are found by owner and time.")
	m.PrivateTmp = m.private("private /tmp", apart, t.of("tmp"), "Temporary files are a program's own and end with it.",
		"A program's temporary files stay unless it removes them.")
	m.ReadOnly = m.private("read-only files", apart, t.of("read-only"), "A program can write where it was told to, and nowhere else.",
		"Landlock has to keep a program from writing elsewhere.")

	if err := firstOf(refused[Network], t.of("loopback")); err == nil {
		use |= Network
		m.add(Finding{Name: "network namespace", Allowed: true, Reason: "A network with nothing but a loopback interface can be made.",
			Follows: "A program reaches itself and its like, and nothing outside."})
	} else {
		m.add(Finding{Name: "network namespace", Reason: becauseSpace("A new network namespace", err),
			Follows: "A program has the network of whoever runs ipcrun, ports included."})
	}

	if use&^User != 0 {
		use |= base & got
		m.Spaces = use
	}
	m.OwnPids = use.Has(PID) && t.of("pids") == nil
}

func (m *Machine) private(name string, apart, err error, then, otherwise string) bool {
	if err = firstOf(apart, err); err != nil {
		m.add(Finding{Name: name, Reason: becauseSpace("Mounting it", err), Follows: otherwise})
		return false
	}
	m.add(Finding{Name: name, Allowed: true, Reason: "It can be mounted in a namespace of its own.", Follows: then})
	return true
}

// judgeUser speaks of user namespaces, which others than root need for all the
// rest. Root tries them on behalf of others.
func (m *Machine) judgeUser(base Spaces, err error) {
	f := Finding{Name: "user namespace"}
	switch {
	case base == 0 && m.Root:
		f.Reason = "Root needs none."
		if err := try(User|PID|IPC|Mount|Network, &syscall.Credential{Uid: nobody, Gid: nobody}).start; err != nil {
			f.Reason += " " + becauseSpace("For other users one", err)
			f.Follows = "Run by another user, ipcrun holds programs by supervisor, session and limits alone."
		} else {
			f.Allowed = true
			f.Reason += " Other users can have one."
			f.Follows = "Run by another user, ipcrun gives programs the other namespaces, too."
		}
	case base == 0:
		f.Allowed = true
		f.Reason = "This user has the capability to do without (CAP_SYS_ADMIN)."
		f.Follows = "Programs get the other namespaces without it."
	case err != nil:
		f.Reason = becauseSpace("A new user namespace", err)
		f.Follows = "Programs get no namespaces: they are held by supervisor, session and limits."
	default:
		f.Allowed = true
		f.Reason = fmt.Sprintf("A new one, in which user %d stays %[1]d, can be made without privileges.", os.Getuid())
		f.Follows = "Programs get the other namespaces inside of it, and no capability."
	}
	m.add(f)
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// becauseSpace looks for the switch behind a refusal.
func becauseSpace(what string, err error) string {
	text := because(what+" is refused", err)
	switch errno := errnoOf(err); {
	case errno == unix.ENOSPC && sysctl("user/max_user_namespaces") == 0:
		text += " The switch is user.max_user_namespaces, which is 0."
	case errno != unix.EPERM && errno != unix.EACCES || os.Geteuid() == 0 && capable(unix.CAP_SYS_ADMIN) && !filtered():
	case sysctl("kernel/unprivileged_userns_clone") == 0:
		text += " The switch is kernel.unprivileged_userns_clone, which is 0."
	case sysctl("kernel/apparmor_restrict_unprivileged_userns") == 1:
		text += " The switch is kernel.apparmor_restrict_unprivileged_userns, which is 1."
	case filtered():
		text += " A seccomp filter is in force, as in most containers."
	}
	return text
}

// sysctl reads a number below /proc/sys, -1 if there is none.
func sysctl(name string) int {
	text, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return -1
	}
	return n
}

// filtered reports whether a seccomp filter is in force for this process.
func filtered() bool {
	text, err := os.ReadFile("/proc/self/status")
	return err == nil && strings.Contains(string(text), "\nSeccomp:\t2")
}
