package family

import (
	"strings"
	"testing"
)

// tale is a family told in a few words, as a real machine had it. Each line is one
// process of a look:
//
//	PID PPID EXE [flags] : COMMAND LINE
//
// A blank line ends a look. Flags: L=n the address space, z zombie, r running,
// in=X and out=X where its streams lead to (tty if not given), c=n caught and
// i=n ignored signals.
type tale struct {
	*Finder
	t     *testing.T
	start map[string]uint64
	ticks uint64
}

const program = 1001

func tell(t *testing.T, match *Match, wants ...Want) *tale {
	return &tale{Finder: NewFinder(New(program), match, wants), t: t, start: map[string]uint64{}}
}

// look is one or more looks; it returns what the last Resolve said.
func (x *tale) look(text string) (changes []Change, doubts []Ambiguity) {
	x.t.Helper()
	for _, one := range strings.Split(strings.TrimSpace(text), "\n\n") {
		var all []Sight
		for _, line := range strings.Split(one, "\n") {
			head, argv, _ := strings.Cut(strings.TrimSpace(line)+" ", " : ")
			w := strings.Fields(head)
			s := Sight{State: 'S', Argv: strings.Fields(argv), In: "/dev/pts/1", Out: "/dev/pts/1"}
			s.Pid, s.Ppid, s.Exe = number(w[0]), number(w[1]), "/usr/bin/"+w[2]
			s.Name = w[2]
			key := w[0]
			for _, f := range w[3:] {
				name, v, _ := strings.Cut(f, "=")
				switch name {
				case "L":
					s.Layout = uint64(number(v))
				case "z":
					s.State, s.Exe, s.Argv, s.In, s.Out = 'Z', "", nil, "", ""
				case "r":
					s.State = 'R'
				case "blurred":
					s.Blurred = true
				case "in":
					s.In = v
				case "out":
					s.Out = v
				case "c":
					s.Catches = uint64(number(v))
				case "i":
					s.Ignores = uint64(number(v))
				case "new": // its pid is used again
					key += v
				default:
					x.t.Fatalf("flag %q", f)
				}
			}
			if x.start[key] == 0 {
				x.ticks++
				x.start[key] = x.ticks
			}
			s.Start = x.start[key]
			all = append(all, s)
		}
		x.Family.Look(all)
		changes, doubts = x.Resolve()
	}
	return changes, doubts
}

func number(s string) int {
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n
}

// means checks what the program's name and those of the wants mean, 0: nobody.
func (x *tale) means(program int, wants ...int) {
	x.t.Helper()
	pid := func(m *Member) int {
		if m == nil {
			return 0
		}
		return m.Pid
	}
	if m, _, _ := x.Real(); pid(m) != program {
		x.t.Errorf("the program is %d, want %d", pid(m), program)
	}
	i := 0
	for w := range x.wants {
		for k := range x.bound[w] {
			if got := pid(x.Bound(w, k)); got != wants[i] {
				x.t.Errorf("want %d[%d] is %d, want %d", w, k, got, wants[i])
			}
			i++
		}
	}
}

func command(text string) *Match {
	return &Match{Command: func(line string) bool { return strings.Contains(line, text) }}
}

var child = Want{Parent: -1, Count: 1}

// TestPlainFork: a child that stays what its parent is, once it has settled.
func TestPlainFork(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`1001 1000 python3 L=1 : python3 driver.py`)
	x.means(1001, 0)
	x.look(`
1001 1000 python3 L=1 : python3 driver.py
1002 1001 python3 L=1 r : python3 driver.py`)
	x.means(1001, 0)
	x.look(`
1001 1000 python3 L=1 : python3 driver.py
1002 1001 python3 L=1 r c=7 : python3 driver.py`)
	x.means(1001, 1002)
	// It keeps its name when it ends, and when its parent has.
	x.look(`
1001 1000 python3 L=1 : python3 driver.py
1002 1001 python3 L=1 z :

1001 1000 python3 L=1 z :`)
	x.means(1001, 1002)
}

// TestShim is a version manager in bash as it was seen: dozens of processes whose
// output is read, then an exec of what was meant. None of them gets the name.
func TestShim(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 env L=1 : /usr/bin/env bash /shims/python3 driver.py

1001 1000 bash L=2 : bash /shims/python3 driver.py

1001 1000 bash L=3 : bash /libexec/pyenv exec python3 driver.py
1003 1001 bash L=3 out=pipe:[11] : bash /libexec/pyenv exec python3 driver.py
1004 1003 bash L=3 out=pipe:[11] : bash /libexec/pyenv exec python3 driver.py`)
	x.means(1001, 0)
	for i := range 40 {
		pid := string(rune('0'+i/10)) + string(rune('0'+i%10))
		x.look(`
1001 1000 bash L=4 : bash /libexec/pyenv-exec python3 driver.py
11` + pid + ` 1001 bash L=5 out=pipe:[3280602] : bash /libexec/pyenv-version-name -f
12` + pid + ` 11` + pid + ` bash L=6 out=pipe:[3280642] : bash /libexec/pyenv-version-file
13` + pid + ` 11` + pid + ` bash z :`)
		x.means(1001, 0)
	}
	x.look(`
1001 1000 python3.11 L=7 : /versions/bin/python3 driver.py
1140 1001 bash z :

1001 1000 python3.11 L=7 : /versions/bin/python3 driver.py
1500 1001 python3.11 L=7 : /versions/bin/python3 driver.py`)
	x.means(1001, 1500)
}

// TestHelperDoesNotKeepTheName: what a process forked before its latest exec was a
// helper of what it was.
func TestHelperDoesNotKeepTheName(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 launch L=1 : ./launch
1002 1001 launch L=1 : ./launch`)
	x.means(1001, 1002)
	c, _ := x.look(`
1001 1000 driver L=2 : ./driver
1002 1001 launch L=1 : ./launch`)
	x.means(1001, 0)
	if len(c) != 1 || c[0].Member != nil {
		t.Errorf("%+v", c)
	}
	x.look(`
1001 1000 driver L=2 : ./driver
1002 1001 launch L=1 : ./launch
1003 1001 driver L=2 : ./driver`)
	x.means(1001, 1003)
}

// TestShellAround: sh -c "python3 driver.py; true" is python3, and stays it when
// the shell runs something else.
func TestShellAround(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 sh L=1 : /bin/sh -c python3 driver.py; rm x
1002 1001 sh L=1 r : /bin/sh -c python3 driver.py; rm x

1001 1000 sh L=1 : /bin/sh -c python3 driver.py; rm x
1002 1001 python3 L=2 c=2 : python3 driver.py`)
	x.means(1002, 0)
	x.look(`
1001 1000 sh L=1 : /bin/sh -c python3 driver.py; rm x
1002 1001 python3 L=2 c=2 : python3 driver.py
1003 1002 python3 L=2 c=2 : python3 driver.py

1001 1000 sh L=1 : /bin/sh -c python3 driver.py; rm x
1004 1001 rm L=3 : rm x`)
	x.means(1002, 1003)
	if _, sure, fixed := x.Real(); !sure || !fixed {
		t.Error("the program is in doubt")
	}
}

// TestShellAroundWhoIgnoresKeys: the driver of the exercise ignores what a shell
// lets ignore whom it starts with &.
func TestShellAroundWhoIgnoresKeys(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 dash L=1 c=65538 : sh -c ./driver; true
1002 1001 driver L=2 i=6 : ./driver
1003 1002 driver L=2 : ./driver`)
	x.means(1002, 1003)
	// The other way round where the shell itself reads nothing.
	x = tell(t, nil, child)
	x.look(`
1001 1000 dash L=1 c=65538 in=/dev/null : sh -c 'sleep 9 & wait'
1002 1001 sleep L=2 i=6 in=/dev/null : sleep 9`)
	x.means(1001, 1002)
}

// TestCompilerBefore: cc driver.c && ./driver is the driver, whatever cc started.
func TestCompilerBefore(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 sh L=1 : sh -c cc driver.c && ./driver
1002 1001 cc L=2 : cc driver.c
1003 1002 cc1 L=3 : cc1 driver.c

1001 1000 sh L=1 : sh -c cc driver.c && ./driver
1005 1001 driver L=4 : ./driver
1006 1005 driver L=4 : ./driver`)
	x.means(1005, 1006)
}

// TestLaunchers: each starts the next, by fork or by exec.
func TestLaunchers(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 timeout L=1 c=9 : timeout 5 nice python3 driver.py
1002 1001 timeout L=1 c=9 : timeout 5 nice python3 driver.py`)
	x.means(1002, 0)
	x.look(`
1001 1000 timeout L=1 c=9 : timeout 5 nice python3 driver.py
1002 1001 python3 L=2 c=2 : python3 driver.py
1003 1002 python3 L=2 c=2 : python3 driver.py`)
	x.means(1002, 1003)
	if _, _, fixed := x.Real(); !fixed {
		t.Error("timeout runs nothing else")
	}
}

// TestShellProgram: a shell that traps is the program, what it starts with & its
// child, and sleep neither.
func TestShellProgram(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 bash L=1 c=512 : bash driver.sh
1002 1001 bash L=1 in=/dev/null : bash driver.sh
1003 1001 sleep L=2 : sleep 1`)
	x.means(1001, 1002)
	// Not what a fork of it reads before that was arranged.
	x = tell(t, nil)
	x.look(`
1001 1000 dash L=1 : sh -c sleep 9 & wait
1002 1001 dash L=1 r : sh -c sleep 9 & wait`)
	x.means(1001)
	// Signals come before that.
	x = tell(t, nil)
	x.look(`
1001 1000 bash L=1 c=65538 : bash rude.sh
1002 1001 bash L=1 r c=65536 i=4 : bash rude.sh

1001 1000 bash L=1 c=65538 : bash rude.sh
1002 1001 bash L=1 r c=65536 i=6 : bash rude.sh`)
	x.means(1001)
	// Nor what it executes before its streams were looked at.
	f := x.Family
	f.Observe()
	f.Execed(1002, "/usr/bin/sleep", []string{"sleep", "100"})
	x.Resolve()
	x.means(1001)
	// Without traps as well.
	x = tell(t, nil, child)
	x.look(`
1001 1000 dash L=1 : sh -c sleep 9 & wait
1002 1001 sleep L=2 in=/dev/null : sleep 9`)
	x.means(1001, 1002)
}

// TestForkAndExec: a child that executes something else; not a helper that has
// ended, unless nobody else came.
func TestForkAndExec(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 driver L=1 : ./driver
1002 1001 stty L=2 z :

1001 1000 driver L=1 : ./driver
1003 1001 driver L=1 r : ./driver`)
	x.means(1001, 0)
	x.look(`
1001 1000 driver L=1 : ./driver
1003 1001 conductor L=3 : ./conductor`)
	x.means(1001, 1003)

	x = tell(t, nil, child)
	x.look(`
1001 1000 driver L=1 : ./driver
1002 1001 conductor L=2 z :`)
	x.means(1001, 0)
	x.look(`1001 1000 driver L=1 z :`)
	x.means(1001, 1002)
}

// TestVfork: until it executes something the child has its parent's memory, and its
// parent waits for it.
func TestVfork(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 python3 L=1 r : python3 driver.py
1002 1001 python3 L=1 r : python3 driver.py

1001 1000 python3 L=1 : python3 driver.py
1002 1001 python3 L=5 r : python3 conductor.py`)
	x.means(1001, 0)
	x.look(`
1001 1000 python3 L=1 : python3 driver.py
1002 1001 python3 L=5 : python3 conductor.py`)
	x.means(1001, 1002)
}

// TestDoubleFork: the one in the middle ends at once and passes its name on.
func TestDoubleFork(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 daemon L=1 : ./daemon
1002 1001 daemon L=1 r : ./daemon

1001 1000 daemon L=1 : ./daemon
1002 1001 daemon z :
1003 1000 daemon L=1 : ./daemon`)
	x.means(1001, 1003)
}

// TestGrandchildOutlivesChild: where the grandchild is declared, too, the child is who
// was forked first, though it has left one behind.
func TestGrandchildOutlivesChild(t *testing.T) {
	const first, second = `
1001 1000 daemon L=1 : ./daemon
1002 1001 daemon L=1 : ./daemon
1003 1002 daemon L=1 r : ./daemon

1001 1000 daemon L=1 : ./daemon
1002 1001 daemon z :
1003 1000 daemon L=1 : ./daemon`, `
1001 1000 daemon L=1 : ./daemon
1003 1000 daemon z :`
	x := tell(t, nil, child, Want{Parent: 0, Count: 1})
	x.look(first)
	x.means(1001, 1002, 1003)
	x.look(second)
	x.means(1001, 1002, 1003)
	// Without a name for the grandchild it is a daemon that forks twice.
	x = tell(t, nil, child)
	x.look(first)
	x.means(1001, 1003)
}

// TestTrackerOfPython is a child that no scenario means, and a server of forks forks
// for its parent.
func TestTrackerOfPython(t *testing.T) {
	x := tell(t, nil, child)
	_, doubts := x.look(`
1001 1000 python3 L=1 : python3 driver.py
1002 1001 python3 L=2 : python3 -c from multiprocessing.resource_tracker import main;main(4)
1003 1001 python3 L=3 : python3 -c from multiprocessing.forkserver import main; main(5)
1004 1003 python3 L=3 : python3 -c from multiprocessing.forkserver import main; main(5)`)
	x.means(1001, 1004)
	if doubts != nil {
		t.Errorf("%+v", doubts)
	}
}

// TestDoubt: two at once are named, none is taken.
func TestDoubt(t *testing.T) {
	x := tell(t, nil, child)
	_, doubts := x.look(`
1001 1000 driver L=1 : ./driver
1002 1001 driver L=1 : ./driver
1003 1001 driver L=1 : ./driver`)
	x.means(1001, 0)
	if len(doubts) != 1 || len(doubts[0].Members) != 2 || doubts[0].Members[1].Pid != 1003 {
		t.Errorf("%+v", doubts)
	}
	// The second may come late; one that comes after the end of the first is none.
	x = tell(t, nil, child)
	_, doubts = x.look(`
1001 1000 driver L=1 : ./driver
1002 1001 driver L=1 : ./driver

1001 1000 driver L=1 : ./driver
1002 1001 driver L=1 : ./driver
1003 1001 driver L=1 : ./driver`)
	if len(doubts) != 1 {
		t.Error("a second one at the same time is no doubt")
	}
	x = tell(t, nil, child)
	_, doubts = x.look(`
1001 1000 driver L=1 : ./driver
1002 1001 driver L=1 : ./driver

1001 1000 driver L=1 : ./driver
1002 1001 driver L=1 z :

1001 1000 driver L=1 : ./driver
1003 1001 driver L=1 : ./driver`)
	x.means(1001, 1002)
	if doubts != nil {
		t.Errorf("%+v", doubts)
	}
}

// TestMatch: by command line, by number, by behaviour, and what is left.
func TestMatch(t *testing.T) {
	const family = `
1001 1000 driver L=1 : ./driver
1002 1001 logger L=2 : ./logger
1003 1001 driver L=1 : ./driver
1004 1001 driver L=1 c=1 : ./driver`
	x := tell(t, nil, Want{Parent: -1, Count: 1, Match: command("logger")})
	x.look(family)
	x.means(1001, 1002)
	x = tell(t, nil, Want{Parent: -1, Count: 1, Match: &Match{Order: 2}}, Want{Parent: -1, Count: 1, Match: &Match{Order: 3}})
	x.look(family)
	x.means(1001, 1003, 1004)
	x = tell(t, nil, Want{Parent: -1, Count: 1, Match: &Match{When: func(m *Member) bool { return m.Catches == 1 }}}, child)
	x.look(family)
	x.means(1001, 1004, 1003)
}

// TestArray: in the order of forking, and none before the one that comes before it.
func TestArray(t *testing.T) {
	x := tell(t, nil, Want{Parent: -1, Count: 2})
	x.look(`
1001 1000 driver L=1 : ./driver
1002 1001 driver L=1 r : ./driver
1003 1001 driver L=1 : ./driver`)
	x.means(1001, 0, 0)
	x.look(`
1001 1000 driver L=1 : ./driver
1002 1001 driver L=1 : ./driver
1003 1001 driver L=1 : ./driver`)
	x.means(1001, 1002, 1003)
	_, doubts := x.look(`
1001 1000 driver L=1 : ./driver
1002 1001 driver L=1 : ./driver
1003 1001 driver L=1 : ./driver
1004 1001 driver L=1 : ./driver`)
	if len(doubts) != 1 {
		t.Error("a third is no doubt")
	}
}

// TestArrayOfSpawned: those that execute something give up what they have inherited
// of signals before, which makes none of them one that stays what its parent is; so
// the last does not come before the first, and no helper has a name.
func TestArrayOfSpawned(t *testing.T) {
	x := tell(t, nil, Want{Parent: -1, Count: 3})
	x.look(`
1001 1000 python3 L=1 i=4096 c=2 : python3 reaper.py
1002 1001 python3 L=1 r c=2 : python3 reaper.py`)
	x.means(1001, 0, 0, 0)
	x.look(`
1001 1000 python3 L=1 i=4096 c=2 : python3 reaper.py
1002 1001 python3 L=2 : python3 -c from multiprocessing.resource_tracker import main;main(4)
1003 1001 python3 L=3 r : python3 worker.py
1004 1001 python3 L=4 r : python3 worker.py
1005 1001 python3 L=1 r : python3 reaper.py`)
	x.means(1001, 0, 0, 0)
	x.look(`
1001 1000 python3 L=1 i=4096 c=2 : python3 reaper.py
1002 1001 python3 L=2 : python3 -c from multiprocessing.resource_tracker import main;main(4)
1003 1001 python3 L=3 : python3 worker.py
1004 1001 python3 L=4 : python3 worker.py
1005 1001 python3 L=5 : python3 worker.py`)
	x.means(1001, 1003, 1004, 1005)

	// A helper that was named as long as it was a copy of its parent.
	x = tell(t, nil, Want{Parent: -1, Count: 2})
	x.look(`
1001 1000 python3 L=1 : python3 reaper.py
1002 1001 python3 L=1 : python3 reaper.py
1003 1001 python3 L=1 : python3 reaper.py`)
	x.means(1001, 1002, 1003)
	x.look(`
1001 1000 python3 L=1 : python3 reaper.py
1002 1001 python3 L=2 : python3 -c from multiprocessing.resource_tracker import main;main(4)
1003 1001 python3 L=1 : python3 reaper.py
1004 1001 python3 L=1 : python3 reaper.py`)
	x.means(1001, 1003, 1004)
}

// TestGrandchild: through a shell in between.
func TestGrandchild(t *testing.T) {
	x := tell(t, nil, child, Want{Parent: 0, Count: 1})
	x.look(`
1001 1000 driver L=1 : ./driver
1002 1001 sh L=2 : sh -c ./conductor; true
1003 1002 conductor L=3 : ./conductor
1004 1003 conductor L=3 : ./conductor`)
	x.means(1001, 1003, 1004)
}

// TestProgramMatch says which process is meant where the rules cannot know.
func TestProgramMatch(t *testing.T) {
	x := tell(t, command("driver.py"), child)
	x.look(`
1001 1000 runner L=1 : ./runner python3 driver.py
1002 1001 python3 L=2 : python3 driver.py
1003 1002 python3 L=2 : python3 driver.py`)
	x.means(1002, 1003)
}

// TestPidIsUsedAgain: another process under an old number is another process.
func TestPidIsUsedAgain(t *testing.T) {
	x := tell(t, nil, Want{Parent: -1, Count: 2})
	x.look(`
1001 1000 driver L=1 : ./driver
1002 1001 driver L=1 : ./driver

1001 1000 driver L=1 : ./driver
1002 1001 driver L=1 new=2 : ./driver`)
	a, b := x.Bound(0, 0), x.Bound(0, 1)
	if a == nil || b == nil || a == b || !a.Ended || b.Ended {
		t.Errorf("%+v %+v", a, b)
	}
}

// TestBlurred: who changes while looked at is there all the same, and the same.
func TestBlurred(t *testing.T) {
	x := tell(t, nil, child)
	x.look(`
1001 1000 env L=1 : env timeout 5 ./driver

1001 1000 x blurred : x
1002 1001 timeout L=2 r : timeout 5 ./driver

1001 1000 timeout L=2 : timeout 5 ./driver
1002 1001 driver L=3 : ./driver`)
	x.means(1002, 0)
	if n := len(x.Family.Members()); n != 2 {
		t.Errorf("%d members", n)
	}
}

// TestObserved: the same from events, where nothing is missed; a look only adds
// what events do not say.
func TestObserved(t *testing.T) {
	x := tell(t, nil, child)
	f := x.Family
	x.look(`1001 1000 env L=1 : env bash`)
	f.Observe()
	f.Execed(program, "/usr/bin/bash", []string{"bash", "/shims/python3", "driver.py"})
	f.Forked(program, 1002) // $(…)
	f.Forked(1002, 1003)
	f.Died(1003)
	f.Died(1002)
	x.Resolve()
	x.means(1001, 0)
	// A look sees the exec before the observer has told of it: its helpers are still
	// those of a shell.
	if _, doubts := x.look(`1001 1000 python3 L=9 : python3 driver.py`); doubts != nil {
		t.Errorf("%+v", doubts)
	}
	x.means(1001, 0)
	f.Execed(program, "/usr/bin/python3", []string{"python3", "driver.py"})
	x.Resolve()
	x.means(1001, 0)
	f.Forked(program, 1004)
	x.Resolve()
	x.means(1001, 0)
	x.look(`
1001 1000 python3 L=9 : python3 driver.py
1004 1001 python3 L=9 : python3 driver.py`)
	x.means(1001, 1004)
	f.Died(1004)
	x.Resolve()
	x.means(1001, 1004)
}

// TestObservedTooLate: looks come when everything is over, or between; what the
// observer tells of those who are gone is still true of them.
func TestObservedTooLate(t *testing.T) {
	exec := []string{"python3", "quick.py"}
	for _, looked := range []bool{false, true} {
		x := tell(t, nil, Want{Parent: -1, Count: 1})
		if looked {
			x.look("1001 1 sh : sh") // before it executes what it is there for
		}
		x.Family.Observe()
		x.Family.Look(nil)
		x.Family.Execed(program, "/usr/bin/python3", exec)
		x.Family.Forked(program, 1002)
		x.Family.Died(1002)
		x.Family.Died(program)
		x.Family.Look(nil)
		changes, doubts := x.Resolve()
		if len(changes) != 1 || len(doubts) != 0 || changes[0].Member == nil || changes[0].Member.Pid != 1002 {
			t.Errorf("looked before: %v: %v, %v", looked, changes, doubts)
		}
	}
}
