package diag

import (
	"fmt"
	"slices"
	"strings"
)

// CodeInfo says what a code stands for. Codes are stable: one that is no
// longer used is never given another meaning.
type CodeInfo struct {
	Code        string // "IPC014"
	Title       string // a few words
	Explanation string // what it means and what to do, in whole sentences
}

var codes = map[string]CodeInfo{}

// wellFormed: IPC and three digits. No regular expression: this runs at the
// start of every process.
func wellFormed(code string) bool {
	if len(code) != 6 || code[:3] != "IPC" {
		return false
	}
	for _, c := range code[3:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// Register makes a code known and returns it. It is meant for package-level
// variables and panics if the code is malformed or taken, or if there is no
// title or explanation.
func Register(code, title, explanation string) string {
	switch {
	case !wellFormed(code):
		panic(fmt.Sprintf("diag: code %q is not IPC and three digits", code))
	case title == "" || explanation == "":
		panic(fmt.Sprintf("diag: code %s has no title or explanation", code))
	}
	if old, ok := codes[code]; ok {
		panic(fmt.Sprintf("diag: code %s is registered twice: %q and %q", code, old.Title, title))
	}
	codes[code] = CodeInfo{code, title, explanation}
	return code
}

// Codes lists all registered codes, sorted.
func Codes() []CodeInfo {
	all := make([]CodeInfo, 0, len(codes))
	for _, c := range codes {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b CodeInfo) int { return strings.Compare(a.Code, b.Code) })
	return all
}
