package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLong: what a test does at length only, .ci/long has it do.
func TestLong(t *testing.T) {
	script, err := os.ReadFile("../../.ci/long")
	if err != nil {
		t.Fatal(err)
	}
	type command struct {
		of  string // the variable that it sets
		run *regexp.Regexp
	}
	commands := map[string][]command{} // by the package's directory
	line := regexp.MustCompile(`(?m)^(IPCRUN_\w+)=\S* go test \./(\S+)(?:.* -run '([^']*)')?`)
	for _, m := range line.FindAllStringSubmatch(string(script), -1) {
		commands[m[2]] = append(commands[m[2]], command{m[1], regexp.MustCompile(m[3])})
	}
	found := 0
	for dir, files := range testFiles(t) {
		for _, variable := range []string{"IPCRUN_TEST_LONG", "IPCRUN_KILLS"} {
			for name := range reading(files, variable) {
				if !strings.HasPrefix(name, "Test") {
					continue
				}
				found++
				at := false
				for _, c := range commands[dir] {
					at = at || c.of == variable && c.run.MatchString(name)
				}
				if !at {
					t.Errorf("%s of %s asks for %s, and .ci/long does not run it with that", name, dir, variable)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d tests found", found)
	}
}

// testFiles are the parsed tests of all packages, by directory.
func testFiles(t *testing.T) map[string][]*ast.File {
	t.Helper()
	out := map[string][]*ast.File{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		dir := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../../")
		out[dir] = append(out[dir], f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// reading are the functions that ask for a variable of the environment, by
// themselves or through others.
func reading(files []*ast.File, variable string) map[string]bool {
	out := map[string]bool{}
	for before := -1; before < len(out); {
		before = len(out)
		for _, f := range files {
			for _, d := range f.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil {
					continue
				}
				ast.Inspect(fn.Body, func(n ast.Node) bool {
					switch n := n.(type) {
					case *ast.BasicLit:
						if n.Value == `"`+variable+`"` {
							out[fn.Name.Name] = true
						}
					case *ast.CallExpr:
						if id, ok := n.Fun.(*ast.Ident); ok && out[id.Name] {
							out[fn.Name.Name] = true
						}
					}
					return true
				})
			}
		}
	}
	maps.DeleteFunc(out, func(name string, _ bool) bool { return name == "TestLong" })
	return out
}
