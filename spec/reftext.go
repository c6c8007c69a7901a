package spec

// refText is the text of a reference: name[group][group].part.
type refText struct {
	name   string
	groups []piece
	part   string
	dotted bool
}

// piece is a part of a node's text, at a rune offset.
type piece struct {
	text string
	at   int
}

// splitRef cuts a reference into its pieces, or says what is wrong with it.
func splitRef(s string) (t refText, problem string) {
	r := []rune(s)
	i := 0
	for i < len(r) && r[i] != '[' && r[i] != '.' {
		i++
	}
	t.name = string(r[:i])
	for i < len(r) && r[i] == '[' {
		end := closing(r, i)
		if end < 0 {
			return t, "has a [ without a ]"
		}
		t.groups = append(t.groups, piece{string(r[i+1 : end]), i + 1})
		i = end + 1
	}
	switch {
	case i == len(r):
	case r[i] == '.':
		t.part, t.dotted = string(r[i+1:]), true
	default:
		return t, "goes on behind its ]"
	}
	return t, ""
}

// closing is the index of the ] that closes the [ at i, -1 if none does.
func closing(r []rune, i int) int {
	depth := 0
	for ; i < len(r); i++ {
		switch r[i] {
		case '[', '(', '{':
			depth++
		case ']', ')', '}':
			if depth--; depth == 0 {
				return i
			}
		case '"', '\'', '`':
			i = quoteEnd(r, i)
		}
	}
	return -1
}

// quoteEnd is the index of the quote that closes the one at i, or the last
// index if none does.
func quoteEnd(r []rune, i int) int {
	quote := r[i]
	for i++; i < len(r) && r[i] != quote; i++ {
		if r[i] == '\\' && quote != '`' {
			i++
		}
	}
	return i
}

// sliceColon is the index of the colon that separates the ends of a slice, -1
// if there is none. That of cond ? a : b is none.
func sliceColon(r []rune) int {
	questions := 0
	for i := 0; i < len(r); i++ {
		switch r[i] {
		case '?':
			questions++
		case ':':
			if questions == 0 {
				return i
			}
			questions--
		case '[', '(', '{':
			if end := closing(r, i); end > 0 {
				i = end
			}
		case '"', '\'', '`':
			i = quoteEnd(r, i)
		}
	}
	return -1
}
