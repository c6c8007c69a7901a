// Package keys is the vocabulary of key names and the bytes that a terminal
// sends for them. It knows no terminal and no kernel, so that a scenario can
// be checked anywhere; it must never know processes.
//
//	b, err := keys.Parse("ctrl-c") // []byte{3}
package keys

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"ipcrun/engine/proc/internal/nearest"
)

// named are the keys that have a name of their own.
var named = []struct{ name, bytes string }{
	{"enter", "\r"},
	{"tab", "\t"},
	{"esc", "\x1b"},
	{"backspace", "\x7f"},
	{"space", " "},
	{"up", "\x1b[A"},
	{"down", "\x1b[B"},
	{"right", "\x1b[C"},
	{"left", "\x1b[D"},
}

// controls are the keys that ctrl goes with; ctrl clears all but five bits.
const controls = "abcdefghijklmnopqrstuvwxyz@[\\]^_"

// all maps every name to its bytes and lists the names as a reader would. Made
// when it is first needed, since few processes need it.
var all = sync.OnceValues(func() (map[string]string, []string) {
	t := make(map[string]string)
	var all []string
	for _, c := range controls {
		name := "ctrl-" + string(c)
		t[name] = string(c & 0x1f)
		all = append(all, name)
	}
	for _, k := range named {
		t[k.name] = k.bytes
		all = append(all, k.name)
	}
	return t, all
})

// Parse returns the bytes that a key sends. Case does not count. The error of
// an unknown name lists the nearest ones.
func Parse(name string) ([]byte, error) {
	table, names := all()
	if b, ok := table[strings.ToLower(name)]; ok {
		return []byte(b), nil
	}
	if near := nearest.Names(name, names, 3); len(near) > 0 {
		return nil, fmt.Errorf("no key is called %q; the nearest: %s", name, strings.Join(near, ", "))
	}
	plain := make([]string, 0, len(named))
	for _, k := range named {
		plain = append(plain, k.name)
	}
	return nil, fmt.Errorf("no key is called %q; there are ctrl-a to ctrl-z, ctrl- with one of @ [ \\ ] ^ _, and %s",
		name, strings.Join(plain, ", "))
}

// Names lists all key names.
func Names() []string {
	_, names := all()
	return slices.Clone(names)
}
