package schema

import (
	"fmt"
	"strings"

	"ipcrun/engine/plan"
	"ipcrun/spec/decl"
)

// Marks around what is generated in README.md.
const (
	readmeBegin = "<!-- generated: go test ./schema -update -->\n"
	readmeEnd   = "<!-- end of what is generated -->\n"
)

// Readme replaces the generated part of README.md: what primitives and steps
// there are.
func Readme(text string) (string, error) {
	before, rest, ok := strings.Cut(text, readmeBegin)
	_, after, ok2 := strings.Cut(rest, readmeEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("README.md has lost the marks of its generated part")
	}
	return before + readmeBegin + readmeTables() + readmeEnd + after, nil
}

func readmeTables() string {
	v := plan.Vocabulary()
	var b strings.Builder
	b.WriteString("\n| primitive | is | steps |\n|---|---|---|\n")
	for _, name := range v.KindNames() {
		k := v.Kinds[name]
		var verbs []string
		for _, verb := range k.Verbs {
			verbs = append(verbs, "`"+verb.Name+"`")
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", oneLine(k.Example), cell(k.Summary), strings.Join(verbs, " "))
	}
	b.WriteString("\n| steps beside them | where |\n|---|---|\n")
	for _, g := range []struct {
		where string
		place decl.Place
	}{{"anywhere", decl.Anywhere}, {"inside a process", decl.InProcess}, {"top-level steps", decl.InScript}} {
		var verbs []string
		for _, verb := range v.Verbs {
			if v.Kinds[verb.Class] == nil && verb.Place == g.place {
				verbs = append(verbs, "`"+verb.Name+"`")
			}
		}
		fmt.Fprintf(&b, "| %s | %s |\n", strings.Join(verbs, " "), g.where)
	}
	b.WriteString("\n")
	return b.String()
}
