package cond

import (
	"fmt"
	"unicode/utf8"
)

// Text consists of characters, as len counts them. To expr's machine it is a row
// of bytes wherever it is sliced, indexed or gone through, so there it is handed
// to functions of ours (machine.go). Bytes that are no UTF-8 are a character each,
// and stay what they are.

// noElements is said of text where an element is asked for.
const noElements = "text has no elements; cut out a piece, as in %s[0:1]"

// slicedText is the text from a character to before another. Bounds are those of
// a list: negative ones count from the end, and what is beyond an end is there.
func slicedText(s string, from, to int) string {
	length := utf8.RuneCountInString(s)
	within := func(i int) int {
		if i < 0 {
			i += length
		}
		return min(max(i, 0), length)
	}
	from, to = within(from), within(to)
	if from >= to {
		return ""
	}
	return s[byteOf(s, from):byteOf(s, to)]
}

// byteOf is where the character with a number begins.
func byteOf(s string, character int) int {
	at := 0
	for ; character > 0; character-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

// characterOf is indexOf and lastIndexOf, given how a piece is found.
func characterOf(name string, find func(s, piece string) int) func(...any) (any, error) {
	return func(args ...any) (any, error) {
		for _, a := range args {
			if _, ok := a.(string); !ok {
				return nil, fmt.Errorf("%s looks for text in text, not at %s", name, describe(a))
			}
		}
		s := args[0].(string)
		at := find(s, args[1].(string))
		if at < 0 {
			return -1, nil
		}
		return utf8.RuneCountInString(s[:at]), nil
	}
}
