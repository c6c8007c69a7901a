package lattice

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "ipcrun/"

// imports are what the files of each package import, tests apart.
type imports struct{ code, tests map[string][]string }

// TestLattice holds the source against the policy. It reads every file, those
// for other systems too, whatever the system it runs on.
func TestLattice(t *testing.T) {
	got := source(t)
	if len(got.code) < 10 {
		t.Fatalf("only %d packages found", len(got.code))
	}
	for _, p := range check(got) {
		t.Error(p)
	}
}

// TestLatticeNotices: each kind of breach is found in a house that is fine
// otherwise.
func TestLatticeNotices(t *testing.T) {
	house := func() imports {
		i := imports{code: map[string][]string{}, tests: map[string][]string{}}
		for room, below := range parse(policy) {
			for _, b := range below {
				i.code[room] = append(i.code[room], module+b)
			}
			i.code[room] = append(i.code[room], "fmt")
		}
		i.tests["prims"] = []string{"pgregory.net/rapid", "ipcrun/engine"}
		return i
	}
	if p := check(house()); len(p) > 0 {
		t.Fatalf("a house as the policy wants it: %q", p)
	}
	for _, test := range []struct {
		name  string
		spoil func(imports)
		want  string
	}{
		{"upwards", func(i imports) { i.code["spec/decl"] = append(i.code["spec/decl"], "ipcrun/engine") },
			"spec/decl must not import ipcrun/engine"},
		{"sideways", func(i imports) { i.code["spec/ydoc"] = append(i.code["spec/ydoc"], "ipcrun/spec/cond") },
			"spec/ydoc must not import ipcrun/spec/cond"},
		{"an agent that knows spec", func(i imports) { i.code["engine/agent"] = append(i.code["engine/agent"], "ipcrun/spec") },
			"engine/agent must not import ipcrun/spec"},
		{"a second importer of YAML", func(i imports) { i.code["spec"] = append(i.code["spec"], "gopkg.in/yaml.v3") },
			"spec must not import gopkg.in/yaml.v3"},
		{"YAML in a test", func(i imports) { i.tests["engine"] = []string{"gopkg.in/yaml.v3"} },
			"tests of engine must not import gopkg.in/yaml.v3"},
		{"a part of expr", func(i imports) {
			i.code["engine/script"] = append(i.code["engine/script"], "github.com/expr-lang/expr/ast")
		}, "engine/script must not import github.com/expr-lang/expr/ast"},
		{"cobra outside of cmd", func(i imports) { i.code["engine"] = append(i.code["engine"], "github.com/spf13/cobra") },
			"engine must not import github.com/spf13/cobra"},
		{"a module for tests in the binary", func(i imports) { i.code["schema"] = append(i.code["schema"], "pgregory.net/rapid") },
			"schema must not import pgregory.net/rapid"},
		{"a module that nobody decided on", func(i imports) { i.code["spec"] = append(i.code["spec"], "example.com/left/pad") },
			"spec must not import example.com/left/pad"},
		{"a kernel in a room without one", func(i imports) { i.code["engine/script"] = append(i.code["engine/script"], "syscall") },
			"engine/script must not import syscall"},
		{"a room that is not on the plan", func(i imports) { i.code["engine/shed"] = nil },
			"engine/shed is not in the policy"},
		{"a room that is gone", func(i imports) { delete(i.code, "engine/race") },
			"engine/race is in the policy and does not exist"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := house()
			test.spoil(h)
			if got := check(h); !slices.Contains(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestPolicyIsALattice: no room knows one that knows it.
func TestPolicyIsALattice(t *testing.T) {
	below := parse(policy)
	state := map[string]int{}
	var visit func(room string, way []string)
	visit = func(room string, way []string) {
		switch {
		case state[room] == 1:
			t.Errorf("a circle: %s", strings.Join(append(way, room), " < "))
			return
		case state[room] == 2:
			return
		}
		state[room] = 1
		for _, b := range below[room] {
			if _, known := below[b]; !known {
				t.Errorf("%s may import %s, which has no line of its own", room, b)
			}
			visit(b, append(way, room))
		}
		state[room] = 2
	}
	for room := range below {
		visit(room, nil)
	}
}

// TestInternalsTable: docs/internals.md lists the rooms in an order in which each
// comes after those that it imports. What has no row belongs to the room that it lies in.
func TestInternalsTable(t *testing.T) {
	text, err := os.ReadFile("../../../../docs/internals.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "| room |")
	table, _, _ = strings.Cut(table, "\n\n")
	if faults := tableFaults(table, parse(policy)); len(faults) > 0 {
		t.Error(strings.Join(faults, "\n"))
	}
	swapped := strings.NewReplacer("`spec/decl`", "`prims`", "`prims`", "`spec/decl`").Replace(table)
	if len(tableFaults(swapped, parse(policy))) == 0 {
		t.Error("a table in the wrong order is not noticed")
	}
}

func tableFaults(table string, below map[string][]string) (faults []string) {
	row := map[string]int{}
	for n, line := range strings.Split(table, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 2 {
			continue
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			row[m[1]] = n + 1
			if _, known := below[m[1]]; !known {
				faults = append(faults, m[1]+" is no room")
			}
		}
	}
	at := func(room string) int {
		for room != "." && row[room] == 0 {
			room = path.Dir(room)
		}
		return row[room]
	}
	for room, imports := range below {
		for _, i := range imports {
			if at(i) > at(room) && at(room) > 0 {
				faults = append(faults, room+" imports "+i+", which stands below it")
			}
		}
	}
	return faults
}

// parse reads lines of the form  name < names. It panics if a name stands
// twice.
func parse(s string) map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(s) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if line == "" {
			continue
		}
		name, below, _ := strings.Cut(line, "<")
		name = strings.TrimSpace(name)
		if _, dup := out[name]; dup {
			panic(name + " stands twice in the policy")
		}
		out[name] = strings.Fields(below)
	}
	return out
}

// check lists what breaks the policy, in order.
func check(got imports) []string {
	rooms, modules := parse(policy), parse(outside)
	free, kernels := strings.Fields(kernelFree), strings.Fields(kernel)
	var out []string
	for _, room := range slices.Sorted(maps.Keys(got.code)) {
		below, known := rooms[room]
		if !known {
			out = append(out, room+" is not in the policy")
			continue
		}
		for _, i := range got.code[room] {
			inside, ours := strings.CutPrefix(i, module)
			ok := true
			switch {
			case slices.Contains(free, room) && slices.Contains(kernels, i):
				ok = false
			case ours:
				ok = slices.Contains(below, inside)
			case foreign(i):
				ok = slices.Contains(modules[moduleOf(i, modules)], room)
			}
			if !ok {
				out = append(out, room+" must not import "+i)
			}
		}
	}
	for _, room := range slices.Sorted(maps.Keys(got.tests)) {
		for _, i := range got.tests[room] {
			users := modules[moduleOf(i, modules)]
			if foreign(i) && !slices.Contains(users, "tests") && !slices.Contains(users, room) {
				out = append(out, "tests of "+room+" must not import "+i)
			}
		}
	}
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		if _, exists := got.code[room]; !exists {
			out = append(out, room+" is in the policy and does not exist")
		}
	}
	return out
}

// foreign reports whether a package is neither ours nor of the standard library.
func foreign(pkg string) bool {
	first, _, _ := strings.Cut(pkg, "/")
	return strings.Contains(first, ".")
}

// moduleOf is the module that a package belongs to, the package itself if it
// is none of those in the list.
func moduleOf(pkg string, modules map[string][]string) string {
	for p := pkg; p != "."; p = path.Dir(p) {
		if _, ok := modules[p]; ok {
			return p
		}
	}
	return pkg
}

// source reads the imports of the whole module.
func source(t *testing.T) imports {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	out := imports{code: map[string][]string{}, tests: map[string][]string{}}
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(file) != ".go":
			return nil
		}
		rel, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		room := filepath.ToSlash(rel)
		to := out.code
		if strings.HasSuffix(file, "_test.go") {
			to = out.tests
		} else if to[room] == nil {
			to[room] = []string{}
		}
		for _, i := range f.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if !slices.Contains(to[room], p) {
				to[room] = append(to[room], p)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if up := filepath.Dir(dir); up != dir {
			dir = up
			continue
		}
		return "", fmt.Errorf("no go.mod above %s", dir)
	}
}

// TestLinterAgrees: the linter's configuration speaks of every module that has
// few importers, so that an editor shows the breach, too.
func TestLinterAgrees(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(root, ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for module, users := range parse(outside) {
		if len(users) == 1 && !strings.Contains(string(data), module) && !slices.Contains(unguarded, module) {
			t.Errorf(".golangci.yml does not guard %s", module)
		}
	}
}

// unguarded modules have one importer because nobody else needs them.
var unguarded = []string{"github.com/mattn/go-runewidth"}
