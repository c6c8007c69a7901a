package named

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// What a ledger tells the janitor is lines: + or -, the class, the identity and
// the name in quotes. A line is written by one write of less than PIPE_BUF
// bytes, so that there are no halves of lines.

const longestLine = 4096

func line(add bool, e Entry) string {
	sign := "-"
	if add {
		sign = "+"
	}
	return fmt.Sprintf("%s %s %d %q\n", sign, e.Class, e.ID, e.Name)
}

// Read reads what a ledger tells until nothing more can come, and returns what
// is on record then.
func Read(r io.Reader) (entries []Entry) {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<16)
	for in.Scan() {
		f := strings.SplitN(in.Text(), " ", 4)
		if len(f) != 4 {
			continue
		}
		id, err1 := strconv.ParseUint(f[2], 10, 64)
		name, err2 := strconv.Unquote(f[3])
		if err1 == nil && err2 == nil {
			entries = change(entries, f[0] == "+", Entry{f[1], name, id})
		}
	}
	return entries
}

// change adds an entry in place of one of the same class and name, or takes that
// away.
func change(entries []Entry, add bool, e Entry) []Entry {
	i := slices.IndexFunc(entries, func(o Entry) bool { return o.Class == e.Class && o.Name == e.Name })
	switch {
	case !add && i >= 0:
		return slices.Delete(entries, i, i+1)
	case !add:
		return entries
	case i >= 0:
		entries[i] = e
		return entries
	}
	return append(entries, e)
}
