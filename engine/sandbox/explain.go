//go:build linux

package sandbox

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// explainExec says why the kernel did not execute a file. Its error numbers
// speak of the file named, or of one that this file names, and do not tell
// which.
func explainExec(path string, err error) string {
	st, serr := os.Stat(path)
	switch {
	case errors.Is(serr, unix.ENOENT):
		return fmt.Sprintf("there is no file %s", path)
	case serr != nil:
		return fmt.Sprintf("%s cannot be reached: %v", path, errnoOf(serr))
	case st.IsDir():
		return fmt.Sprintf("%s is a directory", path)
	}
	head := readHead(path)
	script := bytes.HasPrefix(head, []byte("#!"))
	switch {
	case err == unix.ENOENT && script:
		return fmt.Sprintf("%s: there is no %s, which its first line names as its interpreter%s", path, quoteCR(interpreter(head)), crHint(head))
	case err == unix.ENOENT:
		if loader := loaderOf(path); loader != "" {
			return fmt.Sprintf("%s: there is no %s, which it needs to be loaded: it was built for another system", path, loader)
		}
	case err == unix.EACCES && st.Mode()&0o111 == 0:
		return fmt.Sprintf("%s is not executable: name its interpreter in run, or chmod +x", path)
	case err == unix.EACCES && script:
		return fmt.Sprintf("%s: permission to execute it, or %s, is denied", path, quoteCR(interpreter(head)))
	case err == unix.EACCES:
		return fmt.Sprintf("%s: permission to execute it is denied", path)
	case err == unix.ENOEXEC && len(head) == 0:
		return fmt.Sprintf("%s is empty", path)
	case err == unix.ENOEXEC && bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		return fmt.Sprintf("%s was built for another machine (%s); this one is %s", path, machineOf(path), runtime.GOARCH)
	case err == unix.ENOEXEC:
		return fmt.Sprintf("%s is neither a program nor a script with #! in its first line: name its interpreter in run", path)
	case err == unix.ETXTBSY:
		return fmt.Sprintf("%s is open for writing somewhere", path)
	case err == unix.E2BIG:
		return fmt.Sprintf("%s: its arguments and its environment are too long", path)
	}
	return fmt.Sprintf("%s: %v", path, err)
}

func explainDir(dir string, err error) string {
	switch err {
	case unix.ENOENT:
		return fmt.Sprintf("there is no directory %s", dir)
	case unix.ENOTDIR:
		return fmt.Sprintf("%s is not a directory", dir)
	}
	return fmt.Sprintf("the directory %s: %v", dir, err)
}

func readHead(path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	buf := make([]byte, 256)
	n, _ := io.ReadFull(f, buf)
	return buf[:n]
}

// interpreter is what the first line names, without its argument.
func interpreter(head []byte) string {
	line, _, _ := bytes.Cut(head[2:], []byte("\n"))
	text := strings.TrimLeft(string(line), " \t")
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		text = text[:i]
	}
	return text
}

// quoteCR makes a carriage return visible.
func quoteCR(s string) string { return strings.ReplaceAll(s, "\r", `\r`) }

func crHint(head []byte) string {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	if bytes.HasSuffix(line, []byte("\r")) {
		return ": its lines end as on Windows"
	}
	return ""
}

// loaderOf is the loader that a program names and that is not there.
func loaderOf(path string) string {
	f, err := elf.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		name := make([]byte, min(p.Filesz, 4096))
		if _, err := p.ReadAt(name, 0); err != nil {
			return ""
		}
		loader := string(bytes.TrimRight(name, "\x00"))
		if _, err := os.Stat(filepath.Clean(loader)); err != nil {
			return loader
		}
	}
	return ""
}

func machineOf(path string) string {
	f, err := elf.Open(path)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	return strings.ToLower(strings.TrimPrefix(f.Machine.String(), "EM_"))
}
