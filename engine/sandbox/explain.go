//go:build linux

package sandbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
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
	case err == unix.ENOEXEC && bytes.HasPrefix(head, []byte(elfMagic)):
		return fmt.Sprintf("%s was built for another machine (%s); this one is %s", path, machineOf(head), runtime.GOARCH)
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

// What follows reads as much of an ELF file as it takes to say why it was
// refused. (The standard library's reader would cost every process its init.)

const elfMagic = "\x7fELF"

// elfMachines are the names of those that somebody might have built for.
var elfMachines = map[uint16]string{3: "x86", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390", 40: "arm", 62: "amd64", 183: "arm64", 243: "riscv", 258: "loongarch"}

func machineOf(head []byte) string {
	if len(head) < 20 {
		return "unknown"
	}
	n := elfOrder(head).Uint16(head[18:])
	if name := elfMachines[n]; name != "" {
		return name
	}
	return fmt.Sprintf("number %d", n)
}

func elfOrder(head []byte) binary.ByteOrder {
	if head[5] == 2 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// loaderOf is the loader that a program names, if it is not there.
func loaderOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, 64)
	if _, err := f.ReadAt(head, 0); err != nil || string(head[:4]) != elfMagic || head[4] != 2 {
		return "" // of 64 bits only
	}
	order := elfOrder(head)
	at, each, n := order.Uint64(head[32:]), order.Uint16(head[54:]), order.Uint16(head[56:])
	for i := range uint64(n) {
		p := make([]byte, 56)
		if _, err := f.ReadAt(p, int64(at+i*uint64(each))); err != nil {
			return ""
		}
		const interp = 3
		if order.Uint32(p) != interp {
			continue
		}
		name := make([]byte, min(order.Uint64(p[32:]), 4096))
		if _, err := f.ReadAt(name, int64(order.Uint64(p[8:]))); err != nil {
			return ""
		}
		loader := string(bytes.TrimRight(name, "\x00"))
		if _, err := os.Stat(loader); err != nil {
			return loader
		}
	}
	return ""
}
