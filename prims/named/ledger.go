package named

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Ledger is the account of one run. It belongs to one goroutine.
type Ledger struct {
	token   string
	janitor func() (io.Writer, error)
	told    io.Writer // the janitor, once there was something to tell it
	entries []Entry
	dir     string
}

// NewLedger opens an account. token is unique to the run; letters, digits and
// dashes. janitor starts the janitor and returns what it reads from; it is
// called before the first object is made, and not at all where there is none.
// Each write to it must be atomic. Nil: there is no janitor.
func NewLedger(token string, janitor func() (io.Writer, error)) *Ledger {
	return &Ledger{token: token, janitor: janitor}
}

// Unique is a name that no other run has: ipcrun-TOKEN-name, without a slash.
func (l *Ledger) Unique(name string) string {
	return "ipcrun-" + l.token + "-" + plain(name)
}

// plain is a declared name, fork[3], without what other programs stumble over.
func plain(name string) string {
	return strings.NewReplacer("[", ".", "]", "", "/", "_").Replace(name)
}

// Dir is the run's own directory, made when it is first asked for: only its user
// may enter it. It goes with all that is in it.
func (l *Ledger) Dir() (string, error) {
	if l.dir != "" {
		return l.dir, nil
	}
	base, err := filepath.Abs(os.TempDir())
	if err != nil {
		return "", fmt.Errorf("the run's directory: %w", err)
	}
	path := filepath.Join(base, "ipcrun-"+l.token)
	if err := l.Note(Entry{Class: Tree, Name: path}); err != nil {
		return "", err
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		// Somebody else's then, however it got that name.
		return "", errors.Join(fmt.Errorf("the run's directory: %w", err), l.Forget(Tree, path))
	}
	l.dir = path
	return path, nil
}

// Path is the place of a file of the run: a relative name lies in its own
// directory, and without one the file is called after the declared name there.
func (l *Ledger) Path(name, declared string) (string, error) {
	if filepath.IsAbs(name) {
		return filepath.Clean(name), nil
	}
	dir, err := l.Dir()
	if err != nil {
		return "", err
	}
	if name == "" {
		name = plain(declared)
	}
	return filepath.Join(dir, name), nil
}

// File makes a file under a name; unique says that the name contains Unique.
// create makes it at the path that it is given, complete: nobody sees it before
// that. It fails with an error that is fs.ErrExist if there is a file of that
// name, and leaves that one alone.
func (l *Ledger) File(path string, unique bool, create func(path string) error) error {
	if l.dir != "" && strings.HasPrefix(path, l.dir+string(filepath.Separator)) {
		// It goes with the directory.
		if _, err := os.Lstat(path); err == nil {
			return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
		}
		return create(path)
	}
	if unique {
		if err := l.Note(Entry{Class: File, Name: path}); err != nil {
			return err
		}
		return create(path)
	}
	temp := filepath.Join(filepath.Dir(path), fmt.Sprintf(".ipcrun-%s.%d", l.token, len(l.entries)))
	if err := l.Note(Entry{Class: File, Name: temp}); err != nil {
		return err
	}
	err := create(temp)
	var id uint64
	if err == nil {
		id, err = inode(temp)
	}
	if err == nil {
		if err = l.Note(Entry{Class: File, Name: path, ID: id}); err == nil {
			if err = move(temp, path); err != nil {
				err = errors.Join(err, l.Forget(File, path))
			}
		}
	}
	if rerr := os.Remove(temp); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return errors.Join(err, l.Forget(File, temp))
}

// Claim makes an object that cannot be moved. create makes it, exclusively and
// with mode 0, and returns its identity, which is not 0; when Claim has
// returned, the caller gives it its mode.
func (l *Ledger) Claim(class, name string, create func() (id uint64, err error)) error {
	if err := l.Note(Entry{Class: class, Name: name}); err != nil {
		return err
	}
	id, err := create()
	if err != nil {
		return errors.Join(err, l.Forget(class, name))
	}
	return l.Note(Entry{Class: class, Name: name, ID: id})
}

// Note puts an object on record, before it is made or when more is known of it.
func (l *Ledger) Note(e Entry) error {
	if l.told == nil && l.janitor != nil {
		w, err := l.janitor()
		if err != nil {
			return fmt.Errorf("starting the janitor: %w", err)
		}
		l.told = w
	}
	l.entries = change(l.entries, true, e)
	return l.tell(line(true, e))
}

// Forget strikes an object from the record.
func (l *Ledger) Forget(class, name string) error {
	e := Entry{Class: class, Name: name}
	l.entries = change(l.entries, false, e)
	return l.tell(line(false, e))
}

func (l *Ledger) tell(text string) error {
	if l.told == nil {
		return nil
	}
	if len(text) > longestLine {
		return fmt.Errorf("the name is too long: %.40s…", text)
	}
	if _, err := io.WriteString(l.told, text); err != nil {
		return fmt.Errorf("telling the janitor: %w", err)
	}
	return nil
}

// Sweep removes all that is on record, what was made last first, and returns
// what is there all the same, with the reason.
func (l *Ledger) Sweep() (left []string) {
	left = Sweep(l.entries)
	for _, e := range slices.Clone(l.entries) {
		// A janitor that is gone has nothing to forget.
		_ = l.Forget(e.Class, e.Name)
	}
	return left
}

// Sweep removes the objects of entries, the last one first, and returns what is
// there all the same.
func Sweep(entries []Entry) (left []string) {
	for i := len(entries) - 1; i >= 0; i-- {
		e := entries[i]
		gone, err := e.remove()
		switch {
		case gone:
		case err != nil:
			left = append(left, e.Name+": "+err.Error())
		default:
			left = append(left, e.Name)
		}
	}
	return left
}
