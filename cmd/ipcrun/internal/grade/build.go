package grade

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"ipcrun/cmd/ipcrun/internal/report"
	"ipcrun/engine"
	"ipcrun/engine/event"
	"ipcrun/engine/plan"
	"ipcrun/spec"
	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

// built is what became of a submission: a program, or why there is none.
type built struct {
	program   spec.Program
	wrong     string            // in a few words, "" if there is a program
	output    []string          // of the compiler
	workspace *engine.Workspace // of the program, nil if it needs none
}

func (b *built) close() error {
	if b.workspace == nil {
		return nil
	}
	return b.workspace.Close()
}

// compiled is the name of the program that is made of a C file.
const compiled = "program"

// build makes a program of a submission. An error is ours; what is wrong with
// the submission is in the result. Whoever calls it closes the result.
func (g *Grader) build(ctx context.Context, s *Submission) (*built, error) {
	b := &built{wrong: s.wrong}
	if b.wrong != "" {
		return b, nil
	}
	proc := g.Exercise.Scenario.Exercise.Submission.Name
	st, err := os.Lstat(s.Path)
	if err != nil {
		return b, err
	}
	if b.wrong = oddIn(s.Path); b.wrong != "" {
		return b, nil
	}
	dir, name := filepath.Dir(s.Path), s.Name
	b.program = spec.Program{Files: []string{s.Path}, Hidden: g.hidden}
	if st.IsDir() {
		dir, name = s.Path, ""
		b.program.Files = []string{dir + "/."}
		if hasMakefile(dir) {
			return b, g.compile(ctx, b, []string{"make"}, func(work string) string {
				var wrong string
				name, wrong = programIn(work, proc, func(n string) bool {
					_, err := os.Lstat(filepath.Join(dir, n))
					return err == nil // it was there before
				})
				b.program.Argv = []string{"./" + name}
				return wrong
			})
		}
		if name, b.wrong = programIn(dir, proc, nil); b.wrong != "" {
			return b, nil
		}
	}
	with, known := endings[filepath.Ext(name)]
	switch {
	case known && with == nil:
		b.program.Argv = []string{"./" + compiled}
		argv := []string{"gcc", "-O1", "-Wall", "-pthread", "-o", compiled, "./" + name, "-lrt", "-lm"}
		return b, g.compile(ctx, b, argv, func(work string) string {
			if _, err := os.Lstat(filepath.Join(work, compiled)); err != nil {
				return "the compiler made no program of it"
			}
			return ""
		})
	case known:
		b.program.Argv = append(append([]string{}, with...), "./"+name)
	case isProgram(filepath.Join(dir, name)):
		b.program.Argv = []string{"./" + name}
	default:
		b.wrong = "nobody knows how to run it: it ends with neither .py nor .c nor .sh, and is not executable"
	}
	return b, nil
}

// compilerScenario is what compiling is: the compiler is a program like any other,
// in a box, under limits, and gone at the end.
const compilerScenario = `name: compiling
timeout: 60s
processes:
  compiler: {run: [cc], terminal: false, limits: {cpu: 30s, memory: 2GiB, processes: 64, output: 64MiB}}
steps:
  - {wait: compiler, timeout: 60s}
  - assert: compiler.exit_code == 0
`

// compile runs a compiler in a directory with copies of the program's files, in
// which the program then starts. found says what is wrong with what was made.
func (g *Grader) compile(ctx context.Context, b *built, argv []string, found func(work string) string) error {
	var err error
	if b.workspace, err = g.Engine.NewWorkspace(); err != nil {
		return err
	}
	work := filepath.Join(b.workspace.Dir, "made")
	if err := engine.CopyFiles(work, b.program.Files); err != nil {
		return err
	}
	l := &diag.List{}
	f := source.New(filepath.Join(work, "compiling"), []byte(compilerScenario))
	sc := spec.Load(f, plan.Vocabulary(), spec.Options{}, l)
	if sc == nil {
		return fmt.Errorf("the scenario of the compiler: %s", l.All()[0].Summary)
	}
	run := sc.Procs[0].Run
	run.Argv, run.Cwd, run.Writable, run.Hidden, run.Itself = argv, work, []string{work}, g.hidden, true
	res, err := g.Engine.Run(ctx, sc)
	if err != nil {
		return err
	}
	v := res.Verdict
	b.output = append(tailOf(res.Events, "compiler", ""), tailOf(res.Events, "compiler", "stderr")...)
	switch {
	case v.Result == event.Pass:
		b.wrong = found(work)
		b.program.Files = []string{work + "/."}
	case v.Ending == "interrupted":
		return context.Cause(ctx)
	case v.Result == event.Error || v.Result == event.Skip:
		return fmt.Errorf("%s could not be run: %s", argv[0], detailOf(res.Events, v))
	case v.Result == event.Timeout:
		b.wrong = "compiling it took too long"
	default:
		b.wrong = "it does not compile"
	}
	return nil
}

// detailOf is what the deciding event of a run says.
func detailOf(log []event.Event, v event.Verdict) string {
	if v.Cause < 0 {
		return "nobody knows why"
	}
	if detail := log[v.Cause].Detail; detail != "" {
		return detail
	}
	return report.Run{Log: log}.Why()
}
