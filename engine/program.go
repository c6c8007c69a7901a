package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"ipcrun/engine/event"
	"ipcrun/engine/proc"
	"ipcrun/engine/sandbox"
	"ipcrun/engine/script"
	"ipcrun/engine/supervisor"
	"ipcrun/spec"
)

// program is what the engine knows of a process that somebody else wrote,
// beside what it knows of every process.
type program struct {
	reports []byte // of its supervisor, not decoded yet
	input   input
	report  *stream   // where its supervisor tells them
	ahead   bool      // reports were read before it was their turn
	peeked  int       // bytes of reports of which is known who prints what
	taking  bool      // reports are being taken
	tail    [2][]byte // of its output and its errors: what is no whole line yet
	tailBy  [2]int    // who wrote the beginning of that
	authors authors
	// alone: nobody of its tree is left.
	alone  bool
	failed bool // it could not be started
	// attendant is the process that does steps for it, 0: none.
	attendant int
	root      int // pid of what was started; the program's own pid may be another
	finder    *finder
	// watched: its end is that of the process that its name means, which is not the
	// one that was started.
	watched bool
	// statuses of those in its tree whom the supervisor reaped, by pid.
	statuses map[int]proc.Status
	used     *event.Usage
	unwaited []int // those that had ended before it and that it never waited for
	ownIPC   bool  // it has a namespace of its own for what has a name
	bytes    int   // printed, all in all
	over     bool  // it was ended because it printed too much
	// left is what it has left under names in namespaces of its own.
	left []sandbox.Object
}

func (r *run) isProgram(slot int) bool { return r.plan.Slots[slot].Proc.Run != nil }

// startProgram starts the supervisor of a program, which starts the program. It
// does not wait for it.
func (r *run) startProgram(slot int) error {
	d := r.plan.Slots[slot].Proc
	p := r.procs[slot]
	p.program = &program{}
	cmd, err := r.programOf(slot, d)
	if err != nil {
		if p := (*placed)(nil); errors.As(err, &p) {
			return err
		}
		return &placed{err, d.Run.Span.Start.Line, d.Run.Span.Start.Col}
	}
	files, done, err := r.openStreams(slot, d)
	if err != nil {
		return err
	}
	defer done()
	files, env, handed, err := r.handOver(slot, files)
	if err != nil {
		return err
	}
	defer handed()
	cmd.Env = append(cmd.Env, env...)
	var report [2]int
	if err := unix.Pipe2(report[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	defer unix.Close(report[1])
	p.program.report = &stream{fd: report[0], slot: slot, take: r.takeReports}
	p.program.authors.on = cmd.Prints
	if err := r.addStream(p.program.report); err != nil {
		return err
	}
	p.program.ownIPC = cmd.Box.Spaces.Has(sandbox.IPC)
	start, order, err := supervisor.Command(cmd, supervisor.Files{
		Null: int(r.null.Fd()), Console: r.console[1], Lifeline: int(r.lifeline.ReadEnd().Fd()), Report: report[1], Program: files,
	})
	if err != nil {
		return err
	}
	defer order.Close()
	pid, pidfd, err := r.engine.spawner.Start(start)
	if err != nil {
		return err
	}
	r.others = append(r.others, &helper{pid: pid, pidfd: pidfd, slot: slot})
	if d.Run.Stdin != nil {
		r.sendInput(slot, []byte(*d.Run.Stdin))
		r.endInput(slot)
	}
	return r.watcher.Add(pidfd, tagHelper|uint64(len(r.others)-1))
}

// programOf resolves what the file says of a program.
func (r *run) programOf(slot int, d *spec.Proc) (*supervisor.Program, error) {
	run := d.Run
	base, err := r.baseDir()
	if err != nil {
		return nil, err
	}
	cmd := &supervisor.Program{Env: r.environment(d), Dir: base, Terminal: d.Terminal, Argv: run.Argv, Observe: observes(run), Calls: run.Observe == "ipc", Prints: r.hasAuthors(slot)}
	switch {
	case len(run.Files) > 0:
		if cmd.Dir, err = r.copyFiles(d, base); err != nil {
			return nil, err
		}
	case filepath.IsAbs(run.Cwd):
		cmd.Dir = run.Cwd
	case run.Cwd != "":
		cmd.Dir = filepath.Join(base, run.Cwd)
	}
	if run.Shell {
		cmd.Argv = []string{"/bin/sh", "-c", run.Argv[0]}
	}
	if cmd.Path, err = lookPath(cmd.Argv[0], cmd.Dir, cmd.Env); err != nil {
		if name := cmd.Argv[0]; len(run.Files) > 0 && strings.Contains(name, "/") && !filepath.IsAbs(name) && executable(filepath.Join(base, name)) == nil {
			err = fmt.Errorf("run: %s is beside the scenario, and not among the copies that files: names, where the program starts", name)
		}
		return nil, err
	}
	cmd.Box, err = r.boxOf(d, cmd.Path, cmd.Dir)
	return cmd, err
}

// baseDir is the directory of the scenario's file.
func (r *run) baseDir() (string, error) {
	name := r.plan.Scenario.File.Name
	if name == "-" {
		name = "."
	} else {
		name = filepath.Dir(name)
	}
	name, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	// Links on the way may lie where a program sees nothing.
	return filepath.EvalSymlinks(name)
}

// environment is that of a program: small and the same everywhere, so that what
// is set on one machine by chance does not decide.
func (r *run) environment(d *spec.Proc) []string {
	env := map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": os.Getenv("HOME"), "LANG": "C.UTF-8", "TERM": "dumb",
		// A file array.py beside the program is not to be taken for the module.
		"PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1",
	}
	for _, name := range slices.Concat(r.engine.opt.PassEnv, d.Run.PassEnv) {
		if v, ok := os.LookupEnv(name); ok {
			env[name] = v
		}
	}
	for k, v := range d.Run.Env {
		env[k] = v
	}
	out := make([]string, 0, len(env))
	for k, v := range env {
		out = append(out, k+"="+v)
	}
	slices.Sort(out)
	return out
}

// lookPath finds the executable that a name stands for, as execvp(3) does, in
// the environment of the program.
func lookPath(name, dir string, env []string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return name, executable(name)
	}
	path := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, "PATH="); ok {
			path = v
		}
	}
	for _, d := range filepath.SplitList(path) {
		if d == "" {
			d = dir
		}
		full := filepath.Join(d, name)
		if executable(full) == nil {
			return full, nil
		}
	}
	if executable(filepath.Join(dir, name)) == nil {
		return "", fmt.Errorf("run: no program %s in PATH; write ./%s for the one beside the scenario", name, name)
	}
	return "", fmt.Errorf("run: no program %s in PATH", name)
}

// placed is an error with where in the scenario that stands which it is about.
type placed struct {
	error
	line, col int // from 1; 0 if it stands in no file
}

func (p *placed) Unwrap() error { return p.error }

// nearest is the file beside path with the name that is most like its own, in words
// that go on from what is said of path; "" if there is none.
func nearest(path string) string {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if near := spec.DidYouMean(filepath.Base(path), names); near != "" {
		return "; " + near
	}
	return ""
}

func executable(path string) error {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("run: there is no file %s%s", path, nearest(path))
	case err != nil:
		return fmt.Errorf("run: %w", err)
	case st.IsDir():
		return fmt.Errorf("run: %s is a directory", path)
	case unix.Access(path, unix.X_OK) != nil:
		how := "run it by its interpreter, or chmod +x"
		switch filepath.Ext(path) {
		case ".py":
			how = "write python3 " + filepath.Base(path) + ", or chmod +x"
		case ".c":
			how = "it is the source of a program, which has to be compiled first"
		}
		return fmt.Errorf("run: %s is not executable: %s", path, how)
	}
	return nil
}

// programText is the script of a process; of a program it has what it uses alone.
func (r *run) programText(slot int) *script.Program {
	return r.plan.Programs[r.plan.Slots[slot].Part-1]
}

// takeReports reads what a supervisor tells.
func (r *run) takeReports(slot int, b []byte) {
	p := r.procs[slot]
	pr := p.program
	pr.reports = append(pr.reports, b...)
	r.peek(slot)
	if pr.taking {
		return // whoever does goes on
	}
	pr.taking = true
	defer func() { pr.taking = false }()
	for {
		rep, rest, ok, err := supervisor.Next(pr.reports)
		if err != nil {
			r.broken(err)
			return
		}
		if !ok {
			break
		}
		pr.peeked -= len(pr.reports) - len(rest)
		pr.reports = rest
		r.reported(slot, &rep)
	}
	pr.reports = slices.Clone(pr.reports)
}

func (r *run) reported(slot int, rep *supervisor.Report) {
	p := r.procs[slot]
	switch rep.Kind {
	case supervisor.Started:
		s := r.arena.Slot(slot)
		s.MarkForked(rep.Pid)
		s.MarkRunning()
		p.pid, p.forked, p.readyAt = rep.Pid, true, rep.At
		p.program.root, p.program.statuses = rep.Pid, map[int]proc.Status{}
		r.emit(&event.Rec{Kind: event.Forked, Obj: uint32(slot), Value: rep.Pid, At: rep.At})
		p.program.finder = r.newFinder(slot, rep.Pid)
		if p.program.over { // it was quicker than the report of its start
			r.endProgram(slot)
		}
	case supervisor.Failed:
		p.program.failed = true
		at := r.plan.Slots[slot].Proc.Run.Span.Start
		r.broken(&placed{fmt.Errorf("%s: %s", r.plan.Slots[slot].Name, rep.Text), at.Line, at.Col})
	case supervisor.Ended:
		// What it printed comes before its end.
		r.readOut(slot)
		st := proc.DecodeStatus(rep.Status)
		p.program.statuses[rep.Pid] = st
		if rep.Pid == p.program.root {
			p.program.noteUnwaited(rep.Pids())
			r.programEnded(slot, st, rep.At, rep.Pids())
		}
	case supervisor.Noticed:
		r.noticed(slot, rep.Data)
	case supervisor.Exceeded:
		r.emit(&event.Rec{Kind: event.Overrun, Obj: uint32(slot), Value: map[string]any{"what": rep.Text}})
	case supervisor.Used:
		cpu, peak := rep.Usage()
		p.program.used = &event.Usage{CPU: cpu, Peak: peak}
	case supervisor.Left:
		if err := json.Unmarshal(rep.Data, &p.program.left); err != nil {
			r.broken(fmt.Errorf("what %s has left: %w", r.plan.Slots[slot].Name, err))
		}
	case supervisor.Alone:
		r.readOut(slot)
		r.flushTails(slot)
		p.program.alone = true
		r.news++
	}
}

// unsupervised: the supervisor of a program has ended. It does so when the
// lifeline is cut; before that only somebody who kills it ends it.
func (r *run) unsupervised(h *helper) {
	r.readOut(h.slot)
	p := r.procs[h.slot]
	if r.torn || r.stop != nil {
		if h.killed {
			r.orphaned(h.slot)
		}
		if p.forked && !p.ended {
			r.processEnded(h.slot)
		}
		return
	}
	name := r.plan.Slots[h.slot].Name
	if !p.forked && !h.killed {
		r.broken(fmt.Errorf("%s: its supervisor ended before it had started it", name))
		return
	}
	r.emit(&event.Rec{Kind: event.Overrun, Obj: uint32(h.slot), Value: map[string]any{"what": "supervisor"}})
	r.orphaned(h.slot)
	p.program.alone = true
	if p.forked && !p.ended {
		r.processEnded(h.slot)
	}
	r.fail()
}
