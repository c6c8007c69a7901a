//go:build linux

package named

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// told is what a ledger has told the janitor; it stands for its pipe.
type told struct{ strings.Builder }

func account(t *testing.T, token string) (*Ledger, *told) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	w := &told{}
	return NewLedger(token, func() (io.Writer, error) { return w, nil }), w
}

func touch(path string) error { return os.WriteFile(path, []byte("x"), 0o600) }

func exists(path string) bool { _, err := os.Lstat(path); return err == nil }

// TestFileOfOurs: the file appears complete under its name, and both who sweeps
// and who was only told find it.
func TestFileOfOurs(t *testing.T) {
	for _, by := range []string{"the engine", "the janitor"} {
		l, w := account(t, "1-a")
		path := filepath.Join(t.TempDir(), "jobs")
		err := l.File(path, false, func(p string) error {
			if exists(path) {
				t.Error("the name is there before the file is complete")
			}
			return touch(p)
		})
		if err != nil || !exists(path) {
			t.Fatal(err)
		}
		if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
			t.Errorf("files %v", files)
		}
		entries := Read(strings.NewReader(w.String()))
		if len(entries) != 1 || entries[0].Name != path || entries[0].ID == 0 || !slices.Equal(entries, l.entries) {
			t.Errorf("the janitor knows %v, the ledger %v", entries, l.entries)
		}
		left := Sweep(entries)
		if by == "the engine" {
			left = l.Sweep()
		}
		if len(left) > 0 || exists(path) {
			t.Errorf("left %v", left)
		}
	}
}

// TestFileOfAnother: a file that is there stays, at every point at which the
// engine could be killed.
func TestFileOfAnother(t *testing.T) {
	l, w := account(t, "1-b")
	path := filepath.Join(t.TempDir(), "jobs")
	if err := touch(path); err != nil {
		t.Fatal(err)
	}
	if err := l.File(path, false, touch); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("%v", err)
	}
	lines := strings.SplitAfter(w.String(), "\n")
	for n := range lines {
		if left := Sweep(Read(strings.NewReader(strings.Join(lines[:n], "")))); len(left) > 0 || !exists(path) {
			t.Fatalf("told %d lines: left %v, the file of another is there: %v", n, left, exists(path))
		}
	}
	if left := l.Sweep(); len(left) > 0 || !exists(path) || len(l.entries) > 0 {
		t.Errorf("left %v, %v", left, l.entries)
	}
	// One that took the place of ours is not ours either.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := l.File(path, false, touch); err != nil {
		t.Fatal(err)
	}
	other := path + ".other"
	if err := errors.Join(touch(other), os.Rename(other, path)); err != nil {
		t.Fatal(err)
	}
	if left := l.Sweep(); len(left) > 0 || !exists(path) {
		t.Errorf("left %v", left)
	}
}

// TestDir: the directory is made when it is asked for, takes what lies in it
// along, and no permission that is missing in it keeps it.
func TestDir(t *testing.T) {
	l, w := account(t, "1-c")
	if l.told != nil || w.Len() > 0 {
		t.Error("the janitor was called for nothing")
	}
	path, err := l.Path("", "fork[3]")
	if err != nil || filepath.Base(path) != "fork.3" {
		t.Fatalf("%s, %v", path, err)
	}
	dir, _ := l.Dir()
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 || filepath.Dir(path) != dir {
		t.Errorf("%v, %v", info, err)
	}
	if err := l.File(path, false, touch); err != nil {
		t.Fatal(err)
	}
	if err := l.File(path, false, touch); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one of that name: %v", err)
	}
	deep := filepath.Join(dir, "a", "b")
	if err := errors.Join(os.MkdirAll(deep, 0o700), touch(filepath.Join(deep, "c")), os.Chmod(deep, 0), os.Chmod(filepath.Dir(deep), 0)); err != nil {
		t.Fatal(err)
	}
	if left := Sweep(Read(strings.NewReader(w.String()))); len(left) > 0 || exists(dir) {
		t.Errorf("left %v", left)
	}
	if abs, err := l.Path("/tmp/../tmp/x", "jobs"); err != nil || abs != "/tmp/x" {
		t.Errorf("%s, %v", abs, err)
	}
}

// TestClaim: what cannot be moved is on record before it is there, and is known
// afterwards; if it could not be made it is forgotten.
func TestClaim(t *testing.T) {
	l, w := account(t, "1-d")
	refused := errors.New("refused")
	if err := l.Claim("none", "/jobs", func() (uint64, error) {
		if got := Read(strings.NewReader(w.String())); len(got) != 1 || got[0] != (Entry{"none", "/jobs", 0}) {
			t.Errorf("on record while it is made: %v", got)
		}
		return 0, refused
	}); !errors.Is(err, refused) || len(l.entries) > 0 {
		t.Errorf("%v, %v", err, l.entries)
	}
	if err := l.Claim("none", "/jobs", func() (uint64, error) { return 7, nil }); err != nil {
		t.Fatal(err)
	}
	if got := Read(strings.NewReader(w.String())); len(got) != 1 || got[0].ID != 7 {
		t.Errorf("%v", got)
	}
}

// TestLeft: what cannot be removed is named.
func TestLeft(t *testing.T) {
	l, _ := account(t, "1-e")
	Register(Class{Name: "stubborn", Exists: func(Entry) bool { return true }, Remove: func(Entry) error { return fs.ErrPermission }})
	defer delete(classes, "stubborn")
	if err := l.Note(Entry{"stubborn", "/jobs", 1}); err != nil {
		t.Fatal(err)
	}
	if left := l.Sweep(); len(left) != 1 || left[0] != "/jobs: permission denied" {
		t.Errorf("%q", left)
	}
	if err := l.Note(Entry{"stubborn", strings.Repeat("x", 5000), 1}); err == nil {
		t.Error("a line that is not written at once")
	}
	for _, name := range []string{"/tmp/with space", "/tmp/\n", "/tmp/\xff", "/车"} {
		e := Entry{"file", name, 3}
		if got := Read(strings.NewReader(line(true, e))); len(got) != 1 || got[0] != e {
			t.Errorf("%q comes back as %+v", name, got)
		}
	}
}
