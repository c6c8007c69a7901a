package engine

import "fmt"

// Workspace is a directory for what belongs to several runs, as a program that
// one compiles and another one runs. It goes as the directories of runs do, also
// when the engine is killed.
type Workspace struct {
	Dir string
	of  *run // of nothing
}

// NewWorkspace makes one. Close removes it.
func (e *Engine) NewWorkspace() (*Workspace, error) {
	null, err := devNull()
	if err != nil {
		return nil, err
	}
	r := &run{engine: e, null: null}
	r.openLedger()
	dir, err := r.workDir()
	if err != nil {
		r.tidy()
		null.Close()
		return nil, err
	}
	return &Workspace{Dir: dir, of: r}, nil
}

// Close removes the directory and all that is in it.
func (w *Workspace) Close() error {
	defer w.of.null.Close()
	if left := w.of.tidy(); len(left) > 0 {
		return fmt.Errorf("%s is left", left[0])
	}
	return nil
}
