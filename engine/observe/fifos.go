//go:build linux && (amd64 || arm64)

package observe

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// A FIFO is met by its path. Of all files that are opened, those count: what a path
// leads to is asked before the call begins, as the process would be answered.

func asPath(_ *tracer, c *call, v uint64, a *Arg) bool {
	a.Text = textAt(c.th.tid, v, unix.PathMax)
	return true
}

// asFifo reads a path by which the call counts only if a FIFO is there.
func asFifo(t *tracer, c *call, v uint64, a *Arg) bool {
	asPath(t, c, v, a)
	if a.Text == "" {
		return false
	}
	from := "root"
	if !strings.HasPrefix(a.Text, "/") {
		from = "cwd/"
		if dir := int(int32(c.raw[0])); c.spec.nr == unix.SYS_OPENAT && dir != unix.AT_FDCWD {
			from = "fd/" + strconv.Itoa(dir) + "/"
		}
	}
	var st unix.Stat_t
	return unix.Stat(procFile(c.th.pid, from+a.Text), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFIFO
}

// asMode reads permissions, in octal as programs write them.
func asMode(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(v & 0o7777)
	a.Text = "0" + strconv.FormatInt(a.Number, 8)
	return true
}

// asOpenFlags reads how something is opened, as far as it matters to a FIFO.
func asOpenFlags(_ *tracer, _ *call, v uint64, a *Arg) bool {
	a.Number = int64(v)
	a.Text = nameOf([]string{"O_RDONLY", "O_WRONLY", "O_RDWR"}, int(v&unix.O_ACCMODE))
	if v&unix.O_NONBLOCK != 0 {
		a.Text += "|O_NONBLOCK"
	}
	return true
}
