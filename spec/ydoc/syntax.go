package ydoc

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"ipcrun/spec/diag"
	"ipcrun/spec/source"
)

var errorLine = lazy(`^(?:yaml: )?(?:line ([0-9]+): )?`)

// searchBudget is the number of bytes that are parsed again, at most, to find
// the place of a syntax error: about a second's worth.
const searchBudget = 8 << 20

// syntaxError makes a diagnostic of err, with which the library refused f.
//
// The library names a wrong line or none, and never a column. The place is
// therefore searched for: it is just behind the longest piece of the file,
// from its start, that does parse. A bracket or quote that is never closed
// is thereby found where it opens.
func syntaxError(f *source.File, err error) *diag.Diagnostic {
	text := err.Error()
	m := errorLine().FindStringSubmatch(text)
	text = strings.TrimPrefix(text, m[0])

	s := &search{data: f.Data, budget: searchBudget}
	offset, ok := s.find()
	if !ok {
		line, _ := strconv.Atoi(m[1])
		offset = f.Offset(source.Pos{Line: max(line, 1), Col: 1})
	}
	offset = s.refine(offset, text)
	return explain(f, offset, text)
}

// search looks for the place of a syntax error in data.
type search struct {
	data   []byte
	budget int // bytes that may still be parsed
}

// parses reports whether the first n bytes are a valid file.
func (s *search) parses(n int) bool {
	s.budget -= n + 64
	_, err := decode(bytes.NewReader(s.data[:n]))
	return err == nil
}

// find returns the offset behind the last piece that parses; false if the
// budget did not suffice to find the line.
func (s *search) find() (int, bool) {
	lines := []int{0}
	for o := 0; o < len(s.data); {
		o = nextLine(s.data, o)
		lines = append(lines, o)
	}
	// How much the library read before it gave up bounds the place from
	// above; only a few characters are read ahead.
	read := s.consumed()
	hi := 1
	for hi < len(lines)-1 && lines[hi] < read {
		hi++
	}
	limit := read
	if hi < len(lines)-1 && s.parses(lines[hi]) {
		hi, limit = len(lines)-1, len(s.data)
	}
	lo, ok := s.boundary(hi, func(k int) int { return lines[k] })
	if !ok {
		return 0, false
	}
	start, end := lines[lo], lines[lo+1]
	end = min(end, max(start, limit))
	var cuts []int // offsets at which the line may be cut
	for o := start; o <= end; {
		cuts = append(cuts, o)
		if o >= len(s.data) {
			break
		}
		_, n := utf8.DecodeRune(s.data[o:])
		o += n
	}
	at := start
	if len(cuts) > 1 {
		if k, ok := s.boundary(len(cuts)-1, func(k int) int { return cuts[k] }); ok {
			at = cuts[k]
		}
	}
	return at, true
}

// boundary finds a k below bad so that the piece up to cut(k) parses and the
// one up to cut(k+1) does not. The piece up to cut(0) is known to parse, and
// bad's is known not to. It looks at every k near bad, then at ever fewer.
func (s *search) boundary(bad int, cut func(int) int) (int, bool) {
	const near = 64
	good, step, last := 0, 1, bad
	for k := bad - 1; k > 0; k -= step {
		if s.budget < 0 {
			return 0, false
		}
		if s.parses(cut(k)) {
			good = k
			break
		}
		bad = k
		if last-k >= near {
			step *= 2
		}
	}
	for bad-good > 1 {
		if s.budget < 0 {
			return 0, false
		}
		if mid := (good + bad) / 2; s.parses(cut(mid)) {
			good = mid
		} else {
			bad = mid
		}
	}
	return good, true
}

// consumed is the number of bytes the library reads before it fails.
func (s *search) consumed() int {
	s.budget -= len(s.data)
	r := bytes.NewReader(s.data)
	if _, err := decode(bytewise{r}); err == nil {
		return len(s.data)
	}
	return len(s.data) - r.Len()
}

// bytewise hands out one byte at a time, so that nothing is read ahead.
type bytewise struct{ r *bytes.Reader }

func (b bytewise) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return b.r.Read(p[:1])
}

// refine moves offset to the character that is to blame, by what text says.
func (s *search) refine(offset int, text string) int {
	line := bytes.LastIndexByte(s.data[:offset], '\n') + 1
	indent := line
	if line == 0 && bytes.HasPrefix(s.data, []byte("\xef\xbb\xbf")) {
		indent = 3
		offset = max(offset, 3)
	}
	for o := indent; o < len(s.data) && (s.data[o] == ' ' || s.data[o] == '\t'); o++ {
		if s.data[o] == '\t' && strings.Contains(text, "cannot start any token") || s.data[o] == '\t' && strings.Contains(text, "tab character") {
			return o
		}
	}
	for offset < len(s.data) && (s.data[offset] == ' ' || s.data[offset] == '\t') {
		offset++
	}
	if strings.Contains(text, "could not find expected ':'") && offset > line && s.data[offset-1] == ':' {
		// "key:" by itself parses, so the fault seems to be behind it.
		for offset > indent && s.data[offset-1] != ' ' {
			offset--
		}
	}
	if isEscapeError(text) {
		for o := offset; o+1 < len(s.data); o++ {
			if s.data[o] != '\\' {
				continue
			}
			if badEscape(s.data[o:]) {
				return o
			}
			o++
		}
	}
	return offset
}

func isEscapeError(text string) bool {
	return strings.Contains(text, "escape character") || strings.Contains(text, "hexdecimal") || strings.Contains(text, "Unicode character escape")
}

// badEscape reports whether b starts with an escape that YAML does not know.
func badEscape(b []byte) bool {
	const known = "0abt\tnvfre \"'/\\N_LPxuU\r\n"
	if strings.IndexByte(known, b[1]) < 0 {
		return true
	}
	n := escape(b[1])
	if n <= 2 {
		return false
	}
	if len(b) < n {
		return true
	}
	r, err := strconv.ParseUint(string(b[2:n]), 16, 32)
	return err != nil || !utf8.ValidRune(rune(r))
}
