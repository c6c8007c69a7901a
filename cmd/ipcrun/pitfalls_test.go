package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPitfalls: the tests that docs/internals.md names for the pitfalls are there.
func TestPitfalls(t *testing.T) {
	text, err := os.ReadFile("../../docs/internals.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "\n## Pitfalls\n")
	if !ok {
		t.Fatal("docs/internals.md has no table of pitfalls")
	}
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || strings.Contains(line, "---") || strings.TrimSpace(cells[2]) == "test" {
			continue
		}
		rows++
		named := regexp.MustCompile("`([\\w/]+) ([\\w./]+)`").FindAllStringSubmatch(cells[2], -1)
		if len(named) == 0 {
			t.Errorf("no test for: %s", cells[1])
		}
		for _, n := range named {
			dir := filepath.Join("../..", n[1])
			if strings.Contains(n[2], "/") {
				if _, err := os.Stat(filepath.Join(dir, n[2])); err != nil {
					t.Error(err)
				}
				continue
			}
			if !hasTest(t, dir, n[2]) {
				t.Errorf("%s has no %s", n[1], n[2])
			}
		}
	}
	if rows < 22 {
		t.Errorf("only %d rows", rows)
	}
}

func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil {
			t.Fatal(err)
		} else if strings.Contains(string(b), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
