// Package python finds the interpreter of Python that tests and benchmarks run
// programs by. It is in no binary: ipcrun itself runs what PATH says.
package python

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Itself is the path of the interpreter itself. What a version manager puts in its
// place is a script, which runs for longer than many a program that a test is about.
// The error says that there is no Python on this machine, and why. Only the first call
// starts a process.
var Itself = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return "", fmt.Errorf("no python3 on this machine: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
})

// First lets python3 be the interpreter itself for this process and those that it
// starts, by PATH. Without Python it does nothing.
var First = sync.OnceFunc(func() {
	if path, err := Itself(); err == nil {
		os.Setenv("PATH", filepath.Dir(path)+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
})
