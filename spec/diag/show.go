package diag

import (
	"io"

	"ipcrun/spec/source"
)

// WriteExcerpt writes the line of f on which s starts, with its number and
// carets under s: the excerpt of a Diagnostic, for those who put a heading of
// their own above it. The error is w's.
func WriteExcerpt(w io.Writer, f *source.File, s source.Span, st Style) error {
	if st.Width == 0 {
		st.Width = defaultWidth
	}
	st.Width = max(st.Width, leastWidth)
	p := &printer{style: st}
	p.excerpt(f, s, "", Error.attrs())
	_, err := w.Write(p.buf.Bytes())
	return err
}

// Wrap breaks s into lines of at most width terminal cells, at spaces, and
// within a word only where the word alone is wider.
func Wrap(s string, width int) []string { return wrap(s, max(width, 1)) }
