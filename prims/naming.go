package prims

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"ipcrun/spec/decl"
)

// What the kinds have in common whose instances live under a name in the system
// (see package named): programs that are no part of the run find them by it.

// posixName is the name: of a declaration of what POSIX gives a name like /jobs.
var posixName = decl.Field{Name: "name", Shape: decl.String, Default: "one that no other run has", Static: true,
	Doc: "the name by which every program finds it: a slash and more without a slash", Example: "/jobs"}

// pathName is the name: of what lies anywhere in the file system.
var pathName = decl.Field{Name: "name", Shape: decl.String, Default: "the declared name", Static: true,
	Doc: "its path; a relative one lies in the run's own directory, which goes when the run ends", Example: "/tmp/jobs"}

// nameFact tells the name.
var nameFact = decl.Fact{Name: "name", Shape: decl.String, Doc: "the name by which every program finds it"}

// givenName is what a declaration says, "" for nothing.
func givenName(a Args) string {
	s, _ := a.Fields["name"].(string)
	return s
}

// checkPosixName says what is wrong with a name like /jobs that the system keeps
// with so many bytes before it, "" if nothing is.
func checkPosixName(name string, before int) string {
	const most = 255
	switch bare := strings.TrimPrefix(name, "/"); {
	case bare == name:
		return fmt.Sprintf("a name begins with a slash: /%s", strings.ReplaceAll(name, "/", "_"))
	case bare == "" || bare == "." || bare == "..":
		return "a name has something behind its slash, as /jobs"
	case strings.Contains(bare, "/"):
		return "a name has one slash, at its beginning"
	case strings.Contains(bare, "\x00"):
		return "a name has no zero byte in it"
	case len(bare)+before > most:
		return fmt.Sprintf("the name is %d bytes long, at most %d are allowed", len(bare), most-before)
	}
	return ""
}

// checkNameField is what Kind.Check says of the name: of a declaration; the system
// keeps it with so many bytes before it.
func checkNameField(fields map[string]any, before int) (key, problem string) {
	name, given := fields["name"].(string)
	if !given {
		return "", ""
	}
	return "name", checkPosixName(name, before)
}

// systemName is the name of an instance, and whether it is one that no other run
// has.
func (c *Creation) systemName() (name string, unique bool) {
	if n := givenName(c.Args); n != "" {
		return n, false
	}
	return "/" + c.System.Unique(c.Name), true
}

// bare is a POSIX name without its slash.
func bare(name string) string { return strings.TrimPrefix(name, "/") }

// shmDir is where the C library keeps POSIX semaphores and shared memory.
const shmDir = "/dev/shm"

// unlinkShm removes a name of POSIX, which is that of a file there.
func unlinkShm(name, file string) error { return unlinked(name, os.Remove(shmDir+"/"+file)) }

// pathMost is PATH_MAX without its zero byte.
const pathMost = 4095

// checkPathField is what Kind.Check says of a name: that is a path of at most so
// many bytes.
func checkPathField(fields map[string]any, most int) (key, problem string) {
	name, given := fields["name"].(string)
	switch {
	case !given:
		return "", ""
	case name == "" || strings.HasSuffix(name, "/") || name == "." || name == "..":
		return "name", "a path ends in the name of a file"
	case strings.Contains(name, "\x00"):
		return "name", "a path has no zero byte in it"
	case !filepath.IsAbs(name) && strings.Contains(name, "/"):
		return "name", "a relative path is the name of a file in the run's own directory, without a slash"
	case len(name) > most:
		return "name", fmt.Sprintf("the path is %d bytes long, at most %d are allowed", len(name), most)
	}
	return "", ""
}

// path is the place of an instance that is a file.
func (c *Creation) path() (string, error) { return c.System.Path(givenName(c.Args), c.Name) }

// openToOthers: programs that are no part of the run may be there as well, because the
// author has chosen the name. Whoever waits may then be waiting for one of them,
// so nobody can say that it waits in vain.
func openToOthers(a Args) bool { return strings.HasPrefix(givenName(a), "/") }

// unlessOpen is how much room there surely is in what holds most: none where other
// programs may put something in.
func unlessOpen(a Args, most int) int {
	if openToOthers(a) {
		return 0
	}
	return most
}

// notMade is the error of a creation, in words of the reader. noun is what there
// is by that name already, remedy how to get rid of it.
func notMade(c *Creation, noun, name, remedy string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s: there is a %s %s already, left by another program or made by one that runs; ipcrun removes only what it has made: end that program, or remove it (%s), or choose another name", c.Name, noun, name, remedy)
	}
	return fmt.Errorf("%s: making the %s %s: %w", c.Name, noun, name, err)
}

// unlinked is how an unlink ends.
func unlinked(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return decl.Fail(NoEntry, "nothing is called %s any more", name)
	}
	return err
}

// namedModel is a model to which unlink is added: whether the name is gone, in
// one byte behind its state.
type namedModel struct{ Model }

func (m namedModel) Size() int { return m.Model.Size() + 1 }

func (m namedModel) Init(st []byte) { m.Model.Init(st[:len(st)-1]) }

func (m namedModel) Do(st []byte, p int, verb string, c ModelCall) (any, *decl.Failure, bool) {
	gone := &st[len(st)-1]
	switch {
	case verb != "unlink":
		return m.Model.Do(st[:len(st)-1], p, verb, c)
	case *gone != 0:
		return nil, decl.Fail(NoEntry, "the name was removed already"), false
	}
	*gone = 1
	return nil, nil, false
}

// nameMem is the memory of a name in the arena: its length and its bytes, which
// are those of a path at most.
const nameMem = 4 + 4096

func putName(mem []byte, name string) {
	binary.LittleEndian.PutUint32(mem, uint32(copy(mem[4:nameMem], name)))
}

func getName(mem []byte) string {
	return string(mem[4 : 4+binary.LittleEndian.Uint32(mem)])
}
